"""Electrocardiograms and biosignals: SCP-ECG, HL7 aECG, GDF.

Sources: SCP-ECG EN 1064 / ISO 11073-91064 §5.2-5.3 (file header and section 0); HL7 V3 Annotated ECG, R1 (2004);
GDF, "GDF - A general dataformat for biosignals", version 2.
"""

import binascii
import re
import struct

from crypto.files.kinds import Check, Content, Evidence, Kind
from crypto.files.xml_root import root_of

_GDF = re.compile(rb"GDF [12]\.\d\d")
_GDF_HEADER = 256
_SECTION_0_LEAST = 16 + 12 * 10
_HL7_V3 = "urn:hl7-org:v3"


def _is_scp(content: Content) -> bool:
    """CRC u16, length u32; then section 0: CRC u16, id 0, length u32, two versions, "SCPECG". All little-endian."""
    head = content.head
    if len(head) < 6 + _SECTION_0_LEAST:
        return False
    total, crc, section, length = struct.unpack_from("<IHHI", head, 2)
    if section != 0 or total > content.size or not _SECTION_0_LEAST <= length <= total - 6:
        return False
    # Version 1.0 had no name there; then the section's own check sum decides (CRC-CCITT, 0xFFFF at the start).
    return head[16:22] == b"SCPECG" or (
        6 + length <= len(head) and binascii.crc_hqx(head[8 : 6 + length], 0xFFFF) == crc
    )


def _is_aecg(content: Content) -> bool:
    root = root_of(content.head)
    return root is not None and root[0] == "AnnotatedECG" and _HL7_V3 in root[1]


def _is_gdf(content: Content) -> bool:
    return content.size >= _GDF_HEADER and _GDF.match(content.head) is not None


ECG_CHECKS: tuple[Check, ...] = (
    (Kind.SCP_ECG, Evidence.SIGNATURE, _is_scp),
    (Kind.HL7_AECG, Evidence.SIGNATURE, _is_aecg),
    (Kind.GDF, Evidence.SIGNATURE, _is_gdf),
)
