"""When HIS or RIS opens a doctor's browser on a study, then its film is found by the numbers that they know it by (F6).

IHE RAD TF-2 §4.106 Invoke Image Display. Only exams that the visitor may open are found, and every look-up is on record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.rights import exams_visible_to
from access.sessions import Visitor
from core import audit
from core.db import transaction
from core.models import Exam, ExamStudy, Pack, PatientIdentifier, Series, Study
from workflow.context import Platform
from workflow.exam_card import ExamCard, card_of

MOST = 50


@dataclass(frozen=True)
class StudyRequest:
    """`requestType=STUDY`: study UIDs, or accession numbers."""

    study_uids: Sequence[str]
    accession_numbers: Sequence[str]


@dataclass(frozen=True)
class PatientRequest:
    """`requestType=PATIENT`: a number of the patient, of one `assigner` or (empty) of any; the newest `most` exams."""

    number: str
    assigner: str
    most: int
    modalities: Sequence[str]
    since: datetime | None
    until: datetime | None


def find_to_display(
    platform: Platform, visitor: Visitor, request: StudyRequest | PatientRequest, address: str
) -> list[ExamCard]:
    """Cards of the exams, newest first; of a patient only those with images."""
    with transaction():
        exams = exams_visible_to(visitor)
        if isinstance(request, StudyRequest):
            by, found = "study", list(exams.where(_of_study(request)).limit(MOST))
        else:
            by, found = "patient", list(exams.where(_of_patient(request)))
        cards = [card_of(exam, platform.settings.hospital_name) for exam in found]
        cards.sort(key=lambda card: (card.exam_at, card.exam_id), reverse=True)
        if isinstance(request, PatientRequest):
            cards = _wished(cards, request)
        detail: dict[str, Any] = {"by": by, "found": len(cards)}
        audit.append(visitor.actor, "invoke_display", "exams", address=address, detail=detail)
        return cards


def _of_study(request: StudyRequest) -> Any:
    uids, numbers = list(request.study_uids), list(request.accession_numbers)
    received = Study.select(Study.exam).where(Study.study_uid.in_(uids), Study.exam.is_null(False))
    declared = ExamStudy.select(ExamStudy.exam).where(ExamStudy.study_uid.in_(uids))
    return Exam.id.in_(received) | Exam.id.in_(declared) | Exam.accession_number.in_(numbers)


def _of_patient(request: PatientRequest) -> Any:
    people = PatientIdentifier.select(PatientIdentifier.patient).where(
        PatientIdentifier.value == request.number
    )
    if request.assigner:
        people = people.where(PatientIdentifier.assigner == request.assigner)
    with_images = Study.select(Study.exam).join(Series).join(Pack).where(Study.exam.is_null(False))
    return Exam.patient.in_(people) & Exam.id.in_(with_images)


def _wished(cards: list[ExamCard], request: PatientRequest) -> list[ExamCard]:
    fitting = [
        card
        for card in cards
        if (not request.modalities or card.modality in request.modalities)
        and (request.since is None or card.exam_at >= request.since)
        and (request.until is None or card.exam_at <= request.until)
    ]
    return fitting[: min(request.most, MOST) if request.most else MOST]
