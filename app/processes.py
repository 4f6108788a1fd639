"""The processes of an installation, one function each; the Procfile names them."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from api.live.limits import Limits
from api.live.ports import RoomBus, RoomStore
from api.live.stores.memory import MemoryBus, MemoryStore
from api.live.stores.redis import RedisBus, RedisStore
from app.bindings import message_pumps, outbox_handlers
from app.platform import build_platform
from core import bus as core_bus
from core import config, db, logs, problems
from core.config import Settings, host_and_port
from core.errors import Misconfigured, Unavailable
from hl7_engine import inbox, mllp_server, tls
from hl7_engine.connector import into_inbox, keep_running
from hl7_engine.connectors import registry
from imaging import scp
from jobs import tasks, worker
from jobs.relay import Relay
from jobs.rq_relay import RqRelay
from workflow.context import Platform

# A file may wait this long between its rename and its row; sweeping sooner would race with a slow commit.
ORPHAN_SECONDS = 3600
# A connector may be within a statement of a hospital's database when we are asked to end.
STOP_SECONDS = 5
# A server that has ended must not stay a process that looks alive.
WATCH_SECONDS = 1.0


def run_web() -> None:
    """HTTP: gunicorn with threads (decision 5). Replaces this process, so that signals reach gunicorn itself."""
    settings = config.load()
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    os.execv(  # noqa: S606 — the very interpreter directory we run from
        gunicorn,
        [
            gunicorn,
            "wsgi:application",
            f"--bind={settings.web_bind}",
            "--worker-class=gthread",
            "--workers=1",
            f"--threads={settings.web_threads}",
            "--timeout=60",
            "--graceful-timeout=10",
            "--log-level=warning",
        ],
    )


def run_live() -> None:
    """WebSocket rooms: a small ASGI process (decision 5)."""
    import uvicorn

    from api.live.rooms import create_rooms

    settings = _start("live").settings
    host, port = host_and_port(settings.live_bind)
    limits = Limits()
    uvicorn.run(
        create_rooms(settings, *live_memory(settings.redis_url, limits), limits),
        host=host,
        port=port,
        log_level="warning",
        # The path holds the room's token.
        access_log=False,
        proxy_headers=settings.trusted_proxies > 0,
        # The other implementation never lets go of a connection whose client reads no more.
        ws="websockets",
        ws_max_size=limits.message_bytes + 1,
        ws_ping_interval=limits.vanish_seconds,
        ws_ping_timeout=limits.vanish_seconds,
    )


def live_memory(redis_url: str, limits: Limits) -> tuple[RoomStore, RoomBus]:
    """Where rooms are remembered: in Redis for several live processes, or in the memory of the only one."""
    if redis_url:
        client = AsyncRedis.from_url(redis_url)
        redis_bus = RedisBus(client)
        return RedisStore(client, redis_bus, limits), redis_bus
    bus = MemoryBus()
    return MemoryStore(bus, limits), bus


def run_relay() -> None:
    """The outbox: inline in its own threads, or handing rows to rq when Redis is configured (decision 3).

    Beside it the messages in the inbox take effect, here in both cases: they are one ordered queue. And what comes round by
    itself: alarms about their flow, and the end of old ones.
    """
    platform = _start("relay")
    settings = platform.settings
    stop = _stop_on_signals()
    for name, pump in message_pumps(platform).items():
        threading.Thread(target=pump.run_forever, args=(stop,), name=name, daemon=True).start()
    if settings.redis_url:
        RqRelay(Redis.from_url(settings.redis_url)).run_forever(settings.home_path, stop)
    else:
        _sweep_spool(platform)
        Relay(
            outbox_handlers(platform),
            threads=settings.relay_threads,
            max_attempts=settings.outbox_max_attempts,
        ).run_forever(settings.home_path, stop)


def run_worker() -> None:
    """One rq worker; only with CLOUDFILM_REDIS_URL."""
    platform = _start("worker")
    if not platform.settings.redis_url:
        raise Misconfigured("a worker needs CLOUDFILM_REDIS_URL; without it the relay does the work itself")
    tasks.bind(outbox_handlers(platform), platform.settings.outbox_max_attempts)
    worker.work(Redis.from_url(platform.settings.redis_url))


def run_mllp() -> None:
    """HL7 in: stores each message, then acknowledges (decision 2, 7)."""
    platform = _start("mllp")
    settings = platform.settings
    server = mllp_server.serve(
        settings.mllp_bind,
        settings.mllp_peers,
        partial(inbox.accept, site=platform.site),
        unavailable=partial(inbox.unavailable, site=platform.site),
        tls=tls.server_context(settings.mllp_tls_cert, settings.mllp_tls_key, settings.mllp_tls_client_ca),
    )
    _watch(server, _stop_on_signals())
    server.stop()


def run_connectors() -> None:
    """HL7 fetched from where it is left for us: middleware, folders, views of the site file (docs/connectors.md).

    A thread for each; one whose source is away does not disturb the others. Without any it only waits.
    """
    platform = _start("connectors")
    connectors = registry.build_all(platform.site.connectors)
    accept = into_inbox(platform.site)
    stop = _stop_on_signals()
    threads = [
        threading.Thread(target=keep_running, args=(one, accept, stop), name=one.name, daemon=True)
        for one in connectors
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    # What is under way is not acknowledged, and comes again.
    for thread in threads:
        thread.join(STOP_SECONDS)


def run_scp() -> None:
    """DICOM in: success only when the file and its row are durable (decision 2)."""
    platform = _start("scp")
    settings = platform.settings
    server = scp.serve(
        settings.scp_bind,
        settings.scp_ae_title,
        settings.scp_peers,
        platform.spool,
        receive=_in_transaction(platform.bus),
        problem=_note_problem,
    )
    _stop_on_signals().wait()
    server.shutdown()


def run_simulators() -> None:
    """The outer world for demos and stories."""
    from simulators.world import serve_world

    serve_world(config.load(), _stop_on_signals())


PROCESSES: dict[str, Callable[[], None]] = {
    "web": run_web,
    "live": run_live,
    "relay": run_relay,
    "worker": run_worker,
    "mllp": run_mllp,
    "connectors": run_connectors,
    "scp": run_scp,
    "simulators": run_simulators,
}


def _start(process: str) -> Platform:
    settings: Settings = config.load()
    logs.configure(settings.log_level, process)
    return build_platform(settings)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _watch(server: mllp_server.MllpServer, stop: threading.Event) -> None:
    """Wait until told to stop. Raises `Unavailable` when the server ended by itself: who supervises us starts it anew."""
    while not stop.wait(WATCH_SECONDS):
        if not server.is_running:
            raise Unavailable("HL7 in has ended by a mistake of ours: the process ends, to be started again")


def _in_transaction(bus: core_bus.Bus) -> Callable[[object], None]:
    def receive(command: object) -> None:
        with db.transaction():
            bus.submit(command)

    return receive


def _note_problem(source: str, reference: str, peer: str, text: str, kept_at: str) -> None:
    with db.transaction():
        problems.note(source, reference, text, peer=peer, kept_at=kept_at)


def _sweep_spool(platform: Platform) -> None:
    """Delete files that no row speaks of: their sender never heard success and sends them again."""
    from core.models import Instance

    with db.connection():
        known = {row.spool_name for row in Instance.select().where(Instance.spool_name.is_null(False))}
    platform.spool.sweep(known, time.time() - ORPHAN_SECONDS)
