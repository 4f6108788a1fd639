"""A configured card computes first and gives random numbers; one that is away is not passed over in silence."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app import engines, randomness, sdf_card
from core.config import Settings
from crypto.errors import EngineUnavailable, SourceFailed
from tests.fixtures.sdf_card import soft_card

pytestmark = pytest.mark.requirement("H2", "H2.4", "H2.5")


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    def forget() -> None:
        randomness._drbg.cache_clear()
        sdf_card.open_card.cache_clear()
        engines._chosen.clear()

    forget()
    yield
    forget()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    try:
        return Settings(home=str(tmp_path), sdf_library=soft_card(), sdf_password="slot-1")
    except EngineUnavailable as reason:
        pytest.skip(str(reason))


def test_a_card_takes_sm2_and_the_modes_and_is_a_noise_source(settings: Settings) -> None:
    chosen = engines.open_engines(settings)
    assert [chosen.sm2.name, chosen.sm2_single.name, chosen.modes.name] == ["sdf"] * 3
    assert chosen.sm4.name != "sdf"
    assert "card sdf" in str(randomness.process_drbg(settings).status().sources)


def test_a_card_with_a_wrong_password_fails_where_it_needs_it(tmp_path: Path, settings: Settings) -> None:
    wrong = Settings(home=str(tmp_path), sdf_library=settings.sdf_library, sdf_password="forgotten")
    with structlog.testing.capture_logs() as lines:
        chosen = engines.open_engines(wrong)
    assert chosen.modes.name != "sdf"
    assert any("give the slot's password" in line["why"] for line in lines)
    assert "forgotten" not in str(lines)
    assert "forgotten" not in repr(sdf_card.card_settings(wrong))


def test_a_card_that_is_away_stops_the_random_numbers(tmp_path: Path) -> None:
    away = Settings(home=str(tmp_path), sdf_library=str(tmp_path / "libsdf.so"))
    with pytest.raises(SourceFailed, match="card sdf"):
        randomness.process_drbg(away)


def test_without_a_card_there_is_none() -> None:
    assert sdf_card.card_settings(Settings()) is None
