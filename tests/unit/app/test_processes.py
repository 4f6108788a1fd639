"""The process that takes HL7 in ends when its server has: a supervisor can start it again, and a person sees it."""

import threading
from typing import cast

import pytest

from app import processes
from core.errors import Unavailable
from hl7_engine.mllp_server import MllpServer

pytestmark = pytest.mark.requirement("P6", "S3")


class Server:
    """Lives for so many looks at it; the stop comes with the last look of one that lives on."""

    def __init__(self, looks: list[bool], stop: threading.Event) -> None:
        self._looks = looks
        self._stop = stop

    @property
    def is_running(self) -> bool:
        alive = self._looks.pop(0)
        if alive and not self._looks:
            self._stop.set()
        return alive


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    monkeypatch.setattr(processes, "WATCH_SECONDS", 0.0)
    return threading.Event()


def test_server_that_ended_by_itself_ends_the_process(stop: threading.Event) -> None:
    server = cast(MllpServer, Server([True, True, False], stop))
    with pytest.raises(Unavailable, match="has ended by a mistake of ours"):
        processes._watch(server, stop)


def test_server_that_lives_is_waited_for_until_the_signal(stop: threading.Event) -> None:
    processes._watch(cast(MllpServer, Server([True, True], stop)), stop)
    assert stop.is_set()
