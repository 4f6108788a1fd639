"""A re-wrap in a process of its own that dies after some batches (`python -m … KEYS DATABASE_URL BATCHES`)."""

import os
import signal
import sys
from pathlib import Path

from core import db, personal_data
from tests.fixtures import key_vault
from workflow.rewrap_stored import rewrap_stored


def main(keys: str, database_url: str, batches: str) -> None:
    db.connect(database_url)
    keyring = key_vault.keyring_of(key_vault.opened(Path(keys)))
    personal_data.bind(keyring)
    left = int(batches)

    def die_in_time(done: int, total: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    rewrap_stored(keyring, die_in_time, batch=3)


if __name__ == "__main__":
    main(*sys.argv[1:])
