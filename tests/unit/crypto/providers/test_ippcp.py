"""SM2 and SM4 one at a time by Intel's library: the standard's examples, refusals, threads, wiping of what was secret."""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from crypto.errors import EngineUnavailable, InputRefused, KeyRefused
from crypto.provider import KeyPair
from crypto.providers.ippcp import IppcpEngine
from crypto.providers.ippcp_library import Calls, CurveWorkspace
from crypto.sm2.curve import G, N, P
from crypto.sm2.identity import message_digest
from crypto.sm3 import sm3
from tests.unit.crypto.providers.mbx_double import multiple
from tests.unit.crypto.providers.test_mbx_sm2 import (
    CIPHERTEXT_OF_THE_STANDARD,
    NONCE,
    PAIR,
    PRIVATE,
    PUBLIC,
    SIGNATURE_OF_THE_STANDARD,
    off_curve,
    scalar,
)

pytestmark = pytest.mark.requirement("H2", "H2.1", "H2.2", "H2.4")

KEY, IV = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes(range(16))


@pytest.fixture(scope="module")
def engine() -> IppcpEngine:
    return load(os.urandom)


def load(source: object) -> IppcpEngine:
    try:
        return IppcpEngine.load(source)  # type: ignore[arg-type]
    except EngineUnavailable as missing:
        pytest.skip(str(missing))


def test_signature_and_ciphertext_of_the_standard() -> None:
    engine = load(lambda size: NONCE)
    assert engine.public_keys([PRIVATE, scalar(1)]) == [PUBLIC, G]
    assert engine.sign_many([PAIR], [b"message digest"]) == [SIGNATURE_OF_THE_STANDARD]
    assert engine.verify_many([PUBLIC], [b"message digest"], [SIGNATURE_OF_THE_STANDARD]) == [True]
    assert engine.encrypt_many([PUBLIC], [b"encryption standard"]) == [CIPHERTEXT_OF_THE_STANDARD]
    assert engine.decrypt_many([PAIR], [CIPHERTEXT_OF_THE_STANDARD]) == [b"encryption standard"]


def test_round_trips_of_all_lengths(engine: IppcpEngine) -> None:
    draw = random.Random(1)
    pairs = engine.generate_many(20)
    publics = [pair.public for pair in pairs]
    messages = [draw.randbytes(1 + 11 * number) for number in range(20)]
    assert engine.verify_many(publics, messages, engine.sign_many(pairs, messages)) == [True] * 20
    assert engine.decrypt_many(pairs, engine.encrypt_many(publics, messages)) == messages
    assert len({pair.private for pair in pairs}) == 20


def test_one_bad_item_does_not_touch_the_others(engine: IppcpEngine) -> None:
    [good] = engine.sign_many([PAIR], [b"m"])
    r, s = good[:32], good[32:]
    bad = [
        *(r + bytes(32), bytes(32) + s, scalar(N) + s, s + r, r + scalar(N - int.from_bytes(r, "big"))),
        *(b"", good[:63], good + b"\0", bytes([good[0] ^ 1]) + good[1:]),
    ]
    signatures = [good, *bad, good]
    verdicts = engine.verify_many([PUBLIC] * len(signatures), [b"m"] * len(signatures), signatures)
    assert verdicts == [True, *[False] * len(bad), True]
    for public in (off_curve(), bytes(64), b"", scalar(P) + PUBLIC[32:]):
        assert engine.verify_many([PUBLIC, public, PUBLIC], [b"m"] * 3, [good] * 3) == [True, False, True]
    [whole] = engine.encrypt_many([PUBLIC], [b"text"])
    for wrong in (off_curve(whole[:64]) + whole[64:], whole[:96], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
        assert engine.decrypt_many([PAIR] * 3, [whole, wrong, whole]) == [b"text", None, b"text"]


def test_keys_that_are_none_are_refused(engine: IppcpEngine) -> None:
    for private in (bytes(32), scalar(N - 1), b"\xff" * 32, b""):
        with pytest.raises(KeyRefused):
            engine.public_keys([private])
        with pytest.raises(KeyRefused):
            engine.sign_many([KeyPair(private, PUBLIC)], [b"m"])
        with pytest.raises(KeyRefused):
            engine.decrypt_many([KeyPair(private, PUBLIC)], [CIPHERTEXT_OF_THE_STANDARD])
    for public in (off_curve(), bytes(64), b""):
        with pytest.raises(KeyRefused):
            engine.encrypt_many([public], [b"m"])
        with pytest.raises(KeyRefused):
            engine.multiply(scalar(2), public)
    with pytest.raises(InputRefused):
        engine.encrypt_many([PUBLIC], [b""])
    with pytest.raises(InputRefused):
        engine.sign_many([PAIR], [])


def test_the_library_itself_refuses_points_off_the_curve() -> None:
    """The engine looks first; the library is the second pair of eyes."""
    load(os.urandom)
    workspace = CurveWorkspace(Calls())
    with pytest.raises(KeyRefused):
        workspace.multiply(scalar(2), off_curve())
    with pytest.raises(KeyRefused):
        workspace.is_genuine(bytes(32), off_curve(), SIGNATURE_OF_THE_STANDARD)


def test_a_key_stream_of_zeros_is_drawn_again_and_refused() -> None:
    drawn = [scalar(470), NONCE]
    engine = load(lambda size: drawn.pop(0))
    [ciphertext] = engine.encrypt_many([PUBLIC], [b"\x5a"])
    assert ciphertext[:64] == CIPHERTEXT_OF_THE_STANDARD[:64]
    shared = multiple(470, PUBLIC)
    tag = sm3(shared[:32], b"\x5a", shared[32:])
    assert engine.decrypt_many([PAIR], [multiple(470, G) + tag + b"\x5a"]) == [None]


def test_products_equal_those_of_plain_integers(engine: IppcpEngine) -> None:
    draw = random.Random(2)
    for value in (1, 2, 3, N - 2, N - 1, draw.randrange(1, N), draw.randrange(1, 2**64)):
        assert engine.multiply(scalar(value), PUBLIC) == multiple(value, PUBLIC)
        assert engine.multiply(scalar(value), G) == multiple(value, G)


def test_secrets_do_not_stay_in_the_contexts() -> None:
    load(os.urandom)
    workspace = CurveWorkspace(Calls())
    digest = message_digest(PUBLIC, b"m")
    workspace.public(PRIVATE)
    workspace.multiply(PRIVATE, PUBLIC)
    workspace.sign(digest, PRIVATE, NONCE)
    kept = b"".join(bytes(value) for value in vars(workspace).values() if hasattr(value, "_length_"))
    for secret in (PRIVATE, NONCE):
        assert secret not in kept
        assert secret[::-1] not in kept


def test_threads_have_contexts_of_their_own(engine: IppcpEngine) -> None:
    def work(seed: int) -> bool:
        pairs = engine.generate_many(10)
        messages = [bytes([seed]) * 30] * 10
        publics = [pair.public for pair in pairs]
        opened = engine.decrypt_many(pairs, engine.encrypt_many(publics, messages))
        return opened == messages and all(
            engine.verify_many(publics, messages, engine.sign_many(pairs, messages))
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(12)))


@pytest.mark.parametrize("size", [0, 1, 16, 17, 1000, 65_536])
@pytest.mark.parametrize("iv", [IV, b"\xff" * 16])
def test_ctr(engine: IppcpEngine, size: int, iv: bytes) -> None:
    data = random.Random(size).randbytes(size)
    assert engine.ctr(KEY, iv, data) == Cipher(algorithms.SM4(KEY), modes.CTR(iv)).encryptor().update(data)


@pytest.mark.parametrize("blocks", [0, 1, 2, 100])
def test_cbc(engine: IppcpEngine, blocks: int) -> None:
    data = random.Random(blocks).randbytes(16 * blocks)
    sealed = Cipher(algorithms.SM4(KEY), modes.CBC(IV)).encryptor().update(data)
    assert engine.cbc_encrypt_many([KEY] * 2, [IV] * 2, [data] * 2) == [sealed] * 2
    assert engine.cbc_decrypt(KEY, IV, sealed) == data


def test_sizes_of_sm4_are_refused(engine: IppcpEngine) -> None:
    for call in (
        lambda: engine.ctr(KEY[1:], IV, b"x"),
        lambda: engine.ctr(KEY, IV[1:], b"x"),
        lambda: engine.cbc_decrypt(KEY, IV, b"x"),
    ):
        with pytest.raises(ValueError, match="SM4"):
            call()
