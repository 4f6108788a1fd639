"""Signatures, keys and ciphertexts made to mislead, in the manner of Wycheproof, which has none for SM2: all are refused."""

from collections.abc import Callable

import pytest

from crypto.errors import KeyRefused
from crypto.provider import KeyPair, Sm2Engine
from crypto.sm2 import curve
from crypto.sm2.identity import message_digest
from tests.fixtures.sm2_engines import ENGINES, available, open_engine
from tests.fixtures.sm2_vectors import (
    C1,
    C2,
    C3,
    CIPHERTEXT,
    MESSAGE,
    PAIR,
    PLAINTEXT,
    SIGNATURE,
    flipped,
    negative,
    scalar,
)

pytestmark = pytest.mark.requirement("H2", "H2.1", "H2.4")

HERE = available()


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Sm2Engine:
    if request.param not in HERE:
        pytest.skip(f"engine {request.param} does not run on this machine")
    return open_engine(request.param)


R, S = SIGNATURE[:32], SIGNATURE[32:]
ORDER = scalar(curve.N)
DIGEST = message_digest(PAIR.public, MESSAGE)
SHIFTED_ORDER = scalar(curve.N - int.from_bytes(R, "big"))


def infinite(private: bytes, r: int) -> bytes:
    """r ‖ s with s·G + (r+s)·P the point at infinity, which only the owner of a key can make: s = -r·d / (1 + d)."""
    d = int.from_bytes(private, "big")
    return scalar(r) + scalar(-r * d * pow(1 + d, -1, curve.N) % curve.N)


BAD_SIGNATURES = {
    "empty": b"",
    "one byte short": SIGNATURE[:-1],
    "one byte more": SIGNATURE + b"\0",
    "a byte before": b"\0" + SIGNATURE,
    "all zero": bytes(64),
    "all ones": b"\xff" * 64,
    "r is 0": bytes(32) + S,
    "s is 0": R + bytes(32),
    "r is n": ORDER + S,
    "s is n": R + ORDER,
    "r is 1": scalar(1) + S,
    "s is 1": R + scalar(1),
    "s is n - 1": R + scalar(curve.N - 1),
    "r is p": scalar(curve.P) + S,
    "r + s is n": R + SHIFTED_ORDER,
    "halves swapped": S + R,
    "s negated": R + scalar(curve.N - int.from_bytes(S, "big")),
    "r negated": SHIFTED_ORDER + S,
    "DER": bytes.fromhex("3046022100") + R + bytes.fromhex("022100") + S,
    "the point at infinity": infinite(PAIR.private, 5),
    # Genuine for whoever takes the x of infinity for 0: then r = e.
    "the point at infinity, x as 0": infinite(PAIR.private, int.from_bytes(DIGEST, "big") % curve.N),
}


@pytest.mark.parametrize("name", BAD_SIGNATURES)
def test_refuses_signatures_made_to_mislead(engine: Sm2Engine, name: str) -> None:
    signatures = [SIGNATURE, BAD_SIGNATURES[name], SIGNATURE]
    verdicts = engine.verify_many([PAIR.public] * 3, [MESSAGE] * 3, signatures)
    assert verdicts == [True, False, True]


# An x whose right side is no square: with the root of its negative it is a point of the twist -y² = x³ + ax + b.
TWIST_X = next(x for x in range(1, 50) if pow(x**3 + curve.A * x + curve.B, (curve.P - 1) // 2, curve.P) != 1)
TWIST = scalar(TWIST_X) + scalar(
    pow(-(TWIST_X**3 + curve.A * TWIST_X + curve.B) % curve.P, (curve.P + 1) // 4, curve.P)
)
BAD_POINTS = {
    "empty": b"",
    "short": PAIR.public[:-1],
    "uncompressed with 04": b"\x04" + PAIR.public,
    "infinity as zeros": bytes(64),
    "off the curve": flipped(PAIR.public, 511),
    "on the twist": TWIST,
    "x is p": scalar(curve.P) + PAIR.public[32:],
    "coordinates swapped": PAIR.public[32:] + PAIR.public[:32],
    "all ones": b"\xff" * 64,
}


@pytest.mark.parametrize("name", BAD_POINTS)
def test_refuses_public_keys_that_are_no_points(engine: Sm2Engine, name: str) -> None:
    bad = BAD_POINTS[name]
    verdicts = engine.verify_many([PAIR.public, bad], [MESSAGE] * 2, [SIGNATURE] * 2)
    assert verdicts == [True, False]
    with pytest.raises(KeyRefused):
        engine.encrypt_many([PAIR.public, bad], [PLAINTEXT] * 2)


def test_the_negative_of_a_key_is_another_key(engine: Sm2Engine) -> None:
    assert engine.verify_many([negative(PAIR.public)], [MESSAGE], [SIGNATURE]) == [False]


BAD_CIPHERTEXTS = {
    "empty": b"",
    "C1 alone": C1,
    "without C2": C1 + C3,
    "one byte short": CIPHERTEXT[:-1],
    "one byte more": CIPHERTEXT + b"\0",
    "with 04": b"\x04" + CIPHERTEXT,
    "the older order": C1 + C2 + C3,
    "C1 off the curve": flipped(C1, 0) + C3 + C2,
    "C1 as zeros": bytes(64) + C3 + C2,
    "C1 on the twist": TWIST + C3 + C2,
    "C1 negated": negative(C1) + C3 + C2,
    "C1 is the base point": curve.G + C3 + C2,
    "C3 as zeros": C1 + bytes(32) + C2,
    "C2 as zeros": C1 + C3 + bytes(len(C2)),
    "C2 is the plaintext": C1 + C3 + PLAINTEXT,
}


@pytest.mark.parametrize("name", BAD_CIPHERTEXTS)
def test_refuses_ciphertexts_made_to_mislead(engine: Sm2Engine, name: str) -> None:
    ciphertexts = [CIPHERTEXT, BAD_CIPHERTEXTS[name], CIPHERTEXT]
    assert engine.decrypt_many([PAIR] * 3, ciphertexts) == [PLAINTEXT, None, PLAINTEXT]


BAD_PRIVATES = {
    "empty": b"",
    "short": bytes(31),
    "0": bytes(32),
    "n - 1": scalar(curve.N - 1),
    "n": ORDER,
    "n + 1": scalar(curve.N + 1),
    "all ones": b"\xff" * 32,
}


@pytest.mark.parametrize("name", BAD_PRIVATES)
def test_refuses_private_keys_out_of_range_without_saying_them(engine: Sm2Engine, name: str) -> None:
    bad = BAD_PRIVATES[name]
    calls: list[Callable[[], object]] = [
        lambda: engine.public_keys([PAIR.private, bad]),
        lambda: engine.sign_many([PAIR, KeyPair(bad, PAIR.public)], [MESSAGE] * 2),
        lambda: engine.decrypt_many([PAIR, KeyPair(bad, PAIR.public)], [CIPHERTEXT] * 2),
    ]
    for call in calls:
        with pytest.raises(KeyRefused) as refused:
            call()
        assert not bad or bad.hex() not in str(refused.value)
