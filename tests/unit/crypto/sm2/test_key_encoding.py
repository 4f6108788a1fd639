"""Key files: what OpenSSL writes is read, what we write OpenSSL would have written; other things are refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import EncodingRefused, KeyRefused
from crypto.provider import KeyPair
from crypto.sm2 import curve, key_encoding

pytestmark = pytest.mark.requirement("H2", "H2.1")

# Written by `openssl genpkey -algorithm SM2` and `openssl pkey -pubout` (OpenSSL 3.0.19), a key for this test only.
PRIVATE_PEM = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQgzLnM552Vy8FQkEHW
/Au6NPhI9QVWcqRAelTnRG2CAZ6hRANCAAT90+93JuORzq9pSj72TNPbF5Va7uOH
anIUDpw8g6mUycyBcltb7erx2JZAVd+5cKAtLdZcL93WwAZqJwidSc8Q
-----END PRIVATE KEY-----
"""
PRIVATE = bytes.fromhex("ccb9cce79d95cbc1509041d6fc0bba34f848f5055672a4407a54e7446d82019e")
PUBLIC = bytes.fromhex(
    "fdd3ef7726e391ceaf694a3ef64cd3db17955aeee3876a72140e9c3c83a994c9"
    "cc81725b5bedeaf1d8964055dfb970a02d2dd65c2fddd6c0066a27089d49cf10"
)
PAIR = KeyPair(PRIVATE, PUBLIC)
DER = key_encoding.private_to_der(PAIR)


def public_keys(privates: object) -> list[bytes]:
    return [PUBLIC]


def test_reads_and_writes_what_openssl_writes() -> None:
    assert key_encoding.private_from_pem(PRIVATE_PEM, public_keys) == PAIR
    assert key_encoding.private_to_pem(PAIR) == PRIVATE_PEM


def test_public_key_comes_back() -> None:
    pem = key_encoding.public_to_pem(PUBLIC)
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAE")
    assert key_encoding.public_from_pem(pem) == PUBLIC
    assert key_encoding.public_from_pem(pem.replace("\n", "\r\n")) == PUBLIC


def wrapped(inner: bytes) -> bytes:
    octets = b"\x04" + bytes([len(inner)]) + inner
    content = DER[3:6] + DER[6:27] + octets
    return b"\x30" + (b"\x81" if len(content) > 127 else b"") + bytes([len(content)]) + content


def key_of(*parts: bytes) -> bytes:
    content = b"\x02\x01\x01\x04\x20" + PRIVATE + b"".join(parts)
    return wrapped(b"\x30" + bytes([len(content)]) + content)


CURVE_PART = bytes.fromhex("a00a06082a811ccf5501822d")
PUBLIC_PART = bytes.fromhex("a14403420004") + PUBLIC


@pytest.mark.parametrize(
    "parts",
    [(), (CURVE_PART,), (PUBLIC_PART,), (CURVE_PART, PUBLIC_PART)],
    ids=["none", "curve", "public", "both"],
)
def test_reads_the_optional_parts_of_rfc_5915(parts: tuple[bytes, ...]) -> None:
    assert key_encoding.private_from_der(key_of(*parts), public_keys) == PAIR


BAD_PRIVATE = {
    "parts in the wrong order": key_of(PUBLIC_PART, CURVE_PART),
    "another curve": key_of(bytes.fromhex("a00a06082a8648ce3d030107")),
    "a compressed point": key_of(bytes.fromhex("a12403220002") + PUBLIC[:32]),
    "something else": key_of(b"\xa2\x03\x02\x01\x01"),
    "another algorithm": DER.replace(bytes.fromhex("2a811ccf5501822d"), bytes.fromhex("2a8648ce3d030107")),
    "another version": DER.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1),
    "another inner version": wrapped(DER[29:].replace(b"\x02\x01\x01", b"\x02\x01\x02", 1)),
    "bytes behind": DER + b"\0",
    "cut": DER[:-1],
    "an inner key that is no key": wrapped(b"\x30\x03\x02\x01\x01"),
    "empty": b"",
}


@pytest.mark.parametrize("name", BAD_PRIVATE)
def test_refuses_what_is_no_sm2_key(name: str) -> None:
    with pytest.raises(EncodingRefused):
        key_encoding.private_from_der(BAD_PRIVATE[name], public_keys)


def test_refuses_halves_of_two_pairs() -> None:
    with pytest.raises(KeyRefused, match="do not belong together"):
        key_encoding.private_from_pem(PRIVATE_PEM, lambda privates: [curve.G])


@pytest.mark.parametrize("value", [0, curve.N - 1, curve.N, 2**256 - 1])
def test_refuses_a_private_key_out_of_range(value: int) -> None:
    der = DER.replace(PRIVATE, value.to_bytes(32, "big"))
    with pytest.raises(KeyRefused, match=r"\[1, n-2\]"):
        key_encoding.private_from_der(der, public_keys)
    with pytest.raises(KeyRefused):
        key_encoding.private_to_pem(KeyPair(value.to_bytes(32, "big"), PUBLIC))


def test_refuses_a_public_key_off_the_curve() -> None:
    off = PUBLIC[:-1] + b"\x11"
    with pytest.raises(KeyRefused, match="not a point"):
        key_encoding.public_to_pem(off)
    with pytest.raises(KeyRefused, match="not a point"):
        key_encoding.public_from_der(key_encoding.public_to_der(PUBLIC).replace(PUBLIC, off))


@pytest.mark.parametrize(
    "pem",
    [
        "",
        PRIVATE_PEM * 2,
        "text before\n" + PRIVATE_PEM,
        PRIVATE_PEM.replace("PRIVATE KEY", "EC PRIVATE KEY"),
        PRIVATE_PEM.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        key_encoding.public_to_pem(PUBLIC),
        PRIVATE_PEM.replace("MIGH", "MI=H"),
        PRIVATE_PEM.replace("MIGH", "MIG!"),
        PRIVATE_PEM.replace("END PRIVATE", "END PUBLIC"),
        PRIVATE_PEM + "\n" * 5000,
    ],
)
def test_refuses_text_that_is_not_one_pem_block(pem: str) -> None:
    with pytest.raises(EncodingRefused):
        key_encoding.private_from_pem(pem, public_keys)


def test_messages_hold_no_key() -> None:
    with pytest.raises(KeyRefused) as refused:
        key_encoding.private_from_pem(PRIVATE_PEM, lambda privates: [curve.G])
    assert PRIVATE.hex()[:8] not in str(refused.value)


@settings(max_examples=300)
@given(st.integers(0, 8 * len(DER) - 1))
def test_a_flipped_bit_of_a_key_file_is_refused_or_is_another_key(bit: int) -> None:
    flipped = bytearray(DER)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        read = key_encoding.private_from_der(bytes(flipped), public_keys)
    except (EncodingRefused, KeyRefused):
        return
    # The public half is stated in the file and stayed: only the private one can have changed.
    assert read.private != PRIVATE


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=150).map(lambda tail: DER[:36] + tail)))
def test_any_bytes_are_refused_with_one_of_two_errors(data: bytes) -> None:
    if data != DER:
        with pytest.raises((EncodingRefused, KeyRefused)):
            key_encoding.private_from_der(data, public_keys)
    with pytest.raises((EncodingRefused, KeyRefused)):
        key_encoding.public_from_der(data)


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(EncodingRefused):
        key_encoding.public_from_pem(text)
