"""Intel's multi-buffer library `crypto_mb` as an engine: lanes of 8 (SM2) and 16 (SM3, SM4), by ctypes and numpy.

`engine` is what others name. `library` has the gate before the first call and the calls; `private_copy` and `elf` make the
copy that the loader accepts; `buffers` is the memory that lanes read and write.
"""

from crypto.providers.mbx.engine import MbxEngine

__all__ = ["MbxEngine"]
