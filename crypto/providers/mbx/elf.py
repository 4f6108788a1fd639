"""Take names out of the list of libraries that an ELF library asks the loader for (ELF-64, System V ABI, chapter 5).

The multi-buffer library of the wheel lists four libraries of Intel's compiler that it uses no symbol of and that are
neither free nor installed. The list is an array of (tag, value) pairs: the pairs of those names are taken out and the
array is filled up at its end, so nothing else moves. `patchelf` does the same, but it is under the GPL.
"""

import struct

from crypto.errors import EngineUnavailable

_PROGRAM_HEADERS = struct.Struct(
    "<32xQ12xHHH"
)  # offset of the table; size of this header, of an entry; entries
_SEGMENT = struct.Struct("<I4xQQ8xQ16x")  # type, offset in the file, address, size in the file
_PAIR = struct.Struct("<qQ")
_LOAD, _DYNAMIC = 1, 2
_NULL, _NEEDED, _STRINGS = 0, 1, 5


def needed(library: bytes) -> list[str]:
    """Names of the libraries that `library` asks for. Raises `EngineUnavailable` when it is no such file."""
    try:
        pairs, names, _ = _dynamic(library)
    except (struct.error, ValueError, StopIteration) as wrong:
        raise EngineUnavailable(
            f"a library is not a 64-bit ELF file: {wrong}; reinstall the package"
        ) from wrong
    return [_name(names, value) for tag, value in pairs if tag == _NEEDED]


def without_needed(library: bytes, unwanted: frozenset[str]) -> bytes:
    """The same library, not asking for `unwanted`. Raises `EngineUnavailable`."""
    needed(library)
    pairs, names, place = _dynamic(library)
    kept = [(tag, value) for tag, value in pairs if tag != _NEEDED or _name(names, value) not in unwanted]
    kept += [(_NULL, 0)] * (len(pairs) - len(kept))
    array = b"".join(_PAIR.pack(*pair) for pair in kept)
    return library[:place] + array + library[place + len(array) :]


def _dynamic(library: bytes) -> tuple[list[tuple[int, int]], bytes, int]:
    """The pairs up to the first null, the table of strings from its start on, and where in the file the pairs begin."""
    if library[:6] != b"\x7fELF\x02\x01":
        raise ValueError("its first bytes are others")
    table, _, size, count = _PROGRAM_HEADERS.unpack_from(library)
    segments = [_SEGMENT.unpack_from(library, table + size * number) for number in range(count)]
    place, length = next((offset, size) for kind, offset, _, size in segments if kind == _DYNAMIC)
    pairs = []
    for pair in _PAIR.iter_unpack(library[place : place + length]):
        if pair[0] == _NULL:
            break
        pairs.append(pair)
    strings = dict(pairs)[_STRINGS]
    start = next(
        offset + strings - address
        for kind, offset, address, size in segments
        if kind == _LOAD and address <= strings < address + size
    )
    return pairs, library[start:], place


def _name(strings: bytes, place: int) -> str:
    return strings[place : strings.index(b"\0", place)].decode()
