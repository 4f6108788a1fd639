"""Films for the viewer's figures: generated CT series, archived as the platform does it, behind a server as it runs."""

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from access import sessions
from access.staff import create_staff
from app.installation import set_up
from app.keys import open_keyring
from app.site import Site, free_ports
from app.story.scene import environment
from core import config, db
from tests.unit.api import archived, makers
from tests.unit.imaging import dicom_files

SIDE = 512
SPACING_MM, THICKNESS_MM = 0.7, 1.0
# HU: with it a slice becomes 2.7 times smaller without loss, as chest CT does.
NOISE_HU = 7
_NOISES = 8


@dataclass(frozen=True)
class Films:
    """A running server and what it shows: `page[n]` is the path of the film with n slices; `files[n]` made it."""

    url: str
    token: str
    page: dict[int, str]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)


@contextmanager
def films(sizes: Sequence[int]) -> Iterator[Films]:
    """One film of so many 512² slices each, while the block lasts. The largest take minutes to make."""
    Path("var").mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir="var") as home:
        environ = environment(Path(home).resolve(), free_ports(8), STORE="local", KIOSK_KEYS="")
        settings = config.load(environ)
        set_up(settings)
        keyring = open_keyring(settings)
        with db.connection():
            pages = {}
            for number, size in enumerate(sizes):
                print(f"making a film of {size} slices …", file=sys.stderr)
                exam = makers.published(f"BENCH{number}")
                # a second copy of every slice is not what these figures are about, and doubles the time to make them
                quick = replace(settings, lossy_copy=False)
                archived.archive(archived.platform(quick, keyring), exam, slices(size, number))
                pages[size] = f"/exams/{exam.id}/film"
            staff = create_staff("bench", "bench", "doctor", secrets.token_urlsafe(16))
            token = sessions.open_staff_session(staff, 12).token
        with Site(Path(home), environ, processes=("web",)):
            yield Films(settings.public_url, token, pages)


def slices(count: int, series: int) -> Iterator[bytes]:
    """Part-10 files of one series: a body with lungs and spine that change from slice to slice, in noise."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    rng = np.random.default_rng(20261124)
    noises = [rng.normal(0, NOISE_HU, (SIDE, SIDE)) for _ in range(_NOISES)]
    for index in range(count):
        made = dicom_files.dataset(_slice(x, y, index, count, noises), index + 1)
        root = f"{dicom_files.ROOT}.7.{series}"
        made.StudyInstanceUID, made.SeriesInstanceUID = f"{root}.1", f"{root}.2"
        made.SOPInstanceUID, made.FrameOfReferenceUID = f"{root}.3.{index + 1}", f"{root}.4"
        made.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        made.ImagePositionPatient = [-SIDE * SPACING_MM / 2, -SIDE * SPACING_MM / 2, index * THICKNESS_MM]
        made.PixelSpacing, made.SliceThickness = [SPACING_MM, SPACING_MM], THICKNESS_MM
        made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 1, 0, "HU"
        made.WindowCenter, made.WindowWidth = 40, 400
        made.SeriesDescription = "BENCH"
        yield dicom_files.part10(made)


def _slice(x: np.ndarray, y: np.ndarray, index: int, count: int, noises: Sequence[np.ndarray]) -> np.ndarray:
    hu = np.full((SIDE, SIDE), -1000.0)
    hu[(x / 0.85) ** 2 + (y / 0.6) ** 2 < 1] = 40
    lung = 0.25 + 0.1 * np.sin(6 * index / count)
    for side in (-0.4, 0.4):
        hu[((x - side) / lung) ** 2 + ((y + 0.05) / (lung * 1.4)) ** 2 < 1] = -800
    hu[x**2 + (y - 0.4) ** 2 < 0.012] = 700
    # rolled, so that no two slices are the same and none costs new random numbers
    noise = np.roll(noises[index % len(noises)], (index * 7, index * 13), (0, 1))
    return (hu + noise).astype("<i2")


def dist_size(name: str) -> int:
    """Bytes of a built file as a browser gets it: brotli, where that is smaller by much."""
    whole = Path("api/static/dist") / name
    compressed = whole.with_name(f"{whole.name}.br")
    return (compressed if compressed.exists() else whole).stat().st_size
