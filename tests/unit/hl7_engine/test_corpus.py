"""Properties over every message of 25 public projects, whole, odd and broken (research/hl7.md §5).

| property | why |
|---|---|
| nothing crashes: a message is understood, or refused in words | hostile input is normal |
| UTF-8 and GB18030 give equal fields | a HIS changes its characters, never its meaning |
| any split of the stream gives the same blocks | TCP keeps no packets |
| reading and writing back gives the same bytes | test_draft.py |
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from hl7_engine import batch, charset, framing, profile
from hl7_engine.er7 import Message
from hl7_engine.trial import try_message
from tests.shared_data import shared_dir
from tests.unit.hl7_engine.samples import FILM

pytestmark = pytest.mark.requirement("P2", "P6")

# Trail bytes that are | ^ \\ ~ in GB18030 (research/hl7.md §0).
TRAPS = "张珅東瑋璡玘"


@cache
def corpus() -> tuple[Path, ...]:
    return tuple(sorted(shared_dir("data", "hl7", "corpus").rglob("*.hl7")))


def texts() -> Iterator[str]:
    for path in corpus():
        try:
            yield charset.decode(path.read_bytes()).text
        except Refused:
            continue


def fields(raw: bytes) -> list[list[str]]:
    message = Message.parse(charset.decode(raw).text)
    return [
        [segment.get(str(number)) for number in range(1, segment.last_field + 1)]
        for segment in message.all_segments
        if segment.name != "MSH"
    ]


@pytest.mark.parametrize("dialect", profile.shipped())
def test_every_message_is_understood_or_refused_in_words(dialect: str) -> None:
    outcomes: dict[str, int] = {}
    for path in corpus():
        for part in batch.split(path.read_bytes()):
            trial = try_message(part, profile.load(dialect), FILM)
            outcomes[trial.outcome] = outcomes.get(trial.outcome, 0) + 1
            assert bool(trial.reason) == (trial.outcome in ("parked", "refused")), path.name
            assert len(trial.reason) < 300
    assert sum(outcomes.values()) > 1400
    assert outcomes["handled"] > 400


def test_utf8_and_gb18030_give_equal_fields() -> None:
    compared = 0
    for text in texts():
        # A name with every trap, in a field of its own at the end of each line.
        lines = [f"{line}|{TRAPS}" for line in text.replace("\n", "\r").split("\r") if line[:3].isalpha()]
        changed = "\r".join(lines)
        # Not two messages in one.
        if not changed.startswith("MSH|^~\\&|") or "\rMSH|" in changed:
            continue
        assert fields(changed.encode("utf-8")) == fields(changed.encode("gb18030"))
        compared += 1
    assert compared > 1000


@given(st.data())
def test_any_split_of_the_stream_gives_the_same_blocks(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(corpus()), min_size=1, max_size=4))
    stream = b"\r\n".join(
        framing.wrap(path.read_bytes().replace(b"\x0b", b"").replace(b"\x1c", b"")) for path in chosen
    )
    whole = framing.Deframer().feed(stream)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(stream) - 1)), max_size=40)))
    deframer = framing.Deframer()
    parts = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert [frame for part in parts for frame in deframer.feed(part)] == whole
    assert len(whole) == len(chosen)
