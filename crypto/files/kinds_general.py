"""Signatures of the general formats and of DICOM, and the formats that only have an extension.

Sources: PNG ISO/IEC 15948 §5.2; PDF ISO 32000-1 §7.5.2; BMP and AVI (RIFF) by Microsoft's file format pages; ASF
Specification 01.20.03 §2-3 (WMA); JPEG ISO/IEC 10918-1 Annex B; JPEG 2000 ISO/IEC 15444-1 Annexes A and I; DICOM PS3.10
§7.1; XML 1.0 §2.8; JSON RFC 8259.
"""

import struct

from crypto.files.kinds import Check, Content, Evidence, Kind
from crypto.files.xml_root import root_of, text_of

# ASF object ids as they lie in the file (little-endian GUIDs).
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_ASF_AUDIO = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_ASF_OBJECTS_LIMIT = 64
_DIB_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}
_DICOM_EXTENSIONS = {".dcm", ".dic", ".dicom", ".ima", ""}
_PDF_LEAD = 1024


def _is_bmp(content: Content) -> bool:
    if content.head[:2] != b"BM" or len(content.head) < 26:
        return False
    pixels, dib = struct.unpack_from("<II", content.head, 10)
    return dib in _DIB_HEADERS and 14 + dib <= pixels <= content.size


def _is_pdf(content: Content) -> bool:
    """At the start; readers also take up to 1,024 bytes before it, which we believe of a `.pdf` alone."""
    if content.head.startswith(b"%PDF-"):
        return True
    return content.extension == ".pdf" and b"%PDF-" in content.head[:_PDF_LEAD]


def _is_wma(content: Content) -> bool:
    """ASF whose streams are all sound; with pictures it is WMV."""
    head = content.head
    if not head.startswith(_ASF_HEADER):
        return False
    place, streams = 30, []
    for _ in range(_ASF_OBJECTS_LIMIT):
        if len(head) < place + 40:
            break
        (size,) = struct.unpack_from("<Q", head, place + 16)
        if head[place : place + 16] == _ASF_STREAM:
            streams.append(head[place + 24 : place + 40])
        if size < 24:
            break
        place += size
    return bool(streams) and set(streams) == {_ASF_AUDIO}


def _is_headless_dicom(content: Content) -> bool:
    """A data set without preamble (older devices): begins with group 0002 or 0008 and a plausible length or VR."""
    if content.extension not in _DICOM_EXTENSIONS or len(content.head) < 132:
        return False
    group, element = struct.unpack_from("<HH", content.head)
    if (group, element) not in {(2, 0), (2, 1), (8, 0), (8, 1), (8, 5), (8, 8), (8, 0x12), (8, 0x16)}:
        return False
    explicit = content.head[4:6] in {b"UL", b"OB", b"CS", b"UI", b"DA", b"LO", b"SH"}
    return explicit or struct.unpack_from("<I", content.head, 4)[0] <= 256


def _is_xml(content: Content) -> bool:
    if text_of(content.head).startswith("<?xml"):
        return True
    return content.extension == ".xml" and root_of(content.head) is not None


def _is_json(content: Content) -> bool:
    text = text_of(content.head).lstrip(" \t\r\n")
    return content.extension == ".json" and "\0" not in text and text[:1] in set('{["-0123456789tfn')


def _is_txt(content: Content) -> bool:
    return content.extension == ".txt" and "\0" not in text_of(content.head)


SIGNATURE_CHECKS: tuple[Check, ...] = (
    (Kind.PNG, Evidence.SIGNATURE, lambda content: content.head.startswith(b"\x89PNG\r\n\x1a\n")),
    (Kind.JPG, Evidence.SIGNATURE, lambda content: content.head.startswith(b"\xff\xd8\xff")),
    (
        Kind.JPG2000,
        Evidence.SIGNATURE,
        lambda content: content.head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
    ),
    (Kind.DICOM, Evidence.SIGNATURE, lambda content: content.head[128:132] == b"DICM"),
    (Kind.BMP, Evidence.SIGNATURE, _is_bmp),
    (
        Kind.AVI,
        Evidence.SIGNATURE,
        lambda content: content.head[:4] == b"RIFF" and content.head[8:12] == b"AVI ",
    ),
    (Kind.WMA, Evidence.SIGNATURE, _is_wma),
    (Kind.PDF, Evidence.SIGNATURE, _is_pdf),
)

EXTENSION_CHECKS: tuple[Check, ...] = (
    (Kind.XML, Evidence.SIGNATURE, _is_xml),
    (Kind.DICOM, Evidence.STRUCTURE, _is_headless_dicom),
    (Kind.JSON, Evidence.EXTENSION, _is_json),
    (Kind.TXT, Evidence.EXTENSION, _is_txt),
)
