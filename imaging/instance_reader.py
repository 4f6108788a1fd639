"""From a received data set to `ReceiveInstance`: only the header is read, and with limits (decision 14)."""

import io
import re
from typing import IO, Any

import pydicom
from pydicom.dataset import Dataset

from core.commands import ReceiveInstance
from imaging.errors import NotDicom
from imaging.header_text import read_text
from imaging.spool import Spooled

# PS3.5 §9.1 allows digits and dots. Some devices put letters and dashes; slashes and NULs are nobody's mistake.
_UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


def read_header(part10: bytes | IO[bytes]) -> Dataset:
    """The data set before its pixels, of which a file gives no more. Raises `NotDicom` for what does not parse."""
    # Hostile bytes make pydicom raise nearly anything (two dozen kinds were seen, some of its own that have no common
    # root), so here and below every error means the same: it cannot be read.
    try:
        file = io.BytesIO(part10) if isinstance(part10, bytes) else part10
        header = pydicom.dcmread(file, stop_before_pixels=True)
        if not header.file_meta.get("TransferSyntaxUID"):
            raise NotDicom("the file meta names no transfer syntax")
        for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
            if not _UID.fullmatch(str(header.get(name) or "")):
                raise NotDicom(f"the data set has no usable {name}")
        return header
    except NotDicom:
        raise
    except Exception as error:
        raise NotDicom(f"the data set cannot be parsed ({type(error).__name__})") from error


def to_command(header: Dataset, spooled: Spooled, calling_ae: str) -> ReceiveInstance:
    """The command that records this instance; texts are cut to the columns' lengths."""
    return ReceiveInstance(
        study_uid=str(header.StudyInstanceUID),
        series_uid=str(header.SeriesInstanceUID),
        sop_uid=str(header.SOPInstanceUID),
        sop_class_uid=str(header.SOPClassUID),
        transfer_syntax_uid=str(header.file_meta.TransferSyntaxUID),
        spool_name=spooled.name,
        byte_size=spooled.byte_size,
        dataset_sm3=spooled.dataset_sm3,
        file_sm3=spooled.file_sm3,
        calling_ae=calling_ae,
        accession_number=_text(header, "AccessionNumber", 64),
        patient_id=_text(header, "PatientID", 64),
        patient_name=_text(header, "PatientName", 200),
        study_description=_text(header, "StudyDescription", 128),
        study_date=_text(header, "StudyDate", 16),
        series_number=_number(header, "SeriesNumber"),
        series_description=_text(header, "SeriesDescription", 128),
        modality=_text(header, "Modality", 16),
        instance_number=_number(header, "InstanceNumber"),
    )


def _text(header: Dataset, name: str, most: int) -> str:
    try:
        return read_text(header, name)[:most]
    except Exception:
        return ""


def _number(header: Dataset, name: str) -> int | None:
    try:
        value: Any = header.get(name)
        number = int(value) if value not in (None, "") else None
    except Exception:
        return None
    return number if number is not None and abs(number) < 2**31 else None
