"""Built files as small as they can be sent: `NAME.br` or `NAME.gz` beside them, where the browser takes it (K1, K2).

The build writes both (web/build_plugins.ts); without them the file itself is sent.
"""

import json
import mimetypes
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory

# By preference: brotli saves a fifth more.
ENCODINGS = {"br": ".br", "gzip": ".gz"}
PRELOAD = "preload.json"


def install(app: Flask) -> None:
    """Serve the `static` endpoint with compressed variants."""
    folder = Path(app.static_folder or "")

    def static(filename: str) -> Response:
        return _send(folder, filename)

    app.view_functions["static"] = static


@cache
def first_files(dist: Path) -> dict[str, list[str]]:
    """What the film page names before its script asks for it: `modules`, `worker`, `htj2k`; empty when not built."""
    try:
        listed: dict[str, Any] = json.loads((dist / PRELOAD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"modules": [], "worker": [], "htj2k": []}
    return {name: [str(file) for file in listed.get(name, [])] for name in ("modules", "worker", "htj2k")}


def _send(folder: Path, filename: str) -> Response:
    for encoding, ending in ENCODINGS.items():
        # A range of an encoded file would be a range of other bytes than was meant.
        if not request.accept_encodings[encoding] or "Range" in request.headers:
            continue
        if _is_there(folder, f"{filename}{ending}"):
            kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
            response = send_from_directory(folder, f"{filename}{ending}", mimetype=kind)
            response.headers["Content-Encoding"] = encoding
            response.headers["Vary"] = "Accept-Encoding"
            return response
    response = send_from_directory(folder, filename)
    response.headers["Vary"] = "Accept-Encoding"
    return response


def _is_there(folder: Path, name: str) -> bool:
    try:
        return ".." not in name and (folder / name).is_file()
    except OSError:  # a name that is too long for any file
        return False
