"""Small pictures inside a page: no request of their own, no URL to guess (K2, K5)."""

from base64 import b64encode


def webp_address(content: bytes) -> str:
    """A WebP as a data address."""
    return "data:image/webp;base64," + b64encode(content).decode("ascii")


def jpeg_address(content: bytes) -> str:
    """A JPEG as a data address."""
    return "data:image/jpeg;base64," + b64encode(content).decode("ascii")
