"""The platform's keyring over the service: the handlers of `keyring_contract`, for operators (`roles.data_keys`)."""

from collections.abc import Callable, Mapping
from typing import Any

from crypto.keyring import Keyring, WrappedKey
from crypto.roles.audit_log import AuditLog
from crypto.roles.data_keys import DataKeys
from crypto.roles.permissions import Session
from crypto.service import keyring_contract as contract
from crypto.service.door import Caller
from crypto.service.endpoint import Message, Nothing
from crypto.service.use_record import BlockGuard, UseRecord
from crypto.vault.database import KeyDatabase


class _BlockedDataKeys(DataKeys):
    """The guarded keyring, recorded in blocks where a page uses it for every value."""

    def __init__(
        self,
        keyring: Keyring,
        database: KeyDatabase,
        audit: AuditLog,
        session: Session,
        record: UseRecord,
    ) -> None:
        super().__init__(keyring, database, audit, session)
        self._guard = BlockGuard(database, audit, session, record)


class KeyringDesk:
    """Nothing is asked of the keyring but through the guard of the caller's session."""

    def __init__(self, keyring: Keyring, database: KeyDatabase, audit: AuditLog, record: UseRecord) -> None:
        self._keys = lambda caller: _BlockedDataKeys(keyring, database, audit, caller.session, record)

    @property
    def handlers(self) -> Mapping[str, Callable[[Caller, Any], Message]]:
        """By the endpoint's name."""
        return {
            contract.WRAP_DEK.name: self._wrap,
            contract.UNWRAP_DEK.name: self._unwrap,
            contract.SEAL_BLOBS.name: self._seal,
            contract.OPEN_BLOBS.name: self._open,
            contract.BLIND_INDEX.name: self._index,
            contract.DERIVE.name: self._derive,
            contract.ACTIVE_VERSION.name: self._version,
        }

    def _wrap(self, caller: Caller, body: contract.WrapDek) -> contract.WrappedDek:
        wrapped = self._keys(caller).wrap_dek(
            body.dek, object_id=body.object_id, kind=body.kind, owner=body.owner
        )
        return contract.WrappedDek(kek_version=wrapped.kek_version, blob=wrapped.blob)

    def _unwrap(self, caller: Caller, body: contract.UnwrapDek) -> contract.Dek:
        dek = self._keys(caller).unwrap_dek(
            WrappedKey(body.kek_version, body.blob),
            object_id=body.object_id,
            kind=body.kind,
            owner=body.owner,
        )
        return contract.Dek(dek=dek)

    def _seal(self, caller: Caller, body: contract.SealBlobs) -> contract.Blobs:
        return contract.Blobs(blobs=self._keys(caller).seal_blobs(body.contents, context=body.context))

    def _open(self, caller: Caller, body: contract.OpenBlobs) -> contract.Contents:
        return contract.Contents(contents=self._keys(caller).open_blobs(body.blobs, context=body.context))

    def _index(self, caller: Caller, body: contract.BlindIndexes) -> contract.Indexes:
        return contract.Indexes(indexes=self._keys(caller).blind_indexes(body.kind, body.values))

    def _derive(self, caller: Caller, body: contract.Purpose) -> contract.SubKey:
        return contract.SubKey(key=self._keys(caller).derive(body.purpose))

    def _version(self, caller: Caller, _body: Nothing) -> contract.ActiveVersion:
        return contract.ActiveVersion(version=self._keys(caller).active_version())
