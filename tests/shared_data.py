"""Samples too big for the repository lie beside it, in `shared/`; tests that want them skip without it."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_dir(*parts: str) -> Path:
    """The folder (or file) `shared/<parts…>` beside the repository; skips the test when it is not there."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no {'/'.join(('shared', *parts))} beside the repository: the test needs those samples")
    return path
