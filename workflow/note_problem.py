"""When something came and could not be used, then it is kept and listed for a person (`./cloudfilm messages`, F10)."""

from core.clock import now
from core.db import transaction
from core.logs import get_logger
from core.models import IntakeProblem

_log = get_logger("workflow")


def note_problem(source: str, reference: str, peer: str, text: str, kept_at: str = "") -> None:
    """Write one line, once per source and reference; and one log line as the alarm."""
    with transaction():
        IntakeProblem.insert(
            source=source, reference=reference[:128], peer=peer[:64], text=text[:500], kept_at=kept_at, created_at=now()
        ).on_conflict_ignore().execute()
    _log.warning("intake_problem", source=source, reference=reference, peer=peer, why=text)
