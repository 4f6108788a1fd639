"""A vendor's library of GM/T 0018-2012 (`SDF_…`) through ctypes: structures, functions, codes. `sdf` makes a device of it.

Coordinates and numbers lie at the end of 64 bytes (ECCref_MAX_LEN): 32 zeros, then the 32 bytes of SM2.
"""

import ctypes
import struct
from ctypes import POINTER, c_char_p, c_int, c_ubyte, c_uint, c_void_p
from typing import Any

from crypto.errors import EncodingRefused, EngineUnavailable

# GM/T 0006-2012 §6.2: algorithm numbers.
SM2_SIGN, SM2_ENCRYPT = 0x00020200, 0x00020800
SM4_ECB, SM4_CBC = 0x00000401, 0x00000402
_SM2_BITS = 256

_WIDE, _SIZE = 64, 32
_ZEROS = bytes(_WIDE - _SIZE)
_CIPHER_HEAD = struct.Struct("=64s64s32sI")

# GM/T 0018-2012, appendix A. Of the device, not of what was asked: with these no answer is an answer.
_DEVICE_CODES = {
    0x01000001: "unknown error",
    0x01000003: "no communication with the device",
    0x01000004: "the hardware does not answer",
    0x01000005: "the device does not open",
    0x01000006: "no session",
}
_CODES = {
    0x01000002: "not supported",
    0x01000007: "no right to use the private key: give the slot's password",
    0x01000008: "there is no key in this slot",
    0x01000009: "the algorithm is not supported",
    0x0100000A: "the mode is not supported",
    0x0100001D: "a wrong argument",
}

_HANDLE = POINTER(c_void_p)
_FUNCTIONS: dict[str, list[Any]] = {
    "OpenDevice": [_HANDLE],
    "CloseDevice": [c_void_p],
    "OpenSession": [c_void_p, _HANDLE],
    "CloseSession": [c_void_p],
    "GetDeviceInfo": [c_void_p, c_void_p],
    "GenerateRandom": [c_void_p, c_uint, c_void_p],
    "GetPrivateKeyAccessRight": [c_void_p, c_uint, c_char_p, c_uint],
    "ReleasePrivateKeyAccessRight": [c_void_p, c_uint],
    "ExportSignPublicKey_ECC": [c_void_p, c_uint, c_void_p],
    "ExportEncPublicKey_ECC": [c_void_p, c_uint, c_void_p],
    "InternalSign_ECC": [c_void_p, c_uint, c_char_p, c_uint, c_void_p],
    "ExternalVerify_ECC": [c_void_p, c_uint, c_char_p, c_char_p, c_uint, c_char_p],
    "ExternalEncrypt_ECC": [c_void_p, c_uint, c_char_p, c_char_p, c_uint, c_void_p],
    "ImportKeyWithISK_ECC": [c_void_p, c_uint, c_char_p, _HANDLE],
    "DestroyKey": [c_void_p, c_void_p],
    "Encrypt": [c_void_p, c_void_p, c_uint, c_void_p, c_char_p, c_uint, c_void_p, POINTER(c_uint)],
    "Decrypt": [c_void_p, c_void_p, c_uint, c_void_p, c_char_p, c_uint, c_void_p, POINTER(c_uint)],
}
# Not in the standard of 2012, for tests in that of 2023; many cards have them.
_EXTERNAL: dict[str, list[Any]] = {
    "ExternalSign_ECC": [c_void_p, c_uint, c_void_p, c_char_p, c_uint, c_void_p],
    "ExternalDecrypt_ECC": [c_void_p, c_uint, c_void_p, c_char_p, c_void_p, POINTER(c_uint)],
}


class DeviceInfo(ctypes.Structure):
    """DEVICEINFO of §5.1."""

    _fields_ = [
        ("issuer", c_ubyte * 40),
        ("name", c_ubyte * 16),
        ("serial", c_ubyte * 16),
        ("version", c_uint),
        ("standard_version", c_uint),
        ("asymmetric", c_uint * 2),
        ("symmetric", c_uint),
        ("hash", c_uint),
        ("buffer_size", c_uint),
    ]


class Refused(Exception):
    """The card refused an operation with this code; the caller says what it means."""

    def __init__(self, code: int) -> None:
        super().__init__(meaning(code))
        self.code = code


class SdfLibrary:
    """The functions of one loaded library. Every call raises `Refused`, or `EngineUnavailable` when the device is away."""

    def __init__(self, path: str) -> None:
        """Raises `EngineUnavailable` when it does not load or lacks a function of the standard."""
        try:
            self._library = ctypes.CDLL(path)
        except OSError as error:
            raise EngineUnavailable(f"SDF library {path} does not load: {error}") from None
        missing = [name for name in _FUNCTIONS if not self._declare(name, _FUNCTIONS[name])]
        if missing:
            raise EngineUnavailable(f"SDF library {path} lacks SDF_{missing[0]} of GM/T 0018: ask its vendor")
        self.has_external_keys = all([self._declare(name, types) for name, types in _EXTERNAL.items()])

    def call(self, function: str, *arguments: Any) -> None:
        """SDF_`function`."""
        code = getattr(self._library, f"SDF_{function}")(*arguments) & 0xFFFFFFFF
        if code in _DEVICE_CODES:
            raise EngineUnavailable(
                f"SDF device, {function}: {meaning(code)}; look at the card and its driver"
            )
        if code:
            raise Refused(code)

    def handle(self, function: str, *arguments: Any) -> c_void_p:
        """The handle that SDF_`function` gives as its last argument."""
        handle = c_void_p()
        self.call(function, *arguments, ctypes.byref(handle))
        return handle

    def _declare(self, name: str, types: list[Any]) -> bool:
        function = getattr(self._library, f"SDF_{name}", None)
        if function is None:
            return False
        function.restype, function.argtypes = c_int, types
        return True


def meaning(code: int) -> str:
    """A code in words."""
    return {**_DEVICE_CODES, **_CODES}.get(code, "refused") + f" (0x{code:08x})"


def public_to_sdf(public: bytes) -> bytes:
    """x ‖ y → ECCrefPublicKey."""
    return struct.pack("=I", _SM2_BITS) + _ZEROS + public[:_SIZE] + _ZEROS + public[_SIZE:]


def public_from_sdf(content: bytes) -> bytes:
    """The reverse. Raises `EncodingRefused`."""
    return _narrow(content[4 : 4 + _WIDE]) + _narrow(content[4 + _WIDE :])


def private_to_sdf(private: bytes) -> bytes:
    """32 bytes → ECCrefPrivateKey."""
    return struct.pack("=I", _SM2_BITS) + _ZEROS + private


def signature_to_sdf(signature: bytes) -> bytes:
    """r ‖ s → ECCSignature."""
    return _ZEROS + signature[:_SIZE] + _ZEROS + signature[_SIZE:]


def signature_from_sdf(content: bytes) -> bytes:
    """The reverse. Raises `EncodingRefused`."""
    return _narrow(content[:_WIDE]) + _narrow(content[_WIDE:])


def cipher_room(length: int) -> int:
    """Bytes of an ECCCipher for a plaintext of this length."""
    return _CIPHER_HEAD.size + length


def cipher_to_sdf(ciphertext: bytes) -> bytes:
    """C1 ‖ C3 ‖ C2 → ECCCipher { x, y, M, L, C }."""
    x, y, c3, c2 = ciphertext[:32], ciphertext[32:64], ciphertext[64:96], ciphertext[96:]
    return _CIPHER_HEAD.pack(_ZEROS + x, _ZEROS + y, c3, len(c2)) + c2


def cipher_from_sdf(content: bytes) -> bytes:
    """The reverse. Raises `EncodingRefused` when the card says another length than it was given."""
    x, y, c3, length = _CIPHER_HEAD.unpack_from(content)
    c2 = content[_CIPHER_HEAD.size :]
    if length != len(c2):
        raise EncodingRefused(f"the SDF device made a ciphertext of {length} bytes for {len(c2)}")
    return _narrow(x) + _narrow(y) + bytes(c3) + c2


def _narrow(wide: bytes) -> bytes:
    if wide[: len(_ZEROS)] != _ZEROS:
        raise EncodingRefused("the SDF device gave a number of more than 256 bits: it is no SM2 device")
    return wide[len(_ZEROS) :]
