"""Reports: ORU^R01 (v2.5.1 chapter 7.3.1). Text in OBX GDT (所见) and IMP (诊断), the signed PDF in an ED.

| OBR-25 | what follows |
|---|---|
| F, C | the report is delivered: final, corrected |
| X, D | the report is withdrawn |
| A, I, O, P, R, S | nothing: not approved yet |
"""

from dataclasses import replace

from core.commands import DeliverReport, WithdrawReport
from hl7_engine.errors import REQUIRED_FIELD_MISSING, Unreadable, Unsupported, quoted
from hl7_engine.reading.groups import Group, groups_of
from hl7_engine.reading.patient import read_patient
from hl7_engine.reading.results import Results, person
from hl7_engine.reading.source import Source

_DELIVERED = frozenset({"F", "C"})
_WITHDRAWN = frozenset({"X", "D"})
_NOT_YET = frozenset({"A", "I", "O", "P", "R", "S"})
_ITEM_NAME_LENGTH = 128
_MODALITY_LENGTH = 16


def read(source: Source) -> list[object]:
    """What happened to each report of the message. Raises `Unreadable` or `Unsupported`."""
    groups = [group for group in groups_of(source) if not group.obr.is_empty]
    if not groups:
        raise Unreadable("the message has no OBR segment", REQUIRED_FIELD_MISSING)
    commands: list[object] = []
    for group in groups:
        status = source.code("report_status", group.scope)
        group.require_number()
        if status in _DELIVERED:
            commands.append(_deliver(source, group, status))
        elif status in _WITHDRAWN:
            commands.append(_withdraw(source, group))
        elif status not in _NOT_YET:
            raise Unsupported(f"OBR-25 is {quoted(status)}: F, C and X are acted upon, A I O P R S ignored")
    return _joined(commands)


def _joined(commands: list[object]) -> list[object]:
    """Several items of one exam (an OBR each) make one report: as versions of each other all but one would be lost."""
    found: dict[tuple[str, str], DeliverReport] = {}
    others = []
    for command in commands:
        if not isinstance(command, DeliverReport):
            others.append(command)
            continue
        exam = (command.accession_number, command.placer_order_number)
        found[exam] = _with(found[exam], command) if exam in found else command
    return [*found.values(), *others]


def _with(first: DeliverReport, second: DeliverReport) -> DeliverReport:
    return replace(
        first,
        status="C" if "C" in (first.status, second.status) else "F",
        findings="\n".join(filter(None, (first.findings, second.findings))),
        impression="\n".join(filter(None, (first.impression, second.impression))),
        study_uids=tuple(dict.fromkeys((*first.study_uids, *second.study_uids))),
        document=first.document or second.document,
        document_type=first.document_type or second.document_type,
    )


def _withdraw(source: Source, group: Group) -> WithdrawReport:
    return WithdrawReport(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        said_at=source.said_at,
    )


def _deliver(source: Source, group: Group, status: str) -> DeliverReport:
    scope = group.scope
    results = Results(source, group.named("OBX"))
    document = results.document
    approver = _person(source, group, "report_approver")
    return DeliverReport(
        accession_number=group.accession_number,
        placer_order_number=group.placer_order_number,
        patient=read_patient(source),
        status=status,
        findings=results.findings,
        impression=results.impression,
        reporter=_person(source, group, "report_author") or approver,
        approver=approver,
        approved_at=source.moment("report_approved_at", scope) or source.said_at,
        study_uids=results.study_uids,
        document=document,
        document_type="application/pdf" if document else "",
        item_name=source.words("item_name", _ITEM_NAME_LENGTH, scope),
        modality=source.code("modality", scope)[:_MODALITY_LENGTH],
        said_at=source.said_at,
    )


def _person(source: Source, group: Group, name: str) -> str:
    told = (person(segment, place.field.field) for segment, place in source.places(name, group.scope))
    return next(filter(None, told), "")
