"""A film whose only series is a real pack, as the platform makes it: coarse levels, smaller copies, everything."""

import base64
import gzip
import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crypto.keyring import Keyring
from crypto.provider import Provider
from crypto.sm3 import sm3
from imaging.archive import make_pack
from imaging.film_series import series_of
from imaging.frame_columns import expand
from imaging.pack.source import PackSource
from imaging.sealing import pixel_key_of
from tests.browser.film_fixture import FilmServer, Frame, Series, phantom
from tests.unit.imaging import dicom_files

OWNER = "dicom-pack"


class PackedSeries(Series):
    """It is sealed already."""

    def close(self) -> None:
        """Nothing is left to do."""


class PackedFilm(FilmServer):
    """One CT series of `count` slices in one pack. `only`: plain bytes outside of which nothing is served."""

    def __init__(self, folder: Path, count: int, keyring: Keyring, provider: Provider) -> None:
        hu = [phantom(index, 512) for index in range(count)]
        made = _archive(
            folder, [dicom_files.file(one, number) for number, one in enumerate(hu, 1)], keyring, provider
        )
        sealed = made.path.read_bytes()
        pack = {
            "object_id": made.sealed.object_id,
            "url": "/api/v1/film/packs/0",
            "key": base64.b64encode(
                pixel_key_of(SimpleNamespace(**vars(made.sealed)), keyring, OWNER)
            ).decode(),
            "header": base64.b64encode(made.sealed.header).decode(),
        }
        self.entry: dict[str, Any] = {
            **series_of([json.loads(gzip.decompress(made.view))]),
            "uid": "1.2.3.0",
            "number": 1,
            "description": "胸部",
            "modality": "CT",
            "packs": [pack],
        }
        self.only: tuple[int, int] | None = None
        frames = [Frame("htj2k", b"", one, one.shape, signed=True) for one in hu]
        super().__init__([PackedSeries("CT", "胸部", frames, sealed)])

    @property
    def low(self) -> tuple[int, int]:
        """Plain bytes of the coarse levels of all slices."""
        return self.entry["low"]["offset"], self.entry["low"]["offset"] + self.entry["low"]["length"]

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Facts of the slices."""
        return expand(self.entry)

    def _describe(self, index: int, series: Series) -> dict[str, Any]:
        return self.entry

    def _send_range(self, request: BaseHTTPRequestHandler, sealed: bytes) -> None:
        first = int(request.headers["Range"].partition("=")[2].partition("-")[0])
        plain = (first - 64) // (4096 + 16) * 4096
        if self.only is not None and not self.only[0] // 4096 * 4096 <= plain < self.only[1]:
            self._send(request, 503, "text/plain", b"")
            return
        super()._send_range(request, sealed)


def _archive(folder: Path, files: list[bytes], keyring: Keyring, provider: Provider) -> Any:
    sources = []
    for number, content in enumerate(files, 1):
        path = folder / f"{number}.dcm"
        path.write_bytes(content)
        sources.append(PackSource(path, f"1.2.{number}", sm3(content).hex(), number))
    for name in ("work", "packs"):
        (folder / name).mkdir()
    return make_pack(sources, folder / "work", folder / "packs", keyring, provider, OWNER)
