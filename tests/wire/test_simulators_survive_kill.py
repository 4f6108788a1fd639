"""A simulator killed with SIGKILL and started again knows everything that it had answered for."""

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import oss2
import pytest

ROOT = Path(__file__).resolve().parents[2]

OSS = """
from pathlib import Path
from simulators.oss import serve
serve("127.0.0.1", {port}, state_dir=Path({state!r}), secrets_by_id={{"id": "secret"}}, buckets=["films"])
"""
WECHAT = """
from pathlib import Path
from simulators.wechat import serve
serve("127.0.0.1", {port}, state_dir=Path({state!r}), app_id="wx1", app_secret="s", templates={{}})
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def killed_at_the_end(program: str, port: int, state: Path) -> Iterator[str]:
    code = program.format(port=port, state=str(state))
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        deadline, pause = time.monotonic() + 30, threading.Event()
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the simulator ended at start"
                assert time.monotonic() < deadline, "the simulator does not listen"
                pause.wait(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.mark.requirement("F1")
def test_oss_keeps_an_answered_put_and_drops_a_half_one(tmp_path: Path) -> None:
    port = free_port()
    with killed_at_the_end(OSS, port, tmp_path) as url:
        bucket = oss2.Bucket(oss2.Auth("id", "secret"), url, "films")
        bucket.put_object("pack", b"sealed" * 1000)
        half = socket.create_connection(("127.0.0.1", port))
        signed = bucket.sign_url("PUT", "half", 60).removeprefix(url)
        half.sendall(f"PUT {signed} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbegun".encode())
        # The object is being received: its bytes have a file, its name has none.
        deadline, pause = time.monotonic() + 10, threading.Event()
        while len(list(tmp_path.glob("buckets/films/*.bytes"))) < 2:
            assert time.monotonic() < deadline, "the upload never began"
            pause.wait(0.01)
    half.close()
    with killed_at_the_end(OSS, port, tmp_path) as url:
        bucket = oss2.Bucket(oss2.Auth("id", "secret"), url, "films")
        assert bucket.get_object("pack").read() == b"sealed" * 1000
        assert [o.key for o in bucket.list_objects().object_list] == ["pack"]
        assert len(list(tmp_path.glob("buckets/films/*.bytes"))) == 1


@pytest.mark.requirement("E2")
def test_wechat_keeps_its_followers(tmp_path: Path) -> None:
    port = free_port()
    with killed_at_the_end(WECHAT, port, tmp_path) as url:
        body = json.dumps({"openid": "oReader", "nickname": "珅東"}).encode()
        with urllib.request.urlopen(url + "/_sim/followers", body, timeout=10) as answer:
            assert json.loads(answer.read()) == {"openid": "oReader"}
    with (
        killed_at_the_end(WECHAT, port, tmp_path) as url,
        urllib.request.urlopen(url + "/_sim/followers", timeout=10) as answer,
    ):
        assert [f["nickname"] for f in json.loads(answer.read())["followers"]] == ["珅東"]
