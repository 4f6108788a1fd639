"""When a patient opens the service, then all exams across the years are listed, newest first (E3, E7–E9)."""

from access.rights import exams_visible_to
from access.sessions import Visitor
from core import audit
from core.db import transaction
from workflow.context import Platform
from workflow.exam_card import ExamCard, card_of


def list_history(platform: Platform, visitor: Visitor, address: str) -> list[ExamCard]:
    """Every exam of the visitor in time order, newest first; the look itself is audited."""
    with transaction():
        exams = list(exams_visible_to(visitor))
        audit.append(
            visitor.actor, "list_history", visitor.actor, address=address, detail={"exams": len(exams)}
        )
        cards = [card_of(exam, platform.settings.hospital_name) for exam in exams]
    return sorted(cards, key=lambda card: card.exam_at, reverse=True)
