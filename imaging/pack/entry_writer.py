"""The bytes of an HTJ2K entry: file meta, explicit head, encapsulated pixels, trailing padding; and its levels."""

import io
import struct

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID

CHUNK = 4096
PIXEL_DATA_HEADER = b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff"
DELIMITER = b"\xfe\xff\xdd\xe0\x00\x00\x00\x00"
PREAMBLE = b"\x00" * 128 + b"DICM"
SOT, SOD = 0xFF90, 0xFF93


def meta_end(content: bytes) -> int:
    """Offset behind the file meta information (PS3.10 §7.1), also where the group length is missing or wrong."""
    file = io.BytesIO(content)
    pydicom.filereader.read_preamble(file, False)
    pydicom.filereader._read_file_meta_info(file)
    return file.tell()


def meta_with(header: Dataset, transfer_syntax: UID) -> bytes:
    """Preamble and file meta of the header with another transfer syntax."""
    meta = FileMetaDataset()
    meta.update(header.file_meta)
    meta.TransferSyntaxUID = transfer_syntax
    buffer = io.BytesIO()
    write_file_meta_info(buffer, meta)
    return PREAMBLE + buffer.getvalue()


def explicit_head(header: Dataset) -> bytes:
    """The data set before its pixels, written as explicit VR little endian."""
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, header)
    return bytes(buffer.getvalue())


def with_trailing_padding(body: bytes, first_frame: int) -> bytes:
    """Append Data Set Trailing Padding so that the entry ends a whole number of chunks behind its first codestream."""
    missing = -(len(body) - first_frame + 12) % CHUNK
    return body + b"\xfc\xff\xfc\xffOB\x00\x00" + struct.pack("<I", missing) + b"\0" * missing


def extended_offsets(header: Dataset, count: int) -> list[int]:
    """The extended offset table (PS3.3 §C.7.6.3.1.8), one offset a frame; empty without a whole one."""
    table = header.get("ExtendedOffsetTable")
    if not isinstance(table, bytes) or len(table) < 8 * count:
        return []
    return list(struct.unpack_from(f"<{count}Q", table))


def level_ends(stream: bytes) -> list[int]:
    """Bytes of the codestream up to each resolution, smallest first (one tile-part per level, RPCL); the last is all."""
    ends = _tile_part_ends(stream)
    return [*ends[:-1], len(stream)]


def level_prefixes(ends: list[int], header: Dataset) -> tuple[int, int]:
    """Bytes of the codestream up to the resolution that fits 32² and 64²."""
    longest = max(int(header.Rows), int(header.Columns))
    sizes = [-(-longest // 2 ** (len(ends) - 1 - level)) for level in range(len(ends))]
    return _up_to(32, sizes, ends), _up_to(64, sizes, ends)


def _up_to(most: int, sizes: list[int], ends: list[int]) -> int:
    fitting = [end for size, end in zip(sizes, ends, strict=True) if size <= most]
    return fitting[-1] if fitting else ends[0]


def _tile_part_ends(stream: bytes) -> list[int]:
    """Ends of the tile-parts, by the Psot of each SOT marker segment (ISO/IEC 15444-1 §A.4.2)."""
    at = 2
    while struct.unpack_from(">H", stream, at)[0] != SOT:
        at += 2 + struct.unpack_from(">H", stream, at + 2)[0]
    ends = []
    while at + 12 <= len(stream) and struct.unpack_from(">H", stream, at)[0] == SOT:
        (length,) = struct.unpack_from(">I", stream, at + 6)
        at = at + length if length else len(stream)
        ends.append(at)
    return ends
