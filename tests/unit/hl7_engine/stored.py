"""Rows of messages for the tests of what looks after them: as the inbox and the drain leave them, at any age."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from core.models import InboundMessage, MessageCount, OutboundMessage, OutboxEvent
from hl7_engine.outgoing_store import KIND
from hl7_engine.site import Peer, Site

NOW = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
HIS = "HIS|SZSRMYY"
SITE = Site(peers=(Peer(name="HIS", sender=HIS, silent_minutes=60), Peer(name="其他", sender="*")))
BODY = "MSH|^~\\&|HIS|SZSRMYY|CLOUDFILM|B|20261124120000||ADT^A04|M1|P|2.5.1\rPID|1||0001234567||张^珅東\r".encode()

_numbers = count(1)


def inbound(age: timedelta = timedelta(), **columns: Any) -> InboundMessage:
    """A handled message that came `age` before NOW."""
    number = next(_numbers)
    at = columns.pop("created_at", NOW - age)
    usual: dict[str, Any] = {
        "peer": HIS,
        "control_id": f"C{number}",
        "message_type": "ADT^A04",
        "charset": "utf-8",
        "body": BODY,
        "body_sm3": f"{number:064}",
        "state": "handled",
        "handled_at": at,
        "created_at": at,
    }
    if columns.get("state") in ("received", "refused"):
        usual["handled_at"] = None
    return InboundMessage.create(**(usual | columns))


def counted(age: timedelta, outcome: str = "handled", number: int = 1, **columns: Any) -> MessageCount:
    """A counter of the hour `age` before NOW."""
    at = NOW - age
    usual: dict[str, Any] = {
        "peer": HIS,
        "channel": "mllp",
        "message_type": "ADT^A04",
        "hour": at.replace(minute=0, second=0, microsecond=0),
        "last_at": at,
    }
    return MessageCount.create(outcome=outcome, count=number, **(usual | columns))


def owed(age: timedelta = timedelta(), *, work: str = "pending", **columns: Any) -> OutboundMessage:
    """A message to the HIS with its row of work in this state."""
    number = next(_numbers)
    usual: dict[str, Any] = {
        "peer": "HIS",
        "key": f"payment:FY{number}",
        "message_type": "DFT^P03",
        "control_id": f"CF{number}",
        "body": BODY,
        "created_at": NOW - age,
    }
    row = OutboundMessage.create(**(usual | columns))
    state = "done" if row.state == "sent" else work
    OutboxEvent.create(
        kind=KIND, key=row.key, payload="{}", state=state, next_at=NOW, attempts=3, last_error="away"
    )
    return row
