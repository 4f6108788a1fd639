"""Documents that came from other systems, handed to a browser so that they can only be looked at (ASVS 5.2,
5.4).

Their media type is the sender's word: only types that run nothing are shown in place, all others are
downloads.
"""

from flask import Response

from api.request_scope import platform

# Type → ending. None of them can carry a script that a browser runs in our origin.
_SHOWN = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "text/plain": "txt"}
_DOWNLOADED = {"application/dicom": "dcm"}


def document_response(media_type: str, content: bytes, name: str) -> Response:
    """Answer with a document; `name` is ASCII, without ending."""
    kind = media_type.partition(";")[0].strip().lower()
    ending = _SHOWN.get(kind) or _DOWNLOADED.get(kind, "bin")
    if kind not in _SHOWN and kind not in _DOWNLOADED:
        kind = "application/octet-stream"
    response = Response(content, content_type=f"{kind}; charset=utf-8" if kind == "text/plain" else kind)
    disposition = "inline" if kind in _SHOWN else "attachment"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}.{ending}"'
    # A browser's own PDF page is styled inline: the policy of our pages would break it, and a PDF loads
    # nothing from us.
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; "
        f"frame-ancestors {platform().settings.frame_ancestors}"
    )
    return response
