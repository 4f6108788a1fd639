"""A whole installation with its simulated surroundings on free loopback ports, for stories, demos and fault runs."""

import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from core.config import foreign_environment
from core.errors import CloudFilmError
from core.failpoints import KILLED

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60
# Linux gives clients the ports from 32768 on.
_FIRST_PORT, _PORTS = 15_000, 17_000
ALL_PROCESSES = ("simulators", "web", "live", "relay", "mllp", "scp")
# The port by which each process shows that it is ready.
_PORT_OF = {
    "web": "WEB_BIND",
    "live": "LIVE_BIND",
    "mllp": "MLLP_BIND",
    "scp": "SCP_BIND",
    "simulators": "OSS_ENDPOINT",
}


class SiteFailed(CloudFilmError):
    """A process of the site did not start or ended by itself."""


class Site:
    """Environment and processes of one installation under `home`. `with site:` runs it and leaves nothing behind."""

    def __init__(
        self,
        home: Path,
        environment: dict[str, str],
        fail: str = "",
        processes: tuple[str, ...] = ALL_PROCESSES,
    ) -> None:
        self.home = home
        self.environment = environment
        self._fail = fail
        self._processes = processes
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._log_path = home / "log"

    def __enter__(self) -> Self:
        self._log_path.mkdir(parents=True, exist_ok=True)
        try:
            for process in self._processes:
                self.start(process)
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, process: str) -> None:
        """Start one process; its log goes to home/log/PROCESS.log."""
        environment = {**foreign_environment(), **self.environment}
        if self._fail and process != "simulators":
            environment["CLOUDFILM_FAIL"] = self._fail
        with (self._log_path / f"{process}.log").open("ab") as log:
            self._running[process] = subprocess.Popen(
                [sys.executable, "-m", "app", "run", process],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def wait_ready(self) -> None:
        """Until every port answers. Raises `SiteFailed` naming the log to read."""
        deadline = time.monotonic() + READY_SECONDS
        for name in (_PORT_OF[process] for process in self._processes if process in _PORT_OF):
            address = self.environment[f"CLOUDFILM_{name}"].removeprefix("http://")
            host, _, port = address.rpartition(":")
            while not _answers(host, int(port)):
                self.heal()
                if time.monotonic() > deadline:
                    raise SiteFailed(f"{name} {address} does not answer: read {self._log_path}")
                time.sleep(0.05)

    def heal(self) -> list[str]:
        """Start again what a failpoint killed, as a supervisor would. Raises `SiteFailed` for any other end."""
        healed = []
        for process, running in list(self._running.items()):
            status = running.poll()
            if status is None:
                continue
            # gunicorn's master outlives its worker; for it a killed worker is restarted from within.
            if status not in (KILLED, -9):
                raise SiteFailed(f"{process} ended with {status}: read {self._log_path / process}.log")
            self.start(process)
            healed.append(process)
        return healed

    def kill(self, process: str) -> None:
        """SIGKILL one process; `heal` starts it again."""
        self._running[process].kill()
        self._running[process].wait()

    def last_log_lines(self) -> str:
        """The errors that the processes logged last, for the message of a failed story."""
        lines = []
        for path in sorted(self._log_path.glob("*.log")):
            told = path.read_text(encoding="utf-8", errors="replace").splitlines()
            lines += [f"{path.stem}: {line[:1500]}" for line in told if "rror" in line][-4:]
        return "\n".join(lines)

    def stop(self) -> None:
        """End every process that this object started."""
        for running in self._running.values():
            running.terminate()
        for running in self._running.values():
            try:
                running.wait(timeout=15)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
        self._running.clear()


def free_ports(count: int) -> list[int]:
    """`count` loopback ports that were free a moment ago and that no connection takes by chance.

    A process that was killed must find its own again.
    """
    found: list[int] = []
    while len(found) < count:
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port not in found and not _is_refused(probe, port):
                found.append(port)
    return found


def _is_refused(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return True
    return False


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
