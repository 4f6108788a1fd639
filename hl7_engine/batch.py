"""Several messages in one block or file (HL7 batch protocol, v2.5.1 chapter 2.10.3): FHS BHS MSH… BTS FTS.

Tolerant as senders are: trailers may be missing, files may hold messages one after the other without any envelope, or
MLLP blocks as they were on the wire. Work on bytes, before anything is decoded: neither UTF-8 nor GB18030 has one of the
bytes looked for inside a character at the beginning of a line.
"""

import re
from itertools import islice
from secrets import token_hex

from core.clock import now
from hl7_engine import charset
from hl7_engine.acknowledge import APPLICATION
from hl7_engine.errors import Undecodable
from hl7_engine.framing import Deframer
from hl7_engine.times import format_moment

# One block must not keep the inbox busy for minutes, and its answers must not fill the memory.
MAX_MESSAGES = 10_000

# An envelope segment: name and field separator; trailers are often the name alone.
_ENVELOPE = re.compile(rb"(?:FHS|BHS|BTS|FTS)(?:[^A-Za-z0-9\s]|[\r\n]|$)")
# A message begins at the beginning of a line. The separator after MSH keeps "MSH" in running text from counting.
# What stands before it is looked at last: the search for MSH itself goes through megabytes in no time.
_BEGIN = re.compile(rb"MSH(?<![^\r\n\x0b]MSH)(?=[^A-Za-z0-9\s])")
_BETWEEN = b"\r\n\x1c\x0b"
# Trailers and headers between two messages: two of each, and some empty batches.
_MAX_ENVELOPE = 32
# And how long one of these segments is, in bytes.
_LONGEST_ENVELOPE = 4096
_BOM = b"\xef\xbb\xbf"


def is_batch(content: bytes) -> bool:
    """Whether the content begins with a batch or file header."""
    return bool(_ENVELOPE.match(content.removeprefix(_BOM).lstrip()))


def holds_too_many(content: bytes) -> bool:
    """Whether there are more messages in it than one block may bring; looks no further than the first of those."""
    return next(islice(_BEGIN.finditer(content), MAX_MESSAGES, None), None) is not None


def split(content: bytes) -> list[bytes]:
    """The messages in order, each as it stands; content that holds none comes back as the one thing that it is."""
    if content.startswith(b"\x0b"):
        frames = _frames(content)
        if frames:
            return [message for frame in frames for message in split(frame)]
    starts = [match.start() for match in _BEGIN.finditer(content.removeprefix(_BOM))]
    if len(starts) < 2 and not is_batch(content):
        return [content]
    body = content.removeprefix(_BOM)
    if not starts:
        return [content]
    ends = [*starts[1:], len(body)]
    return [_without_envelope(body[start:end]) for start, end in zip(starts, ends, strict=True)]


def reply(content: bytes, acknowledgements: list[bytes]) -> bytes:
    """The answer to a batch that came as one block: its acknowledgements one after the other between BHS and BTS."""
    first, *others = re.split(rb"[\r\n]+", content.removeprefix(_BOM).lstrip()[:4096], maxsplit=2)
    # The header of the batch, not of the file around it.
    line = others[0] if others and others[0].startswith(b"BHS") else first
    try:
        header, charset_name = charset.decode(line)
    except Undecodable:
        header, charset_name = line.decode(charset.GB18030, errors="replace"), charset.GB18030
    separator = header[3:4] or "|"
    # FHS and BHS have the same fields: 3-6 who to whom, 11 the batch's own number.
    fields = [*header.split(separator), *[""] * 11][:11]
    name = ["BHS", fields[1], fields[4] or APPLICATION, fields[5], fields[2], fields[3], format_moment(now())]
    answer = separator.join([*name, "", "", "", f"A{token_hex(8)}", fields[10]])
    trailer = separator.join(["BTS", str(len(acknowledgements))])
    parts = [charset.encode(f"{answer}\r", charset_name), *acknowledgements]
    return b"".join([*parts, charset.encode(f"{trailer}\r", charset_name)])


def _frames(content: bytes) -> list[bytes]:
    deframer = Deframer()
    return [frame.content for frame in [*deframer.feed(content), *deframer.flush()] if frame.damage is None]


def _without_envelope(part: bytes) -> bytes:
    """The message without the trailers and headers of batches between it and the next one."""
    message = part.rstrip(_BETWEEN)
    # Not the whole again and again: it may have 32 MB.
    tail = message[-_MAX_ENVELOPE * _LONGEST_ENVELOPE :]
    body = len(message) - len(tail)
    for _ in range(_MAX_ENVELOPE):
        begin = max(len(tail) - _LONGEST_ENVELOPE, 0)
        line = max(tail.rfind(b"\r", begin), tail.rfind(b"\n", begin)) + 1
        if not line or not _ENVELOPE.match(tail[line:].lstrip()):
            break
        tail = tail[:line].rstrip(_BETWEEN)
    return message[: body + len(tail)].rstrip(_BETWEEN) + b"\r"
