"""Raw signatures and ciphertexts ↔ GM/T 0009-2012 DER, and the older order of a ciphertext.

Strict: one byte string for one value. What does not encode to itself again (long lengths, leading zeros) is refused.
All functions raise `EncodingRefused` for bytes of another form, with sizes and never with contents.
"""

from collections.abc import Sequence
from typing import Any

from Cryptodome.Util.asn1 import DerOctetString, DerSequence

from crypto.errors import EncodingRefused
from crypto.sm2 import curve

SIGNATURE_SIZE = 64
C1_SIZE = 64
C3_SIZE = 32
CIPHERTEXT_HEAD = C1_SIZE + C3_SIZE
# More belongs into an envelope: an SM4 key, and that under SM2.
MOST_PLAINTEXT = 1 << 20
# SEQUENCE, two INTEGERs of 33 bytes, two OCTET STRINGs: 6 + 2·35 + 34 + 6 at the most.
_MOST_OVERHEAD = 116 - C3_SIZE
_UNCOMPRESSED = b"\x04"
# SEQUENCE { INTEGER of 33, INTEGER of 33 }.
_MOST_SIGNATURE_DER = 72

_INTEGER, _MOST_INTEGER = 2, curve.SCALAR_SIZE + 1

Element = int | bytes


def signature_to_der(signature: bytes) -> bytes:
    """r ‖ s → SEQUENCE { r INTEGER, s INTEGER } (GM/T 0009 §7.3)."""
    if not curve.is_signature(signature):
        raise EncodingRefused(f"a raw SM2 signature is r ‖ s, 64 bytes in range, not {len(signature)} bytes")
    return sequence([*curve.point(signature)])


def signature_from_der(der: bytes) -> bytes:
    """The reverse."""
    if len(der) > _MOST_SIGNATURE_DER:
        raise EncodingRefused(
            f"an SM2 signature has at most {_MOST_SIGNATURE_DER} bytes of DER, not {len(der)}"
        )
    r, s = elements(der, "a signature", 2)
    signature = _scalar_bytes(r, "a signature") + _scalar_bytes(s, "a signature")
    if not curve.is_signature(signature):
        raise EncodingRefused("r and s of an SM2 signature are in [1, n-1]: this is no signature")
    return signature


def ciphertext_to_der(ciphertext: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2 → SEQUENCE { x INTEGER, y INTEGER, hash OCTET STRING, ciphertext OCTET STRING } (GM/T 0009 §7.2)."""
    c1, c3, c2 = _split(ciphertext)
    x, y = curve.point(c1)
    return sequence([x, y, DerOctetString(c3).encode(), DerOctetString(c2).encode()])


def ciphertext_from_der(der: bytes) -> bytes:
    """The reverse."""
    if len(der) > MOST_PLAINTEXT + CIPHERTEXT_HEAD + _MOST_OVERHEAD:
        raise EncodingRefused(f"an SM2 ciphertext of {len(der)} bytes is too long; seal a data key instead")
    x, y, c3, c2 = elements(der, "a ciphertext", 4)
    c1 = _scalar_bytes(x, "a ciphertext") + _scalar_bytes(y, "a ciphertext")
    ciphertext = c1 + octets(c3, "a ciphertext", C3_SIZE) + octets(c2, "a ciphertext")
    _split(ciphertext)
    return ciphertext


def to_c1c2c3(ciphertext: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2 → C1 ‖ C2 ‖ C3, the order before GB/T 32918.4-2016."""
    c1, c3, c2 = _split(ciphertext)
    return c1 + c2 + c3


def from_c1c2c3(ciphertext: bytes) -> bytes:
    """C1 ‖ C2 ‖ C3 → C1 ‖ C3 ‖ C2."""
    if len(ciphertext) <= CIPHERTEXT_HEAD:
        raise EncodingRefused(
            f"a raw SM2 ciphertext has more than {CIPHERTEXT_HEAD} bytes, not {len(ciphertext)}"
        )
    raw = ciphertext[:C1_SIZE] + ciphertext[-C3_SIZE:] + ciphertext[C1_SIZE:-C3_SIZE]
    _split(raw)
    return raw


def to_uncompressed(raw: bytes) -> bytes:
    """A raw public key or ciphertext with the byte 04 before its point (GB/T 32918.1 §4.2.9)."""
    if len(raw) < curve.POINT_SIZE or not curve.is_point(raw[: curve.POINT_SIZE]):
        raise EncodingRefused("a raw SM2 key or ciphertext begins with a point of the curve, 64 bytes x ‖ y")
    return _UNCOMPRESSED + raw


def from_uncompressed(octets_04: bytes) -> bytes:
    """The reverse. Compressed points (02, 03) are refused."""
    if octets_04[:1] != _UNCOMPRESSED:
        raise EncodingRefused("a point in its uncompressed form begins with 04; ask for that form")
    raw = octets_04[1:]
    to_uncompressed(raw)
    return raw


def sequence(parts: Sequence[Element]) -> bytes:
    """The DER SEQUENCE of integers and of what is DER already."""
    items: list[Any] = list(parts)
    return bytes(DerSequence(items).encode())


def elements(der: bytes, what: str, *counts: int) -> list[Element]:
    """The elements of a DER SEQUENCE: integers, and other things as DER; as many as one of `counts`."""
    _check_integers(der, what)
    try:
        # The package's own types say None for an element.
        decoded: Any = DerSequence().decode(der, strict=True)
    except (ValueError, IndexError):
        raise EncodingRefused(f"{what}: not a SEQUENCE in DER") from None
    found: list[Element] = [decoded[index] for index in range(len(decoded))]
    if len(found) not in counts:
        raise EncodingRefused(f"{what}: a SEQUENCE of {' or '.join(map(str, counts))}, not of {len(found)}")
    if sequence(found) != der:
        raise EncodingRefused(f"{what}: not in the one form that DER allows")
    return found


def octets(element: Element, what: str, size: int | None = None) -> bytes:
    """The content of an OCTET STRING, of this size if there is one."""
    if not isinstance(element, bytes):
        raise EncodingRefused(f"{what}: an INTEGER where an OCTET STRING belongs")
    try:
        content = bytes(DerOctetString().decode(element, strict=True).payload)
    except (ValueError, IndexError):
        raise EncodingRefused(f"{what}: an OCTET STRING is missing or broken") from None
    if DerOctetString(content).encode() != element or (size is not None and len(content) != size):
        raise EncodingRefused(f"{what}: an OCTET STRING is of the wrong size or form")
    return content


def _check_integers(der: bytes, what: str) -> None:
    """No INTEGER is longer than a scalar: decoding takes the square of its length, minutes for 1 MiB."""
    place, _ = _header(der, 0)
    while place < len(der):
        start, size = _header(der, place)
        if der[place] == _INTEGER and size > _MOST_INTEGER:
            raise EncodingRefused(f"{what}: an INTEGER of 256 bits, not {size} bytes, belongs there")
        place = start + size


def _header(der: bytes, place: int) -> tuple[int, int]:
    """Where the content of the element at `place` begins, and its length as it says."""
    first = der[place + 1] if place + 1 < len(der) else 0
    if first < 0x80:
        return place + 2, first
    start = place + 2 + (first & 0x7F)
    return start, int.from_bytes(der[place + 2 : start], "big")


def _scalar_bytes(element: Element, what: str) -> bytes:
    if not isinstance(element, int) or not 0 <= element < 1 << 256:
        raise EncodingRefused(f"{what}: an INTEGER of 256 bits, not negative, is missing")
    return element.to_bytes(curve.SCALAR_SIZE, "big")


def _split(ciphertext: bytes) -> tuple[bytes, bytes, bytes]:
    if not CIPHERTEXT_HEAD < len(ciphertext) <= CIPHERTEXT_HEAD + MOST_PLAINTEXT:
        raise EncodingRefused(
            f"a raw SM2 ciphertext has {CIPHERTEXT_HEAD + 1} bytes or more, not {len(ciphertext)}"
        )
    c1, c3 = ciphertext[:C1_SIZE], ciphertext[C1_SIZE:CIPHERTEXT_HEAD]
    if not curve.is_point(c1):
        raise EncodingRefused("C1 of an SM2 ciphertext is not a point of the curve")
    return c1, c3, ciphertext[CIPHERTEXT_HEAD:]
