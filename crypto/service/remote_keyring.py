"""The keyring of a process that holds no KEK: every method of `crypto.keyring.Keyring`, done by the service.

Data keys still come to the process that seals or opens an object with them; a web worker that was taken over gives away the
objects it opens from then on, not the keys of all.
"""

import secrets
from collections.abc import Sequence

from crypto.errors import KeyRefused
from crypto.keyring import WrappedKey
from crypto.provider import KEY_SIZE
from crypto.service import keyring_contract as contract
from crypto.service.client import CryptoClient

# Of one request: well below what the service takes (limits.ServiceLimits).
_BATCH_ITEMS = 1024
_BATCH_BYTES = 4 << 20


class RemoteKeyring:
    """Threads may share it. Raises what the keyring raises, `VaultSealed`, and `ServiceUnavailable`."""

    def __init__(self, client: CryptoClient) -> None:
        self._client = client
        # Asked once: no rotation changes a sub-key, and sessions and one-time codes need theirs at every step.
        self._sub_keys: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"RemoteKeyring({self._client!r})"

    @property
    def active_version(self) -> int:
        """The KEK version that seals from now on."""
        return self._client.ask(contract.ACTIVE_VERSION, contract.ActiveVersion).version

    def new_dek(self) -> bytes:
        """A data key for one object: 16 random bytes, made here."""
        return secrets.token_bytes(KEY_SIZE)

    def wrap_dek(self, dek: bytes, *, object_id: bytes, kind: str, owner: str) -> WrappedKey:
        """Wrap under the active KEK; the blob opens only for the same object, kind and owner."""
        if len(dek) != KEY_SIZE:
            raise KeyRefused(f"object {object_id.hex()}: a data key has {KEY_SIZE} bytes, not {len(dek)}")
        wrapped = self._client.ask(
            contract.WRAP_DEK, contract.WrappedDek, dek=dek, object_id=object_id, kind=kind, owner=owner
        )
        return WrappedKey(wrapped.kek_version, wrapped.blob)

    def unwrap_dek(self, wrapped: WrappedKey, *, object_id: bytes, kind: str, owner: str) -> bytes:
        """The data key. Raises `KeyRefused`."""
        return self._client.ask(
            contract.UNWRAP_DEK,
            contract.Dek,
            kek_version=wrapped.kek_version,
            blob=wrapped.blob,
            object_id=object_id,
            kind=kind,
            owner=owner,
        ).dek

    def seal_blob(self, content: bytes, *, context: str) -> bytes:
        """Seal bytes for the column `context`."""
        return self.seal_blobs([content], context=context)[0]

    def seal_blobs(self, contents: Sequence[bytes], *, context: str) -> list[bytes]:
        """`seal_blob` for each."""
        sealed: list[bytes] = []
        for batch in _batches(contents):
            sealed += self._client.ask(
                contract.SEAL_BLOBS, contract.Blobs, contents=batch, context=context
            ).blobs
        return sealed

    def open_blob(self, blob: bytes, *, context: str) -> bytes:
        """What `seal_blob` sealed for this context. Raises `SealBroken`, `KeyRefused`."""
        return self.open_blobs([blob], context=context)[0]

    def open_blobs(self, blobs: Sequence[bytes], *, context: str) -> list[bytes]:
        """`open_blob` for each. Raises `SealBroken`, `KeyRefused` when one does not open."""
        opened: list[bytes] = []
        for batch in _batches(blobs):
            opened += self._client.ask(
                contract.OPEN_BLOBS, contract.Contents, blobs=batch, context=context
            ).contents
        return opened

    def seal_field(self, text: str, *, context: str) -> bytes:
        """Seal text (UTF-8) for one column."""
        return self.seal_blob(text.encode(), context=context)

    def open_field(self, blob: bytes, *, context: str) -> str:
        """What `seal_field` sealed for this context. Raises `SealBroken`, `KeyRefused`."""
        return self.open_blob(blob, context=context).decode()

    def blind_index(self, kind: str, value: str) -> str:
        """64 hex digits that find equal values of one kind."""
        return self._client.ask(contract.BLIND_INDEX, contract.Indexes, kind=kind, values=[value]).indexes[0]

    def derive(self, purpose: str) -> bytes:
        """The 32-byte sub-key of a named purpose."""
        if purpose not in self._sub_keys:
            self._sub_keys[purpose] = self._client.ask(contract.DERIVE, contract.SubKey, purpose=purpose).key
        return self._sub_keys[purpose]


def _batches(contents: Sequence[bytes]) -> list[list[bytes]]:
    batches: list[list[bytes]] = []
    size = 0
    for content in contents:
        if not batches or len(batches[-1]) >= _BATCH_ITEMS or size + len(content) > _BATCH_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(content)
        size += len(content)
    return batches
