"""A film of real packs, as the platform makes them: coarse levels, smaller copies, everything."""

import base64
import gzip
import json
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from crypto.keyring import Keyring
from crypto.provider import Provider
from crypto.sm3 import sm3
from imaging.archive import ArchivedPack, make_pack
from imaging.film_series import series_of
from imaging.frame_columns import expand
from imaging.pack.source import PackSource
from imaging.sealing import pixel_key_of
from tests.browser.film_fixture import FilmServer, Frame, Series, phantom

OWNER = "dicom-pack"


class PackedSeries(Series):
    """It is sealed already."""

    def close(self) -> None:
        """Nothing is left to do."""


class PackedFilm(FilmServer):
    """A series for each list of Part-10 files, each in one pack. `only`: plain bytes outside of which nothing is served."""

    def __init__(
        self, folder: Path, packs: Sequence[Sequence[bytes]], keyring: Keyring, provider: Provider
    ) -> None:
        self.entries: list[dict[str, Any]] = []
        self.only: tuple[int, int] | None = None
        for_preview = Frame("htj2k", b"", phantom(0, 96), (96, 96), signed=True)
        series: list[Series] = []
        for index, files in enumerate(packs):
            made = _archive(folder / str(index), files, keyring, provider)
            series.append(PackedSeries("CT", "", [for_preview], made.path.read_bytes()))
            self.entries.append(_entry(index, made, keyring))
        super().__init__(series)

    @property
    def low(self) -> tuple[int, int]:
        """Plain bytes of the coarse levels of the first series."""
        low = self.entries[0]["low"]
        return low["offset"], low["offset"] + low["length"]

    @property
    def frames(self) -> list[dict[str, Any]]:
        """Facts of the frames of the first series."""
        return expand(self.entries[0])

    def _describe(self, index: int, series: Series) -> dict[str, Any]:
        return self.entries[index]

    def _send_range(self, request: BaseHTTPRequestHandler, sealed: bytes) -> None:
        first = int(request.headers["Range"].partition("=")[2].partition("-")[0])
        plain = (first - 64) // (4096 + 16) * 4096
        if self.only is not None and not self.only[0] // 4096 * 4096 <= plain < self.only[1]:
            self._send(request, 503, "text/plain", b"")
            return
        super()._send_range(request, sealed)


def _archive(folder: Path, files: Sequence[bytes], keyring: Keyring, provider: Provider) -> ArchivedPack:
    for name in ("work", "packs"):
        (folder / name).mkdir(parents=True)
    sources = []
    for number, content in enumerate(files, 1):
        path = folder / f"{number}.dcm"
        path.write_bytes(content)
        sources.append(PackSource(path, f"1.2.{number}", sm3(content).hex(), number))
    return make_pack(sources, folder / "work", folder / "packs", keyring, provider, OWNER)


def _entry(index: int, made: ArchivedPack, keyring: Keyring) -> dict[str, Any]:
    """A series of the manifest, as workflow.film_manifest writes it."""
    key = pixel_key_of(SimpleNamespace(**vars(made.sealed)), keyring, OWNER)
    pack = {
        "object_id": made.sealed.object_id,
        "url": f"/api/v1/film/packs/{index}",
        "key": base64.b64encode(key).decode(),
        "header": base64.b64encode(made.sealed.header).decode(),
    }
    told = {"uid": f"1.2.3.{index}", "number": index, "description": "", "modality": "CT", "packs": [pack]}
    return {**series_of([json.loads(gzip.decompress(made.view))]), **told}
