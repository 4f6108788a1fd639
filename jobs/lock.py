"""One relay per installation: a file lock that the kernel lets go when its process dies, however it dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Misconfigured


@contextmanager
def relay_lock(home: Path) -> Iterator[None]:
    """Hold `home`/relay.lock for the block. Raises `Misconfigured` when another process holds it."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "relay.lock"
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(f"another relay works for {home}: stop it first, one is enough") from None
        yield
