"""DFT^P03 of the HIS: who collected which film line, and what only a person may decide."""

import pytest

from core.commands import SettleFee
from hl7_engine.errors import Unsupported
from hl7_engine.reading import fees
from simulators.his_messages import dft_cg
from tests.unit.hl7_engine.samples import EXAM, FILM, NOON, PATIENT, envelope, opened, with_segments

pytestmark = pytest.mark.requirement("S3", "P6")

LINE = f"FT1|1|FY1|JS1|20261124120000||CG|{FILM}|||1|20.00"


def read(*segments: str) -> list[object]:
    return fees.read(with_segments("DFT^P03", *segments), FILM)


def test_collected_at_the_window() -> None:
    assert fees.read(opened(dft_cg(PATIENT, EXAM, "JS88", envelope())), FILM) == [
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


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ((LINE.replace("CG", "CR"),), "refunds are not acted upon"),
        ((LINE, "ZFE|1|FY1|SQ1|3|Y"), "refunds are not acted upon"),
        ((LINE, "ZFE|1|FY1|SQ1|4|Y"), "a waiver comes with its order"),
    ],
)
def test_refunds_and_waivers_need_a_person(segments: tuple[str, ...], text: str) -> None:
    with pytest.raises(Unsupported, match=text):
        read(*segments)
