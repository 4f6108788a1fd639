"""Files sealed once, with a fixed key, that must open for ever: one folder for each version of the format.

`tests/vectors/sealed_file_1` was written by `SealedFiles.seal` with `file_samples.keyring()` on the first day of format 1
(body CFS1, envelope cloudfilm-file-key-1). It is never written anew: a changed format gets a folder of its own.
"""

from pathlib import Path

import pytest

from crypto.files.envelope import key_path
from crypto.files.kinds import Kind
from crypto.sm3 import kdf, sm3
from tests.unit.crypto.files.file_samples import CHUNK, files, keyring, unheard
from tests.unit.crypto.files.kind_samples import PDF

pytestmark = pytest.mark.requirement("H2", "H2.9", "S4")

FOLDER = Path(__file__).parents[3] / "vectors" / "sealed_file_1"

# Name of the sealed file: what was sealed, its name, its kind, its time of change in ns.
PLAIN: dict[str, tuple[bytes, str, Kind, int]] = {
    "empty": (b"", "empty.txt", Kind.TXT, 0),
    "document": (PDF, "2026/报告.pdf", Kind.PDF, 1_790_000_000_123_456_789),
    "chunks": (kdf(b"frozen file", b"", CHUNK + 4321), "raw.bin", Kind.OTHER, 1),
}
BODIES = {
    "chunks": "2471e7b31a3244e6dac7ef6bbe3ee20608061041c129a0fac4a8d760035605e5",
    "document": "71d7bee0b541dc7bfae6ce63393364124fb25f2da6216cc90dfd6f999410a198",
    "empty": "47f7a2d325f726ee779ff24ac643fe07a08b2bcb4c2f34114c7ed8c7c6d7b267",
}


@pytest.mark.parametrize("name", PLAIN)
def test_files_of_format_1_open(tmp_path: Path, name: str) -> None:
    plain, called, kind, modified_ns = PLAIN[name]
    found = files(keyring()).open(FOLDER / f"{name}.cfs", tmp_path / "back", unheard)
    assert (tmp_path / "back").read_bytes() == plain
    assert (tmp_path / "back").stat().st_mtime_ns == modified_ns
    assert (found.about.name, found.about.label.kind, found.about.modified_ns) == (called, kind, modified_ns)


def test_they_are_the_files_of_the_first_day() -> None:
    digests = {path.stem: sm3(path.read_bytes()).hex() for path in FOLDER.glob("*.cfs")}
    assert digests == BODIES
    assert all(key_path(FOLDER / f"{name}.cfs").exists() for name in BODIES)
