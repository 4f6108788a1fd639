"""A film made here, with nothing of the server: frames in every codec, sealed by `crypto`, served by ranges.

The page carries the policy that the real one carries, so a script or style that breaks it shows.
"""

import base64
import io
import json
import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels import get_encoder
from pydicom.uid import RLELossless

from crypto.class_keys import pixel_key
from crypto.providers.portable import PortableProvider
from crypto.sealed_header import HEADER_SIZE, SealedHeader
from crypto.sealed_object import seal
from crypto.sm3 import sm3

DIST = Path(__file__).resolve().parents[2] / "api" / "static" / "dist"
CHUNK = 4096
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; "
    "script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' ws://127.0.0.1:*"
)
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".wasm": "application/wasm",
    ".map": "application/json",
}


@dataclass
class Frame:
    """One encoded frame, and the samples that the viewer must find in it (`None`: it must not find any)."""

    codec: str
    encoded: bytes | bytearray
    samples: NDArray[Any] | None
    shape: tuple[int, ...]
    bits: int = 16
    signed: bool = False
    photometric: str = "MONOCHROME2"
    voi: tuple[float, float] | None = None
    rescale: tuple[float, float] = (1, 0)

    @property
    def digest(self) -> str:
        assert self.samples is not None
        return sm3(self.samples.tobytes()).hex()


@dataclass
class Series:
    """A series of one sealed pack."""

    modality: str
    description: str
    frames: list[Frame]
    sealed: bytes = b""
    dek: bytes = b"\x07" * 16
    offsets: list[int] = field(default_factory=list)
    header: SealedHeader | None = None

    def close(self) -> None:
        """Lay the frames out behind a head chunk and seal them."""
        plain = io.BytesIO()
        plain.write(b"names and dates of a patient".ljust(CHUNK, b"\0"))
        for index, frame in enumerate(self.frames):
            # native-encoded frames start on a chunk; what came compressed may start anywhere in one
            plain.write(b"\0" * (-plain.tell() % CHUNK if frame.codec == "htj2k" else 100 + index))
            self.offsets.append(plain.tell())
            plain.write(frame.encoded)
        plain.write(b"\0" * 57)
        length = plain.tell()
        self.header = SealedHeader.new(length, 12, True)
        sealed = io.BytesIO()
        plain.seek(0)
        seal(plain, sealed, self.header, self.dek, PortableProvider(), [(1, -(-length // CHUNK))])
        self.sealed = sealed.getvalue()


def phantom(index: int, size: int = 256) -> NDArray[np.int16]:
    """A CT-like slice in HU: air, an oval body, lungs that change with the slice, a bright spine, noise."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    hu = np.full((size, size), -1000.0)
    hu[(x / 0.85) ** 2 + (y / 0.6) ** 2 < 1] = 40
    lung = 0.25 + 0.1 * math.sin(index / 4)
    for side in (-0.4, 0.4):
        hu[((x - side) / lung) ** 2 + ((y + 0.05) / (lung * 1.4)) ** 2 < 1] = -800
    hu[x**2 + (y - 0.4) ** 2 < 0.012] = 700
    noise = np.random.default_rng(index).normal(0, 12, hu.shape)
    return (hu + noise).astype(np.int16)


def ct_series(count: int) -> Series:
    slices = [phantom(i) for i in range(count)]
    frames = [
        Frame(
            "htj2k",
            imagecodecs.htj2k_encode(hu, reversible=True, tlm=True, tilepart=1),
            hu,
            hu.shape,
            signed=True,
            voi=(40, 400),
        )
        for hu in slices
    ]
    return Series("CT", "胸部 平扫 5mm", frames)


def codec_series() -> Series:
    """One frame per codec and sample layout."""
    small = phantom(3, 96)
    unsigned = (small + 1024).astype(np.uint16)
    grey = np.clip(small / 8 + 128, 0, 255).astype(np.uint8)
    colour = np.stack([grey, np.roll(grey, 9, 0), np.roll(grey, 9, 1)], axis=-1)
    rle = get_encoder(RLELossless).encode(
        unsigned.tobytes(),
        rows=96,
        columns=96,
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
    )
    jpeg = imagecodecs.jpeg8_encode(grey, level=90)
    lossless = imagecodecs.ljpeg_encode(unsigned, bitspersample=16)
    htj2k_rgb = imagecodecs.htj2k_encode(colour, reversible=True, tlm=True, tilepart=1)
    return Series(
        "OT",
        "各种编码",
        [
            Frame("jpegls", imagecodecs.jpegls_encode(unsigned), unsigned, (96, 96)),
            Frame(
                "jpeg2000",
                imagecodecs.jpeg2k_encode(small, level=0, codecformat="j2k", reversible=True),
                small,
                (96, 96),
                signed=True,
            ),
            Frame("rle", rle, unsigned, (96, 96)),
            Frame("jpeg", lossless, unsigned, (96, 96)),
            Frame("raw", small.tobytes(), small, (96, 96), signed=True),
            Frame("jpeg", jpeg, imagecodecs.jpeg8_decode(jpeg), (96, 96), bits=8, photometric="MONOCHROME1"),
            Frame("htj2k", htj2k_rgb, colour, (96, 96, 3), bits=8, photometric="RGB"),
        ],
    )


def hostile_series() -> Series:
    """A codec that nobody knows, a frame to touch (`flip_a_bit`), a codestream that is cut."""
    whole = ct_series(1).frames[0]
    return Series(
        "CT",
        "<img src=x onerror=alert(1)>",
        [
            Frame("mpeg4", b"\0" * 300, None, (96, 96)),
            Frame("htj2k", whole.encoded, None, whole.shape, signed=True),
            Frame("htj2k", whole.encoded[:60], None, whole.shape, signed=True),
        ],
    )


class FilmServer:
    """Serves one film on 127.0.0.1 and remembers what was asked for."""

    def __init__(self, series: list[Series]) -> None:
        self.series = series
        for one in series:
            one.close()
        self.range_requests: list[str] = []
        self.live_socket = ""
        self.embed_origins = ""
        self.is_down = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Quiet."""

            def do_GET(self) -> None:
                server.answer(self)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["FilmServer"]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            thread.join()
            self._http.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        pack = re.fullmatch(r"/api/v1/film/packs/(\d+)", request.path)
        if request.path == "/film":
            self._send(request, 200, "text/html; charset=utf-8", self.page().encode())
        elif request.path == "/api/v1/exams/1/rooms":
            told = json.dumps({"socket": self.live_socket}).encode()
            self._send(request, 200, "application/json", told)
        elif re.fullmatch(r"/api/v1/exams/\d+/annotations", request.path):
            self._send(request, 200, "application/json", b'{"annotations": []}')
        elif request.path == "/api/v1/exams/7/film":
            told = json.dumps({"title": "", "manifest": self.prior()}).encode()
            self._send(request, 200, "application/json", told)
        elif request.path == "/empty":
            self._send(request, 200, "text/html; charset=utf-8", self.page(is_empty=True).encode())
        elif pack:
            self._send_range(request, self.series[int(pack[1])].sealed)
        elif request.path.startswith("/static/dist/"):
            path = DIST / request.path.removeprefix("/static/dist/")
            if path.is_file():
                self._send(request, 200, MEDIA_TYPES[path.suffix], path.read_bytes())
            else:
                self._send(request, 404, "text/plain", b"")
        else:
            self._send(request, 204 if request.path == "/favicon.ico" else 404, "text/plain", b"")

    def _send_range(self, request: BaseHTTPRequestHandler, sealed: bytes) -> None:
        asked = request.headers.get("Range", "")
        self.range_requests.append(asked)
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
        if self.is_down or not found:
            self._send(request, 503, "text/plain", b"")
            return
        first, last = int(found[1]), int(found[2])
        extra = {"Content-Range": f"bytes {first}-{last}/{len(sealed)}"}
        self._send(request, 206, "application/octet-stream", sealed[first : last + 1], extra)

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        media_type: str,
        body: bytes,
        extra: dict[str, str] | None = None,
    ) -> None:
        request.send_response(status)
        headers = {
            "Content-Type": media_type,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": CONTENT_POLICY,
            "Cache-Control": "no-store",
            **(extra or {}),
        }
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    def manifest(self) -> dict[str, Any]:
        return {
            "version": 1,
            "title": "胸部CT平扫",
            "patient": "珅* 男 41岁",
            "hospital": "测试医院",
            "exam_at": "2026-11-24T01:00:00Z",
            "accession": "CT0001",
            "series": [self._describe(i, series) for i, series in enumerate(self.series)],
            "exam_id": 1,
            "history": [
                {"exam_id": 7, "title": "胸部CT平扫", "exam_at": "2024-03-05T01:00:00Z", "modality": "CT"}
            ],
            "may": {"save_annotations": False, "live": bool(self.live_socket), "download": False},
            "documents": [{"kind": "pdf", "title": "检查报告", "url": "/report"}],
            "first": {"series": 0, "frame": len(self.series[0].frames) // 2},
            "live": None,
        }

    def prior(self) -> dict[str, Any]:
        """An earlier exam: the same packs, in another frame of reference, 100 mm further up."""
        manifest = self.manifest()
        for series in manifest["series"]:
            series["uid"] += ".7"
            series["exam_id"] = 7
            series["frame_of_reference"] = "1.2.3.77"
            for frame in series["frames"]:
                frame["instance"] += ".7"
                frame["position"] = [0, 0, frame["position"][2] + 100]
        return manifest

    def _describe(self, index: int, series: Series) -> dict[str, Any]:
        assert series.header is not None
        header = series.sealed[:HEADER_SIZE]
        return {
            "uid": f"1.2.3.{index}",
            "number": index + 1,
            "description": series.description,
            "modality": series.modality,
            "exam_id": 1,
            "frame_of_reference": "1.2.3.99",
            "thumbnail": picture(phantom(10, 96)) if index == 0 else None,
            "packs": [
                {
                    "object_id": series.header.object_id.hex(),
                    "url": f"/api/v1/film/packs/{index}",
                    "key": base64.b64encode(pixel_key(series.dek, series.header.object_id)).decode(),
                    "header": base64.b64encode(header).decode(),
                }
            ],
            "frames": [
                {
                    "pack": 0,
                    "offset": offset,
                    "length": len(frame.encoded),
                    "codec": frame.codec,
                    "rows": frame.shape[0],
                    "columns": frame.shape[1],
                    "samples": frame.shape[2] if len(frame.shape) == 3 else 1,
                    "bits_allocated": frame.bits,
                    "bits_stored": frame.bits,
                    "signed": frame.signed,
                    "photometric": frame.photometric,
                    "slope": frame.rescale[0],
                    "intercept": frame.rescale[1],
                    "unit": "HU" if series.modality == "CT" else "",
                    "center": [frame.voi[0]] if frame.voi else [],
                    "width": [frame.voi[1]] if frame.voi else [],
                    "spacing": [0.97, 0.97],
                    "position": [0, 0, 5 * number],
                    "orientation": [1, 0, 0, 0, 1, 0],
                    "instance": f"1.2.3.{index}.{number}",
                    "number": number + 1,
                    "frame": 1,
                    "levels": None,
                }
                for number, (frame, offset) in enumerate(zip(series.frames, series.offsets, strict=True))
            ],
            "low": None,
        }

    def page(self, is_empty: bool = False) -> str:
        manifest = self.manifest()
        if is_empty:
            manifest |= {"series": [], "first": None}
        text = json.dumps(manifest, ensure_ascii=False)
        for char in "<>&":
            text = text.replace(char, f"\\u{ord(char):04x}")
        middle = self.series[0].frames[len(self.series[0].frames) // 2]
        preview = "data:," if is_empty else picture(middle.samples)
        return f"""<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>影像</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<link rel="stylesheet" href="/static/dist/film.css"></head>
<body class="film-page">
<main id="film" data-state="loading" data-series="{len(manifest["series"])}" data-csrf="x"
 data-embed-origins="{self.embed_origins}">
<img id="preview" src="{preview}" alt="">
<div data-skeleton class="toolbar"></div>
<script type="application/json" id="film-manifest">{text}</script>
</main>
<script type="module" src="/static/dist/film.js"></script>
</body></html>"""


def picture(hu: NDArray[Any] | None) -> str:
    """A WebP of a slice through the soft-tissue window, as a data address."""
    assert hu is not None
    grey = np.clip((hu.astype(float) + 160) / 400 * 255, 0, 255).astype(np.uint8)
    webp = imagecodecs.webp_encode(np.stack([grey] * 3, axis=-1), level=60)
    return "data:image/webp;base64," + base64.b64encode(webp).decode()


FLIPPED_FRAME = 1


def flip_a_bit(series: Series, frame: int) -> None:
    """Touch the sealed bytes of a frame in the middle."""
    at = series.offsets[frame] + len(series.frames[frame].encoded) // 2
    where = HEADER_SIZE + at + 16 * (at // CHUNK)
    series.sealed = series.sealed[:where] + bytes([series.sealed[where] ^ 1]) + series.sealed[where + 1 :]
