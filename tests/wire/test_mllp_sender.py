"""Our messages to a peer on real sockets: one kept connection, found dead in time, its answers matched."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import pytest

from core.errors import Unavailable
from hl7_engine import sender as sending
from hl7_engine.acknowledge import AckResult
from hl7_engine.framing import Deframer
from hl7_engine.sender import MllpSender, control_id_of

pytestmark = pytest.mark.requirement("P6", "S3")

SECONDS = 20
Answer = Callable[[socket.socket, bytes], bool]


def message(control_id: str) -> bytes:
    return f"MSH|^~\\&|CLOUDFILM|A|HIS|B|20261124||DFT^P03|{control_id}|P|2.5.1\r".encode()


def ack(control_id: str, code: str = "AA") -> bytes:
    return (
        f"\x0bMSH|^~\\&|HIS|B|CLOUDFILM|A|20261124||ACK|1|P|2.5.1\rMSA|{code}|{control_id}\r\x1c\r".encode()
    )


class Receiver:
    """A peer; `answer` says what it does with each message and whether it keeps the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        # Connections in their order, and the control ids that came on each.
        self.came: list[list[str]] = []
        self.ended: Queue[int] = Queue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.came.append([])
            with connection:
                self._converse(connection)
            self.ended.put(len(self.came))

    def _converse(self, connection: socket.socket) -> None:
        deframer = Deframer()
        while data := connection.recv(65536):
            for frame in deframer.feed(data):
                self.came[-1].append(control_id_of(frame.content))
                if not self._answer(connection, frame.content):
                    return

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def receiver(answer: Answer) -> Iterator[tuple[Receiver, MllpSender]]:
    running = Receiver(answer)
    sender = MllpSender(("127.0.0.1", running.port), SECONDS)
    try:
        yield running, sender
    finally:
        sender.close()
        running.close()


def politely(connection: socket.socket, raw: bytes) -> bool:
    connection.sendall(ack(control_id_of(raw)))
    return True


def test_one_connection_serves_many_messages() -> None:
    with receiver(politely) as (peer, sender):
        assert [sender.send(message(f"M{n}")) for n in range(5)] == [
            AckResult("AA", f"M{n}") for n in range(5)
        ]
        assert peer.came == [[f"M{n}" for n in range(5)]]


def test_threads_share_the_connection_and_each_gets_its_own_answer() -> None:
    answers: dict[str, AckResult] = {}
    with receiver(politely) as (peer, sender):

        def send(name: str) -> None:
            answers[name] = sender.send(message(name))

        threads = [threading.Thread(target=send, args=(f"T{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert answers == {f"T{n}": AckResult("AA", f"T{n}") for n in range(8)}
        assert len(peer.came) == 1


def test_connection_that_the_peer_closed_is_replaced() -> None:
    def once(connection: socket.socket, raw: bytes) -> bool:
        politely(connection, raw)
        return False

    with receiver(once) as (peer, sender):
        for number in (1, 2, 3):
            assert sender.send(message(f"M{number}")).code == "AA"
            peer.ended.get(timeout=SECONDS)
        assert peer.came == [["M1"], ["M2"], ["M3"]]


def test_message_on_a_connection_that_dies_unanswered_is_sent_once_more() -> None:
    def dies_at_the_second(connection: socket.socket, raw: bytes) -> bool:
        return politely(connection, raw) if peer.came != [["M1", "M2"]] else False

    with receiver(dies_at_the_second) as (peer, sender):
        assert sender.send(message("M1")).code == "AA"
        assert sender.send(message("M2")) == AckResult("AA", "M2")
        assert peer.came == [["M1", "M2"], ["M2"]]


def test_message_is_not_sent_again_when_a_part_of_the_answer_came() -> None:
    def half(connection: socket.socket, raw: bytes) -> bool:
        if control_id_of(raw) == "M1":
            return politely(connection, raw)
        connection.sendall(ack("M2")[:30])
        return False

    with receiver(half) as (peer, sender):
        sender.send(message("M1"))
        with pytest.raises(Unavailable, match="closed before the acknowledgement"):
            sender.send(message("M2"))
        assert peer.came == [["M1", "M2"]]


def test_message_on_a_fresh_connection_is_sent_once() -> None:
    with receiver(lambda *_: False) as (peer, sender):
        with pytest.raises(Unavailable, match="closed before the acknowledgement"):
            sender.send(message("M1"))
        assert peer.came == [["M1"]]


def test_late_answers_of_earlier_messages_are_passed_over() -> None:
    def twice(connection: socket.socket, raw: bytes) -> bool:
        name = control_id_of(raw)
        connection.sendall(ack("EARLIER") + ack(name, "CA") + ack(name, "AA"))
        return True

    with receiver(twice) as (peer, sender):
        assert sender.send(message("M1")) == AckResult("CA", "M1")
        assert sender.send(message("M2")) == AckResult("CA", "M2")
        assert len(peer.came) == 1


@pytest.mark.parametrize("code", ["AR", "AE", "CR", "CE"])
def test_refusal_that_names_no_message_is_of_the_only_one(code: str) -> None:
    def refuses(connection: socket.socket, raw: bytes) -> bool:
        connection.sendall(ack("", code))
        return True

    with receiver(refuses) as (peer, sender):
        assert sender.send(message("M1")) == AckResult(code, "")
        assert peer.came == [["M1"]]


@pytest.mark.parametrize("answers", [ack(""), ack("EARLIER", "AR"), ack("EARLIER") + ack("", "AR")])
def test_other_answers_that_name_another_message_or_none_are_not_ours(answers: bytes) -> None:
    def other(connection: socket.socket, raw: bytes) -> bool:
        connection.sendall(answers)
        return False

    with receiver(other) as (_, sender), pytest.raises(Unavailable, match="acknowledged another message"):
        sender.send(message("M1"))


def test_answer_that_names_our_message_counts_more_than_one_that_names_none() -> None:
    def both(connection: socket.socket, raw: bytes) -> bool:
        connection.sendall(ack("", "AR") + ack(control_id_of(raw)))
        return True

    with receiver(both) as (_, sender):
        assert sender.send(message("M1")) == AckResult("AA", "M1")


def test_refusal_that_names_no_message_after_an_earlier_one_counts_on_a_fresh_connection() -> None:
    def refuses_the_second(connection: socket.socket, raw: bytes) -> bool:
        if control_id_of(raw) == "M1":
            return politely(connection, raw)
        connection.sendall(ack("", "AR"))
        return False

    with receiver(refuses_the_second) as (peer, sender):
        sender.send(message("M1"))
        with pytest.raises(Unavailable, match="acknowledged another message"):
            sender.send(message("M2"))
        assert sender.send(message("M2")) == AckResult("AR", "")
        assert peer.came == [["M1", "M2"], ["M2"]]


def test_answer_without_its_last_byte_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LONE_END_SECONDS", 0.05)

    def without_cr(connection: socket.socket, raw: bytes) -> bool:
        connection.sendall(ack(control_id_of(raw))[:-1])
        return True

    with receiver(without_cr) as (_, sender):
        assert [sender.send(message(name)).control_id for name in ("M1", "M2")] == ["M1", "M2"]


def test_idle_connection_is_closed_and_the_next_message_opens_another() -> None:
    peer = Receiver(politely)
    sender = MllpSender(("127.0.0.1", peer.port), SECONDS, idle=0.05)
    sender.send(message("M1"))
    peer.ended.get(timeout=SECONDS)
    sender.send(message("M2"))
    assert peer.came == [["M1"], ["M2"]]
    sender.close()
    peer.close()


def test_endless_answer_is_given_up() -> None:
    def endless(connection: socket.socket, raw: bytes) -> bool:
        connection.sendall(b"\x0bMSH|" + b"x" * (sending.MAX_ACK_BYTES + 10))
        return True

    with (
        receiver(endless) as (_, sender),
        pytest.raises(Unavailable, match="answered no acknowledgement"),
    ):
        sender.send(message("M1"))
