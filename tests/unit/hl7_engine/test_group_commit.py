"""Group commit: what queues up during one commit shares the next; one bad message harms no other."""

import threading
from collections.abc import Iterator, Sequence
from queue import Queue

import pytest

from hl7_engine import group_commit
from hl7_engine.group_commit import GroupCommit, Reply, Waiting
from hl7_engine.incoming import Incoming, Receipt
from tests.fixtures.waiting import wait_until

pytestmark = pytest.mark.requirement("P6", "S3")

SECONDS = 20


class Database:
    """Stores in lists; `gate` closed makes a commit last, `refuses` and `is_away` make it fail."""

    def __init__(self) -> None:
        self.commits: list[list[bytes]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.began: Queue[int] = Queue()
        self.refuses = b""
        self.is_away = 0
        self.forgotten = 0

    def store(self, items: Sequence[Incoming]) -> list[Receipt]:
        self.began.put(len(items))
        assert self.gate.wait(SECONDS)
        if self.is_away:
            self.is_away -= 1
            raise OSError("the database is away")
        if any(item.content == self.refuses for item in items):
            raise ValueError("a value that does not fit")
        self.commits.append([item.content for item in items])
        return [Receipt("stored", item.content) for item in items]

    def forget(self) -> None:
        self.forgotten += 1


class Peer:
    """Hears the replies in the order in which they were handed back."""

    def __init__(self) -> None:
        self.heard: Queue[Receipt] = Queue()

    def answers(self, count: int) -> list[tuple[str, bytes]]:
        receipts = [self.heard.get(timeout=SECONDS) for _ in range(count)]
        return [(receipt.state, receipt.answer) for receipt in receipts]


def hand_back(replies: list[tuple[Reply, Receipt]]) -> None:
    for reply, receipt in replies:
        reply(receipt)


@pytest.fixture
def storage() -> Database:
    return Database()


@pytest.fixture
def committing(storage: Database) -> Iterator[GroupCommit]:
    running = GroupCommit(storage.store, lambda item: Receipt("unavailable"), hand_back, storage.forget)
    running.start()
    yield running
    storage.gate.set()
    running.stop()


def messages(peer: Peer, *contents: bytes) -> list[Waiting]:
    return [Waiting(Incoming(content, "10.0.0.1"), peer.heard.put) for content in contents]


def test_what_comes_during_a_commit_shares_the_next(storage: Database, committing: GroupCommit) -> None:
    peer = Peer()
    storage.gate.clear()
    committing.put(messages(peer, b"first"))
    assert storage.began.get(timeout=SECONDS) == 1
    for content in (b"a", b"b", b"c"):
        committing.put(messages(peer, content))
    assert peer.heard.empty()
    storage.gate.set()
    assert peer.answers(4) == [("stored", content) for content in (b"first", b"a", b"b", b"c")]
    assert storage.commits == [[b"first"], [b"a", b"b", b"c"]]


def test_transaction_has_bounds(
    storage: Database, committing: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_MESSAGES", 3)
    monkeypatch.setattr(group_commit, "MAX_BYTES", 10)
    peer = Peer()
    contents = [b"1", b"2", b"3", b"4", b"too long for any", b"123456", b"123456"]
    committing.put(messages(peer, *contents))
    assert peer.answers(7) == [("stored", content) for content in contents]
    assert storage.commits == [[b"1", b"2", b"3"], [b"4"], [b"too long for any"], [b"123456"], [b"123456"]]


def test_one_bad_message_harms_no_other(storage: Database, committing: GroupCommit) -> None:
    storage.refuses = b"bad"
    peer = Peer()
    committing.put(messages(peer, b"good", b"bad", b"fine"))
    assert peer.answers(3) == [("stored", b"good"), ("unavailable", b""), ("stored", b"fine")]
    assert storage.commits == [[b"good"], [b"fine"]]


def test_lost_connection_costs_no_message_and_is_given_up(storage: Database, committing: GroupCommit) -> None:
    storage.is_away = 1
    peer = Peer()
    committing.put(messages(peer, b"a", b"b"))
    assert peer.answers(2) == [("stored", b"a"), ("stored", b"b")]
    assert storage.forgotten == 1


def test_database_that_stays_away_is_not_asked_for_every_message(
    storage: Database, committing: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "RETRY_SECONDS", -1.0)
    storage.is_away = 1
    peer = Peer()
    committing.put(messages(peer, b"a", b"b", b"c"))
    assert peer.answers(3) == [("unavailable", b"")] * 3
    committing.put(messages(peer, b"later"))
    assert peer.answers(1) == [("stored", b"later")]


def test_mistake_of_ours_does_not_end_the_storing(storage: Database) -> None:
    def fails(item: Incoming) -> Receipt:
        raise ZeroDivisionError

    peer = Peer()
    running = GroupCommit(storage.store, fails, hand_back, storage.forget)
    running.start()
    storage.is_away = 2
    running.put(messages(peer, b"a"))
    assert peer.answers(1) == [("unavailable", b"")]
    running.put(messages(peer, b"b"))
    assert peer.answers(1) == [("stored", b"b")]
    running.stop()


def test_database_that_cannot_be_let_go_costs_no_message(storage: Database) -> None:
    def fails() -> None:
        raise OSError("the connection was lost")

    peer = Peer()
    running = GroupCommit(storage.store, lambda item: Receipt("unavailable", b"later"), hand_back, fails)
    running.start()
    storage.is_away = 2
    running.put(messages(peer, b"a", b"b"))
    assert peer.answers(2) == [("unavailable", b"later"), ("stored", b"b")]
    running.stop()


def test_answers_that_cannot_be_handed_back_do_not_end_the_storing(storage: Database) -> None:
    def no_reply(receipt: Receipt) -> None:
        raise ZeroDivisionError

    peer = Peer()
    running = GroupCommit(storage.store, lambda item: Receipt("unavailable"), hand_back, storage.forget)
    running.put([Waiting(Incoming(b"a", "10.0.0.1"), no_reply)])
    running.start()
    wait_until(lambda: storage.commits == [[b"a"]], SECONDS, "the first commit")
    running.put(messages(peer, b"b"))
    assert peer.answers(1) == [("stored", b"b")]
    running.stop()
    assert not running.is_running


def test_what_is_queued_is_stored_before_it_stops(storage: Database) -> None:
    peer = Peer()
    running = GroupCommit(storage.store, lambda item: Receipt("unavailable"), hand_back, storage.forget)
    running.put(messages(peer, b"a"))
    running.put(messages(peer, b"b"))
    running.start()
    running.stop()
    assert [receipt.answer for receipt in (peer.heard.get_nowait(), peer.heard.get_nowait())] == [b"a", b"b"]
    assert storage.forgotten == 1
