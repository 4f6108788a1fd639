"""Gathers lone requests of many threads into lanes: 8 items, or what came within 1 ms.

Eight signatures in lanes cost what one costs there (62 µs on the measured machine), and the single engine does one in about
as much: alone, an item goes to that one. An error reaches exactly the caller whose item made it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from crypto.errors import ServiceUnavailable
from crypto.inputs import InputLimits
from crypto.provider import KeyPair, RandomBytes
from crypto.rsa_keys import RsaKeyGenerator
from crypto.services import CryptoServices, EngineSet

Item = TypeVar("Item")
Result = TypeVar("Result")

WAIT_SECONDS = 0.001
# Half a second of verifying in lanes on one core; who comes later is told so at once.
QUEUE_LIMIT = 4096
# Two cores verify twice as much, and `ctypes` lets go of the interpreter.
WORKERS = 2


class Batcher(Generic[Item, Result]):
    """Threads call it with an item and get its result. `close` ends it: what was taken is done first."""

    def __init__(
        self,
        name: str,
        many: Callable[[Sequence[Item]], Sequence[Result]],
        one: Callable[[Item], Result],
        *,
        lanes: int,
        wait_seconds: float = WAIT_SECONDS,
        queue_limit: int = QUEUE_LIMIT,
        workers: int = WORKERS,
    ) -> None:
        """`many` answers each item in order. `one` is asked for a lone item, and for each of a batch that `many` refused."""
        self._name = name
        self._many = many
        self._one = one
        self._lanes = lanes
        self._wait_seconds = wait_seconds
        self._queue_limit = queue_limit
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name} {number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, item: Item) -> Future[Result]:
        """The result to come. Raises `ServiceUnavailable` when too many wait, or after `close`."""
        future: Future[Result] = Future()
        with self._changed:
            if self._is_closed:
                raise ServiceUnavailable(f"{self._name}: the service is closing; ask again when it is back")
            if len(self._waiting) >= self._queue_limit:
                raise ServiceUnavailable(f"{self._name}: {self._queue_limit} requests wait; ask again later")
            self._waiting.append((item, future))
            self._changed.notify()
        return future

    def __call__(self, item: Item) -> Result:
        """The result. Raises what the engine says to this item, and what `submit` raises."""
        return self.submit(item).result()

    def close(self) -> None:
        """Take no more, finish what was taken, end the threads."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while batch := self._next_batch():
            self._answer([entry for entry in batch if entry[1].set_running_or_notify_cancel()])

    def _next_batch(self) -> list[tuple[Item, Future[Result]]]:
        """From 1 to `lanes` items; none when closed and empty."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                self._changed.wait_for(
                    lambda: len(self._waiting) >= self._lanes or self._is_closed, self._wait_seconds
                )
                # While this worker waited for more, another may have taken what there was.
                if self._waiting or self._is_closed:
                    break
            batch = [self._waiting.popleft() for _ in range(min(self._lanes, len(self._waiting)))]
            if self._waiting:
                self._changed.notify()
            return batch

    def _answer(self, batch: list[tuple[Item, Future[Result]]]) -> None:
        if len(batch) > 1:
            try:
                results = list(self._many([item for item, _ in batch]))
            except Exception:
                # One of them is bad; the others' callers shall not hear of it.
                results = []
            if len(results) == len(batch):
                for (_, future), result in zip(batch, results, strict=True):
                    future.set_result(result)
                return
        for item, future in batch:
            try:
                future.set_result(self._one(item))
            except BaseException as error:
                future.set_exception(error)


class GatheringServices(CryptoServices):
    """The services for a server: the one-item forms of all its threads go through lanes together. `close` it."""

    def __init__(
        self,
        engines: EngineSet,
        random: RandomBytes,
        limits: InputLimits | None = None,
        rsa: RsaKeyGenerator | None = None,
    ) -> None:
        super().__init__(engines, random, limits, rsa)
        lanes = engines.sm2
        self._signing: Batcher[tuple[KeyPair, bytes, bytes], bytes] = Batcher(
            "SM2 signing",
            lambda items: _by_user_id(lanes.sign_many, items),
            lambda item: CryptoServices._sign_one(self, *item),
            lanes=lanes.lanes,
        )
        self._verifying: Batcher[tuple[bytes, bytes, bytes, bytes], bool] = Batcher(
            "SM2 verifying",
            lambda items: _by_user_id(lanes.verify_many, items),
            lambda item: CryptoServices._verify_one(self, *item),
            lanes=lanes.lanes,
        )
        self._encrypting: Batcher[tuple[bytes, bytes], bytes] = Batcher(
            "SM2 encrypting",
            lambda items: lanes.encrypt_many(*_columns(items)),
            lambda item: CryptoServices._encrypt_one(self, *item),
            lanes=lanes.lanes,
        )
        self._decrypting: Batcher[tuple[KeyPair, bytes], bytes | None] = Batcher(
            "SM2 decrypting",
            lambda items: lanes.decrypt_many(*_columns(items)),
            lambda item: CryptoServices._decrypt_one(self, *item),
            lanes=lanes.lanes,
        )

    def close(self) -> None:
        """Finish what was taken; later calls raise `ServiceUnavailable`."""
        for batcher in (self._signing, self._verifying, self._encrypting, self._decrypting):
            batcher.close()

    def _sign_one(self, pair: KeyPair, message: bytes, user_id: bytes) -> bytes:
        return self._signing((pair, message, user_id))

    def _verify_one(self, public: bytes, message: bytes, signature: bytes, user_id: bytes) -> bool:
        return self._verifying((public, message, signature, user_id))

    def _encrypt_one(self, public: bytes, plaintext: bytes) -> bytes:
        return self._encrypting((public, plaintext))

    def _decrypt_one(self, pair: KeyPair, ciphertext: bytes) -> bytes | None:
        return self._decrypting((pair, ciphertext))


def _columns(items: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*items, strict=True)]


def _by_user_id(call: Callable[..., list[Any]], items: Sequence[tuple[Any, ...]]) -> list[Any]:
    """An engine's call takes one identity (the last of each item): one call for each identity, the answers in order."""
    results: list[Any] = [None] * len(items)
    for user_id in {item[-1] for item in items}:
        places = [place for place, item in enumerate(items) if item[-1] == user_id]
        answers = call(*_columns([items[place][:-1] for place in places]), user_id)
        for place, answer in zip(places, answers, strict=True):
            results[place] = answer
    return results
