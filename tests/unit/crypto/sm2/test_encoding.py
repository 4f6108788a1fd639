"""Signatures and ciphertexts in DER and raw; whatever is not exactly of the form is refused with a message."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import EncodingRefused
from crypto.sm2 import curve, encoding

pytestmark = pytest.mark.requirement("H2", "H2.1")

# GB/T 32918.5-2017, appendix A: signature; appendix C: ciphertext of "encryption standard".
SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
C1 = bytes.fromhex(
    "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
)
C3 = bytes.fromhex("59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766")
C2 = bytes.fromhex("21886ca989ca9c7d58087307ca93092d651efa")
CIPHERTEXT = C1 + C3 + C2
DER_SIGNATURE = encoding.signature_to_der(SIGNATURE)
DER_CIPHERTEXT = encoding.ciphertext_to_der(CIPHERTEXT)

scalars = st.integers(1, curve.N - 1).map(lambda value: value.to_bytes(32, "big"))


def test_signature_in_der_is_two_integers() -> None:
    # Both halves have their highest bit set: DER puts a zero before them.
    assert DER_SIGNATURE.hex() == "3046022100" + SIGNATURE[:32].hex() + "022100" + SIGNATURE[32:].hex()
    assert encoding.signature_from_der(DER_SIGNATURE) == SIGNATURE


def test_ciphertext_in_der_is_two_integers_and_two_strings() -> None:
    expected = f"307c0220{C1[:32].hex()}022100{C1[32:].hex()}0420{C3.hex()}0413{C2.hex()}"
    assert DER_CIPHERTEXT.hex() == expected
    assert encoding.ciphertext_from_der(DER_CIPHERTEXT) == CIPHERTEXT


@given(scalars, scalars)
def test_any_signature_comes_back(r: bytes, s: bytes) -> None:
    if curve.is_signature(r + s):
        assert encoding.signature_from_der(encoding.signature_to_der(r + s)) == r + s


@given(st.binary(min_size=1, max_size=300), st.binary(min_size=32, max_size=32))
def test_any_ciphertext_comes_back_in_all_forms(c2: bytes, c3: bytes) -> None:
    raw = C1 + c3 + c2
    assert encoding.ciphertext_from_der(encoding.ciphertext_to_der(raw)) == raw
    assert encoding.to_c1c2c3(raw) == C1 + c2 + c3
    assert encoding.from_c1c2c3(encoding.to_c1c2c3(raw)) == raw
    assert encoding.from_uncompressed(encoding.to_uncompressed(raw)) == raw


def integer(value: bytes) -> bytes:
    return bytes([2, len(value)]) + value


def sequence(*parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([0x30, len(content)]) + content


ONE = integer(b"\x01")
ORDER = integer(b"\x00" + curve.N.to_bytes(32, "big"))

BAD_SIGNATURES = {
    "empty": b"",
    "bytes behind": DER_SIGNATURE + b"\x00",
    "cut": DER_SIGNATURE[:-1],
    "length in a long form": b"\x30\x81\x46" + DER_SIGNATURE[2:],
    "no length": b"\x30\x80" + DER_SIGNATURE[2:] + b"\x00\x00",
    "a length of no bytes": b"\x30\xff",
    "a set": b"\x31" + DER_SIGNATURE[1:],
    "a leading zero": sequence(integer(b"\x00\x01"), ONE),
    "negative": sequence(integer(b"\x81"), ONE),
    "zero": sequence(integer(b"\x00"), ONE),
    "the order": sequence(ORDER, ONE),
    "r + s = n": sequence(integer(b"\x00" + (curve.N - 1).to_bytes(32, "big")), ONE),
    "one integer": sequence(ONE),
    "three integers": sequence(ONE, ONE, ONE),
    "a string": sequence(ONE, b"\x04\x01\x01"),
    "a number without bytes": sequence(ONE, b"\x02\x00"),
    "too long": sequence(integer(bytes([1]) * 100), ONE),
    "raw": SIGNATURE,
}


@pytest.mark.parametrize("name", BAD_SIGNATURES)
def test_refuses_what_is_no_signature(name: str) -> None:
    with pytest.raises(EncodingRefused):
        encoding.signature_from_der(BAD_SIGNATURES[name])


OFF_CURVE = C1[:-1] + b"\xf1"
BAD_CIPHERTEXTS = {
    "empty": b"",
    "bytes behind": DER_CIPHERTEXT + b"\x00",
    "cut": DER_CIPHERTEXT[:-1],
    "off the curve": sequence(
        integer(OFF_CURVE[:32]),
        integer(b"\x00" + OFF_CURVE[32:]),
        b"\x04\x20" + C3,
        b"\x04\x13" + C2,
    ),
    "no ciphertext": sequence(integer(C1[:32]), integer(b"\x00" + C1[32:]), b"\x04\x20" + C3, b"\x04\x00"),
    "a short digest": sequence(
        integer(C1[:32]), integer(b"\x00" + C1[32:]), b"\x04\x1f" + C3[1:], b"\x04\x13" + C2
    ),
    "strings for integers": sequence(
        b"\x04\x20" + C1[:32], b"\x04\x20" + C1[32:], b"\x04\x20" + C3, b"\x04\x13" + C2
    ),
    "integers for strings": sequence(ONE, ONE, ONE, ONE),
    "raw": CIPHERTEXT,
}


@pytest.mark.parametrize("name", BAD_CIPHERTEXTS)
def test_refuses_what_is_no_ciphertext(name: str) -> None:
    with pytest.raises(EncodingRefused):
        encoding.ciphertext_from_der(BAD_CIPHERTEXTS[name])


def test_refuses_a_ciphertext_that_is_too_long_before_it_is_parsed() -> None:
    with pytest.raises(EncodingRefused, match="too long"):
        encoding.ciphertext_from_der(bytes(encoding.MOST_PLAINTEXT + 1000))


@pytest.mark.parametrize("raw", [b"", CIPHERTEXT[:96], bytes(120), OFF_CURVE + C3 + C2])
def test_refuses_raw_ciphertexts_of_no_form(raw: bytes) -> None:
    for convert in (encoding.ciphertext_to_der, encoding.to_c1c2c3, encoding.from_c1c2c3):
        with pytest.raises(EncodingRefused):
            convert(raw)


@pytest.mark.parametrize(
    "raw", [b"", bytes(64), SIGNATURE[:-1], SIGNATURE + b"\0", curve.N.to_bytes(32, "big") + SIGNATURE[32:]]
)
def test_refuses_raw_signatures_of_no_form(raw: bytes) -> None:
    with pytest.raises(EncodingRefused):
        encoding.signature_to_der(raw)


@pytest.mark.parametrize(
    "octets", [b"", b"\x02" + C1[:32], C1, b"\x04" + C1[:-1], b"\x04" + OFF_CURVE, b"\x00"]
)
def test_refuses_points_of_another_form(octets: bytes) -> None:
    with pytest.raises(EncodingRefused):
        encoding.from_uncompressed(octets)


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=120), st.binary(max_size=120).map(lambda data: b"\x30" + data)))
def test_any_bytes_are_refused_or_are_the_one_form(data: bytes) -> None:
    for decode, encode in (
        (encoding.signature_from_der, encoding.signature_to_der),
        (encoding.ciphertext_from_der, encoding.ciphertext_to_der),
    ):
        try:
            raw = decode(data)
        except EncodingRefused:
            continue
        assert encode(raw) == data


@given(st.integers(0, len(DER_CIPHERTEXT) * 8 - 1))
def test_a_flipped_bit_is_refused_or_stays_the_one_form(bit: int) -> None:
    flipped = bytearray(DER_CIPHERTEXT)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        raw = encoding.ciphertext_from_der(bytes(flipped))
    except EncodingRefused:
        return
    assert encoding.ciphertext_to_der(raw) == bytes(flipped)
    assert raw != CIPHERTEXT


def test_messages_hold_no_contents() -> None:
    with pytest.raises(EncodingRefused) as refused:
        encoding.signature_from_der(DER_SIGNATURE[:-1])
    assert SIGNATURE.hex()[:8] not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("place", range(5))
def test_a_long_integer_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    def decode(*_: object, **__: object) -> None:
        raise AssertionError("decoding it takes the square of its length")

    parts = [b"\x02\x01\x01"] * 5
    parts[place] = b"\x02\x83\x01\x00\x00" + b"\x01" * 0x10000
    content = b"".join(parts)
    monkeypatch.setattr(encoding.DerSequence, "decode", decode)
    with pytest.raises(EncodingRefused, match="INTEGER"):
        encoding.ciphertext_from_der(b"\x30\x83" + len(content).to_bytes(3, "big") + content)
