"""The functions of `crypto_mb` that the engine calls, and the gate before them.

Source: the headers of the wheel `ipp-crypto-include` 2026.2.0 and, for SM4-GCM, Intel's public Developer Guide.
Every function takes arrays of 8 or 16 pointers, one per lane, and returns a status of four bits per lane.
"""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from crypto.errors import EngineUnavailable
from crypto.providers.mbx.private_copy import private_copy

LANES_8, LANES_16 = 8, 16
# mbx_status: four bits a lane.
_NULL_POINTER, _NO_SUCH_INSTRUCTION = 2, 10
# What crypto_mb/cpu_features.h asks for, and what its SM4 uses besides (GFNI, VPCLMULQDQ: seen in its code). Ice Lake has
# all of them. Older processors do not answer the library's own question, they trap.
NEEDED_FLAGS = frozenset(
    {"avx512f", "avx512dq", "avx512bw", "avx512ifma", "avx512_vbmi2", "bmi2", "gfni", "vpclmulqdq"}
)
_CPU_INFO = Path("/proc/cpuinfo")

_SM2 = {"ecpublic_key": 5, "ecdh": 6, "ecdsa_sign": 12, "ecdsa_verify": 10}
_SM4 = {"set_key": 2, "encrypt_ctr128": 5, "encrypt_cbc": 5, "decrypt_cbc": 5}
_GCM = {"init": 4, "update_aad": 3, "encrypt": 4, "decrypt": 4, "get_tag": 3}

Call = Callable[..., int]
_TYPES = {"p": ctypes.c_void_p, "i": ctypes.c_int, "4": ctypes.c_uint32, "8": ctypes.c_uint64}


class Functions(Protocol):
    """Looks a function up by name: the loaded library, or in tests a double. Arguments are addresses and ints."""

    def function(self, name: str, arguments: str, result: str) -> Call:
        """`arguments`: a letter each, p for an address and i for an int; `result`: 4 or 8 bytes of status, i or p."""
        ...


class SharedLibrary:
    """`Functions` of a shared library; ctypes lets other threads run during a call."""

    def __init__(self, path: Path) -> None:
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as failed:
            raise EngineUnavailable(f"the loader refuses {path.name}: {failed}") from failed

    def function(self, name: str, arguments: str, result: str) -> Call:
        """As of the port. Raises `EngineUnavailable` when the library has no such function."""
        try:
            found = getattr(self._library, name)
        except AttributeError:
            raise EngineUnavailable(f"the multi-buffer library has no function {name}") from None
        found.argtypes = [_TYPES[letter] for letter in arguments]
        found.restype = _TYPES[result]
        call: Call = found
        return call


class Library:
    """The calls, by the names of the C library without `mbx_` and the number of lanes."""

    def __init__(self, functions: Functions) -> None:
        self.sm2 = {
            name: functions.function(f"mbx_sm2_{name}_mb8", "p" * count, "4") for name, count in _SM2.items()
        }
        self.sm4 = {
            name: functions.function(f"mbx_sm4_{name}_mb16", "p" * count, "8") for name, count in _SM4.items()
        }
        self.gcm = {
            name: functions.function(f"mbx_sm4_gcm_{name}_mb16", "p" * count, "8")
            for name, count in _GCM.items()
        }
        self.sm3 = functions.function("mbx_sm3_msg_digest_mb16", "ppp", "8")


def open_functions(library_dir: Path) -> SharedLibrary:
    """The library, once this processor is known to run it. Raises `EngineUnavailable`."""
    require_processor(_CPU_INFO)
    library = SharedLibrary(private_copy(library_dir))
    features = library.function("mbx_get_cpu_features", "", "8")()
    applicable = library.function("mbx_is_crypto_mb_applicable", "p", "i")
    if not applicable(features):
        raise EngineUnavailable("the multi-buffer library says that this processor cannot run it")
    return library


def require_processor(cpu_info: Path = _CPU_INFO) -> None:
    """Look before any call: the flags that processor and kernel give. Raises `EngineUnavailable`."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        raise EngineUnavailable("the multi-buffer library needs Linux on x86-64") from None
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    missing = sorted(NEEDED_FLAGS - set(flags))
    if missing:
        raise EngineUnavailable(f"this processor lacks {', '.join(missing)}, which the mbx engine needs")


def lane_codes(status: int, lanes: int) -> list[int]:
    """The status of each lane, 0 where all is well. Raises `EngineUnavailable` when the library could not work at all."""
    codes = [status >> (4 * lane) & 0xF for lane in range(lanes)]
    if _NO_SUCH_INSTRUCTION in codes or _NULL_POINTER in codes:
        raise EngineUnavailable(f"the multi-buffer library did not work: status {status:#x}")
    return codes


def require_all(status: int, what: str) -> None:
    """For calls that no input of ours may make fail. Raises `EngineUnavailable`."""
    if status:
        raise EngineUnavailable(f"{what} failed in the multi-buffer library: status {status:#x}")
