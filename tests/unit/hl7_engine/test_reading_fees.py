"""DFT^P03 of the HIS: who collected which film line, what was paid back, what is waived."""

from datetime import UTC, datetime

import pytest

from core.commands import RefundFee, SettleFee, WaiveFee
from hl7_engine.errors import Unreadable, Unsupported
from hl7_engine.reading import fees
from simulators.his_messages import dft_cg
from tests.unit.hl7_engine.samples import EXAM, FILM, NOON, PATIENT, envelope, opened, with_segments

pytestmark = pytest.mark.requirement("S3", "P6")

THREE = datetime(2026, 11, 24, 7, tzinfo=UTC)
LINE = f"FT1|1|FY1|JS1|20261124120000||CG|{FILM}|||1|20.00"


def read(*segments: str) -> list[object]:
    return fees.read(with_segments("DFT^P03", *segments))


def test_collected_at_the_window() -> None:
    assert fees.read(opened(dft_cg(PATIENT, EXAM, "JS88", envelope()))) == [
        SettleFee("his", "FY0002", "FY0002", 2000, NOON, "cashier", "JS88")
    ]


def test_without_zfe_a_charge_is_collected() -> None:
    assert read(LINE) == [SettleFee("his", "FY1", "FY1", 2000, NOON, "his", "JS1")]


def test_amount_really_paid_counts() -> None:
    (command,) = read(LINE, "ZFE|1|FY1|SQ1|1|Y|ZZJ||20.00|15.00")
    assert isinstance(command, SettleFee)
    assert (command.amount_fen, command.channel) == (1500, "kiosk")


def test_unknown_channel_is_kept_in_small_letters() -> None:
    (command,) = read(LINE, "ZFE|1|FY1|SQ1|1|Y|APPLEPAYINTHECLINIC")
    assert isinstance(command, SettleFee)
    assert command.channel == "applepayintheclinic"[:16]


def test_lines_of_other_items_and_lines_not_yet_paid_do_not_concern_us() -> None:
    assert read(LINE.replace(FILM, "210300001")) == []
    assert read(LINE, "ZFE|1|FY1|SQ1|0|Y") == []


def test_refund_is_for_its_original_line_and_has_a_key_of_its_own() -> None:
    line = LINE.replace("FY1", "FY12").replace("CG", "CR").replace("|1|20.00", "|-1|-20.00")
    detail = "ZFE|1|FY12|SQ1|3|Y|CK|20261124150000|20.00|20.00|TF3|4711|WX||S0012|FY1"
    assert read(line, detail) == [RefundFee("his", "FY12", "FY1", 2000, THREE, "cashier", "4711")]


@pytest.mark.parametrize(
    "segments",
    [(LINE.replace("CG", "CR"),), (LINE, "ZFE|1|FY1|SQ1|3|Y"), (LINE.replace("20.00", "-20.00"),)],
    ids=["FT1-6", "ZFE-4", "negative amount"],
)
def test_each_way_to_say_that_money_went_back(segments: tuple[str, ...]) -> None:
    (command,) = read(*segments)
    assert isinstance(command, RefundFee)
    assert (command.fee_line_id, command.amount_fen) == ("FY1", 2000)


def test_refund_under_way_is_none_yet_and_a_waiver_is_one() -> None:
    assert read(LINE, "ZFE|1|FY1|SQ1|2|Y") == []
    assert read(LINE, "ZFE|1|FY1|SQ1|4|Y") == [WaiveFee("FY1", "SQ1", NOON)]


def test_dialect_of_a_county_his() -> None:
    """FT1-6 of 1 and -1, states in Chinese (research of public decoders)."""
    paid, refunded = (
        fees.read(with_segments("DFT^P03", LINE.replace("|CG|", f"|{told}|"), profile="county_his"))
        for told in ("1", "-1")
    )
    assert [type(command) for command in paid + refunded] == [SettleFee, RefundFee]


@pytest.mark.parametrize("kind", ["TF", "退费", "AJ", "CD", ""])
def test_type_that_nobody_translated_is_no_payment(kind: str) -> None:
    with pytest.raises(Unsupported, match=r"FT1-6 is .*: add it to \[codes.fee_type\]"):
        read(LINE.replace("|CG|", f"|{kind}|"))


@pytest.mark.parametrize("state", ["已退", "9"])
def test_state_that_nobody_translated_is_no_payment(state: str) -> None:
    with pytest.raises(Unsupported, match=r"ZFE-4 is .*: add it to \[codes.fee_state\]"):
        read(LINE, f"ZFE|1|FY1|SQ1|{state}|Y")


def test_unpaid_is_unpaid_however_the_line_is_named() -> None:
    assert read(LINE.replace("|FY1|", "|FY1^HIS|"), "ZFE|1|FY1^HIS|SQ1|0|Y") == []
    assert read(LINE, "ZFE|1||SQ1|0|Y") == []
    with pytest.raises(Unreadable, match="ZFE-2 is the id of no FT1-2"):
        read(LINE, "ZFE|1|FY9|SQ1|0|Y")


def test_refund_under_way_is_none_whatever_the_type_says() -> None:
    assert read(LINE.replace("CG", "CR"), "ZFE|1|FY1|SQ1|2|Y") == []
    with pytest.raises(Unsupported, match="FT1-6 says refund, ZFE-4 says 0"):
        read(LINE.replace("CG", "CR"), "ZFE|1|FY1|SQ1|0|Y")


def test_two_parts_of_a_refund_under_one_line_have_keys_of_their_own() -> None:
    def part(number: str) -> RefundFee:
        (command,) = read(LINE.replace("|CG|", "|CR|").replace("20.00", "10.00").replace("JS1", number))
        assert isinstance(command, RefundFee)
        return command

    first, second = part("TF1"), part("TF2")
    assert (first.fee_line_id, second.fee_line_id) == ("FY1", "FY1")
    assert first.key != second.key
    assert part("TF1") == first


def test_quantity_has_a_few_digits() -> None:
    with pytest.raises(Unreadable, match="FT1-10 is a text of 40 characters"):
        read(LINE.replace("|||1|20.00", f"|||{'9' * 40}||20.00"))


def test_many_lines_are_read_in_a_moment() -> None:
    """Quadratic, two thousand took seconds (each looked through all details)."""
    lines = [LINE.replace("FY1", f"FY{number}") for number in range(2000)]
    details = [f"ZFE|1|FY{number}|SQ1|1|Y|CK" for number in range(2000)]
    assert len(read(*lines, *details)) == 2000
