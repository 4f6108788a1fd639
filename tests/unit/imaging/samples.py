"""Generated DICOM instances: no person, no scanner, the same bytes every time."""

import io
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

from crypto.sm3 import sm3
from imaging.pack.source import PackSource

# A name that no compressed picture contains by chance: what must never lie in a chunk of pixels.
MARKER = "MARKER^OF^THE^HEAD"
CT, SR = UID("1.2.840.10008.5.1.4.1.1.2"), UID("1.2.840.10008.5.1.4.1.1.88.11")


def uid_of(name: str) -> UID:
    return generate_uid(entropy_srcs=[name])


def grey(rows: int, columns: int, kind: str, frames: int = 1, seed: int = 1) -> np.ndarray:
    """A wedge with noise over the whole range of `kind`, shaped (frames, rows, columns)."""
    info = np.iinfo(kind)
    ramp = np.linspace(info.min, info.max, rows * columns).reshape(rows, columns)
    noise = np.random.default_rng(seed).normal(0, (info.max - info.min) / 200, (frames, rows, columns))
    return np.clip(ramp + noise, info.min, info.max).astype(kind)


def header(name: str, **values: Any) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = CT
    dataset.SOPInstanceUID = uid_of(name)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uid_of("study"), uid_of("series")
    dataset.PatientName, dataset.PatientID, dataset.Modality = MARKER, "P-1", "CT"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def part10(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def image(name: str, pixels: np.ndarray, syntax: UID = ExplicitVRLittleEndian, **values: Any) -> bytes:
    """A native grey instance of `pixels` (frames, rows, columns)."""
    dataset = header(name, **values)
    frames, dataset.Rows, dataset.Columns = pixels.shape
    if frames > 1:
        dataset.NumberOfFrames = frames
    bits = pixels.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    raw = pixels.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) & 1)
    dataset["PixelData"].VR = "OW" if bits == 16 else "OB"
    return part10(dataset, syntax)


def jpeg(name: str, frames: int = 1) -> bytes:
    """An instance that came compressed: one fragment a frame."""
    pixels = grey(40, 48, "uint8", frames)
    dataset = header(name)
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 40, 48, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PhotometricInterpretation = "MONOCHROME2"
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = encapsulate([bytes(imagecodecs.jpeg8_encode(one, level=90)) for one in pixels])
    dataset["PixelData"].is_undefined_length = True
    return part10(dataset, JPEGBaseline8Bit)


def report(name: str) -> bytes:
    """A structured report: no pixels."""
    dataset = header(name, SOPClassUID=SR, Modality="SR", ContentDate="20261124")
    item = Dataset()
    item.ValueType, item.TextValue = "TEXT", "no pixels here"
    dataset.ContentSequence = [item]
    return part10(dataset)


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """One explicit element with a short length (PS3.5 §7.1.2)."""
    return struct.pack("<HH", group, number) + vr + struct.pack("<H", len(value)) + value


def written(directory: Path, files: dict[str, bytes]) -> list[PackSource]:
    """The files as sources of a pack, in the order given."""
    directory.mkdir(parents=True, exist_ok=True)
    sources = []
    for number, (name, content) in enumerate(files.items(), start=1):
        path = directory / f"{name}.dcm"
        path.write_bytes(content)
        sources.append(PackSource(path, str(uid_of(name)), sm3(content).hex(), number))
    return sources
