"""The process's generator from settings."""

from pathlib import Path

import pytest
import structlog

from app import randomness
from app.randomness import process_drbg
from core.config import Settings
from crypto.errors import SourceFailed

pytestmark = pytest.mark.requirement("H2.5")


@pytest.fixture(autouse=True)
def _anew() -> None:
    randomness._drbg.cache_clear()


def test_a_process_has_one_generator_over_two_sources() -> None:
    drbg = process_drbg(Settings())
    assert process_drbg(Settings()) is drbg
    assert len(drbg.status().sources) >= 2


def test_the_configured_device_is_a_source_and_its_failure_is_logged(tmp_path: Path) -> None:
    settings = Settings(noise_device=str(tmp_path / "hwrng"))
    with structlog.testing.capture_logs() as lines, pytest.raises(SourceFailed, match="device hwrng"):
        process_drbg(settings)
    assert [(line["event"], line["log_level"]) for line in lines] == [("randomness_failed", "critical")]
    assert "hwrng" in lines[0]["why"]
