"""The port of the ways in that we fetch from: middleware, folders, views. Adapters are in hl7_engine/connectors.

A connector takes messages from its source, hands them to the inbox, and lets the source forget only those that are
durable. When the source is away, or the inbox cannot store, it raises `Unavailable`; whatever was not acknowledged is then
still at the source, and `keep_running` comes back for it, at growing intervals, with one alarm from the first failure until
the source answers again.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

import peewee

from core import alarms, db
from core.errors import CloudFilmError, Unavailable
from core.logs import get_logger
from hl7_engine import inbox, json_commands
from hl7_engine.errors import Unreadable
from hl7_engine.framing import HEAD_BYTES, MAX_FRAME_BYTES, Damage
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.payload import sniff
from hl7_engine.site import Site
from hl7_engine.v3 import answer
from hl7_engine.v3.tree import parse

CONNECTOR_AWAY = "connector_away"
_PAUSE_FIRST_SECONDS = 1.0
_PAUSE_MAX_SECONDS = 60.0
# A database that is away is not asked for each message.
_ONE_BY_ONE_SECONDS = 10.0
# What the national platform shows to people.
_TAKEN = "接收成功"
# What shares one commit, in bytes: the inbox holds several copies of it at a time.
_COMMIT_BYTES = 16 * 1024 * 1024

T = TypeVar("T")

# One receipt for each message, in their order. `unavailable` is not stored: the source must keep it.
Accept = Callable[[Sequence[Incoming]], list[Receipt]]
# Called whenever the source has begun to answer.
IsUp = Callable[[], object]

_log = get_logger("hl7_engine")


class Connector(Protocol):
    """One source of messages. `name` is unique in the site, and the peer of messages that do not name their sender."""

    name: str

    def run(self, accept: Accept, stop: threading.Event, is_up: IsUp) -> None:
        """Take messages until `stop` is set; call `is_up` once the source answers.

        Raises `Unavailable` when the source is away or a message could not be stored.
        """


def incoming(
    content: bytes,
    connector: str,
    channel: str,
    *,
    control_id: str = "",
    message_type: str = "",
    damage: Damage | None = None,
    max_bytes: int = MAX_FRAME_BYTES,
) -> Incoming:
    """A message as its source gave it. What is too long is cut to its head and marked: refused, but seen.

    `control_id` and `message_type` are what the source says; what the message itself says counts more.
    """
    if len(content) > max_bytes:
        content, damage = content[:HEAD_BYTES], Damage.TOO_LONG
    # What is damaged is refused as a whole, whatever it was to be.
    format_name = "er7" if damage else sniff(content)
    own_id, action = _heading(format_name, content)
    return Incoming(
        content,
        connector,
        channel,
        damage,
        format=format_name,
        peer=connector,
        control_id=own_id or control_id,
        message_type=action or message_type,
    )


def in_parts(entries: Sequence[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Entries in order, in parts that may share a commit: 16 MB at most, or one that is longer. `size`: in bytes."""
    part: list[T] = []
    total = 0
    for entry in entries:
        length = size(entry)
        if part and total + length > _COMMIT_BYTES:
            yield part
            part, total = [], 0
        part.append(entry)
        total += length
    if part:
        yield part


def _heading(format_name: str, content: bytes) -> tuple[str, str]:
    """Id and action as an XML or JSON message tells them; HL7 v2 is read by the inbox."""
    if format_name == "json":
        return json_commands.heading(content)
    if format_name == "v3":
        with suppress(Unreadable):
            return answer.message_id(parse(content)), ""
    return "", ""


def worded(item: Incoming, receipt: Receipt) -> bytes:
    """The answer to a sender that asked for one, in the words of its own format.

    Empty when an HL7 v2 message itself says that it wants none.
    """
    if item.format == "er7":
        return receipt.answer
    if item.format == "v3":
        code = answer.ERROR if receipt.state == "refused" else answer.ACCEPTED
        return answer.acknowledge(item.content, code, receipt.reason or _TAKEN).encode()
    told = {"state": receipt.state, "control_id": receipt.control_id, "reason": receipt.reason}
    return json.dumps(told, ensure_ascii=False).encode()


def require_stored(receipts: Sequence[Receipt]) -> None:
    """Raise `Unavailable` when one of them is not stored; call it after the others were acknowledged."""
    missing = sum(receipt.state == "unavailable" for receipt in receipts)
    if missing:
        raise Unavailable(
            f"{missing} of {len(receipts)} messages could not be stored: they stay at the source"
        )


def into_inbox(site: Site) -> Accept:
    """The inbox as connectors see it: one transaction for all; a failing database is `unavailable` for each."""

    def accept(items: Sequence[Incoming]) -> list[Receipt]:
        receipts = _stored(items, site)
        if receipts is not None:
            return receipts
        # One of them may be what the database cannot take: it must not hold up the others.
        give_up_at = time.monotonic() + _ONE_BY_ONE_SECONDS
        found: list[Receipt] = []
        for item in items:
            may_try = len(items) > 1 and time.monotonic() < give_up_at
            alone = _stored([item], site) if may_try else None
            found += alone or [inbox.unavailable(item, site)]
        return found

    return accept


def _stored(items: Sequence[Incoming], site: Site) -> list[Receipt] | None:
    """None when they could not be stored. The connection is kept for this thread, and given up after a failure."""
    try:
        db.database.connect(reuse_if_open=True)
        return inbox.accept(items, site)
    except Exception:
        _log.error("messages_not_stored", count=len(items), exc_info=True)
        db.database.close()
        return None


def keep_running(connector: Connector, accept: Accept, stop: threading.Event) -> None:
    """Run until `stop` is set, and again after each failure: at once it would only fail again, so after a pause."""
    pause = _PAUSE_FIRST_SECONDS
    while not stop.is_set():
        answered = threading.Event()

        def is_up(answered: threading.Event = answered) -> None:
            answered.set()
            _log.info("connector_up", connector=connector.name)
            _end_alarm(connector.name)

        try:
            connector.run(accept, stop, is_up)
        except CloudFilmError as error:
            _log.warning("connector_away", connector=connector.name, why=str(error))
            _begin_alarm(connector.name, str(error))
        except peewee.PeeweeException as error:
            # Our own: no alarm could be written either.
            _log.error("connector_without_database", connector=connector.name, why=type(error).__name__)
            db.database.close()
        except Exception as error:
            _log.error("connector_failed", connector=connector.name, exc_info=True)
            _begin_alarm(
                connector.name, f"{type(error).__name__}: a fault of this program; its log tells where"
            )
        pause = _PAUSE_FIRST_SECONDS if answered.is_set() else min(pause * 2, _PAUSE_MAX_SECONDS)
        stop.wait(pause)


def _begin_alarm(name: str, text: str) -> None:
    _note(lambda: alarms.begin(CONNECTOR_AWAY, name, f"connector {name}: {text}"))


def _end_alarm(name: str) -> None:
    _note(lambda: alarms.end(CONNECTOR_AWAY, name))


def _note(write: Callable[[], object]) -> None:
    """It may be our own database that is away: then the log must do."""
    try:
        with db.transaction():
            write()
    except peewee.PeeweeException as error:
        _log.error("alarm_not_written", why=type(error).__name__)
        db.database.close()
