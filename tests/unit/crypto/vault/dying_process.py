"""A change of a vault in a process of its own that is killed in the midst (`python -m … KEYS CHANGE`)."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from crypto.vault import vault as vault_module
from crypto.vault.records import Records
from tests.fixtures.key_vault import OTHER_SYSTEM_KEY, opened


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(count: int) -> Callable[[int, int], None]:
    """A progress that dies at its so-manieth call."""
    left = count

    def progress(_done: int, _total: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            die()

    return progress


def main(keys: str, change: str) -> None:
    vault = opened(Path(keys))
    if change == "rewrap":
        vault.rewrap("data", after(2), batch=7)
    if change == "rotate":
        # The old version is deactivated already, the new one is not written yet.
        Records.insert = die  # type: ignore[method-assign, assignment]
        vault.rotate_kek("data")
    if change == "system key":
        # Rows are re-wrapped in batches of one transaction: the first of them is written.
        batches = vault_module.rewrap.batches

        def dying(*arguments: object) -> object:
            for count in batches(*arguments, 5):  # type: ignore[arg-type]
                yield count
                die()

        vault_module.rewrap.batches = dying  # type: ignore[assignment]
        vault.change_system_key(OTHER_SYSTEM_KEY)
    if change == "destroy":
        Records.bury_wrapped_by = die  # type: ignore[method-assign, assignment]
        vault.destroy("data/1", "the end")


if __name__ == "__main__":
    main(*sys.argv[1:])
