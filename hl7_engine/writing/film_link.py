"""ORU^R01 to HIS and RIS: where the patient's film is to be found (v2.5.1 chapters 7.3.1, 2.A.57 RP).

The address leads to a page that asks who is there before it shows anything: it is no secret, and holds none.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from hl7apy.exceptions import HL7apyException

from core.models import Exam, PatientIdentifier
from hl7_engine.er7 import escape
from hl7_engine.errors import Unwritable
from hl7_engine.times import format_moment
from hl7_engine.writing.envelope import STANDARD, Envelope, fill_patient, new_message, to_bytes

OBSERVATION = "YJP^云胶片地址^L"


@dataclass(frozen=True)
class FilmLinkFacts:
    """One published exam and the address of its page. `identifiers` are (assigner, value) pairs."""

    address: str
    accession_number: str
    placer_order_number: str
    item_code: str
    item_name: str
    published_at: datetime
    patient_name: str
    identifiers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, exam: Exam, public_url: str) -> Self:
        """From a published exam with a patient. Raises `Unwritable` for another."""
        if exam.patient is None or exam.published_at is None:
            raise Unwritable(
                f"exam {exam.id} has no patient or is not published: there is no film to link to"
            )
        known = PatientIdentifier.all_with(PatientIdentifier.patient == exam.patient)
        return cls(
            address=f"{public_url.rstrip('/')}/exams/{exam.id}",
            accession_number=exam.accession_number,
            placer_order_number=exam.placer_order_number,
            item_code=exam.item_code,
            item_name=exam.item_name or exam.modality or "影像检查",
            published_at=exam.published_at,
            patient_name=exam.patient.name,
            identifiers=tuple((row.assigner, row.value) for row in known),
        )


def build(facts: FilmLinkFacts, control_id: str, envelope: Envelope = STANDARD) -> bytes:
    """The message, validated. Raises `Unwritable` naming what HL7 does not allow."""
    try:
        message = new_message("ORU^R01", "ORU_R01", control_id, envelope)
        result = message.add_group("ORU_R01_PATIENT_RESULT")
        pid = result.add_group("ORU_R01_PATIENT").add_segment("PID")
        fill_patient(pid, facts.patient_name, facts.identifiers)
        order = result.add_group("ORU_R01_ORDER_OBSERVATION")
        number = f"{escape(facts.placer_order_number)}^HIS" if facts.placer_order_number else ""
        orc = order.add_segment("ORC")
        orc.orc_1 = "RE"
        orc.orc_2 = number
        obr = order.add_segment("OBR")
        obr.obr_1 = "1"
        obr.obr_2 = number
        obr.obr_4 = f"{escape(facts.item_code)}^{escape(facts.item_name)}"
        obr.obr_18 = escape(facts.accession_number)
        obr.obr_25 = "F"
        obx = order.add_group("ORU_R01_OBSERVATION").add_segment("OBX")
        obx.obx_1 = "1"
        obx.obx_2 = "RP"
        obx.obx_3 = OBSERVATION
        obx.obx_5 = escape(facts.address)
        obx.obx_11 = "F"
        obx.obx_14 = format_moment(facts.published_at)
        return to_bytes(message, envelope)
    except (HL7apyException, ValueError) as error:
        # Its text would quote what does not fit, which may be a name.
        raise Unwritable(
            f"film address of {facts.accession_number} makes no valid ORU^R01 ({type(error).__name__})"
        ) from error
