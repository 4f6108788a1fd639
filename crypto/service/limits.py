"""How much the service takes at once, from whom, and for how long."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from crypto.errors import ServiceUnavailable
from crypto.inputs import InputLimits


class TooManyRequests(ServiceUnavailable):
    """This caller asks more often than one may."""


@dataclass(frozen=True)
class ServiceLimits:
    """Sizes in bytes, times in seconds. The defaults hold about 300 MB on the worst day."""

    body_bytes: int = 16 << 20
    # All bodies that are being read or worked on.
    bodies_bytes: int = 64 << 20
    header_bytes: int = 16 << 10
    connections: int = 256
    # Requests that are being read, worked on, or waited for.
    requests: int = 64
    # Engines use two cores; a few more hide what waits for the disk.
    threads: int = 8
    header_seconds: float = 10
    body_seconds: float = 20
    work_seconds: float = 30
    idle_seconds: int = 60
    stop_seconds: int = 15
    requests_per_second: float = 2000
    # Accounts are known ones, and persons' log-ins; what is beyond has been made up.
    accounts: int = 1000

    @property
    def inputs(self) -> InputLimits:
        """What one request may bring: base64 makes four bytes of three."""
        return InputLimits(total_bytes=self.body_bytes * 3 // 4)


class Bucket:
    """So many a second, and one second's worth at once. `clock` gives seconds that only go forward."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._rate = per_second
        self._most = max(1.0, per_second)
        self._clock = clock
        self._left = self._most
        self._at = clock()

    def has_room(self) -> bool:
        """Use one up, if there is one."""
        at = self._clock()
        self._left = min(self._most, self._left + (at - self._at) * self._rate)
        self._at = at
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Rates:
    """A bucket for each account, and one for each thing that is dear to everybody together."""

    def __init__(self, per_account: float, most: int, clock: Callable[[], float]) -> None:
        self._per_account = per_account
        self._most = most
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def take(self, name: str, per_second: float | None = None) -> None:
        """One request of `name`. Raises `TooManyRequests`."""
        with self._lock:
            if name not in self._buckets and len(self._buckets) >= self._most:
                self._buckets.clear()
            bucket = self._buckets.setdefault(name, Bucket(per_second or self._per_account, self._clock))
            if not bucket.has_room():
                raise TooManyRequests(
                    f"{name}: more requests than {per_second or self._per_account:g} a second"
                )


class Room:
    """What is under way: a number of requests, and the bytes of their bodies. For one event loop."""

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits = limits
        self.requests = 0
        self.bytes = 0

    def enter(self) -> None:
        """One request more. Raises `ServiceUnavailable` when it is full."""
        if self.requests >= self._limits.requests:
            raise ServiceUnavailable(
                f"{self.requests} requests are under way, no more are taken: ask again later"
            )
        self.requests += 1

    def hold(self, size: int) -> None:
        """So many bytes more. Raises `ServiceUnavailable`."""
        if self.bytes + size > self._limits.bodies_bytes:
            raise ServiceUnavailable("the requests under way fill the memory: ask again later")
        self.bytes += size

    def leave(self, size: int) -> None:
        """A request is done, and its bytes are free."""
        self.requests -= 1
        self.bytes -= size
