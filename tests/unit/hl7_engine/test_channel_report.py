"""How each peer's traffic stands: counts of the hospital's day and of 24 hours, rate, what waits, what is owed."""

from datetime import timedelta

import pytest

from hl7_engine.channel_report import report
from hl7_engine.site import STANDARD_SITE
from tests.unit.hl7_engine.stored import HIS, NOW, SITE, counted, inbound, owed

pytestmark = [pytest.mark.requirement("S5", "P6"), pytest.mark.usefixtures("database")]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_peers_of_the_site_come_first_even_without_messages_then_strangers() -> None:
    counted(HOUR, peer="LIS|Y")
    found = [(peer.name, peer.is_known) for peer in report(SITE, NOW)]
    assert found == [("HIS", True), ("LIS|Y", False)]
    assert [(peer.name, peer.is_known) for peer in report(STANDARD_SITE, NOW)] == [("LIS|Y", True)]
    silent = report(SITE, NOW)[0]
    assert (silent.last_at, silent.waiting, silent.per_minute, silent.hourly, dict(silent.day)) == (
        None,
        0,
        0,
        [],
        {},
    )


def test_counts_are_of_the_hospitals_day_and_of_24_hours() -> None:
    # 12:30 in Shanghai: midnight was twelve and a half hours ago.
    counted(HOUR, number=3)
    counted(12 * HOUR, "parked", number=2)
    counted(13 * HOUR, number=5)
    counted(23 * HOUR, number=7)
    counted(24 * HOUR, number=11)
    counted(HOUR, number=4, channel="soap")
    (his,) = [peer for peer in report(SITE, NOW) if peer.name == "HIS"]
    assert (his.day, his.last_day) == ({"handled": 7, "parked": 2}, {"handled": 19, "parked": 2})
    assert (his.hourly[22], his.hourly[11], his.hourly[10], his.hourly[0], his.hourly[23]) == (7, 2, 5, 7, 0)
    assert [(channel.channel, channel.day["handled"]) for channel in his.channels] == [
        ("mllp", 3),
        ("soap", 4),
    ]
    assert his.last_at == NOW - HOUR


def test_waiting_messages_count_by_depth_age_and_as_the_last_heard() -> None:
    counted(HOUR)
    inbound(7 * MINUTE, state="received")
    inbound(2 * MINUTE, state="received", channel="soap")
    inbound(MINUTE)
    his = report(SITE, NOW)[0]
    assert (his.waiting, his.oldest_at, his.last_at) == (2, NOW - 7 * MINUTE, NOW - 2 * MINUTE)


def test_rate_is_of_the_last_five_minutes_whatever_became_of_the_messages() -> None:
    for age, state in ((1, "handled"), (2, "refused"), (4, "received"), (6, "handled")):
        inbound(age * MINUTE, state=state)
    assert report(SITE, NOW)[0].per_minute == pytest.approx(3 / 5)


def test_what_is_owed_stands_with_its_peer() -> None:
    owed(HOUR)
    owed(work="parked")
    owed(peer="ESB")
    peers = {peer.name: peer.owed for peer in report(SITE, NOW)}
    assert (peers["HIS"].queued, peers["HIS"].oldest_at, peers["HIS"].parked) == (1, NOW - HOUR, 1)
    assert peers["ESB"].queued == 1


def test_sender_is_known_by_the_name_that_the_site_gives_it() -> None:
    counted(HOUR, peer=HIS)
    assert [channel.sender for channel in report(SITE, NOW)[0].channels] == [HIS]
