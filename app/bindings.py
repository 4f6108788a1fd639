"""Who acts on what: commands from the engines → workflow, outbox rows → workflow. The one table of each."""

from collections.abc import Callable
from functools import partial
from typing import Any

from core.bus import InProcessBus
from core.clock import now
from core.commands import (
    CancelOrder,
    CancelVisit,
    CompleteExam,
    DeliverReport,
    MergePatients,
    NoteProgress,
    PlaceOrder,
    ReceiveInstance,
    RefundFee,
    RegisterPatient,
    ScheduleExam,
    SettleFee,
    UpdateDictionary,
    WaiveFee,
    WithdrawReport,
)
from hl7_engine import application_ack, pruning, watch
from hl7_engine.drain import Drain
from hl7_engine.pruning import Retention
from jobs.pump import POLL_SECONDS, Pump
from workflow.archive_study import archive_series, upload_pack
from workflow.cancel_visit import cancel_visit
from workflow.complete_exam import complete_exam
from workflow.context import Platform
from workflow.merge_patients import merge_patients
from workflow.notify_patient import notify_film, send_code
from workflow.receive_order import cancel_order, receive_order
from workflow.receive_report import receive_report
from workflow.receive_study import receive_instance
from workflow.refund_fee import refund_fee
from workflow.register_patient import register_patient
from workflow.schedule_exam import note_progress, schedule_exam
from workflow.send_message import send_message
from workflow.settle_fee import settle_fee
from workflow.tell_film_link import tell_film_link
from workflow.tell_his import tell_his
from workflow.update_dictionary import update_dictionary
from workflow.waive_fee import waive_fee
from workflow.withdraw_report import withdraw_report

Handler = Callable[[dict[str, Any]], None]

WATCH_SECONDS = 60
PRUNE_SECONDS = 24 * 3600


def bind_commands(bus: InProcessBus, platform: Platform) -> None:
    """Engines submit; these act."""
    bus.on(RegisterPatient, register_patient)
    bus.on(MergePatients, merge_patients)
    bus.on(CancelVisit, cancel_visit)
    bus.on(PlaceOrder, receive_order)
    bus.on(CancelOrder, cancel_order)
    bus.on(ScheduleExam, schedule_exam)
    bus.on(NoteProgress, note_progress)
    bus.on(CompleteExam, complete_exam)
    bus.on(DeliverReport, receive_report)
    bus.on(WithdrawReport, withdraw_report)
    bus.on(SettleFee, settle_fee)
    bus.on(RefundFee, refund_fee)
    bus.on(WaiveFee, waive_fee)
    bus.on(UpdateDictionary, update_dictionary)
    bus.on(ReceiveInstance, partial(receive_instance, quiet_seconds=platform.settings.series_quiet_seconds))


def outbox_handlers(platform: Platform) -> dict[str, Handler]:
    """What the relay runs for each kind of outbox row."""
    return {
        "archive_series": lambda work: archive_series(platform, work["series_id"]),
        "upload_pack": lambda work: upload_pack(platform, work["pack_id"]),
        "notify_film": lambda work: notify_film(platform, work["exam_id"], work["channel"]),
        "send_otp": lambda work: send_code(platform, work),
        "tell_his": lambda work: tell_his(platform, work["settlement_id"]),
        "tell_film_link": lambda work: tell_film_link(platform, work["exam_id"]),
        "answer_message": lambda work: application_ack.write(
            work["message_id"], work["error"], platform.site
        ),
        "send_his": lambda work: send_message(platform, work["message_id"]),
    }


def message_drain(platform: Platform) -> Drain:
    """What takes received messages from the inbox."""
    return Drain(platform.bus, platform.site, application_ack.owe)


def message_pumps(platform: Platform) -> dict[str, Pump]:
    """What the relay steps beside the outbox: taking messages in, watching their flow, deleting old ones."""
    retention = Retention(platform.settings.message_days, platform.settings.message_problem_days)
    steps: dict[str, tuple[Callable[[], int], float]] = {
        "messages": (message_drain(platform).run_once, POLL_SECONDS),
        "watch": (lambda: watch.look(platform.site, now()), WATCH_SECONDS),
        "pruning": (lambda: pruning.prune(retention, now()), PRUNE_SECONDS),
    }
    return {name: Pump(name, step, pause) for name, (step, pause) in steps.items()}
