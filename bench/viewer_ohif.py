"""OHIF beside us: its files as npm gives them, a DICOMweb of the same instances, the same kind of codestreams.

Installed by hand, for it is large (200 MB) and no part of the project:
`cd var/bench/ohif && npm pack @ohif/app@3.13.2 && tar xzf ohif-app-3.13.2.tgz`.
"""

import gzip
import json
import mimetypes
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom

from bench.viewer_films import slices
from imaging import codecs

HOME = Path("var/bench/ohif/package")
NOT_INSTALLED = "OHIF not installed (bench/viewer_ohif.py says how)"
_BOUNDARY = "frame-boundary"
_CONFIG = """window.config = {
  routerBasename: '/', showStudyList: false, extensions: [], modes: [], maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false, investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'dicomweb',
  dataSources: [{
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb', sourceName: 'dicomweb',
    configuration: {
      friendlyName: 'bench', name: 'bench', qidoRoot: '/dicomweb', wadoUriRoot: '/dicomweb', wadoRoot: '/dicomweb',
      qidoSupportsIncludeField: false, imageRendering: 'wadors', thumbnailRendering: 'wadors', enableStudyLazyLoad: true,
      supportsFuzzyMatching: false, supportsWildcard: false, omitQuotationForMultipartRequest: true,
    },
  }],
};"""
# Its event of the first picture, and a look whether it is one: some are drawn black.
FIRST_PIXEL = """
document.addEventListener('CORNERSTONE_IMAGE_RENDERED', (event) => {
  if (window.benchFirstPixel) return;
  const canvas = event.target.querySelector('canvas');
  const [x, y] = [canvas.width >> 1, canvas.height >> 1];
  const pixels = canvas.getContext('2d').getImageData(x - 20, y - 20, 40, 40).data;
  if (!pixels.some((value, i) => i % 4 < 3 && value > 8)) return;
  window.benchFirstPixel = -1;
  requestAnimationFrame(() => setTimeout(() => { window.benchFirstPixel = performance.now(); }));
}, true);
"""


def version() -> str | None:
    """Of the installed OHIF; None without one."""
    if not (HOME / "dist" / "index.html").exists():
        return None
    return str(json.loads((HOME / "package.json").read_text())["version"])


class _Study:
    """What its DICOMweb answers: PS3.18 §10.4 (frames), §10.6 (search), metadata in DICOM JSON."""

    def __init__(self, count: int) -> None:
        self.metadata: list[dict[str, Any]] = []
        self.frames: dict[str, bytes] = {}
        for content in slices(count, 0):
            dataset = pydicom.dcmread(BytesIO(content))
            self.frames[str(dataset.SOPInstanceUID)] = codecs.encode(dataset.pixel_array)
            del dataset.PixelData
            dataset.AvailableTransferSyntaxUID = codecs.HTJ2K_LOSSLESS_RPCL
            self.metadata.append(dataset.to_json_dict())
        self.uid = str(self.metadata[0]["0020000D"]["Value"][0])

    def answer(self, path: str) -> tuple[str, bytes]:
        """Media type and body. Raises `KeyError` for what there is not."""
        frame = re.search(r"/instances/([\d.]+)/frames/1$", path)
        if frame:
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jphc; transfer-syntax={codecs.HTJ2K_LOSSLESS_RPCL}\r\n\r\n"
            body = head.encode() + self.frames[frame[1]] + f"\r\n--{_BOUNDARY}--".encode()
            return f'multipart/related; type="image/jphc"; boundary={_BOUNDARY}', body
        first, count = self.metadata[0], len(self.metadata)
        if path.endswith("/metadata"):
            told: Any = self.metadata
        elif path.endswith("/studies"):
            told = [_some(first, "00080020 00100010 00100020 0020000D") | _numbers("00201208", count)]
            told[0]["00080061"] = {"vr": "CS", "Value": ["CT"]}
        elif path.endswith("/series"):
            told = [
                _some(first, "00080060 0008103E 0020000D 0020000E 00200011") | _numbers("00201209", count)
            ]
        elif path.endswith("/instances"):
            told = [
                _some(one, "00080016 00080018 0020000D 0020000E 00200013 00280010") for one in self.metadata
            ]
        else:
            raise KeyError(path)
        return "application/dicom+json", json.dumps(told).encode()


def _some(instance: dict[str, Any], tags: str) -> dict[str, Any]:
    return {tag: instance[tag] for tag in tags.split() if tag in instance}


def _numbers(tag: str, value: int) -> dict[str, Any]:
    return {tag: {"vr": "IS", "Value": [value]}}


@cache
def _file(path: Path) -> tuple[str, bytes]:
    """Media type, and the content compressed as a web server would keep it."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return kind, gzip.compress(path.read_bytes(), 9)


@contextmanager
def ohif(count: int) -> Iterator[tuple[str, tuple[str, int]]]:
    """The path of its viewer with `count` slices, and where it listens."""
    study = _Study(count)
    root = (HOME / "dist").resolve()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the base class's name
            """Quiet."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            try:
                if path.startswith("/dicomweb/"):
                    kind, body = study.answer(path)
                    encoding = "gzip" if kind.endswith("json") else ""
                    body = gzip.compress(body, 6) if encoding else body
                elif path == "/app-config.js":
                    kind, body, encoding = "text/javascript", _CONFIG.encode(), ""
                else:
                    file = (root / path.lstrip("/")).resolve()
                    inside = file.is_relative_to(root) and file.is_file()
                    if not inside and "." in Path(path).name:
                        raise KeyError(path)
                    kind, body = _file(file if inside else root / "index.html")
                    encoding = "gzip"
            except KeyError:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        host, port = server.server_address[:2]
        yield f"/viewer?StudyInstanceUIDs={study.uid}", (str(host), int(port))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
