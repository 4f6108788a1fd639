"""Files whose numbers do not fit fail alone: one of them must not end the watch or a job over a tree."""

import json
import os
from pathlib import Path

import pytest

from crypto.errors import FileRefused, KeyRefused
from crypto.files.envelope import key_path
from crypto.files.journal import Journal
from crypto.files.placing import Stamp
from crypto.files.sealed_file import _new_header
from tests.unit.crypto.files.file_samples import files, unheard

pytestmark = pytest.mark.requirement("H2", "H2.9")


@pytest.mark.parametrize(
    "stamp",
    [Stamp(1, 13 * 10**18, 5), Stamp(1, 7, 2**64 - 1)],
    ids=["a time after 2262", "an inode of 64 bits"],
)
def test_the_journal_takes_any_time_and_inode(tmp_path: Path, stamp: Stamp) -> None:
    journal = Journal(tmp_path / "journal.db")
    first = journal.begin("a", stamp, 1)
    assert journal.begin("a", stamp, 1).token == first.token
    assert journal.begin("a", stamp._replace(inode=9), 1).token != first.token
    journal.close()


@pytest.mark.parametrize("version", [float("inf"), float("nan"), "9" * 5000, None, []])
def test_a_key_file_with_a_version_that_is_none_is_refused(tmp_path: Path, version: object) -> None:
    source, sealed = tmp_path / "a", tmp_path / "a.cfs"
    source.write_bytes(b"content")
    files().seal(source, sealed, "a", unheard)
    fields = json.loads(key_path(sealed).read_text())
    key_path(sealed).write_text(json.dumps({**fields, "kek-version": version}))
    with pytest.raises(KeyRefused, match="damaged"):
        files().describe(sealed)


def test_a_length_that_no_header_holds_is_refused() -> None:
    with pytest.raises(FileRefused, match=os.fspath(Path("sparse"))):
        _new_header(Path("sparse"), 2**49)
