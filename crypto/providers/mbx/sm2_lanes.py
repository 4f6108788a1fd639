"""What SM2 in eight lanes needs around the calls: scalars in range, tables of addresses, statuses by item."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crypto.errors import EngineUnavailable
from crypto.provider import RandomBytes
from crypto.providers.mbx.buffers import Addresses, Bytes, Lengths, row_addresses
from crypto.providers.mbx.library import LANES_8, Call, lane_codes

SCALAR = 32
# Half of a scalar's draws being out of range cannot happen: n is 2^256 less 2^224.
_MOST_DRAWS = 64

_SM3_BLOCK, _Z_SIZE = 64, 32

Table = Addresses | Lengths


def random_scalars(random: RandomBytes, count: int, highest: int) -> Bytes:
    """`count` rows of 32 bytes big-endian, uniform in [1, highest], by drawing again what is out of range."""
    scalars = np.frombuffer(random(SCALAR * count), np.uint8).reshape(count, SCALAR).copy()
    for _ in range(_MOST_DRAWS):
        outside = np.flatnonzero(~in_range(scalars, 1, highest))
        if not len(outside):
            return scalars
        drawn = np.frombuffer(random(SCALAR * len(outside)), np.uint8)
        scalars[outside] = drawn.reshape(len(outside), SCALAR)
    raise EngineUnavailable("the random source gives no number in the range of the curve: it is broken")


def in_range(rows: Bytes, lowest: int, highest: int) -> NDArray[np.bool_]:
    """Whether each row of 32 bytes, read big-endian, lies in [lowest, highest]. All rows take the same time."""
    words = np.ascontiguousarray(rows).view(">u8").astype(np.uint64)
    return ~_below(words, lowest) & ~_below_number(highest, words)


def _below(words: NDArray[np.uint64], bound: int) -> NDArray[np.bool_]:
    return _less(list(words.T), _words(bound))


def _below_number(number: int, words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    return _less(_words(number), list(words.T))


def _less(ones: Sequence[NDArray[np.uint64]], others: Sequence[NDArray[np.uint64]]) -> NDArray[np.bool_]:
    """Compare numbers of four words, the highest word first."""
    less = np.zeros(np.broadcast(ones[0], others[0]).shape, np.bool_)
    for one, other in zip(reversed(ones), reversed(others), strict=True):
        less = (one < other) | ((one == other) & less)
    return less


def _words(number: int) -> list[NDArray[np.uint64]]:
    return list(np.frombuffer(number.to_bytes(SCALAR, "big"), ">u8").astype(np.uint64).reshape(4, 1))


def filled(count: int) -> int:
    """The next multiple of the lanes."""
    return -(-count // LANES_8) * LANES_8


def padded(table: Table) -> Table:
    """With the last entry repeated until all lanes have one."""
    return np.concatenate([table, np.repeat(table[-1:], filled(len(table)) - len(table))])


def padded_rows(array: Bytes) -> Addresses:
    """Addresses of the rows of an input, the last one repeated."""
    return padded(row_addresses(array))  # type: ignore[return-value]


def lane_order(lengths: Lengths) -> NDArray[np.intp]:
    """Which message goes into which lane: eight by eight, those together that have as many blocks; the last goes round.

    Needed for safety: in `mbx_sm2_ecdsa_*` the library's SM3 reads on after the end of a lane that has fewer whole blocks
    than its neighbours, and then from address 0 (2026.2.0, seen in an emulated processor). Z_A takes the first 32 bytes.
    """
    blocks = (lengths + _Z_SIZE) // _SM3_BLOCK
    parts = []
    for number in np.unique(blocks):
        members = np.flatnonzero(blocks == number)
        parts += [members, np.repeat(members[-1:], filled(len(members)) - len(members))]
    return np.concatenate(parts)


def run(call: Call, tables: Sequence[Table | None], count: int) -> NDArray[np.uint8]:
    """Call for eight items after eight; the status of each item. A table of just eight serves all calls; None is NULL.

    Tables of items are padded to a multiple of eight.
    """
    whole = filled(count)
    steps = [
        (0, 0) if table is None else (table.ctypes.data, 0 if len(table) < whole else table.itemsize)
        for table in tables
    ]
    codes = np.zeros(whole, np.uint8)
    for first in range(0, whole, LANES_8):
        status = call(*[place + step * first for place, step in steps])
        if status:
            codes[first : first + LANES_8] = lane_codes(status, LANES_8)
    return codes[:count]
