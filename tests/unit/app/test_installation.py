"""Setting up: what is missing is made, and never in the place of something that was lost."""

from pathlib import Path

import pytest

from app.installation import set_up
from core import config, db
from core.errors import Misconfigured
from core.models import Patient


@pytest.mark.requirement("H2.6", "H2.8")
def test_no_new_keys_are_made_for_data_that_old_ones_sealed(tmp_path: Path) -> None:
    settings = config.load({"CLOUDFILM_HOME": str(tmp_path)})
    set_up(settings)
    assert set_up(settings) == []
    with db.connection():
        Patient.create(name="珅東")
    settings.vault_path.unlink()
    with pytest.raises(Misconfigured, match="keys restore"):
        set_up(settings)
    assert not settings.vault_path.exists()
