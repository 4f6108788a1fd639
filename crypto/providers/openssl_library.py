"""The system's libcrypto (OpenSSL 3) through ctypes: only what SM2 needs. `cryptography` carries an OpenSSL that hides it.

Types of OSSL_PARAM(3), names of the parameters of EVP_PKEY-EC(7).
"""

import ctypes
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_void_p
from typing import Any

from crypto.errors import EngineUnavailable
from crypto.sm2 import curve

# 3 is the number of the interface (all of OpenSSL 3 and 4 keep EVP_PKEY_fromdata); Linux, then macOS.
LIBRARIES = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.3.dylib")

_UNSIGNED, _TEXT, _OCTETS = 2, 4, 5
# EVP_PKEY_PUBLIC_KEY and EVP_PKEY_KEYPAIR: domain and other parameters (0x84), public (2), private (1).
_PUBLIC, _PAIR = 0x86, 0x87
_UNCOMPRESSED = 4

_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "OPENSSL_cleanse": (None, [c_void_p, c_size_t]),
    "ERR_clear_error": (None, []),
    "OBJ_sn2nid": (c_int, [c_char_p]),
    "EC_GROUP_new_by_curve_name": (c_void_p, [c_int]),
    "EC_POINT_new": (c_void_p, [c_void_p]),
    "EC_POINT_clear_free": (None, [c_void_p]),
    "EC_POINT_oct2point": (c_int, [c_void_p, c_void_p, c_char_p, c_size_t, c_void_p]),
    "EC_POINT_point2oct": (c_size_t, [c_void_p, c_void_p, c_int, c_void_p, c_size_t, c_void_p]),
    "EC_POINT_mul": (c_int, [c_void_p] * 6),
    "BN_secure_new": (c_void_p, []),
    "BN_bin2bn": (c_void_p, [c_char_p, c_int, c_void_p]),
    "BN_clear_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_new_from_name": (c_void_p, [c_void_p, c_char_p, c_char_p]),
    "EVP_PKEY_CTX_new_from_pkey": (c_void_p, [c_void_p, c_void_p, c_char_p]),
    "EVP_PKEY_CTX_free": (None, [c_void_p]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_PKEY_fromdata_init": (c_int, [c_void_p]),
    "EVP_PKEY_fromdata": (c_int, [c_void_p, POINTER(c_void_p), c_int, c_void_p]),
    **{
        f"EVP_PKEY_{operation}_init": (c_int, [c_void_p])
        for operation in ("sign", "verify", "encrypt", "decrypt")
    },
    **{
        f"EVP_PKEY_{operation}": (c_int, [c_void_p, c_void_p, POINTER(c_size_t), c_char_p, c_size_t])
        for operation in ("sign", "encrypt", "decrypt")
    },
    "EVP_PKEY_verify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
}


class _Param(ctypes.Structure):
    _fields_ = [
        ("key", c_char_p),
        ("data_type", c_uint),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("return_size", c_size_t),
    ]


class OpenSsl:
    """SM2 keys, points and operations of one loaded library. Threads may share it."""

    def __init__(self, names: Sequence[str] = LIBRARIES) -> None:
        """Raises `EngineUnavailable` when there is no OpenSSL 3 here or it was built without SM2."""
        self._lib = _load(names)
        self._group = self._lib.EC_GROUP_new_by_curve_name(self._lib.OBJ_sn2nid(b"SM2"))
        context = self._lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        self._lib.EVP_PKEY_CTX_free(context)
        self._lib.ERR_clear_error()
        if not self._group or not context:
            raise EngineUnavailable("the system's OpenSSL was built without SM2")

    def multiply(self, scalar: bytes, point: bytes | None) -> bytes:
        """scalar · point (None: the base point), 64 bytes; the ladder of EC_POINT_mul takes equal times for all scalars."""
        lib, group = self._lib, self._group
        number = lib.BN_bin2bn(scalar, len(scalar), lib.BN_secure_new())
        product, factor = lib.EC_POINT_new(group), None
        octets = ctypes.create_string_buffer(1 + curve.POINT_SIZE)
        try:
            if point is None:
                done = lib.EC_POINT_mul(group, product, number, None, None, None)
            else:
                factor = lib.EC_POINT_new(group)
                self._require(lib.EC_POINT_oct2point(group, factor, b"\x04" + point, 65, None) == 1)
                done = lib.EC_POINT_mul(group, product, None, factor, number, None)
            self._require(done == 1)
            size = lib.EC_POINT_point2oct(group, product, _UNCOMPRESSED, octets, len(octets), None)
            self._require(size == len(octets))
            return octets.raw[1:]
        finally:
            lib.OPENSSL_cleanse(octets, len(octets))
            lib.EC_POINT_clear_free(factor)
            lib.EC_POINT_clear_free(product)
            lib.BN_clear_free(number)

    @contextmanager
    def key(self, public: bytes, private: bytes | None = None) -> Iterator[int]:
        """An EVP_PKEY of raw halves, freed at the end."""
        lib = self._lib
        group, octets = ctypes.create_string_buffer(b"SM2"), ctypes.create_string_buffer(b"\x04" + public, 65)
        number = ctypes.create_string_buffer(curve.SCALAR_SIZE)
        params = [
            _Param(b"group", _TEXT, ctypes.addressof(group), 3, 0),
            _Param(b"pub", _OCTETS, ctypes.addressof(octets), 65, 0),
        ]
        if private is not None:
            number.raw = private if sys.byteorder == "big" else private[::-1]
            params.append(_Param(b"priv", _UNSIGNED, ctypes.addressof(number), curve.SCALAR_SIZE, 0))
        array = (_Param * (len(params) + 1))(*params)
        context, key = lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None), c_void_p()
        try:
            self._require(lib.EVP_PKEY_fromdata_init(context) == 1)
            kind = _PUBLIC if private is None else _PAIR
            self._require(lib.EVP_PKEY_fromdata(context, ctypes.byref(key), kind, array) == 1)
            yield key.value or 0
        finally:
            lib.OPENSSL_cleanse(number, curve.SCALAR_SIZE)
            lib.EVP_PKEY_free(key)
            lib.EVP_PKEY_CTX_free(context)

    def transform(self, operation: str, key: int, data: bytes, room: int) -> bytes | None:
        """`sign`, `encrypt` or `decrypt` with an EVP_PKEY; the result has at most `room` bytes. None when it is refused."""
        size = c_size_t(room)
        result = ctypes.create_string_buffer(room)
        with self._operation(operation, key) as context:
            done = getattr(self._lib, f"EVP_PKEY_{operation}")(
                context, result, ctypes.byref(size), data, len(data)
            )
        try:
            if done != 1:
                self._lib.ERR_clear_error()
                return None
            return result.raw[: size.value]
        finally:
            self._lib.OPENSSL_cleanse(result, room)

    def verify(self, key: int, digest: bytes, signature_der: bytes) -> bool:
        """Whether a signature over a digest is genuine."""
        with self._operation("verify", key) as context:
            done = self._lib.EVP_PKEY_verify(context, signature_der, len(signature_der), digest, len(digest))
        self._lib.ERR_clear_error()
        return bool(done == 1)

    @contextmanager
    def _operation(self, operation: str, key: int) -> Iterator[int]:
        context = self._lib.EVP_PKEY_CTX_new_from_pkey(None, key, None)
        try:
            self._require(getattr(self._lib, f"EVP_PKEY_{operation}_init")(context) == 1)
            yield context
        finally:
            self._lib.EVP_PKEY_CTX_free(context)

    def _require(self, holds: bool) -> None:
        if not holds:
            # What OpenSSL queued names no key; it is emptied so that the next user of this thread does not find it.
            self._lib.ERR_clear_error()
            raise EngineUnavailable("the system's OpenSSL refused an SM2 operation that it must know")


def _load(names: Sequence[str]) -> ctypes.CDLL:
    for name in names:
        try:
            library = ctypes.CDLL(name)
            for function, (result, arguments) in _SIGNATURES.items():
                declared = getattr(library, function)
                declared.restype, declared.argtypes = result, arguments
        except (OSError, AttributeError):
            continue
        return library
    raise EngineUnavailable(
        f"no OpenSSL 3 on this machine ({', '.join(names)}): install the system's libssl3"
    )
