"""SM2 in eight lanes: the standard's examples with its own random numbers, lanes that fail alone, refusals, threads."""

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from crypto.errors import EngineUnavailable, InputRefused, KeyRefused
from crypto.provider import KeyPair
from crypto.providers.mbx import MbxEngine
from crypto.providers.mbx.library import Functions
from crypto.providers.mbx.sm2_lanes import in_range, random_scalars
from crypto.sm2.curve import A, B, G, N, P, is_point
from crypto.sm3 import sm3
from tests.unit.crypto.providers.mbx_double import MISMATCH, SIGNATURE, UNSUPPORTED, MbxDouble, multiple

pytestmark = pytest.mark.requirement("H2", "H2.1", "H2.2")

# GB/T 32918.5-2017, appendices A.2 and C.2: key, random number, message and answers.
PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
PUBLIC = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
PAIR = KeyPair(PRIVATE, PUBLIC)
NONCE = bytes.fromhex("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21")
SIGNATURE_OF_THE_STANDARD = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
CIPHERTEXT_OF_THE_STANDARD = bytes.fromhex(
    "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)


@pytest.fixture
def engine(functions: Functions) -> MbxEngine:
    return MbxEngine(functions, os.urandom)


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "big")


def off_curve(public: bytes = PUBLIC) -> bytes:
    return public[:-1] + bytes([public[-1] ^ 1])


def repeating(value: bytes) -> Callable[[int], bytes]:
    return lambda size: (value * (size // len(value) + 1))[:size]


def test_signature_of_the_standard(functions: Functions) -> None:
    engine = MbxEngine(functions, repeating(NONCE))
    assert engine.sign_many([PAIR], [b"message digest"]) == [SIGNATURE_OF_THE_STANDARD]
    assert engine.verify_many([PUBLIC], [b"message digest"], [SIGNATURE_OF_THE_STANDARD]) == [True]


def test_ciphertext_of_the_standard(functions: Functions) -> None:
    engine = MbxEngine(functions, repeating(NONCE))
    assert engine.encrypt_many([PUBLIC], [b"encryption standard"]) == [CIPHERTEXT_OF_THE_STANDARD]
    assert engine.decrypt_many([PAIR], [CIPHERTEXT_OF_THE_STANDARD]) == [b"encryption standard"]


def test_public_half_of_the_standard(engine: MbxEngine) -> None:
    assert engine.public_keys([PRIVATE, scalar(1)]) == [PUBLIC, G]
    assert engine.public_keys([]) == []


@pytest.mark.parametrize("count", [1, 7, 8, 9, 17])
def test_any_number_of_items_and_unequal_lengths(engine: MbxEngine, count: int) -> None:
    draw = random.Random(count)
    pairs = engine.generate_many(count)
    assert len({pair.private for pair in pairs}) == count
    assert engine.public_keys([pair.private for pair in pairs]) == [pair.public for pair in pairs]
    assert all(is_point(pair.public) for pair in pairs)
    messages = [draw.randbytes(draw.choice([0, 1, 31, 32, 33, 64, 95, 96, 200, 1000])) for _ in pairs]
    signatures = engine.sign_many(pairs, messages)
    publics = [pair.public for pair in pairs]
    assert engine.verify_many(publics, messages, signatures) == [True] * count
    plaintexts = [message + b"." for message in messages]
    ciphertexts = engine.encrypt_many(publics, plaintexts)
    assert [len(ciphertext) for ciphertext in ciphertexts] == [96 + len(text) for text in plaintexts]
    assert engine.decrypt_many(pairs, ciphertexts) == plaintexts


def test_nothing_to_do(engine: MbxEngine) -> None:
    assert engine.generate_many(0) == []
    assert engine.sign_many([], []) == []
    assert engine.verify_many([], [], []) == []
    assert engine.encrypt_many([], []) == []
    assert engine.decrypt_many([], []) == []


def test_every_item_has_a_nonce_of_its_own(engine: MbxEngine) -> None:
    assert len(set(engine.sign_many([PAIR] * 9, [b"same"] * 9))) == 9
    assert len(set(engine.encrypt_many([PUBLIC] * 9, [b"same"] * 9))) == 9


@pytest.mark.parametrize("bad", [0, 3, 8])
def test_one_bad_signature_does_not_touch_the_others(engine: MbxEngine, bad: int) -> None:
    count = 9
    messages = [bytes([number]) for number in range(count)]
    good = engine.sign_many([PAIR] * count, messages)
    expected = [number != bad for number in range(count)]
    r, s = good[bad][:32], good[bad][32:]
    for wrong in (
        *(r + bytes([s[0] ^ 1]) + s[1:], bytes([r[0] ^ 128]) + r[1:] + s),
        *(bytes(32) + s, r + bytes(32), scalar(N) + s, r + scalar(N), s + r),
        *(r + scalar(N - int.from_bytes(r, "big")), b"", good[bad][:63], good[bad] + b"\0"),
    ):
        signatures = [*good[:bad], wrong, *good[bad + 1 :]]
        assert engine.verify_many([PUBLIC] * count, messages, signatures) == expected
    for public in (off_curve(), bytes(64), scalar(P) + PUBLIC[32:], b"", PUBLIC[:63]):
        publics = [PUBLIC] * bad + [public] + [PUBLIC] * (count - bad - 1)
        assert engine.verify_many(publics, messages, good) == expected


def test_a_signature_holds_for_its_message_and_identity_alone(engine: MbxEngine) -> None:
    [signature] = engine.sign_many([PAIR], [b"message"], b"ALICE123@YAHOO.COM")
    assert engine.verify_many([PUBLIC], [b"message"], [signature], b"ALICE123@YAHOO.COM") == [True]
    assert engine.verify_many([PUBLIC], [b"message"], [signature]) == [False]
    assert engine.verify_many([PUBLIC], [b"messagf"], [signature], b"ALICE123@YAHOO.COM") == [False]
    [nameless] = engine.sign_many([PAIR], [b"message"], b"")
    assert engine.verify_many([PUBLIC], [b"message"], [nameless], b"") == [True]
    with pytest.raises(InputRefused, match="8191"):
        engine.sign_many([PAIR], [b"message"], bytes(8192))


@pytest.mark.parametrize("bad", [0, 5, 8])
def test_one_bad_ciphertext_does_not_touch_the_others(engine: MbxEngine, bad: int) -> None:
    count = 9
    texts = [bytes([number]) * (number + 1) for number in range(count)]
    good = engine.encrypt_many([PUBLIC] * count, texts)
    expected = [None if number == bad else text for number, text in enumerate(texts)]
    whole = good[bad]
    for wrong in (
        *(off_curve(whole[:64]) + whole[64:], bytes(64) + whole[64:], scalar(P + 1) + whole[32:]),
        *(whole[:64] + bytes(32) + whole[96:], whole[:-1] + bytes([whole[-1] ^ 1])),
        *(whole[:96], whole[:-1] if len(whole) > 97 else b"", b"", whole + b"\0", G + whole[64:]),
    ):
        assert engine.decrypt_many([PAIR] * count, [*good[:bad], wrong, *good[bad + 1 :]]) == expected


@pytest.mark.parametrize("private", [bytes(32), scalar(N - 1), scalar(N), b"\xff" * 32, b"", bytes(31)])
def test_private_keys_out_of_range_are_refused_by_place(engine: MbxEngine, private: bytes) -> None:
    pairs = [PAIR, PAIR, KeyPair(private, PUBLIC)]
    for work in (
        lambda: engine.public_keys([pair.private for pair in pairs]),
        lambda: engine.sign_many(pairs, [b"m"] * 3),
        lambda: engine.decrypt_many(pairs, [CIPHERTEXT_OF_THE_STANDARD] * 3),
    ):
        with pytest.raises(KeyRefused, match="private key 2 of the batch") as refused:
            work()
        assert PRIVATE.hex() not in str(refused.value)


@pytest.mark.parametrize("public", [off_curve(), bytes(64), scalar(P) + PUBLIC[32:], b"", PUBLIC[1:]])
def test_nothing_is_encrypted_to_what_is_no_point(engine: MbxEngine, public: bytes) -> None:
    with pytest.raises(KeyRefused, match="public key 1 of the batch"):
        engine.encrypt_many([PUBLIC, public], [b"secret"] * 2)


def test_empty_plaintexts_and_unequal_numbers_are_refused(engine: MbxEngine) -> None:
    with pytest.raises(InputRefused):
        engine.encrypt_many([PUBLIC], [b""])
    with pytest.raises(InputRefused):
        engine.encrypt_many([PUBLIC], [])
    with pytest.raises(InputRefused):
        engine.sign_many([PAIR], [])
    with pytest.raises(InputRefused):
        engine.verify_many([PUBLIC], [b"m"], [])
    with pytest.raises(InputRefused):
        engine.decrypt_many([PAIR], [])


def test_lowest_and_highest_private_keys_work(engine: MbxEngine) -> None:
    """With k = 1 the two multiples that give y are P and 2P; n - 2 is the last whose successor is a multiple."""
    privates = [scalar(1), scalar(2), scalar(N - 2)]
    pairs = [KeyPair(*both) for both in zip(privates, engine.public_keys(privates), strict=True)]
    texts = [b"one", b"two", b"last"]
    assert engine.decrypt_many(pairs, engine.encrypt_many([pair.public for pair in pairs], texts)) == texts
    assert (
        engine.verify_many([pair.public for pair in pairs], texts, engine.sign_many(pairs, texts))
        == [True] * 3
    )


def test_lowest_nonce_encrypts_to_the_key_itself(functions: Functions) -> None:
    [ciphertext] = MbxEngine(functions, repeating(scalar(1))).encrypt_many([PUBLIC], [b"text"])
    assert ciphertext[:64] == G
    assert MbxEngine(functions, os.urandom).decrypt_many([PAIR], [ciphertext]) == [b"text"]


def test_a_key_stream_of_zeros_is_drawn_again(functions: Functions) -> None:
    """It would show the plaintext. With 470 as nonce the first byte of the stream to this key is zero."""
    assert sm3(multiple(470, PUBLIC) + (1).to_bytes(4, "big"))[0] == 0
    drawn = [scalar(470) + NONCE, scalar(3)]
    engine = MbxEngine(functions, lambda size: drawn.pop(0))
    ciphertexts = engine.encrypt_many([PUBLIC] * 2, [b"\x5a"] * 2)
    assert [ciphertext[:64] for ciphertext in ciphertexts] == [
        multiple(3, G),
        CIPHERTEXT_OF_THE_STANDARD[:64],
    ]
    assert engine.decrypt_many([PAIR] * 2, ciphertexts) == [b"\x5a"] * 2


def test_a_ciphertext_with_a_key_stream_of_zeros_is_refused(engine: MbxEngine) -> None:
    """GB/T 32918.4 §7.1, B4: even where C3 matches."""
    shared = multiple(470, PUBLIC)
    tag = sm3(shared[:32] + b"\x5a" + shared[32:])
    assert engine.decrypt_many([PAIR], [multiple(470, G) + tag + b"\x5a"]) == [None]


def test_a_signature_that_came_out_as_zero_is_made_again(double: MbxDouble) -> None:
    double.faults["mbx_sm2_ecdsa_sign_mb8"] = [SIGNATURE << 8]
    engine = MbxEngine(double, os.urandom)
    signatures = engine.sign_many([PAIR] * 8, [b"message"] * 8)
    # The stand-in wrote nothing for the failing call: the lanes that it called good hold zeros.
    assert [signature != bytes(64) for signature in signatures] == [n == 2 for n in range(8)]
    assert engine.verify_many([PUBLIC], [b"message"], [signatures[2]]) == [True]


def test_a_signature_that_is_always_zero_ends(double: MbxDouble) -> None:
    double.faults["mbx_sm2_ecdsa_sign_mb8"] = [SIGNATURE] * 50
    with pytest.raises(KeyRefused, match="again and again"):
        MbxEngine(double, os.urandom).sign_many([PAIR], [b"message"])


def test_multiples_that_do_not_fit_together_stop_the_engine(double: MbxDouble) -> None:
    engine = MbxEngine(double, os.urandom)
    double.faults["mbx_sm2_ecdh_mb8"] = [0]  # nothing written: x of kP is zero
    with pytest.raises(EngineUnavailable, match="do not fit together"):
        engine.encrypt_many([PUBLIC], [b"secret"])


@pytest.mark.parametrize("name", ["ecpublic_key", "ecdh", "ecdsa_sign", "ecdsa_verify"])
def test_a_library_without_its_instructions_is_no_verdict(double: MbxDouble, name: str) -> None:
    double.faults[f"mbx_sm2_{name}_mb8"] = [sum(UNSUPPORTED << (4 * lane) for lane in range(8))]
    engine = MbxEngine(double, os.urandom)
    with pytest.raises(EngineUnavailable):
        engine.encrypt_many([PUBLIC], [b"secret"])
        engine.sign_many([PAIR], [b"message"])
        engine.verify_many([PUBLIC], [b"message"], [SIGNATURE_OF_THE_STANDARD])


def test_a_public_half_that_is_no_point_cannot_sign(double: MbxDouble) -> None:
    double.faults["mbx_sm2_ecdsa_sign_mb8"] = [MISMATCH << 4]
    with pytest.raises(KeyRefused, match="pair 1"):
        MbxEngine(double, os.urandom).sign_many([PAIR] * 2, [b"m"] * 2)


def test_threads_do_not_disturb_each_other(engine: MbxEngine) -> None:
    def work(seed: int) -> bool:
        draw = random.Random(seed)
        pairs = engine.generate_many(5)
        messages = [draw.randbytes(20 + seed) for _ in pairs]
        publics = [pair.public for pair in pairs]
        genuine = engine.verify_many(publics, messages, engine.sign_many(pairs, messages))
        opened = engine.decrypt_many(pairs, engine.encrypt_many(publics, messages))
        sealed = engine.seal_many(bytes(16), [bytes([seed] * 12)] * 5, b"", messages)
        return (
            all(genuine)
            and opened == messages
            and engine.open_many(bytes(16), [bytes([seed] * 12)] * 5, b"", sealed) == messages
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


@pytest.mark.parametrize("highest", [N - 1, N - 2, P - 1, 1])
def test_ranges_at_their_ends(highest: int) -> None:
    values = [0, 1, highest - 1, highest, highest + 1, 2**64, 2**192 - 1, 2**256 - 1]
    rows = np.frombuffer(b"".join(scalar(value) for value in values), np.uint8).reshape(-1, 32)
    assert in_range(rows, 1, highest).tolist() == [1 <= value <= highest for value in values]


def test_random_numbers_out_of_range_are_drawn_again() -> None:
    drawn = [bytes(32) + b"\xff" * 32 + scalar(7), scalar(N) + scalar(8), scalar(9)]
    scalars = random_scalars(lambda size: drawn.pop(0), 3, N - 1)
    assert [int.from_bytes(row.tobytes(), "big") for row in scalars] == [9, 8, 7]
    with pytest.raises(EngineUnavailable, match="broken"):
        random_scalars(bytes, 1, N - 1)


def test_the_stand_in_multiplies_on_the_curve() -> None:
    x, y = (int.from_bytes(half, "big") for half in (PUBLIC[:32], PUBLIC[32:]))
    assert (y * y - x**3 - A * x - B) % P == 0
    assert multiple(int.from_bytes(PRIVATE, "big"), G) == PUBLIC
