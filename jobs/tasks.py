"""What rq workers run. The dotted name is stored in Redis: rename only with an alias.

Redis carries two numbers and no more; what is to be done stands in the database (no personal data in Redis).
"""

from collections.abc import Mapping

from core import db, outbox
from core.errors import Misconfigured
from jobs.runner import Handler, Runner

RUN_WORK = "jobs.tasks.run_work"

_runner: Runner | None = None


def bind(handlers: Mapping[str, Handler], max_attempts: int) -> None:
    """Give this process its handlers, before it forks."""
    global _runner
    _runner = Runner(handlers, max_attempts)


def run_work(work_id: int, attempt: int) -> None:
    """Run one claimed row; quietly nothing when it is done already or was claimed anew."""
    if _runner is None:
        raise Misconfigured("this worker has no handlers: start it by `./cloudfilm run worker`")
    with db.connection():
        work = outbox.take(work_id, attempt)
    if work is not None:
        _runner.run(work)
