"""DICOM unique identifiers in HL7 fields."""

import re

from hl7_engine.errors import Unreadable, quoted

# DICOM PS3.5 §9.1: components of digits, 64 characters at most.
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_LONGEST = 64


def study_uid(text: str, place: str) -> str:
    """`text` if it is a UID. Raises `Unreadable`: images joined by a wrong one would be somebody else's."""
    if len(text) > _LONGEST or not _UID.fullmatch(text):
        raise Unreadable(f"{place} is {quoted(text)}: a Study Instance UID has digits and dots only")
    return text
