"""Which of the 19 kinds of data (H2.9) a file is: by its signature where the format has one, else by its structure
and extension. Nothing is decoded; at most 64 KiB of a file are looked at (and 4 MiB of the PAR beside a REC).

A format with a signature is never believed by extension alone: a `.png` without PNG's signature is `other`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

HEAD = 64 * 1024


class Kind(StrEnum):
    """The labels, as the notice writes them; `other` is everything else, and is sealed all the same."""

    TXT = "txt"
    XML = "xml"
    JSON = "json"
    PNG = "png"
    PDF = "pdf"
    BMP = "bmp"
    AVI = "avi"
    WMA = "wma"
    JPG = "jpg"
    JPG2000 = "jpg2000"
    DICOM = "DICOM"
    NIFTI = "NIFTI"
    PAR_REC = "PAR/REC"
    ANALYZE = "ANALYZE"
    NRRD = "NRRD"
    MINC = "MINC"
    SCP_ECG = "SCP-ECG"
    HL7_AECG = "HL7aECG"
    GDF = "GDF"
    OTHER = "other"


class Evidence(StrEnum):
    """Why a label was given, strongest first."""

    SIGNATURE = "signature"
    STRUCTURE = "structure"
    EXTENSION = "extension"
    NONE = "none"


@dataclass(frozen=True)
class Label:
    """The kind of a file and what it rests on."""

    kind: Kind
    evidence: Evidence


@dataclass(frozen=True)
class Content:
    """A file as it is looked at: name, length, bytes [start, end), and the first bytes of a file beside it.

    `sibling(".hdr", limit)` is the file that differs in its extension alone, or None.
    """

    name: str
    size: int
    read: Callable[[int, int], bytes]
    sibling: "Callable[[str, int], Content | None]"

    @cached_property
    def head(self) -> bytes:
        """The first bytes, `HEAD` at most."""
        return self.read(0, min(self.size, HEAD))

    @property
    def extension(self) -> str:
        """Lower case, with its dot; `.nii.gz` and the like are one."""
        return extension(self.name)


def extension(name: str) -> str:
    """The extension of a file name, lower case with its dot; empty when there is none."""
    stem, dot, last = name.lower().rpartition(".")
    if not dot or not stem:
        return ""
    inner = stem.rpartition(".")[2]
    return f".{inner}.{last}" if last == "gz" and inner in ("nii", "hdr", "img") else f".{last}"


Check = tuple[Kind, Evidence, Callable[[Content], bool]]
