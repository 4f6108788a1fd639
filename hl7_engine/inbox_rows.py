"""The rows of the inbox, many in one go. Plain SQL: peewee's insert would cost more than all else on a message's way."""

from functools import lru_cache
from typing import Any

from core import db, personal_data
from core.clock import now
from core.logs import mask_text
from core.models import InboundMessage
from hl7_engine.letter import KEY_LENGTH, Letter

_ERROR_LENGTH = 500
_COLUMNS = (
    "body, created_at, peer, channel, format, address, control_id, message_type, charset, body_sm3, state, error, "
    "origin_id, attempts, stream, outcome"
)
_GIVEN, _CONSTANT = 13, "0, '', ''"
_ON_CONFLICT = "ON CONFLICT (peer, control_id, body_sm3) DO NOTHING"
# PostgreSQL takes 65,535 parameters in one statement.
_ROWS_PER_STATEMENT = 500

# The id of a letter's row, and whether it is new.
Stored = tuple[int, bool]


def store(letters: list[Letter]) -> list[Stored]:
    """Insert the rows that are not there, in their order; tell where each letter's row is. Call in a transaction."""
    rows = _rows(letters)
    if db.is_sqlite():
        return _one_by_one(letters, rows)
    found: dict[tuple[str, str, str], int] = {}
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        found |= _together(rows[start : start + _ROWS_PER_STATEMENT])
    result = []
    for letter in letters:
        key = (letter.peer, letter.control_id, letter.fingerprint)
        is_new = key in found
        # Taken out, so that the same message twice in one batch is new only once.
        result.append((found.pop(key) if is_new else _id_of(letter), is_new))
    return result


def _rows(letters: list[Letter]) -> list[tuple[Any, ...]]:
    moment = InboundMessage.created_at.db_value(now())
    bodies = personal_data.seal_all([letter.item.content for letter in letters], "inbound_message.body")
    return [
        (
            body,
            moment,
            letter.peer,
            letter.item.channel,
            letter.item.format,
            letter.item.address[:KEY_LENGTH],
            letter.control_id,
            letter.message_type,
            letter.charset,
            letter.fingerprint,
            "refused" if letter.error else "received",
            mask_text(str(letter.error))[:_ERROR_LENGTH] if letter.error else "",
            letter.item.origin_id,
        )
        for letter, body in zip(letters, bodies, strict=True)
    ]


def _one_by_one(letters: list[Letter], rows: list[tuple[Any, ...]]) -> list[Stored]:
    """SQLite is a function call away, and asking it for the ids of several rows at once costs more than many calls."""
    execute, statement = db.database.execute_sql, _statement("?", 1)
    result = []
    for letter, row in zip(letters, rows, strict=True):
        cursor = execute(statement, row)
        is_new = cursor.rowcount == 1
        result.append((cursor.lastrowid if is_new else _id_of(letter), is_new))
    return result


def _together(rows: list[tuple[Any, ...]]) -> dict[tuple[str, str, str], int]:
    """One round trip to PostgreSQL."""
    statement = f"{_statement('%s', len(rows))} RETURNING id, peer, control_id, body_sm3"
    cursor = db.database.execute_sql(statement, [value for row in rows for value in row])
    return {(peer, control_id, digest): number for number, peer, control_id, digest in cursor.fetchall()}


@lru_cache(maxsize=2 * _ROWS_PER_STATEMENT)
def _statement(mark: str, rows: int) -> str:
    row = f"({', '.join([mark] * _GIVEN)}, {_CONSTANT})"
    return f"INSERT INTO inbound_message ({_COLUMNS}) VALUES {', '.join([row] * rows)} {_ON_CONFLICT}"  # noqa: S608


def _id_of(letter: Letter) -> int:
    row = InboundMessage.select(InboundMessage.id).where(
        InboundMessage.peer == letter.peer,
        InboundMessage.control_id == letter.control_id,
        InboundMessage.body_sm3 == letter.fingerprint,
    )
    number: int = row.get().id
    return number
