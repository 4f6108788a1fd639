"""A watched folder whose files change, vanish or cannot be moved at the wrong moment: nothing is lost, nothing held up."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import Unavailable
from hl7_engine.connector import Accept
from hl7_engine.connectors import folder as folder_module
from hl7_engine.connectors import registry
from hl7_engine.connectors.folder import FolderConnector
from hl7_engine.incoming import Receipt
from tests.fixtures.taking import MemoryInbox

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


def replace_by_another(path: Path) -> None:
    other = path.with_suffix(".part")
    other.write_bytes(b"MSH|NEW")
    other.replace(path)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\rMSH|NEW")


@pytest.mark.parametrize("change", [replace_by_another, append])
def test_file_that_changes_while_it_is_stored_is_read_again(
    folder: Path, build: Build, memory_inbox: MemoryInbox, change: Callable[[Path], None]
) -> None:
    (folder / "a.hl7").write_bytes(b"MSH|OLD")

    def accept(items: Any) -> list[Receipt]:
        receipts = memory_inbox.accept(items)
        if len(memory_inbox.calls) == 1:
            change(folder / "a.hl7")
        return receipts

    connector = build()
    look_twice(connector, accept)
    assert names(folder) == ["a.hl7"]
    look_twice(connector, accept)
    assert [content.strip() for content in memory_inbox.contents][-1] == b"MSH|NEW"
    assert names(folder) == [f"done/{TODAY}/a.hl7"]


def test_file_that_is_another_when_it_is_opened_waits_for_the_next_look(
    folder: Path, build: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.hl7").write_bytes(b"MSH|OLD")
    connector = build()
    connector.look(memory_inbox.accept)
    really_open = os.open

    def replace_then_open(name: Any, *arguments: Any) -> int:
        if name == folder / "a.hl7":
            monkeypatch.setattr(os, "open", really_open)
            replace_by_another(folder / "a.hl7")
        return really_open(name, *arguments)

    monkeypatch.setattr(os, "open", replace_then_open)
    connector.look(memory_inbox.accept)
    assert memory_inbox.calls == []
    look_twice(connector, memory_inbox.accept)
    assert memory_inbox.contents == [b"MSH|NEW"]


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_what_a_killed_process_left_on_its_way_is_read_again(
    folder: Path,
    build: Build,
    memory_inbox: MemoryInbox,
    has_hard_links: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder / "taking").mkdir()
    (folder / "taking" / "a.hl7").write_bytes(b"MSH|1")
    (folder / "a.hl7").write_bytes(b"MSH|2")
    if not has_hard_links:

        def refuse(*_: Any, **__: Any) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    look_twice(build(), memory_inbox.accept)
    assert sorted(memory_inbox.contents) == [b"MSH|1", b"MSH|2"]
    assert names(folder) == [f"done/{TODAY}/a-1.hl7", f"done/{TODAY}/a.hl7"]


def test_file_that_cannot_be_moved_does_not_hold_up_the_others(
    folder: Path, build: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_rename = Path.rename

    def refuse(path: Path, goal: Path) -> Path:
        if path.name == "张三.hl7":
            raise PermissionError(1, "Operation not permitted", str(path))
        return really_rename(path, goal)

    monkeypatch.setattr(Path, "rename", refuse)
    for number, name in enumerate(("张三.hl7", "b.hl7", "c.hl7")):
        (folder / name).write_bytes(b"MSH|%d" % number)
        os.utime(folder / name, ns=(0, number))
    monkeypatch.setattr(folder_module, "_FILES_AT_ONCE", 1)
    with pytest.raises(Unavailable, match="1 files were taken and cannot be moved") as raised:
        look_twice(build(), memory_inbox.accept)
    assert "张三" not in str(raised.value)
    assert names(folder) == [f"done/{TODAY}/b.hl7", f"done/{TODAY}/c.hl7", "张三.hl7"]


@pytest.mark.parametrize("letter", ["a", "张"])
def test_name_too_long_for_the_reason_is_shortened(
    folder: Path, build: Build, memory_inbox: MemoryInbox, letter: str
) -> None:
    connector = build()
    for content in (b"no HL7", b"nor this"):
        (folder / f"{letter * (250 // len(letter.encode()))}.hl7").write_bytes(content)
        look_twice(connector, memory_inbox.accept)
    assert [name[:7] for name in names(folder)] == [f"error/{letter}"] * 4
    assert [name.partition(".")[2] for name in names(folder)] == ["hl7", "hl7.why.txt"] * 2


def test_file_that_vanishes_during_a_look_is_no_failure(
    folder: Path, build: Build, memory_inbox: MemoryInbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.hl7", "b.hl7"):
        (folder / name).write_bytes(b"MSH|" + name.encode())
    really_scan = os.scandir

    def scan_then_delete(path: Path) -> Any:
        entries = list(really_scan(path))
        (folder / "a.hl7").unlink(missing_ok=True)
        return nullcontext(entries)

    connector = build()
    monkeypatch.setattr(os, "scandir", scan_then_delete)
    look_twice(connector, memory_inbox.accept)
    assert memory_inbox.contents == [b"MSH|b.hl7"]


@pytest.mark.parametrize("content", [b"\x0b", b"\x0b\x0b\x0b", b""])
def test_file_without_any_message_is_refused(
    folder: Path, build: Build, memory_inbox: MemoryInbox, content: bytes
) -> None:
    (folder / "a.hl7").write_bytes(content)
    look_twice(build(), memory_inbox.accept)
    assert names(folder) == ["error/a.hl7", "error/a.hl7.why.txt"]
