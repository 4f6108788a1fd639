"""SM3, HMAC-SM3 and the KDF against the standards' examples and against gmssl as a second opinion."""

import pytest
from gmssl import sm3 as gmssl_sm3
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.sm3 import Sm3, hmac_sm3, kdf, sm3

pytestmark = pytest.mark.requirement("H2.4")


def reference(data: bytes) -> bytes:
    return bytes.fromhex(gmssl_sm3.sm3_hash(list(data)))


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
    ids=["GB/T 32905 A.1", "GB/T 32905 A.2"],
)
def test_digest_gives_the_published_answers(message: bytes, answer: str) -> None:
    assert sm3(message).hex() == answer
    assert Sm3(message).hexdigest() == answer


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300), st.binary(max_size=200))
def test_digest_agrees_with_gmssl_whole_and_in_parts(first: bytes, second: bytes) -> None:
    digest = Sm3()
    digest.update(first)
    assert digest.digest() == reference(first)
    digest.update(memoryview(second))
    assert digest.digest() == sm3(first + second) == reference(first + second)


@pytest.mark.parametrize("key_length", [0, 1, 16, 32, 63, 64, 65, 100])
def test_hmac_follows_rfc_2104_over_gmssl(key_length: int) -> None:
    key = bytes(range(key_length))
    block = (reference(key) if key_length > 64 else key).ljust(64, b"\0")
    inner = reference(bytes(byte ^ 0x36 for byte in block) + b"report")
    assert hmac_sm3(key, b"report") == reference(bytes(byte ^ 0x5C for byte in block) + inner)


def test_kdf_gives_the_stream_of_the_sm2_encryption_example() -> None:
    """GB/T 32918.5-2017, annex C.2: t = KDF(x2 ‖ y2, 152 bits)."""
    x2 = bytes.fromhex("335e18d751e51f040e27d468138b7ab1dc86ad7f981d7d416222fd6ab3ed230d")
    y2 = bytes.fromhex("ab743ebcfb22d64f7b6ab791f70658f25b48fa93e54064fdbfbed3f0bd847ac9")
    assert kdf(x2, y2, 19).hex() == "44e60fdbf0bae814376653 74bef26749046c9e".replace(" ", "")


def test_kdf_counts_blocks_and_starts_equal_for_every_length() -> None:
    long = kdf(b"secret", b"info", 100)
    assert len(long) == 100
    assert long[32:64] == sm3(b"secretinfo" + bytes([0, 0, 0, 2]))
    assert kdf(b"secret", b"info", 33) == long[:33]


@pytest.mark.parametrize("length", [0, -1])
def test_kdf_refuses_an_empty_key(length: int) -> None:
    with pytest.raises(ValueError, match="1 byte or more"):
        kdf(b"secret", b"info", length)
