"""A watched folder: complete files alone, each out of the way when its messages are durable, none lost, none followed."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import Misconfigured, Unavailable
from core.models import InboundMessage
from hl7_engine.connector import Accept, into_inbox
from hl7_engine.connectors import folder as folder_module
from hl7_engine.connectors import registry
from hl7_engine.connectors.folder import FolderConnector
from hl7_engine.framing import Damage, wrap
from hl7_engine.incoming import Receipt
from hl7_engine.site import Site
from simulators.his_messages import omg_o19
from tests.fixtures.taking import MemoryInbox
from tests.unit.hl7_engine.samples import EXAM, PATIENT, envelope

pytestmark = pytest.mark.requirement("P2", "P6")

# 01:00 of the next day in the hospital.
EVENING = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
TODAY = "20261125"

Build = Callable[..., FolderConnector]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    return path


@pytest.fixture
def build(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.setattr(folder_module, "now", lambda: EVENING)
    table = {"kind": "folder", "name": "ris-folder", "path": str(folder)}
    return lambda **others: registry.build({**table, **others})  # type: ignore[return-value]


def look_twice(connector: FolderConnector, accept: Accept) -> None:
    connector.look(accept)
    connector.look(accept)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_complete_file_is_taken_and_moved_to_the_day(
    folder: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    (folder / "A.HL7").write_bytes(b"MSH|1\r")
    look_twice(build(), memory_inbox.accept)
    assert memory_inbox.contents == [b"MSH|1\r"]
    item = memory_inbox.taken[0]
    assert (item.channel, item.peer, item.address, item.format) == (
        "folder",
        "ris-folder",
        "ris-folder",
        "er7",
    )
    assert names(folder) == [f"done/{TODAY}/A.HL7"]


def test_file_that_grows_is_left_until_it_stands_still(
    folder: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    connector = build()
    path = folder / "a.hl7"
    for content in (b"MSH|", b"MSH|1", b"MSH|1|2"):
        path.write_bytes(content)
        connector.look(memory_inbox.accept)
        assert memory_inbox.taken == []
    os.utime(path, ns=(0, 0))
    connector.look(memory_inbox.accept)
    assert memory_inbox.taken == [], "its time changed"
    connector.look(memory_inbox.accept)
    assert memory_inbox.contents == [b"MSH|1|2"]


def test_file_replaced_by_another_is_looked_at_anew(
    folder: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    connector = build()
    for number in (b"1", b"2"):
        other = folder / f"new{number.decode()}.part"
        other.write_bytes(b"MSH|" + number)
        os.utime(other, ns=(0, 0))
        other.replace(folder / "a.hl7")
        connector.look(memory_inbox.accept)
    assert memory_inbox.taken == []


def test_other_endings_hidden_files_and_directories_are_left_alone(
    folder: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    for name in ("a.part", ".b.hl7", "c"):
        (folder / name).write_bytes(b"MSH|1")
    (folder / "d.hl7").mkdir()
    look_twice(build(), memory_inbox.accept)
    assert memory_inbox.calls == []
    look_twice(build(extensions=[".part"]), memory_inbox.accept)
    assert names(folder) == [".b.hl7", "c", f"done/{TODAY}/a.part"]


def test_links_are_not_followed(
    folder: Path, tmp_path: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    outside = tmp_path / "secret.hl7"
    outside.write_bytes(b"MSH|secret")
    (folder / "link.hl7").symlink_to(outside)
    os.mkfifo(folder / "pipe.hl7")
    look_twice(build(), memory_inbox.accept)
    assert memory_inbox.calls == []
    assert outside.exists()


def test_file_that_becomes_a_link_after_it_was_seen_is_not_followed(
    folder: Path, tmp_path: Path, build: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "secret.hl7"
    outside.write_bytes(b"MSH|secret")
    path = folder / "a.hl7"
    path.write_bytes(b"MSH|1")
    connector = build()
    connector.look(memory_inbox.accept)
    really_open = os.open

    def swap_then_open(name: Any, *arguments: Any) -> int:
        path.unlink()
        path.symlink_to(outside)
        return really_open(name, *arguments)

    monkeypatch.setattr(os, "open", swap_then_open)
    connector.look(memory_inbox.accept)
    assert memory_inbox.calls == []


def test_the_oldest_first_and_many_in_one_commit(
    folder: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    for number in range(5):
        path = folder / f"{number}.hl7"
        path.write_bytes(b"MSH|%d" % number)
        os.utime(path, ns=(0, 10 - number))
    look_twice(build(), memory_inbox.accept)
    assert memory_inbox.contents == [b"MSH|4", b"MSH|3", b"MSH|2", b"MSH|1", b"MSH|0"]
    assert len(memory_inbox.calls) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|1\rPID|1\rMSH|2\rPID|2\rBTS|2\rFTS|1\r",
        b"MSH|1\r\nPID|1\r\nMSH|2\r\nPID|2\r\n",
        wrap(b"MSH|1\rPID|1\r") + wrap(b"MSH|2\rPID|2\r"),
    ],
)
def test_file_may_hold_many_messages(
    folder: Path, build: Build, memory_inbox: MemoryInbox, content: bytes
) -> None:
    (folder / "batch.txt").write_bytes(content)
    look_twice(build(), memory_inbox.accept)
    assert [one.split() for one in memory_inbox.contents] == [[b"MSH|1", b"PID|1"], [b"MSH|2", b"PID|2"]]


def test_block_that_is_cut_short_is_refused_and_seen(
    folder: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    (folder / "wire.hl7").write_bytes(wrap(b"MSH|1\r") + b"\x0bMSH|2|cut")
    look_twice(build(), memory_inbox.accept)
    (items,) = memory_inbox.calls
    assert [(item.content, item.damage) for item in items] == [
        (b"MSH|1\r", None),
        (b"MSH|2|cut", Damage.NO_END),
    ]
    assert names(folder) == ["error/wire.hl7", "error/wire.hl7.why.txt"]


@pytest.mark.parametrize(
    ("content", "format_name"), [(b'{"action": 1}', "json"), (b"<a>MSH|1\nMSH|2</a>", "v3")]
)
def test_xml_and_json_are_one_message_of_the_connector(
    folder: Path, build: Build, memory_inbox: MemoryInbox, content: bytes, format_name: str
) -> None:
    (folder / "one.xml").write_bytes(content)
    look_twice(build(), memory_inbox.accept)
    (item,) = memory_inbox.taken
    assert (item.content, item.format, item.peer) == (content, format_name, "ris-folder")


def test_file_with_a_refused_message_goes_to_error_with_the_reason(
    folder: Path, build: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(items: Any) -> list[Receipt]:
        return [
            Receipt("refused", reason="PID-5 of 13800138000 is missing")
            if b"2" in item.content
            else Receipt("stored")
            for item in items
        ]

    (folder / "batch.hl7").write_bytes(b"MSH|1\rMSH|2\rMSH|3\r")
    (folder / "good.hl7").write_bytes(b"MSH|4\r")
    connector = build()
    connector.look(accept)
    connector.look(accept)
    assert names(folder) == [f"done/{TODAY}/good.hl7", "error/batch.hl7", "error/batch.hl7.why.txt"]
    assert (folder / "error/batch.hl7.why.txt").read_text(encoding="utf-8").splitlines() == [
        "1 of 3 messages were refused; the others were taken.",
        "message 2: PID-5 of 138****8000 is missing",
    ]


def test_same_name_again_overwrites_nothing(folder: Path, build: Build, memory_inbox: MemoryInbox) -> None:
    connector = build()
    for number in (1, 2, 3):
        (folder / "a.hl7").write_bytes(b"MSH|%d" % number)
        look_twice(connector, memory_inbox.accept)
        (folder / "b.hl7").write_bytes(b"no HL7 %d" % number)
        look_twice(connector, memory_inbox.accept)
    assert names(folder) == [
        *(f"done/{TODAY}/a{suffix}.hl7" for suffix in ("-1", "-2", "")),
        *sorted(f"error/b{suffix}.hl7{end}" for suffix in ("", "-1", "-2") for end in ("", ".why.txt")),
    ]
    assert (folder / "done" / TODAY / "a.hl7").read_bytes() == b"MSH|1"


def test_too_long_file_is_refused_with_its_head_alone(
    folder: Path, build: Build, memory_inbox: MemoryInbox
) -> None:
    (folder / "a.json").write_bytes(b'{"a": "' + b"x" * 100_000 + b'"}')
    look_twice(build(max_bytes=50_000), memory_inbox.accept)
    ((item,),) = memory_inbox.calls
    assert item.damage is not None
    assert len(item.content) == 4096
    assert names(folder) == ["error/a.json", "error/a.json.why.txt"]


def test_file_stays_when_it_cannot_be_stored(folder: Path, build: Build, memory_inbox: MemoryInbox) -> None:
    memory_inbox.failures = 1
    (folder / "a.hl7").write_bytes(b"MSH|1")
    connector = build()
    with pytest.raises(Unavailable, match="1 of 1 messages could not be stored"):
        look_twice(connector, memory_inbox.accept)
    assert names(folder) == ["a.hl7"]
    connector.look(memory_inbox.accept)
    assert names(folder) == [f"done/{TODAY}/a.hl7"]


def test_folder_that_is_away_is_unavailable(folder: Path, build: Build, memory_inbox: MemoryInbox) -> None:
    folder.rmdir()
    with pytest.raises(Unavailable, match="No such file"):
        build().look(memory_inbox.accept)


def test_file_that_may_not_be_read_does_not_hold_up_the_others(
    folder: Path, build: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = os.open

    def refuse(name: Path, *arguments: Any) -> int:
        if name.name == "张三.hl7":
            raise PermissionError(13, "Permission denied", str(name))
        return really_open(name, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    (folder / "张三.hl7").write_bytes(b"MSH|1")
    (folder / "z.hl7").write_bytes(b"MSH|2")
    with pytest.raises(Unavailable, match="1 files may not be read") as raised:
        look_twice(build(), memory_inbox.accept)
    assert "张三" not in str(raised.value)
    assert memory_inbox.contents == [b"MSH|2"]


def test_taken_files_go_after_so_many_days(folder: Path, build: Build, memory_inbox: MemoryInbox) -> None:
    for day in ("20261025", "20261026", "readme"):
        (folder / "done" / day).mkdir(parents=True)
        (folder / "done" / day / "a.hl7").touch()
    build(keep_days=0).look(memory_inbox.accept)
    assert len(names(folder)) == 3
    build(keep_days=30).look(memory_inbox.accept)
    assert names(folder) == ["done/20261026/a.hl7", "done/readme/a.hl7"]


def test_it_tells_that_it_is_up_and_stops(folder: Path, build: Build, memory_inbox: MemoryInbox) -> None:
    stop = threading.Event()
    build().run(memory_inbox.accept, stop, is_up=stop.set)
    assert stop.is_set()


@pytest.mark.usefixtures("memory_database")
def test_killed_between_commit_and_move_the_messages_are_recognised(folder: Path, build: Build) -> None:
    states: list[str] = []
    into = into_inbox(Site())

    def accept(items: Any) -> list[Receipt]:
        receipts = into(items)
        states.extend(receipt.state for receipt in receipts)
        if len(states) == 2:
            raise KeyboardInterrupt
        return receipts

    one, two = (omg_o19(PATIENT, EXAM, envelope(name)) for name in ("M1", "M2"))
    (folder / "a.hl7").write_bytes(one + b"\r" + two)
    with pytest.raises(KeyboardInterrupt):
        look_twice(build(), accept)
    assert names(folder) == ["a.hl7"]
    look_twice(build(), accept)
    assert states == ["stored", "stored", "known", "known"]
    assert names(folder) == [f"done/{TODAY}/a.hl7"]
    assert [row.control_id for row in InboundMessage.select()] == ["M1", "M2"]
    assert {(row.channel, row.peer) for row in InboundMessage.select()} == {("folder", "HIS|HOSPITAL")}


@pytest.mark.parametrize(
    ("others", "text"),
    [
        ({"extensions": ["hl7"]}, "extensions are endings with their dot"),
        ({"poll_seconds": 0}, "poll_seconds is 0: it must be above 0"),
        ({"polls": 1}, "unknown polls; known: extensions"),
        ({"path": 7}, "path is 7: a text is needed"),
    ],
)
def test_wrong_settings_are_told_by_name(build: Build, others: dict[str, Any], text: str) -> None:
    with pytest.raises(Misconfigured, match=f"connector ris-folder: {text}"):
        build(**others)
