"""The price list: which price held when, and that prices are followed, never edited."""

from datetime import timedelta

import pytest

from billing.prices import add_price, price_of
from core.clock import now
from core.errors import Refused
from core.models import PriceItem
from tests.unit.billing.makers import NOON

pytestmark = [pytest.mark.requirement("S3"), pytest.mark.usefixtures("memory_database")]

DAY = timedelta(days=1)


def test_price_holds_from_its_first_moment_until_the_next_begins() -> None:
    add_price("YYX0001", "数字影像服务费", 2000, NOON)
    add_price("YYX0001", "数字影像服务费", 1500, NOON + DAY)
    add_price("OTHER", "other", 1, NOON)
    moment = timedelta(microseconds=1)
    assert price_of("YYX0001", NOON - moment) is None
    assert price_of("YYX0001", NOON) == 2000
    assert price_of("YYX0001", NOON + DAY - moment) == 2000
    assert price_of("YYX0001", NOON + DAY) == 1500
    assert price_of("YYX0001", NOON + 9999 * DAY) == 1500
    assert price_of("NONE", NOON) is None


def test_price_without_a_date_begins_now() -> None:
    add_price("YYX0001", "数字影像服务费", 2000)
    assert price_of("YYX0001", now()) == 2000
    assert price_of("YYX0001", now() - DAY) is None


def test_past_prices_cannot_be_rewritten() -> None:
    add_price("YYX0001", "数字影像服务费", 2000, NOON)
    for moment in (NOON, NOON - DAY):
        with pytest.raises(Refused, match="YYX0001"):
            add_price("YYX0001", "数字影像服务费", 1, moment)
    with pytest.raises(Refused, match="less than nothing"):
        add_price("NEW", "n", -1, NOON)
    assert PriceItem.select().count() == 1
