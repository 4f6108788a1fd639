"""What came and could not be used, for a person to look at (`./cloudfilm messages`)."""

from core.clock import now
from core.logs import mask_text
from core.models import IntakeProblem

TEXT_LENGTH = 500


def note(source: str, reference: str, text: str, *, peer: str = "", kept_at: str = "") -> None:
    """Put it on the list; once per `reference`. Call inside the transaction that puts the thing aside."""
    IntakeProblem.insert(
        source=source,
        reference=reference[:128],
        peer=peer[:64],
        text=mask_text(text)[:TEXT_LENGTH],
        kept_at=kept_at,
        created_at=now(),
    ).on_conflict_ignore().execute()


def withdraw(source: str, reference: str) -> None:
    """Take it off the list: it was no problem, only early."""
    known = IntakeProblem.get_or_none(
        IntakeProblem.source == source, IntakeProblem.reference == reference[:128]
    )
    if known is not None:
        known.delete_instance()
