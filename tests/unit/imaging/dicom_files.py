"""Generated DICOM files, as a modality would write them."""

import io
import struct
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

ROOT = "1.2.826.0.1.3680043.8.498.20261124.9"
NAME = "ZHANG^SHENDONG"
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big": ExplicitVRBigEndian,
}


def noise(shape: tuple[int, ...], kind: str = "<i2", seed: int = 1) -> np.ndarray:
    """Pixels that compress badly and use the whole range of `kind`."""
    limits = np.iinfo(kind)
    return np.random.default_rng(seed).integers(limits.min, limits.max, shape, kind, endpoint=True)


def slope(rows: int, columns: int, shift: int = 0) -> np.ndarray:
    """A smooth picture in HU."""
    y, x = np.mgrid[0:rows, 0:columns]
    return (x * 3 - y * 2 + shift).astype("<i2")


def dataset(pixels: np.ndarray | None = None, number: int = 1, **elements: Any) -> Dataset:
    """One instance; `pixels` (rows, columns) or (frames, rows, columns) of 8 or 16 bits; more elements by keyword."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CTImageStorage, UID(f"{ROOT}.3.{number}")
    made.StudyInstanceUID, made.SeriesInstanceUID = f"{ROOT}.1", f"{ROOT}.2"
    made.PatientName, made.PatientID = NAME, "P-1"
    made.Modality, made.SeriesNumber, made.InstanceNumber = "CT", 2, number
    made.StudyDate, made.AccessionNumber = "20261124", "ACC-1"
    if pixels is not None:
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.Rows, made.Columns = pixels.shape[-2:]
        if pixels.ndim == 3:
            made.NumberOfFrames = pixels.shape[0]
        bits = pixels.dtype.itemsize * 8
        made.BitsAllocated, made.BitsStored, made.HighBit = bits, bits, bits - 1
        made.PixelRepresentation = int(pixels.dtype.kind == "i")
        content = pixels.tobytes()
        made.PixelData = content + b"\0" * (len(content) % 2)
        made["PixelData"].VR = "OW" if bits == 16 else "OB"
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def part10(made: Dataset, syntax: str = "explicit") -> bytes:
    """The file's bytes. Encapsulated pixels: put them into `PixelData` and name the transfer syntax's UID."""
    uid = SYNTAXES.get(syntax) or UID(syntax)
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = uid
    if uid.is_encapsulated and "PixelData" in made:
        made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    buffer = io.BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def file(
    pixels: np.ndarray | None = None, number: int = 1, syntax: str = "explicit", **elements: Any
) -> bytes:
    """`part10` of `dataset`."""
    return part10(dataset(pixels, number, **elements), syntax)


def element(group: int, number: int, vr: str, value: bytes) -> bytes:
    """One explicit VR little endian element with a length of two bytes."""
    return struct.pack("<HH2sH", group, number, vr.encode(), len(value)) + value


def nested(depth: int) -> bytes:
    """Sequences of undefined length in each other, never closed: parsers that recurse fall over."""
    opened = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    return opened * depth
