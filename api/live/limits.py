"""How much a room takes, and how long it waits."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    people: int = 50
    message_bytes: int = 32 * 1024
    snapshot_bytes: int = 1 << 20
    # 64 cells with seven parts would fit four times over into no screen.
    states: int = 256
    # A presenter sends each (cell, part) 25 times a second at most, and moves two or three things at once.
    messages_per_second: float = 120
    pointers_per_second: float = 30
    hello_seconds: float = 10
    beat_seconds: float = 2
    recheck_seconds: float = 5
    # So long after he was last here anybody may take a presenter's place; a phone changes networks faster.
    vanish_seconds: float = 10
    gone_seconds: float = 60
    # One message that a client does not take for so long.
    slow_seconds: float = 10


class Bucket:
    """So many a second, and a second's worth at once."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_second
        self._clock = clock
        self._left = per_second
        self._at = clock()

    def take(self) -> float:
        """Use one up; return for how many seconds that was too early."""
        self._fill()
        self._left -= 1
        return max(0.0, -self._left / self._rate)

    def has_room(self) -> bool:
        """Use one up, if there is one."""
        self._fill()
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _fill(self) -> None:
        at = self._clock()
        self._left = min(self._rate, self._left + (at - self._at) * self._rate)
        self._at = at
