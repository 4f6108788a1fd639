"""When the HIS places, changes or cancels an order, then the exam, its patient and its film fee are known (P6▲, S3)."""

from billing import charges
from core import problems
from core.commands import CancelOrder, PlaceOrder
from core.db import transaction
from core.models import Exam
from workflow.find_exam import find_or_create_exam
from workflow.join_study import join_studies_of
from workflow.publish_exam import publish_if_complete
from workflow.tell_his import ask_to_tell


def receive_order(command: PlaceOrder) -> None:
    """Record the order; fee lines first known here may meet a payment that came before them."""
    with transaction():
        exam = find_or_create_exam(
            command.accession_number, command.placer_order_number, command.patient, is_order=True
        )
        if exam.cancelled_at is not None and command.ordered_at > exam.cancelled_at:
            # Ordered anew after it was cancelled; an order that only comes late is older than its cancellation.
            exam.cancelled_at = None
            charges.reopen_for_exam(exam)
        exam.item_code = command.item_code or exam.item_code
        exam.item_name = command.item_name or exam.item_name
        exam.modality = command.modality or exam.modality
        exam.department = command.department or exam.department
        exam.visit_number = command.visit_number or exam.visit_number
        exam.patient_class = command.patient_class or exam.patient_class
        exam.ordered_at = exam.ordered_at or command.ordered_at
        exam.save()
        for line in command.fee_lines:
            charge = charges.record_fee_line(line, exam)
            ask_to_tell(charge)
            if charge.exam is not None and charge.exam_id != exam.id:
                # The line stays with the exam that it first came with, and may just have been paid.
                publish_if_complete(charge.exam)
        join_studies_of(exam)
        publish_if_complete(exam)


def cancel_order(command: CancelOrder) -> None:
    """Note the cancellation; an exam that is already published stays as it is, for a person to decide."""
    with transaction():
        exam = find_or_create_exam(command.accession_number, command.placer_order_number)
        if exam.published_at is not None:
            text = f"exam {exam.accession_number} was cancelled after it was published: decide whether its film stays"
            problems.note("exam", f"cancelled:{exam.id}", text)
        Exam.update(cancelled_at=command.said_at).where(
            Exam.id == exam.id, Exam.cancelled_at.is_null(), Exam.published_at.is_null()
        ).execute()
        charges.cancel_for_exam(exam)
