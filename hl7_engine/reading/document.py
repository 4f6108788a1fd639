"""Documents: MDM (v2.5.1 chapter 9). A report that comes as a document: TXA about it, OBX in it.

| event | what follows |
|---|---|
| T02, T04, T06, T08, T10 with TXA-17 = AU, LA or without | delivered; T08 and T10 as a correction |
| the same with TXA-17 = DI, DO, IP, IN, PA | nothing: not authenticated yet |
| T11 | withdrawn |
| T01, T03, T05, T07, T09 | nothing: a notice without the document |
"""

from core.commands import DeliverReport, WithdrawReport
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable
from hl7_engine.reading.groups import groups_of
from hl7_engine.reading.patient import read_patient
from hl7_engine.reading.results import Results, person
from hl7_engine.reading.source import Source

WITH_CONTENT = ("T02", "T04", "T06", "T08", "T10")
NOTICES = ("T01", "T03", "T05", "T07", "T09")
WITHDRAWAL = "T11"
_CORRECTIONS = frozenset({"T08", "T10"})
# TXA-17, table 0271: authenticated, legally authenticated.
_APPROVED = frozenset({"", "AU", "LA"})
_ITEM_NAME_LENGTH = 128


def read(source: Source) -> list[object]:
    """One `DeliverReport` once the document is authenticated. Raises `Unreadable`."""
    if source.code("document_status") not in _APPROVED:
        return []
    accession_number, order_number = _numbers(source)
    event = source.message.get("MSH-9.2")
    results = Results(source, source.message.segments("OBX"))
    document = results.document
    findings = results.findings
    if not findings and not results.impression:
        findings = results.free_text
    approver = _person(source, "document_approver")
    return [
        DeliverReport(
            accession_number=accession_number,
            placer_order_number=order_number,
            patient=read_patient(source),
            status="C" if event in _CORRECTIONS else "F",
            findings=findings,
            impression=results.impression,
            reporter=_person(source, "document_author") or approver,
            approver=approver,
            approved_at=source.moment("document_approved_at") or source.said_at,
            study_uids=results.study_uids,
            document=document,
            document_type="application/pdf" if document else "",
            item_name=source.words("item_name", _ITEM_NAME_LENGTH),
            said_at=source.said_at,
        )
    ]


def read_withdrawal(source: Source) -> list[object]:
    """One `WithdrawReport`."""
    accession_number, order_number = _numbers(source)
    return [WithdrawReport(accession_number, order_number, source.said_at)]


def read_notice(_source: Source) -> list[object]:
    """Nothing follows from a notice without its document."""
    return []


def _numbers(source: Source) -> tuple[str, str]:
    """Accession and order number: of the order in the message if there is one, else of TXA-14 and 15."""
    groups = groups_of(source)
    accession = source.key("document_accession_number")
    order = source.key("document_order_number")
    if groups:
        accession = groups[0].accession_number or accession
        order = groups[0].placer_order_number or order
    if not accession and not order:
        text = "neither TXA-15 or OBR-18 (accession number) nor TXA-14 or ORC-2 (order number) is given"
        raise Unreadable(text, REQUIRED_FIELD_MISSING)
    return accession, order


def _person(source: Source, name: str) -> str:
    """TXA-9, TXA-10: `id^family^given` (XCN)."""
    told = (person(segment, place.field.field) for segment, place in source.places(name))
    return next(filter(None, told), "")
