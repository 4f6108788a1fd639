"""Files inside of DICOM: a PDF, a video (PS3.3 §A.45, PS3.5 §8.2)."""

from pydicom.dataset import Dataset

from imaging.errors import NotDicom

# Readers look for the mark in the first kilobyte (ISO 32000-1 annex H.3.4.1).
PDF_MARK, PDF_HEAD = b"%PDF-", 1024
MP4_MARK = b"ftyp"


def pdf_of(header: Dataset) -> bytes:
    """The PDF of an Encapsulated PDF object. Raises `NotDicom` when it holds something else."""
    content = header.get("EncapsulatedDocument")
    if not isinstance(content, bytes) or PDF_MARK not in content[:PDF_HEAD]:
        raise NotDicom("the encapsulated document is no PDF")
    length = header.get("EncapsulatedDocumentLength")
    return content[: int(length)] if length and 0 < int(length) <= len(content) else content


def is_mp4(beginning: bytes) -> bool:
    """Whether a video is in the one container of DICOM that browsers play (PS3.5 §8.2.7); else it is a stream."""
    return beginning[4:8] == MP4_MARK
