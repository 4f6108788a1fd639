"""Where a pack's ciphertext comes from: the front disk while it is there, else the store (F4, F5)."""

from collections.abc import Callable

from core.models import Pack
from workflow.context import Platform


def range_reader(platform: Platform, pack: Pack) -> Callable[[int, int], bytes]:
    """A function (start, end) → sealed bytes, half-open."""
    path = platform.settings.packs_path / pack.local_path if pack.local_path else None
    if path is None or not path.exists():
        return lambda start, end: platform.store.get_range(pack.store_key, start, end)

    def read(start: int, end: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    return read
