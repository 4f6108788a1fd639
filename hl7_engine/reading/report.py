"""Reports: ORU^R01 (v2.5.1 chapter 7.3.1). Text in OBX GDT (所见) and IMP (诊断), the signed PDF in an ED.

| OBR-25 | what follows |
|---|---|
| F, C | the report is delivered: final, corrected |
| A, I, O, P, R, S | nothing: not approved yet |
| D, X | parked: a report was withdrawn, a person must look |
"""

import binascii
import re
from base64 import b64decode
from datetime import datetime

from core.commands import DeliverReport
from hl7_engine.er7 import Message, Segment
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported
from hl7_engine.reading.groups import Group, groups_of
from hl7_engine.reading.patient import read_patient
from hl7_engine.reading.uids import study_uid
from hl7_engine.reading.values import KEY_LENGTH, moment, said_at, words

_DELIVERED = frozenset({"F", "C"})
_NOT_YET = frozenset({"A", "I", "O", "P", "R", "S"})
# OBX-11: deleted, wrong, no result.
_VOID = frozenset({"D", "W", "X"})

# OBX-3.1: as Chinese RIS write it, and LOINC.
_FINDINGS = frozenset({"GDT", "59776-5"})
_IMPRESSION = frozenset({"IMP", "19005-8"})
_RECOMMENDATION = frozenset({"REC", "18783-1"})
# DICOM PS3.16 DCM 113014: Study.
_STUDY = "113014"
_MAIN_DOCUMENT = "ZMF"

_ITEM_NAME_LENGTH = 128
_MODALITY_LENGTH = 16


def read(message: Message) -> list[object]:
    """A `DeliverReport` for each approved report. Raises `Unreadable`, or `Unsupported` for a withdrawal."""
    groups = [group for group in groups_of(message) if not group.obr.is_empty]
    if not groups:
        raise Unreadable("the message has no OBR segment", REQUIRED_FIELD_MISSING)
    commands: list[object] = []
    for group in groups:
        status = group.obr.get("25").upper()
        group.require_number()
        if status in _DELIVERED:
            commands.append(_deliver(message, group, status))
        elif status not in _NOT_YET:
            raise Unsupported(f"OBR-25 is {status[:8]!r}: F and C are delivered, withdrawals need a person")
    return commands


def _deliver(message: Message, group: Group, status: str) -> DeliverReport:
    results = [obx for obx in group.named("OBX") if obx.get("11").upper() not in _VOID]
    document = _document(results)
    approver = _person(group.obr, 32)
    return DeliverReport(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        patient=read_patient(message),
        status=status,
        findings=_text(results, _FINDINGS),
        impression=_text(results, _IMPRESSION | _RECOMMENDATION),
        reporter=_person(group.obr, 33) or approver,
        approver=approver,
        approved_at=_approved_at(message, group),
        study_uids=_study_uids(results),
        document=document,
        document_type="application/pdf" if document else "",
        item_name=words(group.obr, "4.2", longest=_ITEM_NAME_LENGTH),
        modality=words(group.obr, "24", longest=_MODALITY_LENGTH),
        said_at=said_at(message),
    )


def _approved_at(message: Message, group: Group) -> datetime:
    return moment(group.obr, "22.1") or said_at(message)


def _text(results: list[Segment], codes: frozenset[str]) -> str:
    """All results of these codes in order, a paragraph each."""
    paragraphs = (obx.text(5) for obx in results if obx.get("3.1").upper() in codes)
    return "\n".join(filter(None, paragraphs))


def _study_uids(results: list[Segment]) -> tuple[str, ...]:
    told = (
        obx.get(f"5[{place}].1")
        for obx in results
        if obx.get("3.1") == _STUDY
        for place in range(1, obx.count(5) + 1)
    )
    return tuple(dict.fromkeys(study_uid(uid, "OBX-5 (113014)") for uid in told))


def _document(results: list[Segment]) -> bytes | None:
    """The PDF among the encapsulated data; the main document (ZMF) if there are several."""
    pdfs = [obx for obx in results if obx.get("2").upper() == "ED" and obx.get("5.3").upper() == "PDF"]
    pdfs.sort(key=lambda obx: obx.get("3.1").upper() != _MAIN_DOCUMENT)
    return _decoded(pdfs[0]) if pdfs else None


def _decoded(obx: Segment) -> bytes:
    encoding = obx.get("5.4")
    if encoding.lower() != "base64":
        raise Unreadable(f"OBX-5.4 is {encoding[:16]!r}: a document comes as Base64")
    try:
        content = b64decode(re.sub(r"\s", "", obx.get("5.5")), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("OBX-5.5: the document is not Base64, or was cut off") from None
    if not content.startswith(b"%PDF-"):
        raise Unreadable("OBX-5.5: the document is said to be a PDF and is none")
    return content


def _person(obr: Segment, field: int) -> str:
    """The name in OBR-32 or 33: `id&family&given` (NDL) or, as often met, `id^family^given` (XCN)."""
    parts = [obr.get(f"{field}.1.{place}") for place in (2, 3)]
    if not any(parts):
        parts = [obr.get(f"{field}.{place}") for place in (2, 3)]
    return ("".join(parts) or obr.get(f"{field}.1.1"))[:KEY_LENGTH]
