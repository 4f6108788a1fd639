"""The message set: each type goes to its reader; real messages are understood, or refused in words."""

import pytest

from core.commands import (
    CancelOrder,
    CompleteExam,
    DeliverReport,
    MergePatients,
    PlaceOrder,
    RefundFee,
    RegisterPatient,
    ScheduleExam,
    SettleFee,
)
from core.errors import Misconfigured, Refused
from hl7_engine.errors import Unsupported
from hl7_engine.router import Router, standard_router
from tests.shared_data import shared_dir
from tests.unit.hl7_engine.samples import opened, with_segments

pytestmark = pytest.mark.requirement("P6", "P2")

SAMPLES = {
    "01_": [RegisterPatient],
    "02_": [MergePatients],
    "03_": [PlaceOrder],
    "04_": [PlaceOrder],
    "05_": [CancelOrder],
    "06_": [SettleFee],
    "07_": [SettleFee],
    "08_": [RefundFee],
    "09_": [ScheduleExam],
    "10_": [CompleteExam],
    "11_": [DeliverReport],
    "12_": [DeliverReport],
}


def test_unknown_type_is_refused_in_words() -> None:
    with pytest.raises(Unsupported, match=r"VXU\^V04 is not read here: docs/hl7-interface"):
        standard_router().read(with_segments("VXU^V04"))


def test_type_has_one_reader() -> None:
    router = Router()
    router.on("ADT^A04", lambda source: [source.message.type])
    assert router.read(with_segments("ADT^A04^ADT_A01")) == ["ADT^A04"]
    with pytest.raises(Misconfigured, match="already has a reader"):
        router.on("ADT^A04", lambda _source: [])


def test_shared_samples() -> None:
    router = standard_router()
    read = {}
    for path in sorted(shared_dir("data", "hl7", "samples").glob("*.hl7")):
        try:
            read[path.name] = router.read(opened(path.read_bytes()))
        except Unsupported:
            read[path.name] = []
    assert len(read) == 32
    for name, commands in read.items():
        assert [type(command) for command in commands] == SAMPLES.get(name[:3], []), name
        assert commands == read[name.replace("utf8", "gb18030")]


def test_public_corpus_never_breaks_a_reader() -> None:
    """Messages, whole and broken, of 25 public projects: commands, or a refusal that says why."""
    router = standard_router()
    understood = refused = 0
    for path in shared_dir("data", "hl7", "corpus").rglob("*.hl7"):
        try:
            router.read(opened(path.read_bytes()))
            understood += 1
        except Refused as error:
            assert str(error)
            refused += 1
    assert understood + refused > 1400
    assert understood > 100
