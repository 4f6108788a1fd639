"""What every SM2 engine must do, on each that this machine has, with two outside judges.

How much is tried follows the engine's speed: a hundred thousand random round trips where eight lanes run, a few where each
operation takes milliseconds.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from crypto.errors import InputRefused
from crypto.provider import KeyPair, Sm2Engine
from crypto.sm2 import curve
from crypto.sm2.self_test import check_sm2
from tests.fixtures.sm2_engines import (
    ENGINES,
    NONCE_FROM_CALLER,
    GmalglibJudge,
    GmsslPyxJudge,
    available,
    open_engine,
)
from tests.fixtures.sm2_vectors import (
    C1,
    CIPHERTEXT,
    MESSAGE,
    NONCE,
    PAIR,
    PLAINTEXT,
    SIGNATURE,
    flipped,
    negative,
    scalar,
)

pytestmark = pytest.mark.requirement("H2", "H2.1", "H2.4")

HERE = available()
JUDGES = {"gmssl-pyx": GmsslPyxJudge(), "gmalglib": GmalglibJudge()}
ALL = [*HERE, *JUDGES]
ROUND_TRIPS = {"mbx": 100_000, "ippcp": 1_000, "openssl": 150, "sdf": 100, "gmssl": 5}
FLIPS = {"mbx": 1024, "ippcp": 1024, "openssl": 128, "sdf": 128, "gmssl": 8}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Sm2Engine:
    if request.param not in HERE:
        pytest.skip(f"engine {request.param} does not run on this machine")
    return open_engine(request.param)


def anyone(name: str) -> Sm2Engine:
    return JUDGES[name] if name in JUDGES else open_engine(name)  # type: ignore[return-value]


def some(total: int, most: int) -> list[int]:
    """All of them, or as many evenly spread."""
    return list(range(0, total, max(1, total // most)))


def test_gives_the_published_answers(engine: Sm2Engine) -> None:
    check_sm2(engine)
    assert engine.public_keys([PAIR.private]) == [PAIR.public]
    assert engine.verify_many([PAIR.public], [MESSAGE], [SIGNATURE]) == [True]
    assert engine.decrypt_many([PAIR], [CIPHERTEXT]) == [PLAINTEXT]


@pytest.mark.parametrize("name", [name for name in NONCE_FROM_CALLER if name in HERE])
def test_with_the_published_nonce_makes_the_published_bytes(name: str) -> None:
    engine = open_engine(name, lambda size: NONCE * (size // 32))
    assert engine.sign_many([PAIR], [MESSAGE]) == [SIGNATURE]
    assert engine.encrypt_many([PAIR.public], [PLAINTEXT]) == [CIPHERTEXT]
    assert engine.generate_many(1) == [KeyPair(NONCE, C1)]


@pytest.mark.parametrize("judge", ALL)
@pytest.mark.parametrize("maker", ALL)
def test_signed_here_is_accepted_there(maker: str, judge: str) -> None:
    pairs = open_engine(HERE[0]).generate_many(3)
    publics = [pair.public for pair in pairs]
    messages = [b"", b"a", secrets.token_bytes(200)]
    for user_id in (b"1234567812345678", "影像科".encode()):
        signatures = anyone(maker).sign_many(pairs, messages, user_id)
        assert anyone(judge).verify_many(publics, messages, signatures, user_id) == [True] * 3
    moved = [messages[1], messages[2], messages[0]]
    assert anyone(judge).verify_many(publics, moved, signatures, user_id) == [False] * 3
    assert anyone(judge).verify_many(publics, messages, signatures, b"someone else") == [False] * 3


@pytest.mark.parametrize("judge", ALL)
@pytest.mark.parametrize("maker", ALL)
def test_encrypted_here_is_opened_there(maker: str, judge: str) -> None:
    pairs = open_engine(HERE[0]).generate_many(4)
    plaintexts = [secrets.token_bytes(size) for size in (16, 31, 33, 255)]
    ciphertexts = anyone(maker).encrypt_many([pair.public for pair in pairs], plaintexts)
    assert [len(one) for one in ciphertexts] == [len(plain) + 96 for plain in plaintexts]
    assert anyone(judge).decrypt_many(pairs, ciphertexts) == plaintexts
    altered = [flipped(one, 8 * 96 + 3) for one in ciphertexts]
    assert anyone(judge).decrypt_many(pairs, altered) == [None] * 4
    others = [*pairs[1:], pairs[0]]
    assert anyone(judge).decrypt_many(others, ciphertexts) == [None] * 4


def test_random_round_trips(engine: Sm2Engine) -> None:
    count = ROUND_TRIPS[engine.name]
    pairs = engine.generate_many(count)
    publics = [pair.public for pair in pairs]
    seed = secrets.token_bytes(100)
    messages = [seed[: index % 100] + index.to_bytes(4, "big") for index in range(count)]
    signatures = engine.sign_many(pairs, messages)
    assert all(engine.verify_many(publics, messages, signatures))
    altered = [flipped(one, index % 512) for index, one in enumerate(signatures)]
    assert not any(engine.verify_many(publics, messages, altered))
    ciphertexts = engine.encrypt_many(publics, messages)
    assert engine.decrypt_many(pairs, ciphertexts) == messages
    assert len({one[:32] for one in signatures} | {one[:32] for one in ciphertexts}) == 2 * count
    assert len(set(publics)) == count


def test_any_flipped_bit_of_a_signature_is_refused(engine: Sm2Engine) -> None:
    bits = some(512, FLIPS[engine.name])
    altered = [flipped(SIGNATURE, bit) for bit in bits]
    verdicts = engine.verify_many([PAIR.public] * len(bits), [MESSAGE] * len(bits), altered)
    assert not any(verdicts)


def test_any_flipped_bit_of_a_message_or_key_is_refused(engine: Sm2Engine) -> None:
    bits = some(8 * len(MESSAGE), FLIPS[engine.name])
    messages = [flipped(MESSAGE, bit) for bit in bits]
    assert not any(engine.verify_many([PAIR.public] * len(bits), messages, [SIGNATURE] * len(bits)))
    bits = some(512, FLIPS[engine.name])
    publics = [flipped(PAIR.public, bit) for bit in bits]
    assert not any(engine.verify_many(publics, [MESSAGE] * len(bits), [SIGNATURE] * len(bits)))


def test_any_flipped_bit_of_a_ciphertext_is_refused(engine: Sm2Engine) -> None:
    bits = some(8 * len(CIPHERTEXT), FLIPS[engine.name])
    altered = [flipped(CIPHERTEXT, bit) for bit in bits]
    assert engine.decrypt_many([PAIR] * len(bits), altered) == [None] * len(bits)


def test_the_ends_of_the_range_of_private_keys_work(engine: Sm2Engine) -> None:
    privates = [scalar(1), scalar(2), scalar(curve.N - 2)]
    publics = engine.public_keys(privates)
    assert publics[0] == curve.G
    assert publics[1] == curve.add(curve.G, curve.G)
    assert publics[2] == negative(publics[1])
    pairs = [KeyPair(*halves) for halves in zip(privates, publics, strict=True)]
    signatures = engine.sign_many(pairs, [MESSAGE] * 3)
    assert engine.verify_many(publics, [MESSAGE] * 3, signatures) == [True] * 3
    assert engine.decrypt_many(pairs, engine.encrypt_many(publics, [PLAINTEXT] * 3)) == [PLAINTEXT] * 3


def test_one_byte_comes_back_every_time(engine: Sm2Engine) -> None:
    """One of 256 key streams for one byte is zero and must be drawn again."""
    count = 2000 if engine.lanes > 1 else 5 if engine.name == "gmssl" else 300
    plaintexts = [bytes([index % 256]) for index in range(count)]
    ciphertexts = engine.encrypt_many([PAIR.public] * count, plaintexts)
    assert all(one[96:] != plain for one, plain in zip(ciphertexts, plaintexts, strict=True))
    assert engine.decrypt_many([PAIR] * count, ciphertexts) == plaintexts


def test_nothing_is_nothing(engine: Sm2Engine) -> None:
    assert engine.generate_many(0) == engine.public_keys([]) == engine.sign_many([], []) == []
    assert engine.verify_many([], [], []) == engine.encrypt_many([], []) == engine.decrypt_many([], []) == []


@pytest.mark.parametrize("lengths", [(1, 2), (2, 1)])
def test_unequal_numbers_are_refused(engine: Sm2Engine, lengths: tuple[int, int]) -> None:
    keys, items = lengths
    with pytest.raises((ValueError, InputRefused)):
        engine.sign_many([PAIR] * keys, [MESSAGE] * items)
    with pytest.raises((ValueError, InputRefused)):
        engine.verify_many([PAIR.public] * keys, [MESSAGE] * items, [SIGNATURE] * items)


def test_threads_share_an_engine(engine: Sm2Engine) -> None:
    count = 2 if engine.name == "gmssl" else 20

    def work(_: int) -> bool:
        pairs = engine.generate_many(count)
        messages = [pair.public for pair in pairs]
        signatures = engine.sign_many(pairs, messages)
        sealed = engine.encrypt_many(messages, messages)
        return (
            all(engine.verify_many(messages, messages, signatures))
            and engine.decrypt_many(pairs, sealed) == messages
        )

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(8)))
