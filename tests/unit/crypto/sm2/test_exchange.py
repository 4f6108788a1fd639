"""Key exchange: the published example, two sides that agree, and every way in which they must not."""

import secrets

import pytest

from crypto.errors import InputRefused, KeyRefused, SignatureRefused
from crypto.provider import USER_ID, KeyPair
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.sm2 import curve
from crypto.sm2.exchange import KeyExchange, Peer

pytestmark = pytest.mark.requirement("H2", "H2.1")

ENGINE = OpenSslSm2(secrets.token_bytes)


def pair(private: str) -> KeyPair:
    key = bytes.fromhex(private)
    return KeyPair(key, ENGINE.public_keys([key])[0])


# GB/T 32918.5-2017 (GM/T 0003.5-2012), appendix B: A begins, both are 1234567812345678, a key of 128 bits.
A = pair("81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029")
B = pair("785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5")
R_A = pair("d4de15474db74d06491c440d305e012400990f3e390c7e87153c12db2ea60bb3")
R_B = pair("7e07124814b309489125eaed101113164ebf0f3458c5bd88335c1f9d596243d6")
KEY = "6c89347354de2484c60b4ab1fde4c6e5"
S_B = "d3a0fe15dee185ceae907a6b595cc32a266ed7b3367e9983a896dc32fa20f8eb"
S_A = "18c7894b3816df16cf07b05c5ec0bef5d655d58f779cc1b400a4f3884644db88"


def side(is_initiator: bool, user_id: bytes = USER_ID, peer_id: bytes = USER_ID) -> KeyExchange:
    own, ephemeral, peer = (A, R_A, B) if is_initiator else (B, R_B, A)
    known = Peer(peer.public, peer_id)
    return KeyExchange(ENGINE, own, ephemeral, known, is_initiator=is_initiator, user_id=user_id)


def test_example_of_the_standard() -> None:
    initiator, responder = side(True).agree(R_B.public, 16), side(False).agree(R_A.public, 16)
    assert (initiator.code.hex(), responder.code.hex()) == (S_A, S_B)
    assert initiator.confirm(responder.code).hex() == KEY
    assert responder.confirm(initiator.code).hex() == KEY


@pytest.mark.parametrize("length", [1, 16, 32, 33, 100])
def test_two_sides_with_identities_of_their_own_agree_at_any_length(length: int) -> None:
    initiator = side(True, b"front machine", b"viewer").agree(R_B.public, length)
    responder = side(False, b"viewer", b"front machine").agree(R_A.public, length)
    key = initiator.confirm(responder.code)
    assert key == responder.confirm(initiator.code)
    assert len(key) == length


def test_other_identities_are_not_confirmed() -> None:
    initiator = side(True, b"front machine", b"viewer").agree(R_B.public, 16)
    responder = side(False, b"viewer", b"another machine").agree(R_A.public, 16)
    for one, other in ((initiator, responder), (responder, initiator)):
        with pytest.raises(SignatureRefused):
            one.confirm(other.code)


def test_both_as_initiators_are_not_confirmed() -> None:
    one = side(True).agree(R_B.public, 16)
    other = KeyExchange(ENGINE, B, R_B, Peer(A.public), is_initiator=True).agree(R_A.public, 16)
    with pytest.raises(SignatureRefused):
        one.confirm(other.code)


def test_who_stands_between_is_found() -> None:
    between = ENGINE.generate_many(1)[0]
    initiator = side(True).agree(between.public, 16)
    responder = side(False).agree(R_A.public, 16)
    with pytest.raises(SignatureRefused):
        initiator.confirm(responder.code)


def test_a_peer_without_the_private_half_is_not_confirmed() -> None:
    impostor = KeyExchange(ENGINE, KeyPair(R_B.private, B.public), R_B, Peer(A.public), is_initiator=False)
    with pytest.raises(SignatureRefused):
        side(True).agree(R_B.public, 16).confirm(impostor.agree(R_A.public, 16).code)


@pytest.mark.parametrize("code", [b"", bytes(32), bytes.fromhex(S_A), bytes.fromhex(S_B)[:-1]])
def test_a_wrong_code_gives_no_key(code: bytes) -> None:
    with pytest.raises(SignatureRefused):
        side(True).agree(R_B.public, 16).confirm(code)


@pytest.mark.parametrize("sent", [b"", bytes(64), R_B.public[:-1] + b"\x00", b"\x04" + R_B.public])
def test_what_is_no_point_is_refused(sent: bytes) -> None:
    with pytest.raises(KeyRefused):
        side(True).agree(sent, 16)


def test_keys_that_cancel_out_are_refused() -> None:
    """A peer that names P = -x̄ · R as its key would make the shared point known to everyone."""
    x_half = (1 << 127) + int.from_bytes(R_B.public[:32], "big") % (1 << 127)
    weighted = ENGINE.multiply(x_half.to_bytes(32, "big"), R_B.public)
    y = (curve.P - int.from_bytes(weighted[32:], "big")).to_bytes(32, "big")
    exchange = KeyExchange(ENGINE, A, R_A, Peer(weighted[:32] + y), is_initiator=True)
    with pytest.raises(KeyRefused, match="infinity"):
        exchange.agree(R_B.public, 16)


def test_an_ephemeral_pair_serves_once() -> None:
    exchange = side(True)
    exchange.agree(R_B.public, 16)
    with pytest.raises(KeyRefused, match="once"):
        exchange.agree(R_B.public, 16)


def test_keys_and_identities_are_checked_at_the_start() -> None:
    broken = KeyPair(bytes(32), A.public)
    for own, ephemeral, peer in [(broken, R_A, B.public), (A, broken, B.public), (A, R_A, bytes(64))]:
        with pytest.raises(KeyRefused):
            KeyExchange(ENGINE, own, ephemeral, Peer(peer), is_initiator=True)
    with pytest.raises(InputRefused):
        side(True, bytes(8192))
