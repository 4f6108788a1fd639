"""No source file is longer than a person reads in one go: 400 lines; what migrations write is not counted."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CEILING = 400
KINDS = {".py", ".ts", ".tsx", ".css", ".html"}
NOT_OURS = {"migrations", "node_modules", "dist", ".venv", "var"}


def sources() -> list[Path]:
    """What git knows or would add: our files, whatever else lies about."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    paths = [Path(name) for name in listed if name]
    return [path for path in paths if path.suffix in KINDS and not NOT_OURS & set(path.parts)]


def test_no_file_is_too_long() -> None:
    found = sources()
    assert len(found) > 100, "the walk is broken"
    lengths = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in found
        if (ROOT / path).exists()
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > CEILING}
    assert not too_long, f"split these: {too_long}"
