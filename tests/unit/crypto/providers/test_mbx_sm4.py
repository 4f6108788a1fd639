"""SM4 and SM3 in sixteen lanes: published vectors, every number of lanes, unequal lengths, altered bytes, wiping."""

import os
import random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import EngineUnavailable, SealBroken
from crypto.providers.mbx import MbxEngine
from crypto.providers.mbx.library import Functions
from crypto.providers.portable import PortableProvider
from crypto.self_test import run_self_test
from crypto.sm3 import sm3
from tests.unit.crypto.providers.mbx_double import MISMATCH, UNSUPPORTED, MbxDouble

pytestmark = pytest.mark.requirement("H2", "H2.4")

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
AAD = b"header of an object"
IV = bytes(range(16))


@pytest.fixture
def engine(functions: Functions) -> MbxEngine:
    return MbxEngine(functions, os.urandom)


def nonces(count: int) -> list[bytes]:
    return [number.to_bytes(12, "big") for number in range(count)]


def test_known_answers_of_start_up(engine: MbxEngine) -> None:
    run_self_test(engine)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33])
def test_any_number_of_chunks_equals_the_portable_engine(engine: MbxEngine, count: int) -> None:
    draw = random.Random(count)
    chunks = [draw.randbytes(draw.choice([0, 1, 15, 16, 17, 64, 1000, 4096])) for _ in range(count)]
    sealed = engine.seal_many(KEY, nonces(count), AAD, chunks)
    assert sealed == PortableProvider().seal_many(KEY, nonces(count), AAD, chunks)
    assert engine.open_many(KEY, nonces(count), AAD, sealed) == chunks


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.binary(max_size=300), min_size=1, max_size=20), aad=st.binary(max_size=70))
def test_chunks_of_any_length_open_again(engine: MbxEngine, chunks: list[bytes], aad: bytes) -> None:
    sealed = engine.seal_many(KEY, nonces(len(chunks)), aad, chunks)
    assert engine.open_many(KEY, nonces(len(chunks)), aad, sealed) == chunks
    assert sealed == PortableProvider().seal_many(KEY, nonces(len(chunks)), aad, chunks)


def test_a_prefix_comes_before_what_is_sealed(engine: MbxEngine) -> None:
    sealed = engine.seal(KEY, bytes(12), AAD, b"a film", b"prefix")
    assert sealed == PortableProvider().seal(KEY, bytes(12), AAD, b"a film", b"prefix")
    assert engine.open(KEY, bytes(12), AAD, memoryview(sealed)[6:]) == b"a film"


@pytest.mark.parametrize("bad", [0, 7, 15, 16])
def test_one_altered_chunk_of_a_batch_is_refused(engine: MbxEngine, bad: int) -> None:
    chunks = [bytes([number]) * 100 for number in range(17)]
    sealed = engine.seal_many(KEY, nonces(17), AAD, chunks)
    for place in (0, 99, 100, 115):
        altered = bytearray(sealed[bad])
        altered[place] ^= 4
        with pytest.raises(SealBroken):
            engine.open_many(KEY, nonces(17), AAD, [*sealed[:bad], bytes(altered), *sealed[bad + 1 :]])
    with pytest.raises(SealBroken):
        engine.open_many(KEY, nonces(17), AAD, [*sealed[:bad], sealed[bad][:15], *sealed[bad + 1 :]])
    with pytest.raises(SealBroken):
        engine.open_many(KEY, nonces(17), AAD + b".", sealed)


def test_what_an_altered_chunk_decrypts_to_is_wiped(
    double: MbxDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = MbxEngine(double, os.urandom)
    wiped: list[int] = []
    monkeypatch.setattr("crypto.providers.mbx.sm4_gcm.wipe", lambda place, size: wiped.append(size))
    sealed = engine.seal_many(KEY, nonces(2), AAD, [b"genuine", b"altered in the tag"])
    with pytest.raises(SealBroken):
        engine.open_many(KEY, nonces(2), AAD, [sealed[0], sealed[1][:-1] + bytes([sealed[1][-1] ^ 1])])
    assert wiped == [7, 18]


@pytest.mark.parametrize("step", ["init", "update_aad", "encrypt", "get_tag"])
@pytest.mark.parametrize("status", [MISMATCH << 12, sum(UNSUPPORTED << (4 * lane) for lane in range(16))])
def test_a_failing_call_gives_nothing_out(double: MbxDouble, step: str, status: int) -> None:
    engine = MbxEngine(double, os.urandom)
    double.faults[f"mbx_sm4_gcm_{step}_mb16"] = [status]
    with pytest.raises(EngineUnavailable, match="status"):
        engine.seal_many(KEY, nonces(3), AAD, [b"a", b"b", b"c"])


def test_wrong_sizes_of_key_nonce_and_batch_are_refused(engine: MbxEngine) -> None:
    for key, given_nonces, chunks in (
        (KEY[1:], nonces(1), [b"x"]),
        (KEY, [bytes(11)], [b"x"]),
        (KEY, nonces(2), [b"x"]),
        (KEY, nonces(1), [b"x", b"y"]),
    ):
        with pytest.raises(ValueError, match="SM4-GCM takes"):
            engine.seal_many(key, given_nonces, AAD, chunks)
    assert engine.seal_many(KEY, [], AAD, []) == []


def test_cbc_gives_the_published_answer(engine: MbxEngine) -> None:
    # cryptography-vectors and draft-ribose-cfrg-sm4-10, appendix A.2.2.1
    plain = bytes.fromhex("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb")
    sealed = bytes.fromhex("78ebb11cc40b0a48312aaeb2040244cb4cb7016951909226979b0d15dc6a8f6d")
    assert engine.cbc_encrypt_many([KEY], [IV], [plain]) == [sealed]
    assert engine.cbc_decrypt(KEY, IV, sealed) == plain


def test_ctr_gives_the_published_answer(engine: MbxEngine) -> None:
    # draft-ribose-cfrg-sm4-10, appendix A.2.5.1
    plain = bytes.fromhex("".join(letter * 16 for letter in "abcdefab"))
    sealed = bytes.fromhex(
        "ac3236cb970cc20791364c395a1342d1a3cbc1878c6f30cd074cce385cdd70c7"
        "f234bc0e24c11980fd1286310ce37b926e02fcd0faa0baf38b2933851d824514"
    )
    assert engine.ctr(KEY, IV, plain) == sealed
    assert engine.ctr(KEY, IV, sealed) == plain


@pytest.mark.parametrize("size", [0, 1, 16, 17, 255, 256, 257, 5000, 65_536])
@pytest.mark.parametrize("iv", [IV, b"\xff" * 16, b"\xff" * 15 + b"\xf0", bytes(16)])
def test_ctr_of_any_length_and_counter(engine: MbxEngine, size: int, iv: bytes) -> None:
    data = random.Random(size).randbytes(size)
    assert engine.ctr(KEY, iv, data) == Cipher(algorithms.SM4(KEY), modes.CTR(iv)).encryptor().update(data)


@pytest.mark.parametrize("blocks", [0, 1, 2, 15, 16, 17, 333])
def test_cbc_decryption_of_one_stream(engine: MbxEngine, blocks: int) -> None:
    data = random.Random(blocks).randbytes(16 * blocks)
    sealed = Cipher(algorithms.SM4(KEY), modes.CBC(IV)).encryptor().update(data)
    assert engine.cbc_decrypt(KEY, IV, sealed) == data


@pytest.mark.parametrize("count", [0, 1, 16, 19])
def test_cbc_encryption_of_many_streams_with_keys_of_their_own(engine: MbxEngine, count: int) -> None:
    draw = random.Random(count)
    keys = [draw.randbytes(16) for _ in range(count)]
    ivs = [draw.randbytes(16) for _ in range(count)]
    chunks = [draw.randbytes(16 * draw.randrange(20)) for _ in range(count)]
    expected = [
        Cipher(algorithms.SM4(key), modes.CBC(iv)).encryptor().update(chunk)
        for key, iv, chunk in zip(keys, ivs, chunks, strict=True)
    ]
    assert engine.cbc_encrypt_many(keys, ivs, chunks) == expected


def test_cbc_refuses_parts_of_blocks(engine: MbxEngine) -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        engine.cbc_encrypt_many([KEY], [IV], [b"fifteen bytes.."])
    with pytest.raises(ValueError, match="whole blocks"):
        engine.cbc_decrypt(KEY, IV, b"fifteen bytes..")


@pytest.mark.parametrize("count", [0, 1, 16, 17, 50])
def test_sm3_of_messages_of_unequal_length(engine: MbxEngine, count: int) -> None:
    draw = random.Random(count)
    messages = [draw.randbytes(draw.choice([0, 1, 55, 56, 63, 64, 65, 119, 120, 4000])) for _ in range(count)]
    assert engine.digest_many(messages) == [sm3(message) for message in messages]


def test_sm3_gives_the_published_answers(engine: MbxEngine) -> None:
    # GB/T 32905-2016, appendix A
    assert [digest.hex() for digest in engine.digest_many([b"abc", b"abcd" * 16])] == [
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732",
    ]


def test_sm3_status_of_a_lane_is_looked_at(double: MbxDouble) -> None:
    double.faults["mbx_sm3_msg_digest_mb16"] = [0, MISMATCH << 4]
    with pytest.raises(EngineUnavailable):
        MbxEngine(double, os.urandom).digest_many([b"message"] * 20)
