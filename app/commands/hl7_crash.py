"""`./cloudfilm hl7 crash-test`: SIGKILL under load; nothing acknowledged may be lost, nothing done twice."""

import random
import tempfile
import time
from pathlib import Path

import click

from app.site import Site
from app.story.message_load import Load, require_kept
from app.story.scene import environment, prepare
from core import db
from core.config import Settings, host_and_port
from core.errors import CloudFilmError
from core.models import InboundMessage

_DRAIN_SECONDS = 900
_POLL_SECONDS = 0.2


@click.command("crash-test")
@click.option("--acks", default=30_000, show_default=True, help="How many acknowledgements to collect.")
@click.option("--kills", default=6, show_default=True, help="How often each of the two processes is killed.")
@click.option("--database-url", default="", help="An empty PostgreSQL database; SQLite when not given.")
def crash_test(acks: int, kills: int, database_url: str) -> None:
    """Kill receiver and drain under the load of eight senders, in a throw-away installation."""
    with tempfile.TemporaryDirectory(prefix="cloudfilm-crash-") as home:
        told = run_crash_test(Path(home), acks, kills, database_url)
    click.echo(", ".join(f"{name} {count}" for name, count in told.items()))


def run_crash_test(home: Path, acks: int, kills: int, database_url: str = "") -> dict[str, int]:
    """Return what was counted. Raises `LoadBroken` when something was lost or done twice."""
    environ = environment(home, **({"DATABASE_URL": database_url} if database_url else {}))
    settings, _, _ = prepare(environ)
    site = Site(home, environ, processes=("relay", "mllp"))
    # At random shares of the way, each process by turns.
    shares = sorted(random.uniform(0.02, 0.98) for _ in range(2 * kills))  # noqa: S311 — no secret
    killed = 0

    def disturb(done: float) -> None:
        nonlocal killed
        if killed < len(shares) and done >= shares[killed]:
            site.kill(("mllp", "relay")[killed % 2])
            killed += 1
        site.heal()

    with site:
        load = Load(host_and_port(settings.mllp_bind)[1])
        load.run(acks, disturb)
        _wait_until_handled(settings, site)
        return {"kills": killed, **require_kept(load)}


def _wait_until_handled(settings: Settings, site: Site) -> None:
    db.connect(settings.database)
    deadline = time.monotonic() + _DRAIN_SECONDS
    with db.connection():
        while InboundMessage.select().where(InboundMessage.state == "received").exists():
            site.heal()
            if time.monotonic() > deadline:
                raise CloudFilmError(f"messages still wait after {_DRAIN_SECONDS} s\n{site.last_log_lines()}")
            time.sleep(_POLL_SECONDS)
