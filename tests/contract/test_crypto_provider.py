"""What every SM4-GCM engine must do, on each of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import SealBroken
from crypto.provider import BATCH, Provider
from crypto.providers.gmssl_reference import GmsslReferenceProvider
from crypto.providers.portable import PortableProvider
from crypto.self_test import run_self_test

pytestmark = pytest.mark.requirement("H2", "H2.4")

# RFC 8998, appendix A.1.
KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
NONCE = bytes.fromhex("00001234567800000000abcd")
AAD = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
PLAIN = bytes.fromhex("".join(digit * 16 for digit in "abcdefea"))
SEALED = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)

ENGINES: list[Provider] = [PortableProvider(), GmsslReferenceProvider()]


@pytest.fixture(params=ENGINES, ids=[engine.name for engine in ENGINES])
def engine(request: pytest.FixtureRequest) -> Provider:
    return request.param


def test_gives_the_answers_of_rfc_8998(engine: Provider) -> None:
    assert engine.seal(KEY, NONCE, AAD, PLAIN) == SEALED
    assert engine.open(KEY, NONCE, AAD, SEALED) == PLAIN
    run_self_test(engine)


def test_prefix_comes_before_what_is_sealed(engine: Provider) -> None:
    assert engine.seal(KEY, NONCE, AAD, PLAIN, b"before") == b"before" + SEALED


@pytest.mark.parametrize("length", [2**18 - 1, 2**18, 2**18 + 1, 3 * 2**18, 2**20 + 5])
def test_sealing_in_pieces_gives_what_opens_in_one(length: int) -> None:
    plain = bytes(range(251)) * (length // 251 + 1)
    engine = PortableProvider()
    assert engine.open(KEY, NONCE, AAD, engine.seal(KEY, NONCE, AAD, plain[:length])) == plain[:length]


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 48, 100])
def test_opens_what_it_sealed_at_any_length(engine: Provider, length: int) -> None:
    sealed = engine.seal(KEY, NONCE, b"", PLAIN[:1] * length)
    assert len(sealed) == length + 16
    assert engine.open(KEY, NONCE, b"", sealed) == PLAIN[:1] * length


@pytest.mark.parametrize("at", [0, 31, 63, 64, 79])
@pytest.mark.parametrize("bit", [0, 7])
def test_refuses_a_flipped_bit(engine: Provider, at: int, bit: int) -> None:
    flipped = bytearray(SEALED)
    flipped[at] ^= 1 << bit
    with pytest.raises(SealBroken):
        engine.open(KEY, NONCE, AAD, bytes(flipped))


def test_refuses_another_key_nonce_or_additional_data(engine: Provider) -> None:
    for key, nonce, aad in [(NONCE + b"1234", NONCE, AAD), (KEY, KEY[:12], AAD), (KEY, NONCE, AAD[:-1])]:
        with pytest.raises(SealBroken):
            engine.open(key, nonce, aad, SEALED)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 79])
def test_refuses_what_was_cut(engine: Provider, length: int) -> None:
    with pytest.raises(SealBroken):
        engine.open(KEY, NONCE, AAD, SEALED[:length])


def test_many_equal_one_by_one(engine: Provider) -> None:
    nonces = [bytes([lane]) * 12 for lane in range(BATCH + 3)]
    chunks = [PLAIN[: 5 * lane % 64] for lane in range(BATCH + 3)]
    sealed = engine.seal_many(KEY, nonces, AAD, chunks)
    assert sealed == [
        engine.seal(KEY, nonce, AAD, chunk) for nonce, chunk in zip(nonces, chunks, strict=True)
    ]
    assert engine.open_many(KEY, nonces, AAD, sealed) == chunks
    assert engine.seal_many(KEY, [], AAD, []) == []


@pytest.mark.parametrize("broken_lane", [0, 7, BATCH])
def test_many_refuses_all_when_one_is_broken(engine: Provider, broken_lane: int) -> None:
    nonces = [bytes([lane]) * 12 for lane in range(BATCH + 1)]
    sealed = engine.seal_many(KEY, nonces, AAD, [PLAIN] * (BATCH + 1))
    sealed[broken_lane] = sealed[broken_lane][:-1] + bytes([sealed[broken_lane][-1] ^ 1])
    with pytest.raises(SealBroken):
        engine.open_many(KEY, nonces, AAD, sealed)


def test_many_refuses_lists_of_different_length(engine: Provider) -> None:
    with pytest.raises(ValueError, match="zip"):
        engine.seal_many(KEY, [NONCE], AAD, [])


@settings(deadline=None, max_examples=25)
@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=12, max_size=12),
    st.binary(max_size=40),
    st.binary(max_size=90),
)
def test_engines_agree(key: bytes, nonce: bytes, aad: bytes, plain: bytes) -> None:
    sealed = {engine.seal(key, nonce, aad, plain) for engine in ENGINES}
    assert len(sealed) == 1
