"""Orders, their status and their film fee: what the hospital wrote is what the commands say."""

from datetime import UTC, datetime

import pytest

from core.commands import CancelOrder, CompleteExam, FeeLine, NoteProgress, PlaceOrder
from hl7_engine.errors import Unreadable, Unsupported
from hl7_engine.reading import order
from hl7_engine.reading.source import Source
from simulators.his_messages import omg_o19, orm_complete
from tests.unit.hl7_engine.samples import EXAM, FILM, NOON, PATIENT, envelope, opened, with_segments

pytestmark = pytest.mark.requirement("P6", "S3")

FT1 = f"FT1|1|FY1|JS1|20261124||CG|{FILM}^影像费|||1|20.00|20.00"


def read(source: Source) -> list[object]:
    return order.read(source)


def only_fee(*segments: str) -> FeeLine:
    (command,) = read(with_segments("OMG^O19", "ORC|NW|SQ1", "OBR|1|SQ1", *segments))
    assert isinstance(command, PlaceOrder)
    (line,) = command.fee_lines
    return line


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_new_order_with_its_film_fee(charset: str) -> None:
    (command,) = read(opened(omg_o19(PATIENT, EXAM, envelope(charset=charset))))
    assert command == PlaceOrder(
        accession_number="CT1",
        placer_order_number="SQ1",
        patient=PATIENT,
        item_code="210300001",
        item_name="胸部CT平扫",
        modality="CT",
        department="心内科门诊",
        visit_number="",
        patient_class="O",
        ordered_at=NOON,
        fee_lines=(FeeLine("FY0002", "SQ1", FILM, 2000, True, "charge", channel="clinic"),),
    )


def test_change_is_an_order_again_and_cancellation_is_one() -> None:
    (changed,) = read(opened(omg_o19(PATIENT, EXAM, envelope(), control="XO")))
    assert isinstance(changed, PlaceOrder)
    (cancelled,) = read(opened(omg_o19(PATIENT, EXAM, envelope(), control="CA")))
    assert cancelled == CancelOrder("CT1", "SQ1", NOON)


def test_completed_exam_names_its_studies() -> None:
    (command,) = read(opened(orm_complete(PATIENT, EXAM, ("1.2.3", "1.2.4", "1.2.3"), envelope())))
    assert command == CompleteExam("CT1", "SQ1", PATIENT, ("1.2.3", "1.2.4"), NOON)


@pytest.mark.parametrize(
    ("status", "commands"),
    [("IP", [NoteProgress]), ("AR", [NoteProgress]), ("HD", []), ("", []), ("CA", [CancelOrder])],
)
def test_other_status(status: str, commands: list[type]) -> None:
    found = read(with_segments("ORM^O01", f"ORC|SC|SQ1|||{status}", "OBR|1|SQ1"))
    assert [type(command) for command in found] == commands


def test_each_order_of_a_message_has_its_own_fees_and_studies() -> None:
    message = with_segments(
        "OMG^O19",
        "PID|1||7^^^HIS",
        "ORC|NW|SQ1",
        f"OBR|1|SQ1||A{'|' * 14}CT1",
        "ORC|NW|SQ2",
        f"OBR|1|SQ2||B{'|' * 14}CT2",
        "FT1|1|FY1||20261124||CG|YYX0001||||20||||||||||||SQ1^HIS",
        "FT1|2|FY2||20261124||CG|YYX0001||||21||||||||||||SQ9^HIS",
        "ORC|SC|SQ3|||CM",
        f"OBR|1|SQ3||C{'|' * 14}CT3",
        "ZDS|1.2.3^^Application^DICOM",
    )
    first, second, third = read(message)
    assert isinstance(first, PlaceOrder)
    assert isinstance(second, PlaceOrder)
    assert isinstance(third, CompleteExam)
    assert [(line.fee_line_id, line.placer_order_number) for line in first.fee_lines] == [("FY1", "SQ1")]
    assert [(line.fee_line_id, line.amount_fen) for line in second.fee_lines] == [("FY2", 2100)]
    assert (third.accession_number, third.study_uids) == ("CT3", ("1.2.3",))


def test_other_items_are_no_film_fee() -> None:
    (command,) = read(with_segments("OMG^O19", "ORC|NW|SQ1", "OBR|1|SQ1", FT1.replace(FILM, "210300001")))
    assert isinstance(command, PlaceOrder)
    assert command.fee_lines == ()


def test_fee_without_zfe() -> None:
    assert only_fee(FT1) == FeeLine("FY1", "SQ1", FILM, 2000, True, "charge", external_number="JS1")


@pytest.mark.parametrize(
    ("zfe", "expected"),
    [
        ("ZFE|1|FY1|SQ1|4|Y", ("waived", False, True)),
        ("ZFE|1|FY1|SQ1|0|N", ("charge", False, False)),
        ("ZFE|1|FY1|SQ1|1|Y|CK", ("charge", True, True)),
    ],
)
def test_choice_in_the_clinic(zfe: str, expected: tuple[str, bool, bool]) -> None:
    line = only_fee(FT1, zfe)
    assert (line.choice, line.paid, line.collect_on_behalf) == expected


def test_paid_line_tells_when_where_and_by_which_number() -> None:
    line = only_fee(FT1, "ZFE|1|FY1|SQ1|1|Y|GZH|20261124083000|20.00|20.00|JS9|4200001")
    assert line.paid_at == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
    assert (line.channel, line.external_number) == ("wechat", "4200001")


def test_film_without_a_price_is_included() -> None:
    assert only_fee(FT1.replace("20.00", "0.00")).choice == "included"


def test_amount_from_quantity_and_unit_price() -> None:
    assert only_fee(f"FT1|1|FY1||||CG|{FILM}|||2||12.5&CNY").amount_fen == 2500


@pytest.mark.parametrize(
    ("segments", "error", "text"),
    [
        ((), Unreadable, "no ORC"),
        (("ORC|NW", "OBR|1"), Unreadable, "neither OBR-18"),
        (("ORC|QQ|SQ1",), Unsupported, "ORC-1 is 'QQ'"),
        (("ORC|NW|" + "9" * 65,), Unreadable, "ORC-2.1 has more than 64"),
        (("ORC|SC|SQ1|||CM", "OBR|1|SQ1", "ZDS|1.2.x"), Unreadable, "ZDS-1 is a text of 5 characters"),
        (
            ("ORC|NW|SQ1", "OBR|1|SQ1", FT1.replace("|FY1|", "||")),
            Unreadable,
            "FT1-2 of the film line is missing",
        ),
        (("ORC|NW|SQ1", "OBR|1|SQ1", FT1.replace("20.00", "")), Unreadable, "FT1-11, the amount"),
        (("ORC|NW|SQ1", "OBR|1|SQ1", FT1.replace("20.00", "20.001")), Unreadable, "FT1-11.1.1 is '20.001'"),
        (("ORC|NW|SQ1", "OBR|1|SQ1", FT1.replace("20.00", "1E999999999")), Unreadable, "FT1-11.1.1 is"),
        (("ORC|NW|SQ1", "OBR|1|SQ1", FT1.replace("CG", "CR")), Unsupported, "a refund comes by DFT"),
        (
            ("ORC|NW|SQ1", "OBR|1|SQ1", FT1.replace("|20.00|", "|-20.00|")),
            Unsupported,
            "a refund comes by DFT",
        ),
        (("ORC|NW|SQ1|||||||2026-11-24",), Unreadable, "ORC-9.1 is '2026-11-24'"),
    ],
)
def test_what_cannot_be_read_says_which_field(
    segments: tuple[str, ...], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        read(with_segments("OMG^O19", *segments))
