"""The end state of a story as plain rows, without what may differ between two runs: ids, clock times, random keys."""

import json
from typing import Any

from core import db
from core.models import (
    Charge,
    Exam,
    ExamStudy,
    InboundMessage,
    Instance,
    IntakeProblem,
    LedgerEntry,
    Notification,
    OutboundMessage,
    OutboxEvent,
    Pack,
    Patient,
    PatientIdentifier,
    Report,
    ReportDocument,
    Settlement,
    Study,
    WechatBinding,
)
from crypto.sm3 import sm3

Rows = dict[str, list[list[Any]]]


def end_state() -> Rows:
    """Every business row in natural keys, sorted: two runs of the same story are equal row for row."""
    with db.connection():
        rows: Rows = {
            "patients": [[p.name, p.id_number, p.phone, p.sex, p.birth_date] for p in Patient.select()],
            "identifiers": [[i.assigner, i.value, i.patient.id_number] for i in PatientIdentifier.select()],
            "exams": [_exam(exam) for exam in Exam.select()],
            "declared": [
                [d.exam.accession_number, d.study_uid, d.completed_at is not None] for d in ExamStudy.select()
            ],
            "studies": [
                [s.study_uid, s.exam.accession_number if s.exam else "", s.patient_name]
                for s in Study.select()
            ],
            "instances": [_instance(instance) for instance in Instance.select()],
            "packs": [[p.series.series_uid, p.generation, p.plain_length, p.state] for p in Pack.select()],
            "reports": [
                [
                    r.exam.accession_number,
                    r.status,
                    r.findings,
                    r.impression,
                    r.approver,
                    r.approved_at.isoformat(),
                ]
                for r in Report.select()
            ],
            "documents": [
                [d.report.exam.accession_number, d.media_type, d.sm3] for d in ReportDocument.select()
            ],
            "charges": [[c.fee_line_id, c.amount_fen, c.choice, c.state, c.channel] for c in Charge.select()],
            "settlements": [[s.source, s.key, s.amount_fen, s.state, s.reason] for s in Settlement.select()],
            "ledger": [
                [e.settlement.key, e.account, e.debit_fen, e.credit_fen] for e in LedgerEntry.select()
            ],
            "inbound": [
                [m.peer, m.control_id, m.message_type, m.body_sm3, m.state] for m in InboundMessage.select()
            ],
            "outbound": [
                [m.peer, m.key, m.message_type, m.control_id, m.state] for m in OutboundMessage.select()
            ],
            "notifications": [
                [n.exam.accession_number, n.kind, n.channel, n.state] for n in Notification.select()
            ],
            "bindings": [["bound"] for _ in WechatBinding.select()],
            "problems": [[p.source, p.text] for p in IntakeProblem.select()],
            "parked": [[w.kind, w.state] for w in OutboxEvent.select().where(OutboxEvent.state != "done")],
        }
    return {name: sorted(lines, key=str) for name, lines in rows.items()}


def digest(rows: Rows) -> str:
    """SM3 over the canonical JSON of the rows."""
    return sm3(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hex()


def differences(one: Rows, other: Rows) -> list[str]:
    """Rows that only one of two end states has, as text; empty when they are the same."""
    found = []
    for name in one:
        mine, theirs = [json.dumps(row) for row in one[name]], [json.dumps(row) for row in other[name]]
        found += [f"- {name}: {row}" for row in mine if row not in theirs]
        found += [f"+ {name}: {row}" for row in theirs if row not in mine]
        if len(mine) != len(theirs):
            found.append(f"{name}: {len(mine)} and {len(theirs)} rows")
    return found


def _exam(exam: Exam) -> list[Any]:
    known = [exam.ordered_at, exam.performed_at, exam.reported_at, exam.published_at, exam.cancelled_at]
    return [
        exam.accession_number,
        exam.placer_order_number,
        exam.patient.id_number if exam.patient else "",
        exam.item_name,
        exam.modality,
        *[moment is not None for moment in known],
    ]


def _instance(instance: Instance) -> list[Any]:
    pack = instance.pack
    return [
        instance.sop_uid,
        instance.series.series_uid,
        instance.dataset_sm3,
        instance.spool_name,
        pack.generation if pack else None,
    ]
