"""Which fragments make up which frame (PS3.5 §A.4): by the offset tables, by their number, or by their ends."""

import struct

Fragment = tuple[int, int]
# A JPEG, JPEG-LS or JPEG 2000 stream ends with EOI or EOC; a pad byte may follow (PS3.5 §A.4.1).
ENDS = (b"\xff\xd9", b"\xff\xd9\x00")


def frames_of(
    content: bytes, table: Fragment, fragments: list[Fragment], count: int, extended: list[int]
) -> list[list[Fragment]]:
    """For each of `count` frames its fragments; empty when it cannot be told. `table`: the basic offset table's place."""
    if not fragments or count < 1:
        return []
    if len(fragments) == count:
        return [[fragment] for fragment in fragments]
    if count == 1:
        return [fragments]
    offsets = extended or list(struct.unpack_from(f"<{table[1] // 4}I", content, table[0]))
    if len(offsets) == count:
        return _by_offsets(fragments, [fragments[0][0] - 8 + offset for offset in offsets])
    return _by_ends(content, fragments, count)


def joined(content: bytes, pieces: list[Fragment]) -> bytes:
    """The codestream that lies in several fragments."""
    return b"".join(content[offset : offset + length] for offset, length in pieces)


def _by_offsets(fragments: list[Fragment], starts: list[int]) -> list[list[Fragment]]:
    """`starts`: where the item of each frame's first fragment begins in the file."""
    first = {offset - 8: index for index, (offset, _) in enumerate(fragments)}
    indexes = [first.get(start, -1) for start in starts]
    if indexes != sorted(set(indexes)) or indexes[0] != 0:
        return []
    ends = [*indexes[1:], len(fragments)]
    return [fragments[index:end] for index, end in zip(indexes, ends, strict=True)]


def _by_ends(content: bytes, fragments: list[Fragment], count: int) -> list[list[Fragment]]:
    frames: list[list[Fragment]] = [[]]
    for offset, length in fragments:
        frames[-1].append((offset, length))
        if content[max(offset, offset + length - 3) : offset + length].endswith(ENDS):
            frames.append([])
    if frames[-1]:
        return []
    return frames[:-1] if len(frames) - 1 == count else []
