"""Which pages of other systems may embed the film and speak with it (F6, docs/invoke.md).

CSP decides who may frame us. The page itself is told the same origins, so that it hears postMessage from no other.
"""

import re

from api.request_scope import platform

# A whole origin (RFC 6454 §6.2). Patterns with * stay CSP's: to frame is one thing, to steer another.
_ORIGIN = re.compile(r"https?://[0-9A-Za-z.-]+(?::\d{1,5})?", re.ASCII)


def origins_of(frame_ancestors: str) -> str:
    """The origins of a CSP source list, by spaces; `self` for our own."""
    sources = frame_ancestors.split()
    found = ["self"] if "'self'" in sources else []
    return " ".join(found + [source.lower() for source in sources if _ORIGIN.fullmatch(source)])


def embed_origins() -> str:
    """Those of this installation, for the attribute `data-embed-origins` of the film page."""
    return origins_of(platform().settings.frame_ancestors)
