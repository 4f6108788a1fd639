"""When a KEK was rotated, then the data keys of packs and the sealed columns come under its newest version (H2.8).

Images are not touched: a pack's data key is wrapped anew in its row. There is no list of what is done; what is left are the
rows of older versions, so a killed run goes on where it was. A row that someone changes meanwhile keeps that change: it was
sealed by the newest version already. What does not open is left as it is and named.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from core import db
from core.fields import SealedTextField
from core.models import ALL_MODELS, Pack
from crypto.errors import KeyRefused, SealBroken
from crypto.keyring import Keyring, WrappedKey
from crypto.sealed_blob import PREFIX_SIZE, prefix_of
from imaging.sealing import KIND as WRAPPED_KIND
from workflow.archive_study import KIND as OWNER

# A write lock of SQLite is held for a batch: 200 fields are about 10 ms.
BATCH = 200
Progress = Callable[[int, int], None]


@dataclass
class Rewrapped:
    """How many came under the newest version, and what did not open: `table.column id`."""

    version: int
    done: int = 0
    refused: list[str] = field(default_factory=list)


def rewrap_stored(keyring: Keyring, progress: Progress, batch: int = BATCH) -> Rewrapped:
    """Re-wrap everything that is older than the newest version; `progress` is told done and total after each batch.

    Raises `VaultSealed`; a database error ends it, and another run goes on.
    """
    result = Rewrapped(keyring.active_version)
    columns = _sealed_columns()
    with db.connection():
        total = _count_packs(result.version) + sum(_count(*column, result.version) for column in columns)
        for _ in _rewrap_packs(keyring, result, batch):
            progress(result.done, max(total, result.done))
        for table, column in columns:
            for _ in _rewrap_column(keyring, table, column, result, batch):
                progress(result.done, max(total, result.done))
    return result


def count_outdated(keyring: Keyring) -> int:
    """How many wrapped keys and values are under older versions."""
    version = keyring.active_version
    with db.connection():
        return _count_packs(version) + sum(_count(*column, version) for column in _sealed_columns())


def _rewrap_packs(keyring: Keyring, result: Rewrapped, batch: int) -> Iterator[None]:
    after = 0
    while True:
        with db.transaction():
            packs = list(
                Pack.select(Pack.id, Pack.object_id, Pack.wrapped_key, Pack.kek_version)
                .where(Pack.id > after, Pack.kek_version < result.version)
                .order_by(Pack.id)
                .limit(batch)
            )
            for pack in packs:
                _rewrap_pack(keyring, pack, result)
        if not packs:
            return
        after = packs[-1].id
        yield


def _rewrap_pack(keyring: Keyring, pack: Pack, result: Rewrapped) -> None:
    bound: Any = {"object_id": bytes.fromhex(pack.object_id), "kind": WRAPPED_KIND, "owner": OWNER}
    try:
        dek = keyring.unwrap_dek(WrappedKey(pack.kek_version, bytes(pack.wrapped_key)), **bound)
    except (KeyRefused, SealBroken):
        result.refused.append(f"pack.wrapped_key {pack.id}")
        return
    wrapped = keyring.wrap_dek(dek, **bound)
    result.done += (
        Pack.update(wrapped_key=wrapped.blob, kek_version=wrapped.kek_version)
        .where(Pack.id == pack.id, Pack.kek_version == pack.kek_version)
        .execute()
    )


def _rewrap_column(
    keyring: Keyring, table: peewee.Table, column: str, result: Rewrapped, batch: int
) -> Iterator[None]:
    context, after = f"{table.__name__}.{column}", 0
    while True:
        with db.transaction():
            query = table.select(table.c.id, _column(table, column)).where(table.c.id > after)
            outdated = query.where(_is_outdated(table, column, result.version))
            rows = [(row[0], bytes(row[1])) for row in outdated.order_by(table.c.id).limit(batch).tuples()]
            opened = _opened(keyring, rows, context, result)
            sealed = keyring.seal_blobs([content for _, _, content in opened], context=context)
            for (number, old, _), new in zip(opened, sealed, strict=True):
                unchanged = (table.c.id == number) & (_column(table, column) == old)
                result.done += table.update({_column(table, column): new}).where(unchanged).execute()
        if not rows:
            return
        after = rows[-1][0]
        yield


def _opened(
    keyring: Keyring, rows: Sequence[tuple[int, bytes]], context: str, result: Rewrapped
) -> list[tuple[int, bytes, bytes]]:
    """Number, sealed and open value of the rows that open."""
    try:
        contents = keyring.open_blobs([sealed for _, sealed in rows], context=context)
        return [(*row, content) for row, content in zip(rows, contents, strict=True)]
    except (KeyRefused, SealBroken):
        found = []
        for number, sealed in rows:
            try:
                found.append((number, sealed, keyring.open_blob(sealed, context=context)))
            except (KeyRefused, SealBroken):
                result.refused.append(f"{context} {number}")
        return found


def _sealed_columns() -> list[tuple[peewee.Table, str]]:
    """Every sealed column of the models, as bare tables: through the models' fields values would be opened."""
    return [
        (
            peewee.Table(model._meta.table_name).bind(db.database),
            one.column_name,
        )
        for model in ALL_MODELS
        for one in model._meta.sorted_fields
        if isinstance(one, SealedTextField)
    ]


def _count_packs(version: int) -> int:
    return int(Pack.select().where(Pack.kek_version < version).count())


def _count(table: peewee.Table, column: str, version: int) -> int:
    return int(table.select(table.c.id).where(_is_outdated(table, column, version)).count())


def _is_outdated(table: peewee.Table, column: str, version: int) -> Any:
    beginning = peewee.fn.SUBSTR(_column(table, column), 1, PREFIX_SIZE)
    return _column(table, column).is_null(False) & (beginning != prefix_of(version))


def _column(table: peewee.Table, column: str) -> Any:
    return getattr(table.c, column)
