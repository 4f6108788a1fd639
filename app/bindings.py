"""Who acts on what: commands from the engines → workflow, outbox rows → workflow. The one table of each."""

from collections.abc import Callable
from functools import partial
from typing import Any

from core.bus import InProcessBus
from core.commands import (
    CancelOrder,
    CompleteExam,
    DeliverReport,
    PlaceOrder,
    ReceiveInstance,
    RegisterPatient,
    SettleFee,
)
from hl7_engine.drain import Drain
from hl7_engine.site import Site
from workflow.archive_study import archive_series, upload_pack
from workflow.complete_exam import complete_exam
from workflow.context import Platform
from workflow.notify_patient import notify_film, send_code
from workflow.receive_order import cancel_order, receive_order
from workflow.receive_report import receive_report
from workflow.receive_study import receive_instance
from workflow.register_patient import register_patient
from workflow.settle_fee import settle_fee
from workflow.tell_his import send_to_his

Handler = Callable[[dict[str, Any]], None]


def bind_commands(bus: InProcessBus, platform: Platform) -> None:
    """Engines submit; these act."""
    bus.on(RegisterPatient, register_patient)
    bus.on(PlaceOrder, receive_order)
    bus.on(CancelOrder, cancel_order)
    bus.on(CompleteExam, complete_exam)
    bus.on(DeliverReport, receive_report)
    bus.on(SettleFee, settle_fee)
    bus.on(ReceiveInstance, partial(receive_instance, quiet_seconds=platform.settings.series_quiet_seconds))


def outbox_handlers(platform: Platform) -> dict[str, Handler]:
    """What the relay runs for each kind of outbox row."""
    return {
        "archive_series": lambda work: archive_series(platform, work["series_id"]),
        "upload_pack": lambda work: upload_pack(platform, work["pack_id"]),
        "notify_film": lambda work: notify_film(platform, work["exam_id"], work["channel"]),
        "send_otp": lambda work: send_code(platform, work),
        "send_his": lambda work: send_to_his(platform, work["message_id"]),
    }


def message_drain(platform: Platform) -> Drain:
    """What takes received messages from the inbox."""
    site = Site(film_item_code=platform.settings.film_item_code)
    return Drain(platform.bus, site, lambda *_: None)
