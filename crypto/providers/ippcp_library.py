"""Intel's cryptography library `ippcp` through ctypes: the curve SM2 one operation at a time, and SM4 in CTR and CBC.

It needs no library but libc and chooses its code by the processor, any x86-64. Its contexts hold scratch memory, so each
thread has its own. Source: `ippcp.h` of the wheel `ipp-crypto-include` 2026.2.0 and Intel's public Developer Guide.
"""

import ctypes
from collections.abc import Callable
from ctypes import c_int, c_void_p

from crypto.errors import EngineUnavailable, KeyRefused
from crypto.providers.mbx.private_copy import installed_library
from crypto.sm2.curve import POINT_SIZE, SCALAR_SIZE

_BITS, _WORDS = 256, 8  # of a field element; 32-bit words of a number
_VALID = 0  # of IppECResult

# Arguments of each call: p an address, i an int. All return an IppStatus, 0 for success.
_CALLS = {
    "ippcpInit": "",
    "ippsGFpGetSize": "ip",
    "ippsGFpInitFixed": "ipp",
    "ippsGFpECGetSize": "pp",
    "ippsGFpECInitStdSM2": "pp",
    "ippsGFpECBindGxyTblStdSM2": "p",
    "ippsGFpECScratchBufferSize": "ipp",
    "ippsGFpECPointGetSize": "pp",
    "ippsGFpECPointInit": "pppp",
    "ippsGFpECSetPointOctString": "pipp",
    "ippsGFpECGetPointOctString": "ppip",
    "ippsGFpECTstPoint": "ppp",
    "ippsGFpECPublicKey": "pppp",
    "ippsGFpECMulPoint": "ppppp",
    "ippsGFpECSignSM2": "ppppppp",
    "ippsGFpECVerifySM2": "ppppppp",
    "ippsBigNumGetSize": "ip",
    "ippsBigNumInit": "ip",
    "ippsSetOctString_BN": "pip",
    "ippsGetOctString_BN": "pip",
    "ippsSMS4GetSize": "p",
    "ippsSMS4Init": "pipi",
    "ippsSMS4EncryptCTR": "ppippi",
    "ippsSMS4EncryptCBC": "ppipp",
    "ippsSMS4DecryptCBC": "ppipp",
}
_TYPES = {"p": c_void_p, "i": c_int}

Call = Callable[..., int]


class Calls:
    """The functions by name. Raises `EngineUnavailable`."""

    def __init__(self) -> None:
        path = installed_library("libippcp.so")
        try:
            library = ctypes.CDLL(str(path))
            self._calls: dict[str, Call] = {}
            for name, arguments in _CALLS.items():
                function = getattr(library, name)
                function.argtypes, function.restype = [_TYPES[letter] for letter in arguments], c_int
                self._calls[name] = function
            self.method = library.ippsGFpMethod_p256sm2
        except (OSError, AttributeError) as failed:
            raise EngineUnavailable(f"{path.name} cannot be used: {failed}") from failed
        self.method.argtypes, self.method.restype = [], c_void_p
        self("ippcpInit")

    def __call__(self, name: str, *arguments: object) -> None:
        """Raises `EngineUnavailable` for any status but success."""
        status = self._calls[name](*arguments)
        if status:
            raise EngineUnavailable(f"{name} failed in the ippcp library: status {status}")

    def status(self, name: str, *arguments: object) -> int:
        """For calls whose failure says something of the input."""
        return self._calls[name](*arguments)

    def sized(self, name: str, *arguments: object) -> ctypes.Array[ctypes.c_char]:
        """Memory of the size that the call tells through its last argument."""
        size = c_int()
        self(name, *arguments, ctypes.byref(size))
        return ctypes.create_string_buffer(size.value)


class CurveWorkspace:
    """The curve's contexts of one thread. Points are x ‖ y of 64 bytes, scalars 32 bytes big-endian.

    Buffers that held a secret are wiped after each operation.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._field = calls.sized("ippsGFpGetSize", _BITS)
        calls("ippsGFpInitFixed", _BITS, calls.method(), self._field)
        self._curve = calls.sized("ippsGFpECGetSize", self._field)
        calls("ippsGFpECInitStdSM2", self._field, self._curve)
        calls("ippsGFpECBindGxyTblStdSM2", self._curve)
        self._scratch = calls.sized("ippsGFpECScratchBufferSize", 2, self._curve)
        self._point, self._product = self._new_point(), self._new_point()
        self._digest, self._first, self._second, self._r, self._s = (self._new_number() for _ in range(5))
        self._result = c_int()
        self._octets = ctypes.create_string_buffer(POINT_SIZE)

    def public(self, private: bytes) -> bytes:
        """private · G."""
        try:
            self._set(private, self._first)
            self._calls("ippsGFpECPublicKey", self._first, self._product, self._curve, self._scratch)
            return self._take(self._product)
        finally:
            self._wipe(self._first, self._scratch)

    def multiply(self, scalar: bytes, public: bytes) -> bytes:
        """scalar · public. Raises `KeyRefused` for what is no point of the curve."""
        self._load(public)
        try:
            self._set(scalar, self._first)
            self._calls(
                "ippsGFpECMulPoint", self._point, self._first, self._product, self._curve, self._scratch
            )
            return self._take(self._product)
        finally:
            self._wipe(self._first, self._scratch, self._octets)

    def sign(self, digest: bytes, private: bytes, nonce: bytes) -> bytes | None:
        """r ‖ s; None where this nonce gives none."""
        try:
            self._set(digest, self._digest)
            self._set(private, self._first)
            self._set(nonce, self._second)
            numbers = (self._digest, self._first, self._second, self._r, self._s)
            if self._calls.status("ippsGFpECSignSM2", *numbers, self._curve, self._scratch):
                return None
            return self._number(self._r) + self._number(self._s)
        finally:
            self._wipe(self._first, self._second, self._scratch)

    def is_genuine(self, digest: bytes, public: bytes, signature: bytes) -> bool:
        """Whether r ‖ s is of this key over this digest. Raises `KeyRefused` for what is no point."""
        self._load(public)
        self._set(digest, self._digest)
        self._set(signature[:SCALAR_SIZE], self._r)
        self._set(signature[SCALAR_SIZE:], self._s)
        status = self._calls.status(
            "ippsGFpECVerifySM2",
            *(self._digest, self._point, self._r, self._s, ctypes.byref(self._result)),
            *(self._curve, self._scratch),
        )
        return status == 0 and self._result.value == _VALID

    def _load(self, public: bytes) -> None:
        refused = self._calls.status(
            "ippsGFpECSetPointOctString", public, len(public), self._point, self._curve
        )
        if not refused:
            self._calls("ippsGFpECTstPoint", self._point, ctypes.byref(self._result), self._curve)
        if refused or self._result.value != _VALID:
            raise KeyRefused("an SM2 public key is not a point of the curve; ask its owner for it again")

    def _take(self, point: ctypes.Array[ctypes.c_char]) -> bytes:
        self._calls("ippsGFpECGetPointOctString", point, self._octets, POINT_SIZE, self._curve)
        return self._octets.raw

    def _set(self, number: bytes, target: ctypes.Array[ctypes.c_char]) -> None:
        self._calls("ippsSetOctString_BN", number, len(number), target)

    def _number(self, number: ctypes.Array[ctypes.c_char]) -> bytes:
        self._calls("ippsGetOctString_BN", self._octets, SCALAR_SIZE, number)
        return self._octets.raw[:SCALAR_SIZE]

    def _new_point(self) -> ctypes.Array[ctypes.c_char]:
        point = self._calls.sized("ippsGFpECPointGetSize", self._curve)
        self._calls("ippsGFpECPointInit", None, None, point, self._curve)
        return point

    def _new_number(self) -> ctypes.Array[ctypes.c_char]:
        number = self._calls.sized("ippsBigNumGetSize", _WORDS)
        self._calls("ippsBigNumInit", _WORDS, number)
        return number

    def _wipe(self, *buffers: ctypes.Array[ctypes.c_char]) -> None:
        for buffer in buffers:
            if buffer is self._first or buffer is self._second:
                # A number keeps its layout: it is overwritten through the library.
                self._set(b"\xff" * SCALAR_SIZE, buffer)
            else:
                ctypes.memset(buffer, 0, len(buffer))
