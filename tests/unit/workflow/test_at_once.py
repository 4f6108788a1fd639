"""Images, messages and money that come at the same moment: none waits for the other for ever, and the exam gets out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Thread, current_thread
from types import SimpleNamespace
from typing import Any

import pytest

from billing import charges
from core import db
from core.commands import PatientFacts, ReceiveInstance
from core.models import Charge, Instance, Pack, Series, Study
from tests.fixtures.waiting import wait_until
from tests.unit.workflow.makers import LINE, ORDER, PAYMENT, REPORT, exam, order, report
from workflow import archive_study
from workflow.join_study import join_studies_of
from workflow.receive_order import receive_order
from workflow.receive_report import receive_report
from workflow.receive_study import receive_instance
from workflow.settle_fee import settle_fee

pytestmark = [pytest.mark.requirement("E1", "P1", "S3"), pytest.mark.usefixtures("database")]

FREE_OF_CHARGE = order(fee_lines=(replace(LINE, choice="included"),))
WAIT_SECONDS = 30


def image(number: int) -> ReceiveInstance:
    return ReceiveInstance(
        study_uid="1.2.77",
        series_uid="1.2.77.1",
        sop_uid=f"1.2.77.1.{number}",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        spool_name=f"s{number}",
        byte_size=1,
        dataset_sm3="0" * 64,
        file_sm3="0" * 64,
        calling_ae="CT",
        accession_number="CT1",
        patient_id="0001234567",
    )


def sealed_pack() -> Pack:
    """The images of the study in a pack that is not in the store yet."""
    pack = Pack.create(
        series=Series.get(),
        generation=0,
        object_id="0" * 32,
        header=b"h",
        wrapped_key=b"w",
        kek_version=1,
        key_commitment=b"c",
        plain_length=1,
        sealed_length=1,
        sealed_sm3="0" * 64,
        store_key="packs/00",
        local_path="00",
    )
    Instance.update(pack=pack, spool_name=None).execute()
    return pack


@pytest.fixture
def upload(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Callable[[Pack], None]:
    """The upload of a pack into a store that has everything at once."""
    monkeypatch.setattr(archive_study, "upload_and_verify", lambda *_: None)
    platform: Any = SimpleNamespace(settings=SimpleNamespace(packs_path=tmp_path), store=None, spool=None)
    return lambda pack: archive_study.upload_pack(platform, pack.id)


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[Thread]:
    """Run `work` in another thread during the block. What it raises fails the test."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with db.connection():
                work()
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=run)
    try:
        yield thread
    finally:
        thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
    assert failures == []


def until_it_waits(thread: Thread) -> None:
    """Until the thread has ended or waits for a lock. On SQLite it waits for our transaction anyway."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    wait_until(
        lambda: db.is_sqlite() or not thread.is_alive() or db.database.execute_sql(waiting).fetchone()[0] > 0,
        WAIT_SECONDS,
        "the other transaction to wait",
    )


def test_upload_that_ends_while_the_study_is_joined_publishes(upload: Callable[[Pack], None]) -> None:
    receive_instance(image(1), 1)
    pack = sealed_pack()
    receive_report(report(patient=PatientFacts(identifiers=())))
    with beside(lambda: upload(pack)) as uploading, db.transaction():
        receive_order(FREE_OF_CHARGE)
        uploading.start()
        until_it_waits(uploading)
    assert Study.get().exam == exam()
    assert exam().published_at is not None


def test_study_and_exam_that_did_not_see_each_other_are_joined_by_the_upload(
    upload: Callable[[Pack], None],
) -> None:
    receive_instance(image(1), 1)
    pack = sealed_pack()
    receive_order(FREE_OF_CHARGE)
    receive_report(REPORT)
    Study.update(exam=None).execute()
    upload(pack)
    assert Study.get().exam == exam()
    assert exam().published_at is not None


def test_upload_that_died_before_it_published_publishes_when_it_runs_again(
    upload: Callable[[Pack], None],
) -> None:
    receive_order(FREE_OF_CHARGE)
    receive_report(REPORT)
    receive_instance(image(1), 1)
    pack = sealed_pack()
    Pack.update(state="stored").execute()
    upload(pack)
    assert exam().published_at is not None


def test_image_and_message_that_join_the_same_study_do_not_wait_for_each_other() -> None:
    receive_order(FREE_OF_CHARGE)
    receive_instance(image(1), 1)
    Study.update(exam=None).execute()
    with beside(lambda: receive_instance(image(2), 1)) as receiving, db.transaction():
        one = exam().locked()
        receiving.start()
        until_it_waits(receiving)
        join_studies_of(one)
    assert Study.get().exam == exam()
    assert Instance.select().count() == 2


def test_payment_of_a_line_that_is_born_meanwhile_holds_the_exam_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The till has waited for the name of the line; the next message of the exam comes before it looks again."""
    has_name, may_go_on = Event(), Event()
    lock_name = db.lock_name

    def lock_name_and_pause(name: str) -> None:
        lock_name(name)
        if current_thread() is paying:
            has_name.set()
            may_go_on.wait(WAIT_SECONDS)

    monkeypatch.setattr(db, "lock_name", lock_name_and_pause)
    with beside(lambda: settle_fee(PAYMENT)) as paying:
        with db.transaction():
            receive_order(ORDER)
            paying.start()
            until_it_waits(paying)
        wait_until(lambda: has_name.is_set() or not paying.is_alive(), WAIT_SECONDS, "the till to go on")
        with db.transaction():
            one = exam().locked()
            may_go_on.set()
            until_it_waits(paying)
            charges.record_fee_line(LINE, one)
    assert Charge.get().state == "paid"
