"""The platform's keyring as a guarded service: data keys of objects, sealed columns, blind indexes, for operators (H2.8).

For processes that hold no key-encryption key: the key server asks here what `crypto.keyring.Keyring` does. Each method is
one request and one row. Raises besides what the keyring raises: `RoleRefused`, `AuditUnavailable`.
"""

from collections.abc import Sequence

from crypto.keyring import Keyring, WrappedKey
from crypto.roles.audit_log import AuditLog
from crypto.roles.guard import Guard
from crypto.roles.permissions import Session
from crypto.vault.database import KeyDatabase


class DataKeys:
    """The keyring for one session. Threads may share it."""

    def __init__(self, keyring: Keyring, database: KeyDatabase, audit: AuditLog, session: Session) -> None:
        self._keyring = keyring
        self._guard = Guard(database, audit, session)

    def wrap_dek(self, dek: bytes, *, object_id: bytes, kind: str, owner: str) -> WrappedKey:
        """Under the active key-encryption key."""
        return self._guard.use(
            "DataKeys.wrap_dek",
            _object(object_id, kind, owner),
            lambda: self._keyring.wrap_dek(dek, object_id=object_id, kind=kind, owner=owner),
        )

    def unwrap_dek(self, wrapped: WrappedKey, *, object_id: bytes, kind: str, owner: str) -> bytes:
        """The data key. Raises `KeyRefused`."""
        return self._guard.use(
            "DataKeys.unwrap_dek",
            _object(object_id, kind, owner),
            lambda: self._keyring.unwrap_dek(wrapped, object_id=object_id, kind=kind, owner=owner),
        )

    def seal_blobs(self, contents: Sequence[bytes], *, context: str) -> list[bytes]:
        """Values of the column `context`."""
        return self._guard.use(
            "DataKeys.seal_blobs",
            context,
            lambda: self._keyring.seal_blobs(contents, context=context),
            len(contents),
        )

    def open_blobs(self, blobs: Sequence[bytes], *, context: str) -> list[bytes]:
        """What `seal_blobs` sealed. Raises `SealBroken`, `KeyRefused`."""
        return self._guard.use(
            "DataKeys.open_blobs",
            context,
            lambda: self._keyring.open_blobs(blobs, context=context),
            len(blobs),
        )

    def blind_indexes(self, kind: str, values: Sequence[str]) -> list[str]:
        """64 hex digits for each; the values are not recorded."""
        return self._guard.use(
            "DataKeys.blind_indexes",
            kind,
            lambda: [self._keyring.blind_index(kind, value) for value in values],
            len(values),
        )

    def derive(self, purpose: str) -> bytes:
        """The sub-key of a purpose."""
        return self._guard.use("DataKeys.derive", purpose, lambda: self._keyring.derive(purpose))

    def active_version(self) -> int:
        """Of the key-encryption key that wraps now. Uses no key, so it leaves no row."""
        self._guard.require("DataKeys.active_version", "data")
        return self._keyring.active_version


def _object(object_id: bytes, kind: str, owner: str) -> str:
    return f"object {object_id.hex()} {kind} of {owner}"
