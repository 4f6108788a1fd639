"""Group commit: one thread stores whatever has queued up since its last commit, in one transaction.

While one commit is on its way to the disk, the messages of all connections gather and share the next one. Nobody waits
for company: what comes alone is stored alone. Each message is answered after the commit that made it durable.
"""

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple

from core.logs import get_logger
from hl7_engine.incoming import Incoming, Receipt

# Raises when nothing of the batch was stored.
Store = Callable[[Sequence[Incoming]], list[Receipt]]
Reply = Callable[[Receipt], None]

MAX_MESSAGES = 256
MAX_BYTES = 16 * 1024 * 1024
# Messages of a failed batch are tried one by one, for so long: a database that hangs must not be asked 256 times.
RETRY_SECONDS = 10.0

_log = get_logger("hl7_engine")


class Waiting(NamedTuple):
    """A message, and who wants to hear what became of it."""

    item: Incoming
    reply: Reply


class GroupCommit:
    """Takes messages from one thread and answers them, in their order, from another.

    `store` makes a batch durable or raises; `unavailable` words the answer when it could not; `answered` gets the replies
    of each batch, to call them where they belong; `forget` gives up whatever the storing thread holds of the database.
    All four are called in that thread.
    """

    def __init__(
        self,
        store: Store,
        unavailable: Callable[[Incoming], Receipt],
        answered: Callable[[list[tuple[Reply, Receipt]]], None],
        forget: Callable[[], object],
    ) -> None:
        self._store = store
        self._unavailable = unavailable
        self._answered = answered
        self._forget = forget
        self._waiting: SimpleQueue[list[Waiting] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="hl7-store", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def put(self, entries: list[Waiting]) -> None:
        """Queue messages. Does not wait."""
        self._waiting.put(entries)

    @property
    def is_running(self) -> bool:
        """Whether the storing thread lives: it ends by `stop` alone."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Store what is queued, then end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        gathered: list[Waiting] = []
        is_open = True
        while is_open or gathered:
            if is_open:
                is_open = self._gather(gathered)
            size = _batch_size(gathered)
            if size:
                self._commit(gathered[:size])
                del gathered[:size]
        self._let_go()

    def _gather(self, gathered: list[Waiting]) -> bool:
        """Add what is queued; wait only when there is nothing at all. False after the last."""
        try:
            while len(gathered) < MAX_MESSAGES:
                entries = self._waiting.get(block=not gathered)
                if entries is None:
                    return False
                gathered += entries
        except Empty:
            pass
        return True

    def _commit(self, batch: list[Waiting]) -> None:
        """A mistake of ours must end neither this thread nor the connections: their senders try again."""
        try:
            receipts = self._receipts([entry.item for entry in batch])
            self._answered([(entry.reply, receipt) for entry, receipt in zip(batch, receipts, strict=True)])
        except Exception:
            _log.critical("messages_not_answered", count=len(batch), exc_info=True)

    def _receipts(self, items: list[Incoming]) -> list[Receipt]:
        try:
            return self._store(items)
        except Exception:
            _log.error("messages_not_stored", count=len(items), exc_info=True)
            self._let_go()
            return self._one_by_one(items)

    def _one_by_one(self, items: list[Incoming]) -> list[Receipt]:
        """So that one message that the database does not take harms no other, and a lost connection none at all."""
        give_up_at = time.monotonic() + RETRY_SECONDS
        receipts = []
        for item in items:
            if time.monotonic() > give_up_at:
                receipts.append(self._apology(item))
                continue
            try:
                receipts += self._store([item])
            except Exception:
                _log.error("message_not_stored", peer=item.address, exc_info=True)
                self._let_go()
                receipts.append(self._apology(item))
        return receipts

    def _apology(self, item: Incoming) -> Receipt:
        try:
            return self._unavailable(item)
        except Exception:
            # Unanswered it is sent again as well.
            _log.critical("message_not_answered", peer=item.address, exc_info=True)
            return Receipt("unavailable")

    def _let_go(self) -> None:
        try:
            self._forget()
        except Exception:
            _log.error("database_not_let_go", exc_info=True)


def _batch_size(entries: list[Waiting]) -> int:
    """How many of the first ones make one transaction: at least one, however large."""
    total = 0
    for number, entry in enumerate(entries[:MAX_MESSAGES]):
        total += len(entry.item.content)
        if total > MAX_BYTES and number:
            return number
    return min(len(entries), MAX_MESSAGES)
