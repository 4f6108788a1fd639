"""The outbox: asked for once, claimed once, in order within a stream, never lost while its row is pending."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest

from core import db, outbox, problems
from core.clock import now
from core.models import IntakeProblem, OutboxEvent

pytestmark = pytest.mark.usefixtures("database")


def record(*keys: str, kind: str = "upload_pack", stream: str = "") -> None:
    for key in keys:
        outbox.record(kind, key, {"key": key}, stream=stream)


def keys_of(works: list[outbox.Work]) -> list[str]:
    return [work.payload["key"] for work in works]


def row(key: str) -> OutboxEvent:
    return OutboxEvent.get(OutboxEvent.key == key)


def make_due(key: str) -> None:
    OutboxEvent.update(next_at=now()).where(OutboxEvent.key == key).execute()


def test_work_is_asked_for_once_per_kind_and_key() -> None:
    record("a", "a", "b")
    outbox.record("send_otp", "a", {"key": "other"})
    outbox.record("upload_pack", "a", {"key": "changed"})
    assert [(event.kind, event.key) for event in OutboxEvent.select().order_by(OutboxEvent.id)] == [
        ("upload_pack", "a"),
        ("upload_pack", "b"),
        ("send_otp", "a"),
    ]


def test_work_goes_with_the_transaction_of_its_change() -> None:
    with pytest.raises(LookupError), db.transaction():
        record("a")
        raise LookupError("the change failed")
    assert outbox.claim(9) == []


def test_claim_takes_the_oldest_once() -> None:
    record("a", "b", "c")
    first = outbox.claim(2)
    assert keys_of(first) == ["a", "b"]
    assert [work.attempt for work in first] == [1, 1]
    assert keys_of(outbox.claim(9)) == ["c"]
    assert outbox.claim(9) == []
    assert outbox.leased() == [*first, outbox.Work(row("c").id, "upload_pack", {"key": "c"}, 1)]


def test_claim_chooses_kinds() -> None:
    record("slow", kind="archive_series")
    record("quick", kind="send_otp")
    assert keys_of(outbox.claim(9, without={"archive_series"})) == ["quick"]
    assert outbox.claim(9, only={"send_otp"}) == []
    assert keys_of(outbox.claim(9, only={"archive_series"})) == ["slow"]


def test_work_for_later_is_not_claimed_before_its_time() -> None:
    outbox.record("upload_pack", "a", {"key": "a"}, not_before=now() + timedelta(hours=1))
    assert outbox.claim(9) == []
    outbox.bring_forward("upload_pack", ["other"])
    assert outbox.claim(9) == []
    outbox.bring_forward("upload_pack", ["a"])
    assert keys_of(outbox.claim(9)) == ["a"]


def test_of_a_stream_only_the_oldest_unfinished_row_runs() -> None:
    record("h1", "h2", stream="his")
    record("o1", stream="other")
    record("free")
    assert keys_of(outbox.claim(9)) == ["h1", "o1", "free"]
    outbox.fail(row("h1").id, 1, "away", max_attempts=9)
    assert outbox.claim(9) == [], "the head waits for its next try, and the rest behind it"
    make_due("h1")
    assert keys_of(outbox.claim(9)) == ["h1"]
    outbox.finish(row("h1").id)
    assert keys_of(outbox.claim(9)) == ["h2"]


def test_parked_head_lets_its_stream_pass() -> None:
    record("h1", "h2", stream="his")
    outbox.fail(outbox.claim(1)[0].id, 1, "poison", max_attempts=1)
    assert keys_of(outbox.claim(9)) == ["h2"]


def test_finished_work_never_runs_again() -> None:
    record("a")
    work = outbox.claim(1)[0]
    outbox.finish(work.id)
    done_at = row("a").done_at
    outbox.finish(work.id)
    outbox.postpone(work.id, now())
    outbox.fail(work.id, 1, "late", max_attempts=1)
    outbox.release(work.id, 1, counted=True)
    outbox.bring_forward("upload_pack", ["a"])
    record("a")
    assert outbox.claim(9) == []
    assert (row("a").state, row("a").done_at, row("a").last_error) == ("done", done_at, "")


def test_postponed_work_waits_and_does_not_count_an_attempt() -> None:
    record("a")
    work = outbox.claim(1)[0]
    outbox.postpone(work.id, now() + timedelta(hours=1))
    assert outbox.claim(9) == []
    make_due("a")
    assert outbox.claim(1)[0].attempt == 1


def test_failures_back_off_and_park_at_the_last_attempt() -> None:
    record("a")
    waits = []
    for attempt in range(1, 13):
        work = outbox.claim(1)[0]
        assert work.attempt == attempt
        before = now()
        assert outbox.fail(work.id, work.attempt, f"no {attempt}", max_attempts=12) == (attempt == 12)
        waits.append(round((row("a").next_at - before).total_seconds()))
        make_due("a")
    assert waits[:11] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]
    assert (row("a").state, row("a").last_error) == ("parked", "no 12")
    assert outbox.claim(9) == []


def test_work_whose_peer_is_away_is_tried_for_ever() -> None:
    record("a")
    for _ in range(20):
        work = outbox.claim(1)[0]
        assert not outbox.fail(work.id, work.attempt, "away", max_attempts=3, may_park=False)
        make_due("a")
    assert outbox.claim(1)[0].attempt == 3, "a crash of its process can still park it"


def test_parked_work_is_put_back_with_fresh_attempts_and_leaves_the_list_of_problems() -> None:
    record("a")
    work = outbox.claim(1)[0]
    assert not outbox.retry(work.id)
    outbox.fail(work.id, 1, "wrong", max_attempts=1)
    problems.note("outbox", str(work.id), "wrong")
    assert outbox.retry(work.id)
    assert IntakeProblem.select().count() == 0
    assert outbox.claim(1)[0].attempt == 1


def test_claim_of_a_dead_runner_ends_by_itself() -> None:
    record("a")
    work = outbox.claim(1)[0]
    OutboxEvent.update(lease_until=now() - timedelta(seconds=1)).execute()
    outbox.renew([work.id])
    assert outbox.claim(9) == []
    OutboxEvent.update(lease_until=now() - timedelta(seconds=1)).execute()
    assert outbox.claim(9)[0].attempt == 2


def test_released_claim_is_due_at_once() -> None:
    record("a")
    work = outbox.claim(1)[0]
    outbox.release(work.id, 2, counted=True)
    assert outbox.claim(9) == [], "the claim of another attempt is not ours to release"
    outbox.release(work.id, 1, counted=False)
    assert outbox.claim(1)[0].attempt == 1
    outbox.release(work.id, 1, counted=True)
    assert outbox.claim(1)[0].attempt == 2
    assert outbox.release_all() == 1
    assert outbox.claim(1)[0].attempt == 3


def test_take_reads_only_the_claim_that_still_holds() -> None:
    record("a")
    work = outbox.claim(1)[0]
    assert outbox.take(work.id, 1) == work
    assert outbox.take(work.id, 2) is None
    outbox.release(work.id, 1, counted=True)
    assert outbox.take(work.id, 1) is None
    outbox.claim(1)
    assert outbox.take(work.id, 1) is None
    outbox.finish(work.id)
    assert outbox.take(work.id, 2) is None


def test_claimers_at_once_never_take_the_same_row() -> None:
    record(*(str(number) for number in range(60)))
    gate = Barrier(4)
    taken: list[str] = []

    def claim_all() -> None:
        gate.wait(30)
        with db.connection():
            while works := outbox.claim(3):
                taken.extend(keys_of(works))

    threads = [Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken, key=int) == [str(number) for number in range(60)]


def test_claim_does_not_wait_for_a_transaction_that_brings_work_forward() -> None:
    record("a", "b")
    claimed: list[str] = []

    def claim() -> None:
        with db.connection():
            claimed.extend(keys_of(outbox.claim(9)))

    claiming = Thread(target=claim)
    with db.transaction():
        outbox.bring_forward("upload_pack", ["b"])
        claiming.start()
        if not db.is_sqlite():
            claiming.join(30)
            assert claimed == ["a"], "what is held is left for the next time"
        outbox.bring_forward("upload_pack", ["a"])
    claiming.join(30)
    assert sorted(claimed + keys_of(outbox.claim(9))) == ["a", "b"]
