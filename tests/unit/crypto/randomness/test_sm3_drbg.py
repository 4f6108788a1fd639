"""The mechanism: OpenSSL's answers, and the reseed of GM/T 0105 written down a second time."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import SelfTestFailed
from crypto.randomness import sm3_drbg
from crypto.randomness.sm3_drbg import Sm3Drbg, run_known_answer
from crypto.sm3 import sm3
from tests.unit.crypto.randomness import openssl_drbg

pytestmark = pytest.mark.requirement("H2.5")

ENTROPY, NONCE = bytes(range(64)), bytes(range(64, 80))


@pytest.mark.skipif(openssl_drbg.library() is None, reason="the system has no libcrypto 3")
@settings(max_examples=25, deadline=None)
@given(
    st.binary(min_size=48, max_size=128),
    st.binary(min_size=16, max_size=40),
    st.binary(max_size=30),
    st.lists(st.integers(1, 200), min_size=1, max_size=8),
)
def test_it_answers_as_openssl_does(entropy: bytes, nonce: bytes, label: bytes, counts: list[int]) -> None:
    drbg = Sm3Drbg(entropy, nonce, label)
    assert [drbg.generate(count) for count in counts] == openssl_drbg.outputs(entropy, nonce, label, counts)


def _df(data: bytes) -> bytes:
    """SM3_df with a seed length of 440 bits."""
    return (sm3(b"\x01\x00\x00\x01\xb8" + data) + sm3(b"\x02\x00\x00\x01\xb8" + data))[:55]


def test_a_reseed_is_that_of_gmt_0105() -> None:
    """seed = SM3_df(0x01 ‖ entropy ‖ V), C = SM3_df(0x00 ‖ seed); the first output is SM3(seed)."""
    drbg = Sm3Drbg(ENTROPY, NONCE)
    first = _df(ENTROPY + NONCE)
    fresh = b"\xa5" * 64
    drbg.reseed(fresh)
    seed = _df(b"\x01" + fresh + first)
    assert drbg.requests == 0
    assert drbg.generate(32) == sm3(seed)
    step = sum(int.from_bytes(part, "big") for part in (seed, sm3(b"\x03" + seed), _df(b"\x00" + seed)))
    assert drbg.generate(32) == sm3(((step + 1) % 2**440).to_bytes(55, "big"))


def test_label_and_nonce_separate_generators() -> None:
    outputs = {
        Sm3Drbg(ENTROPY, nonce, label).generate(32)
        for nonce in (NONCE, b"other" * 4)
        for label in (b"", b"x")
    }
    assert len(outputs) == 4


def test_a_wrong_mechanism_is_noticed_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    run_known_answer()
    monkeypatch.setattr(sm3_drbg, "sm3", lambda *parts: sm3(*parts, b"!"))
    with pytest.raises(SelfTestFailed, match="generator"):
        run_known_answer()
