"""MLLP (HL7 Minimal Lower Layer Protocol, release 1): messages as blocks in a stream of bytes.

A block is 0x0B, content, 0x1C 0x0D. Framing works on bytes since neither UTF-8 nor GB18030 ever contains
one of the three inside a character, while GB18030 trail bytes do contain `|`, `^`, `\\` and `~`: decoding
comes next, splitting last.

Real senders err; the rules of recovery, the same however the bytes are split into packets:

| the stream | what we make of it |
|---|---|
| anything between blocks (NUL, CR, LF, noise) | skipped |
| no 0x0B, but `MSH`, or `FHS` or `BHS` of a batch | a block begins there |
| 0x0B before 0x1C | the block before lost its end: given up as damaged, since its tail may be missing |
| 0x1C followed by CR, LF or 0x0B | end of the block |
| 0x1C followed by something else | content |
| 0x1C and then silence | end of the block, when the caller says that it waited (`flush`) |
| more than the limit | given up at once with its first bytes; the rest is skipped without being kept |
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

START = 0x0B
END = 0x1C
CARRIAGE_RETURN = 0x0D
LINE_FEED = 0x0A

# An approved report with its PDF in base64 is the largest thing that comes; ordinary messages have 1-10 kB.
MAX_FRAME_BYTES = 32 * 1024 * 1024
# What is kept of a block that is too long: enough for its header.
HEAD_BYTES = 4096

# How the first segment of a block begins, and what the beginnings of these words are.
_BEGIN = re.compile(rb"\x0b+|MSH|FHS|BHS")
# What ends a block, in one pass: a search for each would go through the rest of the buffer at every one of the other.
_MARK = re.compile(rb"[\x0b\x1c](?:(?<=\x0b)\x0b+)?")
_UNFINISHED_MARK = re.compile(rb"(?:MS?|[FB]H?)\Z")


class Damage(Enum):
    """Why a block is not a whole message."""

    TOO_LONG = "the message is longer than this interface accepts"
    NO_END = "the message has no end: another one began inside it"
    TOO_MANY = "the batch holds more messages than this interface accepts: send several"


@dataclass(frozen=True)
class Frame:
    """One block without its frame bytes; of a damaged one, what there is of it."""

    content: bytes
    damage: Damage | None = None


class _State(Enum):
    OUTSIDE = auto()
    INSIDE = auto()
    SKIPPING = auto()


def wrap(content: bytes) -> bytes:
    """The block of one message."""
    return b"\x0b" + content + b"\x1c\r"


class Deframer:
    """Turns the bytes of one connection into frames. Not shared between threads."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self._max = max_frame_bytes
        self._buffer = bytearray()
        # Bytes of the buffer before this place have been looked at.
        self._scanned = 0
        self._state = _State.OUTSIDE

    @property
    def is_inside(self) -> bool:
        """Whether a block has begun and not ended: the peer owes us bytes."""
        return self._state is not _State.OUTSIDE

    @property
    def unfinished_bytes(self) -> int:
        """How much is kept of the block that has not ended."""
        return len(self._buffer)

    @property
    def has_lone_end(self) -> bool:
        """Whether the last byte so far was 0x1C: probably the end, but only the next byte can tell."""
        return self._state is _State.INSIDE and bool(self._buffer) and self._buffer[-1] == END

    def feed(self, data: bytes) -> list[Frame]:
        """Add what arrived; return the blocks that it completes, in order."""
        if not self._buffer and self._state is _State.OUTSIDE and self._is_one_block(data):
            return [Frame(data[1:-2])]
        self._buffer += data
        frames: list[Frame] = []
        steps = {_State.OUTSIDE: self._outside, _State.INSIDE: self._inside, _State.SKIPPING: self._skip}
        while steps[self._state](frames):
            pass
        return frames

    def flush(self) -> list[Frame]:
        """Nothing follows a lone 0x1C: take it for the end of its block."""
        return self.feed(b"\r") if self.has_lone_end else []

    def _is_one_block(self, data: bytes) -> bool:
        """Whether it is one whole block and nothing else, as most packets are: then no byte needs to be kept."""
        content = len(data) - 3
        return (
            0 <= content <= self._max
            and data[0] == START
            and data[-1] == CARRIAGE_RETURN
            and data.find(END) == content + 1
            and data.find(START, 1) < 0
        )

    def _outside(self, _frames: list[Frame]) -> bool:
        found = _BEGIN.search(self._buffer)
        if found is None:
            unfinished = _UNFINISHED_MARK.search(self._buffer, max(len(self._buffer) - 2, 0))
            del self._buffer[: unfinished.start() if unfinished else len(self._buffer)]
            return False
        self._begin(found.end() if found[0][0] == START else found.start())
        return True

    def _inside(self, frames: list[Frame]) -> bool:
        mark, after = self._find_mark()
        if mark < 0:
            self._scanned = len(self._buffer)
            return self._give_up_if_too_long(frames, len(self._buffer))
        if self._buffer[mark] == START:
            self._emit(frames, mark, Damage.NO_END)
            self._begin(after)
            return True
        following = self._buffer[after : after + 1]
        if not following:
            self._scanned = mark
            return self._give_up_if_too_long(frames, mark)
        if following[0] in (CARRIAGE_RETURN, LINE_FEED, START):
            self._emit(frames, mark, None)
            self._leave(after)
        else:
            self._scanned = after
        return True

    def _skip(self, _frames: list[Frame]) -> bool:
        mark, after = self._find_mark()
        if mark < 0:
            self._buffer.clear()
            self._scanned = 0
            return False
        if self._buffer[mark] == START:
            self._begin(after)
            return True
        following = self._buffer[after : after + 1]
        if not following:
            del self._buffer[:mark]
            self._scanned = 0
            return False
        if following[0] in (CARRIAGE_RETURN, LINE_FEED, START):
            self._leave(after)
        else:
            self._scanned = after
        return True

    def _find_mark(self) -> tuple[int, int]:
        """Where the next 0x1C or row of 0x0B begins and ends; -1 without any."""
        found = _MARK.search(self._buffer, self._scanned)
        return found.span() if found else (-1, -1)

    def _emit(self, frames: list[Frame], length: int, damage: Damage | None) -> None:
        if length > self._max:
            frames.append(self._too_long())
            return
        # One copy of what may be 32 MB.
        with memoryview(self._buffer) as view:
            content = bytes(view[:length])
        if damage is None or content.strip():
            frames.append(Frame(content, damage))

    def _give_up_if_too_long(self, frames: list[Frame], length: int) -> bool:
        if length <= self._max:
            return False
        frames.append(self._too_long())
        self._state = _State.SKIPPING
        return True

    def _too_long(self) -> Frame:
        return Frame(bytes(self._buffer[: min(HEAD_BYTES, self._max)]), Damage.TOO_LONG)

    def _begin(self, consumed: int) -> None:
        del self._buffer[:consumed]
        self._scanned = 0
        self._state = _State.INSIDE

    def _leave(self, consumed: int) -> None:
        del self._buffer[:consumed]
        self._scanned = 0
        self._state = _State.OUTSIDE
