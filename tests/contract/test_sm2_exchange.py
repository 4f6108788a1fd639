"""Key exchange over the points of every engine, with an outside judge on the other side."""

import secrets

import pytest
from gmalglib.sm2 import SM2

from crypto.provider import KeyPair
from crypto.sm2.exchange import KeyExchange, Peer, Points
from crypto.sm2.self_test import check_points
from tests.fixtures.sm2_engines import available, open_engine

pytestmark = pytest.mark.requirement("H2", "H2.1")

MULTIPLIERS = [name for name in available() if hasattr(open_engine(name), "multiply")]
OURS, THEIRS = b"front machine", "影像科".encode()


@pytest.fixture(params=MULTIPLIERS)
def points(request: pytest.FixtureRequest) -> Points:
    return open_engine(request.param)  # type: ignore[return-value]


def test_multiplies_points(points: Points) -> None:
    check_points(points.name, points.multiply)


@pytest.mark.parametrize("is_initiator", [True, False])
def test_agrees_with_the_judge_in_both_roles(points: Points, is_initiator: bool) -> None:
    ours, ephemeral = open_engine("openssl").generate_many(2)
    private, public = SM2().generate_keypair()
    judge = SM2(private, uid=THEIRS)
    state, sent = judge.begin_key_exchange()
    exchange = KeyExchange(
        points, ours, ephemeral, Peer(public[1:], THEIRS), is_initiator=is_initiator, user_id=OURS
    )
    agreement = exchange.agree(sent[1:], 48)
    key = judge.end_key_exchange(
        state, b"\x04" + ephemeral.public, b"\x04" + ours.public, is_initiator, 48, OURS
    )
    # The judge confirms nothing, so the key is compared where it waits for a confirmation.
    assert agreement._key == key


@pytest.mark.parametrize("other", MULTIPLIERS)
def test_engines_agree_and_confirm(points: Points, other: str) -> None:
    pairs: list[KeyPair] = open_engine("openssl").generate_many(4)
    a, r_a, b, r_b = pairs
    first = KeyExchange(points, a, r_a, Peer(b.public), is_initiator=True)
    second = KeyExchange(open_engine(other), b, r_b, Peer(a.public), is_initiator=False)  # type: ignore[arg-type]
    length = 1 + secrets.randbelow(64)
    one, two = first.agree(r_b.public, length), second.agree(r_a.public, length)
    assert one.confirm(two.code) == two.confirm(one.code)
