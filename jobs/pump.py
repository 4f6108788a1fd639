"""Work that is its own queue (the inbox of messages) or comes round by itself (watching, pruning): stepped in a thread of
the relay as long as there is any."""

import threading
from collections.abc import Callable

import peewee

from core import db
from core.logs import get_logger

# As often as the relay looks (jobs/relay.py).
POLL_SECONDS = 0.25
AFTER_FAILURE_SECONDS = 5.0


class Pump:
    """Runs `step` again and again; it returns how much it did. Nothing done, or a failure: a pause."""

    def __init__(self, name: str, step: Callable[[], int], pause_seconds: float = POLL_SECONDS) -> None:
        self._name = name
        self._step = step
        self._pause_seconds = pause_seconds
        self._log = get_logger("jobs")

    def run_forever(self, stop: threading.Event) -> None:
        """Step until `stop` is set; no failure ends it, since what waits must not wait for a restart."""
        try:
            while not stop.is_set():
                stop.wait(self._pause())
        finally:
            db.database.close()

    def run_until_idle(self) -> None:
        """Step until nothing is left to do; raises what a step raises."""
        with db.connection():
            while self._step():
                pass

    def _pause(self) -> float:
        try:
            db.database.connect(reuse_if_open=True)
            return 0.0 if self._step() else self._pause_seconds
        except peewee.PeeweeException as error:
            self._log.error("pump_database_away", pump=self._name, why=type(error).__name__)
        except Exception:
            self._log.error("pump_failed", pump=self._name, exc_info=True)
        self._give_up_connection()
        return AFTER_FAILURE_SECONDS

    def _give_up_connection(self) -> None:
        """A broken one does not heal by itself; the next step makes a new one."""
        try:
            db.database.close()
        except peewee.PeeweeException as error:
            self._log.error("connection_not_closed", pump=self._name, why=type(error).__name__)
