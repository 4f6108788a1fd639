"""The processor's noise source, instruction RDSEED, through `ippsTRNGenRDSEED` of libippcp (package ipp-crypto).

RDSEED's noise never passes the kernel's pool on its way here, so it is independent of `KernelSource` in what matters: one
may be broken while the other is sound. Both are on the same machine; a second physical device is better (`DeviceSource`).
"""

import ctypes
import sys
from pathlib import Path

from crypto.errors import EngineUnavailable, SourceFailed
from crypto.randomness.sources import CONDITIONED_ENTROPY

_OK = 0
# The instruction may run dry for a moment (Intel SDM, RDSEED: CF = 0); the library then gives an error for the call.
_ATTEMPTS = 100
_CALL_BYTES = 256


def library_path() -> Path | None:
    """libippcp of this environment: its wheel puts it into `lib` beside `bin`. None when it is not installed."""
    found = sorted((Path(sys.prefix) / "lib").glob("libippcp.so.*"), key=lambda path: len(path.name))
    return found[-1] if found else None


class RdseedSource:
    """`min_entropy` is half of what the instruction promises, as for all conditioned sources."""

    name = "rdseed"
    min_entropy = CONDITIONED_ENTROPY
    is_uniform = True

    def __init__(self, library: Path) -> None:
        """Raises `EngineUnavailable` when the library does not load or the processor has no RDSEED."""
        try:
            self._generate = ctypes.CDLL(str(library)).ippsTRNGenRDSEED
        except (OSError, AttributeError) as error:
            raise EngineUnavailable(
                f"{library.name} has no ippsTRNGenRDSEED: another source is used"
            ) from error
        self._generate.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._generate.restype = ctypes.c_int
        try:
            self.read(8)
        except SourceFailed as error:
            raise EngineUnavailable("this processor has no RDSEED: another source is used") from error

    def read(self, count: int) -> bytes:
        """Raises `SourceFailed` when the instruction stays dry."""
        return b"".join(self._call(min(_CALL_BYTES, count - start)) for start in range(0, count, _CALL_BYTES))

    def _call(self, count: int) -> bytes:
        # Whole 32-bit words: the library writes no less.
        buffer = ctypes.create_string_buffer(-(-count // 4) * 4)
        for _ in range(_ATTEMPTS):
            status = self._generate(buffer, len(buffer) * 8, None)
            if status == _OK:
                return buffer.raw[:count]
        raise SourceFailed(
            f"noise source {self.name}: the processor gave none (status {status}); replace the machine"
        )
