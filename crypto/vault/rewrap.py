"""Keys brought under a newer wrapping key, batch by batch: each batch is a transaction, so a kill costs one batch at most.

There is no list of what is done: what is left are the rows of older versions.
"""

import logging
from collections.abc import Callable, Iterator

from crypto.vault.database import KeyDatabase
from crypto.vault.keks import Kek
from crypto.vault.records import Records, StoredKey
from crypto.vault.wrapping import Wrapping

# The write lock is held for a batch: 1,000 keys are about 20 ms with the portable engine.
BATCH = 1000
_log = logging.getLogger(__name__)


def batches(
    database: KeyDatabase,
    records: Records,
    wrapping: Wrapping,
    name: str,
    key_of: Callable[[int], bytes],
    target: Kek,
    size: int = BATCH,
) -> Iterator[int]:
    """Re-wrap under `target`, a version of `name`; yields how many after each batch is on the disk."""
    while True:
        with database.transaction():
            found = records.wrapped_below(name, target.version, size)
            for version in sorted({key.record.wrapped_version for key in found}):
                group = [key for key in found if key.record.wrapped_version == version]
                _move(records, wrapping, name, key_of(version), group, target)
        if not found:
            return
        yield len(found)


def checkpoint(database: KeyDatabase) -> None:
    """Write the log into the database, so that no deleted secret outlives in it; not within a transaction.

    SQLite does not do it while another reads what was before, and says so in its answer only.
    """
    connection = database.connection()
    if connection.in_transaction:
        return
    [is_busy, *_] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        _log.warning(
            "%s-wal still holds wrapped keys that were deleted, because another process reads: seal or stop the key "
            "server when that has ended",
            database.path,
        )


def _move(
    records: Records, wrapping: Wrapping, name: str, key: bytes, group: list[StoredKey], target: Kek
) -> None:
    wrapped = [(one.record, one.blob) for one in group if one.blob is not None]
    secrets = wrapping.unwrap(key, name, group[0].record.wrapped_version, wrapped)
    renewed = [(record, secret) for (record, _), secret in zip(wrapped, secrets, strict=True)]
    blobs = wrapping.wrap(target.key, name, target.version, renewed)
    numbers = [record.number for record, _ in renewed]
    records.rewrap(target.version, zip(numbers, blobs, strict=True))
