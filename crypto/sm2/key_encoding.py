"""SM2 keys as PEM: SubjectPublicKeyInfo (RFC 5480) and PKCS#8 (RFC 5208, RFC 5915), curve 1.2.156.10197.1.301 (GM/T 0006).

A private key in PEM is in clear. It leaves the vault in this form for a person's own use; backups have their own form.
"""

import base64
import binascii
import re
import textwrap
from collections.abc import Callable, Sequence

from Cryptodome.Util.asn1 import DerOctetString

from crypto.errors import EncodingRefused, KeyRefused
from crypto.provider import KeyPair
from crypto.sm2 import curve, encoding

PublicKeys = Callable[[Sequence[bytes]], list[bytes]]

# OBJECT IDENTIFIER id-ecPublicKey 1.2.840.10045.2.1 and the curve's.
_EC_KEY = bytes.fromhex("06072a8648ce3d0201")
_SM2 = bytes.fromhex("06082a811ccf5501822d")
_ALGORITHM = bytes.fromhex("3013") + _EC_KEY + _SM2
# All lengths are fixed: SEQUENCE { algorithm, BIT STRING { 04 ‖ x ‖ y } }.
_SPKI_HEAD = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("03420004")
# [0] { curve } and [1] { BIT STRING { 04 ‖ x ‖ y } } of RFC 5915.
_CURVE_PART = bytes.fromhex("a00a") + _SM2
_PUBLIC_HEAD = bytes.fromhex("a14403420004")

_MOST_PEM = 4096
_BLOCK = re.compile(r"\s*-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*")


def public_to_der(public: bytes) -> bytes:
    """SubjectPublicKeyInfo. Raises `KeyRefused` for what is no point."""
    curve.check_public(public)
    return _SPKI_HEAD + public


def public_from_der(der: bytes) -> bytes:
    """x ‖ y. Raises `EncodingRefused`, `KeyRefused`."""
    if not der.startswith(_SPKI_HEAD) or len(der) != len(_SPKI_HEAD) + curve.POINT_SIZE:
        raise EncodingRefused("not the SubjectPublicKeyInfo of an SM2 key with an uncompressed point")
    public = der[len(_SPKI_HEAD) :]
    curve.check_public(public)
    return public


def public_to_pem(public: bytes) -> str:
    """`BEGIN PUBLIC KEY`. Raises `KeyRefused`."""
    return _to_pem("PUBLIC KEY", public_to_der(public))


def public_from_pem(pem: str) -> bytes:
    """x ‖ y. Raises `EncodingRefused`, `KeyRefused`."""
    return public_from_der(_from_pem("PUBLIC KEY", pem))


def private_to_der(pair: KeyPair) -> bytes:
    """PKCS#8, with the public half in it. Raises `KeyRefused`."""
    curve.check_private(pair.private)
    curve.check_public(pair.public)
    key = encoding.sequence([1, DerOctetString(pair.private).encode(), _PUBLIC_HEAD + pair.public])
    return encoding.sequence([0, _ALGORITHM, DerOctetString(key).encode()])


def private_from_der(der: bytes, public_keys: PublicKeys) -> KeyPair:
    """The pair; `public_keys` of an engine computes the public half, and one in the file must be the same.

    Raises `EncodingRefused`; `KeyRefused` for a key out of range or halves that do not belong together.
    """
    version, algorithm, octets = encoding.elements(der, "a PKCS#8 key", 3)
    if version != 0 or algorithm != _ALGORITHM:
        raise EncodingRefused("a PKCS#8 key is not of an SM2 pair (curve 1.2.156.10197.1.301)")
    inner = encoding.octets(octets, "a PKCS#8 key")
    one, private_part, *more = encoding.elements(inner, "a private key (RFC 5915)", 2, 3, 4)
    if one != 1:
        raise EncodingRefused("a private key (RFC 5915) has version 1")
    private = encoding.octets(private_part, "a private key (RFC 5915)", curve.SCALAR_SIZE)
    stated = _stated_public(more)
    curve.check_private(private)
    public = public_keys([private])[0]
    if stated is not None and stated != public:
        raise KeyRefused("the halves of an SM2 key file do not belong together; ask its owner for it again")
    return KeyPair(private, public)


def private_to_pem(pair: KeyPair) -> str:
    """`BEGIN PRIVATE KEY`, in clear. Raises `KeyRefused`."""
    return _to_pem("PRIVATE KEY", private_to_der(pair))


def private_from_pem(pem: str, public_keys: PublicKeys) -> KeyPair:
    """As `private_from_der`."""
    return private_from_der(_from_pem("PRIVATE KEY", pem), public_keys)


def _stated_public(parts: Sequence[encoding.Element]) -> bytes | None:
    rest = list(parts)
    if rest and rest[0] == _CURVE_PART:
        rest.pop(0)
    if not rest:
        return None
    part = rest.pop(0)
    if rest or not isinstance(part, bytes) or not _is_public_part(part):
        raise EncodingRefused("a private key (RFC 5915) holds something else than its curve and public key")
    return part[len(_PUBLIC_HEAD) :]


def _is_public_part(part: bytes) -> bool:
    return part.startswith(_PUBLIC_HEAD) and len(part) == len(_PUBLIC_HEAD) + curve.POINT_SIZE


def _to_pem(label: str, der: bytes) -> str:
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def _from_pem(label: str, pem: str) -> bytes:
    block = _BLOCK.fullmatch(pem) if len(pem) <= _MOST_PEM else None
    if block is None:
        raise EncodingRefused(f"not one PEM block `BEGIN {label}` of at most {_MOST_PEM} characters")
    if block[1] != label:
        raise EncodingRefused(f"a PEM block `{block[1]}` where `{label}` belongs")
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", block[2]), validate=True)
    except binascii.Error:
        raise EncodingRefused("a PEM block is not base64") from None
