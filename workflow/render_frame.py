"""When a browser cannot decode DICOM (IE11), then the server draws frame by frame for it (E1, K1).

What it costs is bounded: one limited process decodes, a caller waits a few seconds for it and no longer, and a session
asks only so often. Rights are asked for every frame; the access was put on record when the page was opened.
"""

import gzip
import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from access.otp import TooMany
from access.rights import require_exam, require_published
from access.sessions import Visitor
from core.errors import NotFound, Refused, Unavailable
from core.models import Pack, PackView, Series, Study
from imaging.film_series import series_of
from imaging.frame_columns import expand
from imaging.pack.limited import Failed, LimitedProcesses, Work
from imaging.render import Window, render_jpeg
from imaging.sealing import open_pack
from workflow.archive_study import KIND
from workflow.context import Platform
from workflow.read_pack import range_reader

# A wheel turns over twenty frames a second; the page asks for one at a time.
BURST, PER_SECOND = 40, 12.0
WAIT_SECONDS = 8.0
# Each who waits holds a thread of the web process, which has a dozen for everything; the page tries again by itself.
MOST_WAITING = 4
# Frame tables of series that are being looked at: 2,000 slices are some 3 MB as Python objects.
KEPT_SERIES, KEPT_SESSIONS = 8, 1000


@dataclass(frozen=True)
class Asked:
    """One frame by its series, instance and number, how it shall look, and how large it may be."""

    series: str
    instance: str
    frame: int
    window: Window | None
    side: int


@dataclass
class _Table:
    """The frames of a series by (instance, number), its look-up tables, its packs."""

    frames: dict[tuple[str, int], dict[str, Any]]
    tables: list[dict[str, Any]]
    packs: list[Pack]


@dataclass
class _Allowance:
    left: float
    at: float


@dataclass
class Renderer:
    """The decoding process of one web process, begun with the first picture; `close` ends it."""

    _processes: LimitedProcesses | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST_WAITING))
    _books: threading.Lock = field(default_factory=threading.Lock)
    _allowances: OrderedDict[int, _Allowance] = field(default_factory=OrderedDict)
    _tables: OrderedDict[tuple[int, int], _Table] = field(default_factory=OrderedDict)

    def draw(self, data: bytes, facts: dict[str, Any], tables: list[dict[str, Any]], asked: Asked) -> bytes:
        """The JPEG. Raises `Unavailable` when others are waiting too long, `Refused` for pixels that cannot be decoded."""
        size = max(len(data), 4 * facts["rows"] * facts["columns"] * facts["samples"])
        work = Work(render_jpeg, (data, facts, tables, asked.window, asked.side), size)
        if not self._waiting.acquire(blocking=False):
            raise Unavailable("too many pictures are being drawn: try again")
        try:
            if not self._turn.acquire(timeout=WAIT_SECONDS):
                raise Unavailable("too many pictures are being drawn: try again")
            try:
                made = self._run(work)
            finally:
                self._turn.release()
        finally:
            self._waiting.release()
        if isinstance(made, Failed):
            raise Refused(f"this frame cannot be drawn ({made.why})")
        return made

    def _run(self, work: Work[bytes]) -> bytes | Failed:
        """A process that died between two pictures (out of memory, killed) is given up: the next picture begins another."""
        if self._processes is None:
            self._processes = LimitedProcesses(1)
        try:
            (made,) = self._processes.run([work])
        except (OSError, Unavailable) as error:
            self._processes.__exit__(None, None, None)
            self._processes = None
            raise Unavailable("the drawing process has ended: try again") from error
        return made

    def require_allowed(self, session_id: int) -> None:
        """Raise `TooMany` when a session asks faster than a person can look."""
        moment = time.monotonic()
        with self._books:
            mine = self._allowances.pop(session_id, None) or _Allowance(BURST, moment)
            mine.left = min(BURST, mine.left + (moment - mine.at) * PER_SECOND)
            mine.at = moment
            self._allowances[session_id] = mine
            while len(self._allowances) > KEPT_SESSIONS:
                self._allowances.popitem(last=False)
            if mine.left < 1:
                raise TooMany("翻页太快，请稍候")
            mine.left -= 1

    def table_of(self, series: Series, packs: list[Pack]) -> _Table:
        """The frames of a series; read again when it got another pack."""
        key = (series.id, len(packs))
        with self._books:
            found = self._tables.get(key)
            if found is not None:
                self._tables.move_to_end(key)
                return found
        made = _table_of(packs)
        with self._books:
            self._tables[key] = made
            while len(self._tables) > KEPT_SERIES:
                self._tables.popitem(last=False)
        return made

    def close(self) -> None:
        """End the decoding process."""
        with self._turn:
            if self._processes is not None:
                self._processes.__exit__(None, None, None)
                self._processes = None


def render_frame(
    platform: Platform, renderer: Renderer, visitor: Visitor, exam_id: int, asked: Asked
) -> bytes:
    """The JPEG of one frame.

    Raises NotFound for what is not of this exam or not this visitor's, NotAllowed before publication, `TooMany`,
    `Unavailable`, `Refused` for pixels that cannot be decoded.
    """
    renderer.require_allowed(visitor.session_id)
    exam = require_exam(visitor, exam_id)
    require_published(visitor, exam)
    series = Series.select().join(Study).where(Study.exam == exam, Series.series_uid == asked.series).first()
    if series is None:
        raise NotFound("this exam has no such series")
    packs = list(Pack.select().where(Pack.series == series).order_by(Pack.generation))
    table = renderer.table_of(series, packs)
    facts = table.frames.get((asked.instance, asked.frame))
    if facts is None:
        raise NotFound("this series has no such frame")
    pack = table.packs[facts["pack"]]
    reader = open_pack(range_reader(platform, pack), pack, platform.keyring, platform.provider, KIND)
    data = reader.read(facts["offset"], facts["offset"] + facts["length"])
    return renderer.draw(data, facts, table.tables, asked)


def _table_of(packs: list[Pack]) -> _Table:
    rows = {row.pack_id: row for row in PackView.select().where(PackView.pack.in_(packs))}
    views = [json.loads(gzip.decompress(bytes(rows[pack.id].manifest))) for pack in packs]
    block = series_of(views)
    frames = {(frame["instance"], frame["frame"]): frame for frame in expand(block)}
    return _Table(frames, block["tables"], packs)
