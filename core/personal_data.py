"""Personal data at rest: sealed with the installation's keyring, found again by a blind index (decision 13).

The keyring is bound once at start by `app`; models and capabilities only see these functions.
"""

from collections.abc import Sequence

from core.errors import Misconfigured
from crypto.keyring import Keyring

_keyring: Keyring | None = None


def bind(keyring: Keyring) -> None:
    """Use `keyring` from now on in this process."""
    global _keyring
    _keyring = keyring


def keyring() -> Keyring:
    """The bound keyring. Raises `Misconfigured` before `bind`."""
    if _keyring is None:
        raise Misconfigured("the keyring is not open: run `./cloudfilm setup`, then start again")
    return _keyring


def seal_text(text: str, context: str) -> bytes:
    """Seal `text` for the column `context`."""
    return keyring().seal_field(text, context=context)


def open_text(sealed: bytes, context: str) -> str:
    """Open what `seal_text` made. Raises `crypto.errors.CryptoError` when it was altered or moved."""
    return keyring().open_field(sealed, context=context)


def seal_bytes(content: bytes, context: str) -> bytes:
    """Seal bytes for the column `context`."""
    return keyring().seal_blob(content, context=context)


def seal_all(contents: Sequence[bytes], context: str) -> list[bytes]:
    """`seal_bytes` for each."""
    return keyring().seal_blobs(contents, context=context)


def open_bytes(sealed: bytes, context: str) -> bytes:
    """Open what `seal_bytes` made."""
    return keyring().open_blob(sealed, context=context)


def blind_index(kind: str, value: str) -> str:
    """A keyed digest (64 hex digits) by which equal values of one `kind` (name, phone, id_number) find each other."""
    return keyring().blind_index(kind, value)
