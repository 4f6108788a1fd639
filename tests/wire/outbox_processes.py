"""Relay and worker as processes of their own, for tests that kill them (`python -m … ROLE …`).

Each piece of work settles one fee line, so that whatever is lost or done twice shows in the ledger.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import redis

from billing.settle import settle
from core import db, failpoints
from core.commands import SettleFee
from jobs import tasks, worker
from jobs.relay import Relay
from jobs.rq_relay import RqRelay

AMOUNT_FEN = 2000
PAID_AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
# Long enough that a random kill often falls into the middle of a piece of work.
WORK_SECONDS = 0.02


def pay(work: dict[str, Any]) -> None:
    name = work["fee_line_id"]
    Event().wait(WORK_SECONDS)
    settle(SettleFee("kiosk-1", f"key-{name}", name, AMOUNT_FEN, PAID_AT, "kiosk"))
    Event().wait(WORK_SECONDS)


HANDLERS = {"upload_pack": pay}


def main(role: str, database_url: str, redis_url: str, home: str, fail: str) -> None:
    db.connect(database_url)
    failpoints.arm(fail, Path(home))
    if role == "inline":
        Relay(HANDLERS, threads=3, max_attempts=50).run_forever(Path(home), Event())
    elif role == "relay":
        RqRelay(redis.Redis.from_url(redis_url)).run_forever(Path(home), Event())
    else:
        tasks.bind(HANDLERS, max_attempts=50)
        worker.work(redis.Redis.from_url(redis_url))


if __name__ == "__main__":
    main(*sys.argv[1:])
