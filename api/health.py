"""Is the process alive (/healthz), and can it do its work (/readyz)? For balancers and alarms (S5, F10)."""

import os
import shutil
from collections.abc import Callable

from apiflask import APIBlueprint, Schema
from apiflask.fields import Dict, String
from flask import Response, jsonify

from api import guards
from api.request_scope import platform
from core import db, logs
from core.errors import Unavailable
from core.models import AuditHead
from workflow.context import Platform

blueprint = APIBlueprint("health", __name__, tag="Health")

# Below this the front machine must not take another study: a large CT is about one gigabyte.
MIN_FREE_BYTES = 1_000_000_000

_log = logs.get_logger("api")


class HealthOut(Schema):
    """`checks`: name → "ok" or "failed"; the log says why."""

    status = String()
    checks = Dict(keys=String(), values=String())


@blueprint.get("/healthz")
@guards.public("a balancer has no session; the answer says only that the process runs")
@blueprint.output(HealthOut)
def is_alive() -> dict[str, str]:
    """The process runs"""
    return {"status": "ok"}


@blueprint.get("/readyz")
@guards.public("a balancer has no session; the answer names parts, not content")
@blueprint.output(HealthOut)
def is_ready() -> Response:
    """Database, disk and keys can be used"""
    checks = {name: _outcome(name, check) for name, check in _CHECKS.items()}
    is_well = set(checks.values()) == {"ok"}
    response = jsonify(status="ok" if is_well else "failed", checks=checks)
    response.status_code = 200 if is_well else 503
    return response


def _outcome(name: str, check: Callable[[Platform], None]) -> str:
    try:
        check(platform())
    except Exception as error:  # whatever it is, this part is not ready, and the others must still be asked
        _log.error("not_ready", check=name, error=f"{type(error).__name__}: {error}")
        return "failed"
    return "ok"


def _database(_platform: Platform) -> None:
    """Take the writer's place and give it back: a read-only or blocked database fails here."""
    with db.connection(), db.database.atomic() as change:
        AuditHead.update(seq=AuditHead.seq).where(AuditHead.id == 1).execute()
        change.rollback()


def _spool(platform: Platform) -> None:
    folder = platform.settings.spool_path
    if not os.access(folder, os.W_OK):
        raise Unavailable(f"the spool {folder} cannot be written")
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise Unavailable(f"the spool has {free} bytes free: make room, at least {MIN_FREE_BYTES}")


def _keys(platform: Platform) -> None:
    sealed = platform.keyring.seal_field("ready", context="readyz")
    platform.keyring.open_field(sealed, context="readyz")


_CHECKS: dict[str, Callable[[Platform], None]] = {"database": _database, "spool": _spool, "keys": _keys}
