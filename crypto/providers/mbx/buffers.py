"""Memory that lanes read from and write to, by address."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Addresses = NDArray[np.uint64]
Lengths = NDArray[np.int32]

# Lengths are C ints.
LONGEST = 2**31 - 1
_ROOM = 128

_new = ctypes.pythonapi.PyBytes_FromStringAndSize
_new.argtypes, _new.restype = [ctypes.c_void_p, ctypes.c_ssize_t], ctypes.py_object
_place = ctypes.pythonapi.PyBytes_AsString
_place.argtypes, _place.restype = [ctypes.py_object], ctypes.c_void_p


def new_bytes(size: int) -> tuple[bytes, int]:
    """Fresh bytes that nobody else has seen yet, to be filled once through their address (C API of Python: a bytes
    object made from no string may be written before it is used). The size is 1 or more: empty bytes are shared.
    """
    if size < 1:
        raise ValueError("empty bytes are shared and must not be written")
    made: bytes = _new(None, size)
    return made, _place(made)


def address_of(data: bytes | bytearray | memoryview) -> int:
    """Where the first byte lies; valid while the object lives and keeps its size. Any place where there are none."""
    if isinstance(data, bytes):
        return int(_place(data))
    return int(np.frombuffer(data, np.uint8).ctypes.data) if len(data) else _NOWHERE.ctypes.data


def joined(parts: Sequence[bytes]) -> tuple[Bytes, Addresses, Lengths]:
    """The parts in one array, and address and length of each in it. The array must outlive the addresses.

    Behind them is room: the library's SM3 looks at a block behind a message that is shorter than its neighbours.
    """
    for part in parts:
        if len(part) > LONGEST:
            raise ValueError(f"one item has {len(part)} bytes; lanes take 2 GiB at most")
    lengths = np.fromiter((len(part) for part in parts), np.int64, len(parts))
    whole = np.frombuffer(b"".join(parts) + bytes(_ROOM), np.uint8)
    starts = np.cumsum(lengths) - lengths
    return whole, whole.ctypes.data + starts.astype(np.uint64), lengths.astype(np.int32)


def rows(count: int, width: int) -> Bytes:
    """Zeroed array of `count` rows."""
    return np.zeros((count, width), np.uint8)


def row_addresses(array: Bytes) -> Addresses:
    """The address of each row of a contiguous array."""
    steps = np.arange(len(array), dtype=np.uint64) * np.uint64(array.strides[0])
    return np.uint64(array.ctypes.data) + steps


def turned(items: Bytes) -> Bytes:
    """Rows of 32 bytes with their bytes turned round: big-endian to the library's 64-bit words and back."""
    return np.ascontiguousarray(items[:, ::-1])


def matrix(items: Sequence[bytes], width: int) -> Bytes:
    """Items of `width` bytes as rows."""
    return np.frombuffer(b"".join(items), np.uint8).reshape(len(items), width)


@contextmanager
def wiped(*arrays: Bytes) -> Iterator[None]:
    """Overwrite the arrays with zeros at the end, whatever happens."""
    try:
        yield
    finally:
        for array in arrays:
            array.fill(0)


def wipe(address: int, size: int) -> None:
    """Overwrite with zeros."""
    ctypes.memset(address, 0, size)


_NOWHERE = np.zeros(64, np.uint8)
