"""Area `hl7`: how fast messages are taken, durable before they are acknowledged, beside servers that keep nothing.

A function per figure (or per pair that falls out of the same rounds), in `FIGURES`. Goals: issue 3 of the project.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from statistics import median

from bench import mllp_load
from bench.child import Child, free_port
from bench.drain import drain_per_s, replay_100k_s
from bench.figure import ROUNDS, Figure, less_is_better, more_is_better, spread
from bench.installation import disk_writes_per_second, receiving
from bench.large_report import report_pdf_8mb
from bench.order import ORDER
from tests.fixtures.postgres_server import PostgresServer, installed_at

CONNECTIONS = 8
SECONDS = 2.0
WARM_UP_SECONDS = 0.5
CPU_GOAL_US = 120.0


def measure(only: str) -> Iterator[Figure]:
    """The figures of this area whose name contains `only`."""
    for names, figures in FIGURES:
        if any(only in name for name in names):
            yield from (figure for figure in figures() if only in figure.name)


class _Contest:
    """Rounds of several servers in turns: rates per server, and what the first (ours) cost."""

    def __init__(self, servers: list[Child], closing: frozenset[str] = frozenset()) -> None:
        numbers = count(1)
        self.rates: dict[str, list[float]] = {server.name: [] for server in servers}
        self.cpu_us: list[float] = []
        self.disk: list[float] = []

        def run(server: Child, seconds: float) -> mllp_load.Load:
            return mllp_load.run(
                server.port, ORDER, CONNECTIONS, seconds, numbers, closes=server.name in closing
            )

        for server in servers:
            run(server, WARM_UP_SECONDS)
        for _ in range(ROUNDS):
            self.disk.append(disk_writes_per_second())
            for server in servers:
                before = server.cpu_seconds()
                load = run(server, SECONDS)
                self.rates[server.name].append(load.rate)
                if server is servers[0]:
                    self.cpu_us.append((server.cpu_seconds() - before) / load.messages * 1e6)
        self.note = (
            f"{len(ORDER):,} B messages, {CONNECTIONS} connections; {spread(self.rates[servers[0].name])}; "
            f"the disk beside it: {median(self.disk):,.0f} writes with fdatasync per s"
        )


OURS = "CloudFilm"
HL7APY = "hl7apy MLLPServer, its parser, stores nothing"
PYTHON_HL7 = "python-hl7 asyncio server, stores nothing"


def _python_hl7() -> Child:
    port = free_port()
    return Child(PYTHON_HL7, ["bench.peers.python_hl7_server", str(port)], port)


def _hl7apy() -> Child:
    port = free_port()
    return Child(HL7APY, ["bench.peers.hl7apy_server", str(port)], port)


def mllp_durable_sqlite_8conn() -> Iterator[Figure]:
    """Messages per second with SQLite (WAL, synchronous=FULL), and what one costs."""
    with ExitStack() as running:
        servers = [running.enter_context(server) for server in (receiving(OURS), _hl7apy(), _python_hl7())]
        contest = _Contest(servers, frozenset({HL7APY}))
    for peer in (HL7APY, PYTHON_HL7):
        yield more_is_better(
            "mllp_durable_sqlite_8conn", contest.rates[OURS], "msg/s", peer, contest.rates[peer], contest.note
        )
    yield less_is_better(
        "mllp_cpu_us_per_message",
        contest.cpu_us,
        "µs",
        CPU_GOAL_US,
        f"processor time of the whole server process, SQLite; {spread(contest.cpu_us)}",
    )


def mllp_durable_postgres_8conn() -> Iterator[Figure]:
    """Messages per second with PostgreSQL (synchronous_commit=on)."""
    binaries = installed_at()
    if binaries is None:
        print("mllp_durable_postgres_8conn: skipped, PostgreSQL is not installed", file=sys.stderr)
        return
    with ExitStack() as running:
        cluster = running.enter_context(PostgresServer(binaries, durable=True))
        url = cluster.create_database("bench")
        servers = [running.enter_context(server) for server in (receiving(OURS, url), _python_hl7())]
        contest = _Contest(servers)
    yield more_is_better(
        "mllp_durable_postgres_8conn",
        contest.rates[OURS],
        "msg/s",
        PYTHON_HL7,
        contest.rates[PYTHON_HL7],
        contest.note,
    )


# What a function measures, and the function: another figure is one more line.
FIGURES: tuple[tuple[tuple[str, ...], Callable[[], Iterator[Figure]]], ...] = (
    (("mllp_durable_sqlite_8conn", "mllp_cpu_us_per_message"), mllp_durable_sqlite_8conn),
    (("mllp_durable_postgres_8conn",), mllp_durable_postgres_8conn),
    (("report_pdf_8mb_ack_s", "report_pdf_8mb_rss_factor"), report_pdf_8mb),
    (("drain_per_s",), drain_per_s),
    (("replay_100k_s",), replay_100k_s),
)
