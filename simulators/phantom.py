"""A labelled phantom: one CT series and its scout in one frame of reference, made from numbers alone.

No person: the pixels say PHANTOM, and so does the description. The same bytes every time.
"""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

ROOT = "1.2.826.0.1.3680043.8.498.20261124"
STUDY, FRAME_OF_REFERENCE = f"{ROOT}.2", f"{ROOT}.3"
SIDE, SLICES, SPACING, THICKNESS = 256, 48, 1.4, 5.0
# Rows of a 5×7 pixel font, only the letters needed.
LETTERS = {
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "N": "10001 11001 10101 10011 10001 10001 10001",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "M": "10001 11011 10101 10101 10001 10001 10001",
}


def generate(directory: Path) -> list[Path]:
    """Write the study's files; existing ones are left as they are."""
    directory.mkdir(parents=True, exist_ok=True)
    volume = _volume()
    paths = []
    for index in range(SLICES):
        paths.append(_write(directory / f"axial-{index + 1:03d}.dcm", _axial(volume[index], index)))
    paths.append(_write(directory / "scout-001.dcm", _scout(volume)))
    return paths


def _volume() -> np.ndarray:
    """HU values: a water body with bone, lung and soft spheres, and the word PHANTOM in every slice."""
    z, y, x = np.mgrid[0:SLICES, 0:SIDE, 0:SIDE].astype(np.float32)
    x, y, z = (x - SIDE / 2) * SPACING, (y - SIDE / 2) * SPACING, (z - SLICES / 2) * THICKNESS
    volume = np.full((SLICES, SIDE, SIDE), -1000, np.int16)
    body = (x / 150) ** 2 + (y / 110) ** 2 < 1
    volume[body] = 0
    noise = np.random.default_rng(20261124).normal(0, 12, volume.shape)
    for cx, cy, cz, radius, value in (
        (-70, -10, 0, 45, -850),
        (70, -10, 0, 45, -850),
        (0, 70, 0, 22, 700),
        (0, 10, 20, 28, 60),
        (-75, -20, 30, 7, 40),
    ):
        volume[(x - cx) ** 2 + (y - cy) ** 2 + ((z - cz) * 0.7) ** 2 < radius**2] = value
    volume = (volume + np.where(body, noise, 0)).astype(np.int16)
    volume[:, 14:28, 20 : 20 + 2 * 6 * len("PHANTOM")] = np.maximum(
        volume[:, 14:28, 20:104], _word("PHANTOM")
    )
    return volume


def _word(word: str) -> np.ndarray:
    """The word as 1000 HU strokes, each font pixel 2×2."""
    columns = [
        np.array([[int(bit) for bit in row + "0"] for row in LETTERS[letter].split()]) for letter in word
    ]
    strokes = np.concatenate(columns, axis=1).repeat(2, axis=0).repeat(2, axis=1)
    return np.where(strokes, 1000, -1000).astype(np.int16)


def _axial(pixels: np.ndarray, index: int) -> Dataset:
    dataset = _common(pixels, series=2, number=index + 1, description="PHANTOM axial 5mm")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [-SIDE * SPACING / 2, -SIDE * SPACING / 2, index * THICKNESS]
    dataset.PixelSpacing = [SPACING, SPACING]
    dataset.SliceThickness = THICKNESS
    dataset.SliceLocation = index * THICKNESS
    dataset.WindowCenter, dataset.WindowWidth = [40, -600], [400, 1500]
    dataset.WindowCenterWidthExplanation = ["SOFT", "LUNG"]
    return dataset


def _scout(volume: np.ndarray) -> Dataset:
    """The sum along y, seen from the front: rows run from head to feet."""
    projected = volume.mean(axis=1)[::-1].repeat(4, axis=0).astype(np.int16)
    dataset = _common(projected, series=1, number=1, description="PHANTOM scout")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    dataset.ImagePositionPatient = [-SIDE * SPACING / 2, 0, (SLICES - 1) * THICKNESS]
    dataset.PixelSpacing = [THICKNESS / 4, SPACING]
    dataset.WindowCenter, dataset.WindowWidth = -500, 1000
    return dataset


def _common(pixels: np.ndarray, *, series: int, number: int, description: str) -> Dataset:
    uid = UID(f"{ROOT}.2.{series}.{number}")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "GB18030"
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, uid
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY, f"{ROOT}.2.{series}"
    dataset.FrameOfReferenceUID = FRAME_OF_REFERENCE
    dataset.StudyDate, dataset.StudyTime = "20261124", "101500"
    dataset.Modality, dataset.Manufacturer = "CT", "PHANTOM"
    dataset.StudyDescription, dataset.SeriesDescription = "PHANTOM", description
    dataset.PatientName, dataset.PatientID = "PHANTOM^珅東", "PHANTOM-1"
    dataset.PatientBirthDate, dataset.PatientSex = "", "O"
    dataset.SeriesNumber, dataset.InstanceNumber = series, number
    dataset.AccessionNumber = ""
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    dataset.PixelData = np.ascontiguousarray(pixels, "<i2").tobytes()
    return dataset


def _write(path: Path, dataset: Dataset) -> Path:
    if not path.exists():
        dataset.save_as(path, enforce_file_format=True)
    return path
