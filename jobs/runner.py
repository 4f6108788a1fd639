"""One piece of outbox work from its handler to its end in the table: the same inline and in an rq worker.

| the handler | the row |
|---|---|
| returns | done |
| raises `NotYet` | waits until then; not an attempt |
| raises `Unavailable` | tried for ever, at growing intervals: the peer is away, the work is not wrong |
| raises `Refused` or `Conflict` | parked at once: by their definition asking again does not help |
| raises anything else | tried again at growing intervals, parked after `max_attempts` |

A parked row is on the list of problems (`./cloudfilm messages`) until somebody puts it back.
"""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from core import db, failpoints, outbox, problems
from core.errors import CloudFilmError, Conflict, NotYet, Refused, Unavailable
from core.logs import get_logger, mask_text
from core.outbox import Work

Handler = Callable[[dict[str, Any]], None]

SOURCE = "outbox"


class Runner:
    """Runs claimed work by its kind's handler. Handlers are idempotent: a crash makes a row run again."""

    def __init__(self, handlers: Mapping[str, Handler], max_attempts: int) -> None:
        self._handlers = handlers
        self._max_attempts = max_attempts
        self._log = get_logger("jobs")

    def run(self, work: Work) -> None:
        """Run and note the outcome; raises only what the database itself raises while noting."""
        with db.connection(), structlog.contextvars.bound_contextvars(job=f"{work.kind}:{work.id}"):
            if work.attempt > self._max_attempts:
                text = f"its process died during each of {self._max_attempts} attempts"
                self._fail(work, text, limit=work.attempt)
                return
            handler = self._handlers.get(work.kind)
            if handler is None:
                text = (
                    f"nothing here handles {work.kind!r}: it was recorded by another version of this program"
                )
                self._fail(work, text, limit=work.attempt)
                return
            self._run(handler, work)

    def _run(self, handler: Handler, work: Work) -> None:
        try:
            handler(work.payload)
        except NotYet as error:
            outbox.postpone(work.id, error.until)
        except Unavailable as error:
            self._fail(work, _text_of(error), may_park=False)
        except (Refused, Conflict) as error:
            self._fail(work, _text_of(error), limit=work.attempt)
        except Exception as error:
            if not isinstance(error, CloudFilmError):
                self._log.error("work_failed_unexpectedly", exc_info=True)
            self._fail(work, _text_of(error))
        else:
            failpoints.passing("outbox.before_done")
            outbox.finish(work.id)

    def _fail(self, work: Work, text: str, *, limit: int | None = None, may_park: bool = True) -> None:
        limit = limit or self._max_attempts
        with db.transaction():
            parked = outbox.fail(work.id, work.attempt, text, max_attempts=limit, may_park=may_park)
            if parked:
                problems.note(SOURCE, str(work.id), f"{work.kind}: {text}")
        if parked:
            self._log.error("work_parked", why=text, attempt=work.attempt)
        else:
            self._log.warning("work_failed", why=text, attempt=work.attempt)


def _text_of(error: Exception) -> str:
    """Kind and message, masked. Only the first line: databases quote values in the next ones."""
    first = str(error).strip().partition("\n")[0]
    return mask_text(f"{type(error).__name__}: {first}" if first else type(error).__name__)
