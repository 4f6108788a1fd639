"""HASH-DRBG with SM3 of the system's OpenSSL 3, as a second opinion on the generator (SP 800-90A, no reseed)."""

import ctypes
import ctypes.util
from typing import Any

_UNSIGNED, _TEXT, _OCTETS = 2, 4, 5
_STRENGTH = 256


class _Param(ctypes.Structure):
    _fields_ = [
        ("key", ctypes.c_char_p),
        ("data_type", ctypes.c_uint),
        ("data", ctypes.c_void_p),
        ("data_size", ctypes.c_size_t),
        ("return_size", ctypes.c_size_t),
    ]


def library() -> Any:
    """libcrypto 3, or None where there is none or it lacks the generator."""
    path = ctypes.util.find_library("crypto")
    if path is None:
        return None
    found = ctypes.CDLL(path)
    if not hasattr(found, "EVP_RAND_fetch"):
        return None
    for name in ("EVP_RAND_fetch", "EVP_RAND_CTX_new"):
        getattr(found, name).restype = ctypes.c_void_p
    return found


def outputs(entropy: bytes, nonce: bytes, label: bytes, counts: list[int]) -> list[bytes]:
    """What a generator of this seed answers to requests of these sizes."""
    lib = library()
    source = _context(lib, b"TEST-RAND", None)
    _instantiate(
        lib,
        source,
        [
            ("strength", _UNSIGNED, ctypes.c_uint(_STRENGTH)),
            ("test_entropy", _OCTETS, ctypes.create_string_buffer(entropy, len(entropy))),
            ("test_nonce", _OCTETS, ctypes.create_string_buffer(nonce, len(nonce))),
        ],
        b"",
    )
    generator = _context(lib, b"HASH-DRBG", source)
    _instantiate(lib, generator, [("digest", _TEXT, ctypes.create_string_buffer(b"SM3", 3))], label)
    return [_generate(lib, generator, count) for count in counts]


def _context(lib: Any, kind: bytes, parent: Any) -> Any:
    algorithm = lib.EVP_RAND_fetch(None, kind, None)
    assert algorithm
    return ctypes.c_void_p(lib.EVP_RAND_CTX_new(ctypes.c_void_p(algorithm), parent))


def _instantiate(lib: Any, context: Any, params: list[tuple[str, int, Any]], label: bytes) -> None:
    array = (_Param * (len(params) + 1))()
    for slot, (key, kind, value) in zip(array, params, strict=False):
        slot.key, slot.data_type = key.encode(), kind
        slot.data, slot.data_size = ctypes.cast(ctypes.pointer(value), ctypes.c_void_p), ctypes.sizeof(value)
    done = lib.EVP_RAND_instantiate(context, _STRENGTH, 0, label, ctypes.c_size_t(len(label)), array)
    assert done == 1, "OpenSSL refused the seed"


def _generate(lib: Any, context: Any, count: int) -> bytes:
    out = ctypes.create_string_buffer(count)
    done = lib.EVP_RAND_generate(context, out, ctypes.c_size_t(count), _STRENGTH, 0, None, ctypes.c_size_t(0))
    assert done == 1, "OpenSSL refused the request"
    return out.raw
