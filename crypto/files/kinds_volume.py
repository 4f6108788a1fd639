"""Volumes: NIFTI, ANALYZE 7.5, NRRD, MINC 1 and 2, Philips PAR/REC.

Sources: NIfTI-1.1 and NIfTI-2 headers (nifti1.h, nifti2.h of the NIfTI working group); ANALYZE 7.5 File Format (Mayo
Clinic); Teem NRRD format, versions 1-5; MINC 1 on netCDF classic and MINC 2 on HDF5 (MINC programmer's guides); PAR/REC as
exported by Philips scanners, versions 3 to 4.2.
"""

import math
import re
import struct
import zlib

from crypto.files.kinds import HEAD, Check, Content, Evidence, Kind

_NRRD = re.compile(rb"NRRD000[1-5]\r?\n")
_HDF5 = b"\x89HDF\r\n\x1a\n"
_NETCDF = (b"CDF\x01", b"CDF\x02")
_PAR_FIRST = b"# === DATA DESCRIPTION FILE"
_PAR_LIMIT = 4 * 2**20
_HEADER_SIZES = {348: "nifti1", 540: "nifti2"}
_HEADER_LIMIT = 544
# ANALYZE 7.5: data type code → bits of a voxel.
_ANALYZE_BITS = {1: 1, 2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24}
_GENERAL = re.compile(rb"^\. *(Image pixel size|Recon resolution)[^:\n]*:(.*)$", re.M)


def _header(content: Content) -> bytes:
    """The first bytes, unpacked when they are gzip: 544 at most, whatever the packed bytes would become."""
    if not content.head.startswith(b"\x1f\x8b"):
        return content.head[:_HEADER_LIMIT]
    try:
        return zlib.decompressobj(31).decompress(content.head, _HEADER_LIMIT)
    except zlib.error:
        return b""


def _order(header: bytes) -> str | None:
    """Byte order of a NIfTI or ANALYZE header by its first field, its own length; None for anything else."""
    if len(header) < 348:
        return None
    for order in "<>":
        if struct.unpack_from(f"{order}i", header)[0] in _HEADER_SIZES:
            return order
    return None


def _nifti_magic(header: bytes) -> bytes:
    """`n+1`, `ni1`, `n+2`, `ni2`, or nothing."""
    order = _order(header)
    if order is None:
        return b""
    if struct.unpack_from(f"{order}i", header)[0] == 348:
        magic = header[344:348]
        return magic[:3] if magic in (b"n+1\0", b"ni1\0") else b""
    magic = header[4:12]
    return magic[:3] if magic in (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n") else b""


def _is_nifti(content: Content) -> bool:
    return _nifti_magic(_header(content)) != b""


def _is_analyze_header(header: bytes) -> bool:
    """ANALYZE has no signature: header length, 1 to 7 dimensions of 1 and more, a data type that fits its bits."""
    order = _order(header)
    if order is None or struct.unpack_from(f"{order}i", header)[0] != 348 or _nifti_magic(header):
        return False
    count, *sizes = struct.unpack_from(f"{order}8h", header, 40)
    kind, bits = struct.unpack_from(f"{order}2h", header, 70)
    return 1 <= count <= 7 and all(size > 0 for size in sizes[:count]) and _ANALYZE_BITS.get(kind) == bits


def _is_analyze(content: Content) -> bool:
    return content.extension in (".hdr", ".hdr.gz") and _is_analyze_header(_header(content))


def _image_header(content: Content) -> bytes:
    """The header of the `.hdr` beside an `.img`, when this file is as long as it says."""
    if content.extension not in (".img", ".img.gz"):
        return b""
    beside = content.sibling(content.extension.replace("img", "hdr"), HEAD)
    header = _header(beside) if beside else b""
    packed = content.extension.endswith(".gz")
    return header if _order(header) and (packed or content.size >= _voxel_bytes(header)) else b""


def _voxel_bytes(header: bytes) -> int:
    order = _order(header)
    if struct.unpack_from(f"{order}i", header)[0] == 348:
        count, *sizes = struct.unpack_from(f"{order}8h", header, 40)
        (bits,) = struct.unpack_from(f"{order}h", header, 72)
    elif len(header) >= 80:
        count, *sizes = struct.unpack_from(f"{order}8q", header, 16)
        (bits,) = struct.unpack_from(f"{order}h", header, 14)
    else:
        return 0
    return math.prod(max(0, size) for size in sizes[: max(0, min(count, 7))]) * max(0, bits) // 8


def _is_nifti_image(content: Content) -> bool:
    return _nifti_magic(_image_header(content)) in (b"ni1", b"ni2")


def _is_analyze_image(content: Content) -> bool:
    return _is_analyze_header(_image_header(content))


def _is_minc1(content: Content) -> bool:
    """netCDF classic with what makes it MINC: its root variable and spatial dimensions, or the extension."""
    if not content.head.startswith(_NETCDF):
        return False
    return content.extension == ".mnc" or b"rootvariable" in content.head or b"MINC " in content.head


def _is_minc2(content: Content) -> bool:
    """HDF5 whose root group has the member `minc-2.0`."""
    return content.head.startswith(_HDF5) and b"minc-2.0" in content.head


def _is_par(content: Content) -> bool:
    return content.head.lstrip(b" \t\r\n").startswith(_PAR_FIRST)


def _is_rec(content: Content) -> bool:
    """Bare pixels, as many as the PAR beside it says."""
    if content.extension != ".rec":
        return False
    beside = content.sibling(".par", _PAR_LIMIT)
    return (
        beside is not None and _is_par(beside) and 0 < _rec_bytes(beside.read(0, _PAR_LIMIT)) == content.size
    )


def _rec_bytes(par: bytes) -> int:
    """Length of the REC by the PAR's table of images: bits, width, height in columns 7, 9, 10 (V4), or above it (V3)."""
    rows = [
        line.split() for line in par.splitlines() if line.strip() and line.lstrip()[:1] not in (b"#", b".")
    ]
    try:
        if b"Image pixel size" not in par:
            return sum(int(row[7]) // 8 * int(row[9]) * int(row[10]) for row in rows)
        general = {name: value.split() for name, value in _GENERAL.findall(par)}
        width, height = (int(value) for value in general[b"Recon resolution"][:2])
        return len(rows) * width * height * int(general[b"Image pixel size"][0]) // 8
    except (IndexError, KeyError, ValueError):
        return 0


VOLUME_CHECKS: tuple[Check, ...] = (
    (Kind.NRRD, Evidence.SIGNATURE, lambda content: _NRRD.match(content.head) is not None),
    (Kind.NIFTI, Evidence.SIGNATURE, _is_nifti),
    (Kind.MINC, Evidence.SIGNATURE, _is_minc1),
    (Kind.MINC, Evidence.SIGNATURE, _is_minc2),
    (Kind.PAR_REC, Evidence.SIGNATURE, _is_par),
    (Kind.ANALYZE, Evidence.STRUCTURE, _is_analyze),
    (Kind.NIFTI, Evidence.STRUCTURE, _is_nifti_image),
    (Kind.ANALYZE, Evidence.STRUCTURE, _is_analyze_image),
    (Kind.PAR_REC, Evidence.STRUCTURE, _is_rec),
)
