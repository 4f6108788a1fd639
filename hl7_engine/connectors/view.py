"""A view of the HIS's database, for a HIS that gives nothing else: rows by a watermark, each becomes a command.

The watermark is a column that only grows: the time of the last change, or a number. The position is kept when the rows are
durable. Rows with the same watermark as the last one are read again, and so are those within `overlap` before it, for a row
may become visible after a later one; what was taken is known, here for a while and to the inbox for ever.
"""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core import alarms, db
from core.clock import now
from core.errors import Misconfigured, Unavailable
from core.models import ConnectorPosition
from crypto.sm3 import sm3
from hl7_engine.connector import Accept, IsUp, incoming, require_stored
from hl7_engine.connectors import database, settings
from hl7_engine.connectors.database import Source
from hl7_engine.connectors.rows import RowMapping
from hl7_engine.times import SHANGHAI

CHANNEL = "view"
WITHOUT_WATERMARK = "view_without_watermark"
_TYPES = ("time", "number", "text")
# Letters of any script, as HIS vendors name their columns; with schema and link, and quotes of all databases.
_NAME = re.compile(r"[\w.$#@\"\[\]`]+")
_PASSWORDS = ("password", "passwd", "pwd")
# PWD=x; as in ODBC, scheme://user:x@host, user/x@host of Oracle.
_PASSWORD_INSIDE = re.compile(r"(?i)\b(?:password|passwd|pwd)\s*=|://[^/@]*:[^@]*@|^[^/@]+/[^@]*@")
# So many rows with one watermark are the most that are read at once.
_MOST_ROWS = 50_000
# Counting may read the whole table of the HIS.
_REPORT_SECONDS = 3600

Watermark = datetime | int | str


@dataclass(frozen=True)
class ViewSettings:
    """One view. `start` is where the first look begins, `overlap` is in seconds for times."""

    name: str
    view: str
    watermark: str
    start: str
    action: str
    columns: dict[str, Any]
    constants: dict[str, Any] = field(default_factory=dict)
    watermark_type: str = "time"
    overlap: int = 0
    poll_seconds: float = 10.0
    batch: int = 200
    timeout_seconds: int = 30
    url: str = ""
    url_file: str = ""
    password_file: str = ""
    driver: str = ""
    connect: dict[str, Any] = field(default_factory=dict)
    limit_style: str = "limit"
    on_connect: tuple[str, ...] = ()


class ViewConnector:
    """Reads one view. One process at a time should: two would only read everything twice."""

    def __init__(self, told: ViewSettings) -> None:
        """Raises `Misconfigured`."""
        subject = f"connector {told.name}"
        settings.require_positive(
            subject,
            batch=told.batch,
            poll_seconds=told.poll_seconds,
            timeout_seconds=told.timeout_seconds,
        )
        _require_valid(subject, told)
        self.name = told.name
        self._told = told
        self._start = _watermark(told.watermark_type, told.start)
        self._mapping = RowMapping(subject, told.action, told.columns, told.constants)
        self._source = _source(subject, told)
        # What was taken within the overlap: a digest with its watermark.
        self._taken: dict[bytes, Any] = {}
        self._next_report = 0.0

    def run(self, accept: Accept, stop: threading.Event, is_up: IsUp) -> None:
        """Look again and again until `stop` is set. Raises `Unavailable` when the view is away."""
        self.look(accept, stop)
        is_up()
        while not stop.wait(self._told.poll_seconds):
            self.look(accept, stop)

    def look(self, accept: Accept, stop: threading.Event) -> int:
        """Take all rows that are new, or until `stop` is set; return how many. Raises `Unavailable`."""
        position = self._position()
        cursor = _before(position, self._told.overlap)
        taken = 0
        is_last = False
        with self._source.connected() as connection:
            self._report_rows_without_watermark(connection)
            while not is_last and not stop.is_set():
                rows, is_last = self._page(connection, cursor)
                taken += self._take(rows, accept)
                if rows:
                    cursor = self._watermark_of(rows[-1])
                    position = max(position, cursor)
                    self._keep(position)
                    self._forget_before(_before(position, self._told.overlap))
        return taken

    def _forget_before(self, begin: Any) -> None:
        """What the next look does not read again."""
        self._taken = {digest: mark for digest, mark in self._taken.items() if mark >= begin}

    def _page(self, connection: Any, cursor: Watermark) -> tuple[list[dict[str, Any]], bool]:
        """The rows from `cursor` on, and whether there are no more. More are read when all have one watermark."""
        count = self._told.batch
        while count <= _MOST_ROWS:
            rows = self._rows(connection, cursor, count)
            if len(rows) < count:
                return rows, True
            if self._watermark_of(rows[-1]) > cursor:
                return rows, False
            count *= 4
        raise Unavailable(
            f"view {self._told.view}: more than {count // 4} rows have one {self._told.watermark}: "
            "choose a column that tells them apart better"
        )

    def _rows(self, connection: Any, cursor: Watermark, count: int) -> list[dict[str, Any]]:
        mark = self._told.watermark
        rows = self._source.rows(connection, self._told.view, f"{mark} >= {{}}", mark, count, cursor)
        missing = self._mapping.names - set(rows[0]) if rows else set()
        if missing:
            raise Misconfigured(f"view {self._told.view} has no column {', '.join(sorted(missing))}")
        return rows

    def _take(self, rows: list[dict[str, Any]], accept: Accept) -> int:
        new: dict[bytes, tuple[bytes, Watermark]] = {}
        for row in rows:
            mark = self._watermark_of(row)
            content = self._mapping.command(row, mark)
            digest = sm3(content)
            if digest not in self._taken:
                new[digest] = (content, mark)
        if not new:
            return 0
        receipts = accept(
            [
                incoming(content, self.name, CHANNEL, message_type=self._told.action)
                for content, _ in new.values()
            ]
        )
        require_stored(receipts)
        self._taken |= {digest: mark for digest, (_, mark) in new.items()}
        return len(new)

    def _watermark_of(self, row: Mapping[str, Any]) -> Any:
        value = row[_bare(self._told.watermark)]
        return _watermark(self._told.watermark_type, value)

    def _position(self) -> Any:
        with db.transaction():
            row = ConnectorPosition.get_or_none(ConnectorPosition.name == self.name)
        return _watermark(self._told.watermark_type, row.position) if row else self._start

    def _keep(self, position: Watermark) -> None:
        text = position.isoformat(" ") if isinstance(position, datetime) else str(position)
        with db.transaction():
            kept = (
                ConnectorPosition.update(position=text).where(ConnectorPosition.name == self.name).execute()
            )
            if not kept:
                ConnectorPosition.insert(name=self.name, position=text, created_at=now()).execute()

    def _report_rows_without_watermark(self, connection: Any) -> None:
        """No look ever finds them: a person must ask the HIS."""
        if time.monotonic() < self._next_report:
            return
        self._next_report = time.monotonic() + _REPORT_SECONDS
        told = self._told
        count = self._source.number(connection, told.view, f"{told.watermark} IS NULL")
        with db.transaction():
            if count:
                text = f"{count} rows of view {told.view} have no {told.watermark} and are not read"
                alarms.begin(WITHOUT_WATERMARK, self.name, text)
            else:
                alarms.end(WITHOUT_WATERMARK, self.name)


def _source(subject: str, told: ViewSettings) -> Source:
    if told.driver:
        arguments = dict(told.connect)
        if _has_password(arguments):
            raise Misconfigured(f"{subject}: no password in connect: name its file in password_file")
        if told.password_file:
            arguments["password"] = settings.secret(subject, "password_file", told.password_file)
        return database.driver_source(subject, told.driver, arguments, told.limit_style, told.on_connect)
    url = settings.whole_url(subject, told.url, told.url_file, told.password_file)
    if database.is_sqlite(url):
        return database.sqlite_source(url, told.timeout_seconds)
    if database.is_postgres(url):
        return database.postgres_source(subject, f"of {told.name}", url, told.timeout_seconds)
    raise Misconfigured(f"{subject}: url: sqlite:/// or postgresql://; for others give driver and connect")


def _has_password(arguments: Mapping[str, Any]) -> bool:
    """By the name of an argument, or inside a text that tells several things at once."""
    return any(
        name.lower() in _PASSWORDS or (isinstance(value, str) and _PASSWORD_INSIDE.search(value))
        for name, value in arguments.items()
    )


def _require_valid(subject: str, told: ViewSettings) -> None:
    for name, value in (("view", told.view), ("watermark", told.watermark)):
        if not _NAME.fullmatch(value):
            raise Misconfigured(f"{subject}: {name} is {value!r}: the name of a view or column is needed")
    if told.watermark_type not in _TYPES:
        raise Misconfigured(f"{subject}: watermark_type is {told.watermark_type!r}: use {', '.join(_TYPES)}")
    if told.limit_style not in database.LIMIT_STYLES:
        styles = ", ".join(database.LIMIT_STYLES)
        raise Misconfigured(f"{subject}: limit_style is {told.limit_style!r}: use {styles}")
    if told.overlap < 0 or (told.overlap and told.watermark_type == "text"):
        raise Misconfigured(f"{subject}: overlap is for times (seconds) and numbers, 0 or more")
    try:
        _watermark(told.watermark_type, told.start)
    except ValueError:
        raise Misconfigured(
            f"{subject}: start is {told.start!r}, which is no {told.watermark_type}"
        ) from None


def _watermark(kind: str, value: Any) -> Any:
    """As the database compares it: times are the hospital's, without a zone."""
    if kind == "time":
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.astimezone(SHANGHAI).replace(tzinfo=None) if moment.tzinfo else moment
    return int(value) if kind == "number" else str(value)


def _before(position: Any, overlap: int) -> Any:
    if isinstance(position, datetime):
        return position - timedelta(seconds=overlap)
    return position - overlap if isinstance(position, int) else position


def _bare(column: str) -> str:
    """A column as the cursor names it, without table and quotes."""
    return column.rpartition(".")[2].strip('"[]`').upper()
