"""Managing keys and looking at them: the handlers of `management_contract` (`roles.administration`, `roles.inspection`)."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from crypto.roles.accounts import Accounts
from crypto.roles.administration import Administration
from crypto.roles.audit_log import AuditLog
from crypto.roles.dual_control import Approval, DualControl
from crypto.roles.inspection import Inspection
from crypto.service import management_contract as contract
from crypto.service.door import Caller
from crypto.service.endpoint import Message, Nothing
from crypto.services import CryptoServices
from crypto.vault.records import KeyRecord, Kind
from crypto.vault.vault import KeyVault

Handler = Callable[[Caller, Any], Message]


class ManagementDesk:
    """Nothing is done but through the guarded classes of the caller's session."""

    def __init__(
        self,
        vault: KeyVault,
        accounts: Accounts,
        dual_control: DualControl,
        audit: AuditLog,
        services: CryptoServices,
    ) -> None:
        self._administration = lambda caller: Administration(
            vault, accounts, dual_control, audit, services, caller.session
        )
        self._inspection = lambda caller: Inspection(vault, accounts, dual_control, audit, caller.session)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """By the endpoint's name."""
        return {
            contract.CREATE_PAIRS.name: self._create_pairs,
            contract.CREATE_KEYS.name: self._create_keys,
            contract.ACTIVATE.name: self._activate,
            contract.DEACTIVATE.name: self._deactivate,
            contract.COMPROMISE.name: self._compromise,
            contract.DESTROY.name: self._destroy,
            contract.EXPORT.name: self._export,
            contract.CREATE_KEK.name: self._create_kek,
            contract.ROTATE_KEK.name: self._rotate_kek,
            contract.MINIMUM.name: self._set_minimum,
            contract.REWRAP.name: self._rewrap,
            contract.ASK_APPROVAL.name: self._ask_approval,
            contract.APPROVE.name: self._approve,
            contract.WITHDRAW.name: self._withdraw,
            contract.APPROVALS.name: self._approvals,
            contract.FIND.name: self._find,
            contract.LIST.name: self._list,
            contract.EVENTS.name: self._events,
        }

    def _create_pairs(self, caller: Caller, body: contract.CreatePairs) -> contract.KeyIds:
        return contract.KeyIds(
            ids=self._administration(caller).create_pairs(body.owner, body.purpose, body.count)
        )

    def _create_keys(self, caller: Caller, body: contract.CreateKeys) -> contract.KeyIds:
        return contract.KeyIds(ids=self._administration(caller).create_keys(body.owner, body.kek, body.count))

    def _activate(self, caller: Caller, body: contract.KeyChange) -> Nothing:
        self._administration(caller).activate(body.key_id, body.reason)
        return Nothing()

    def _deactivate(self, caller: Caller, body: contract.KeyChange) -> Nothing:
        self._administration(caller).deactivate(body.key_id, body.reason)
        return Nothing()

    def _compromise(self, caller: Caller, body: contract.KeyChange) -> Nothing:
        self._administration(caller).compromise(body.key_id, body.reason)
        return Nothing()

    def _destroy(self, caller: Caller, body: contract.Destroy) -> Nothing:
        self._administration(caller).destroy(body.key_id, body.reason, body.approval)
        return Nothing()

    def _export(self, caller: Caller, body: contract.Export) -> contract.Exported:
        ciphertext = self._administration(caller).export(body.key_id, body.recipient, body.approval)
        return contract.Exported(ciphertext=ciphertext)

    def _create_kek(self, caller: Caller, body: contract.KekName) -> Nothing:
        self._administration(caller).create_kek(body.name)
        return Nothing()

    def _rotate_kek(self, caller: Caller, body: contract.KekName) -> contract.KekVersion:
        return contract.KekVersion(version=self._administration(caller).rotate_kek(body.name))

    def _set_minimum(self, caller: Caller, body: contract.MinimumVersion) -> Nothing:
        self._administration(caller).set_minimum_version(body.name, body.version)
        return Nothing()

    def _rewrap(self, caller: Caller, body: contract.KekName) -> contract.Rewrapped:
        count = self._administration(caller).rewrap(body.name, lambda _done, _total: None)
        return contract.Rewrapped(count=count)

    def _ask_approval(self, caller: Caller, body: contract.AskApproval) -> contract.ApprovalId:
        asked = self._administration(caller).request(body.operation, dict(body.arguments), body.reason)
        return contract.ApprovalId(id=asked)

    def _approve(self, caller: Caller, body: contract.ApprovalId) -> contract.ApprovalRow:
        return _approval_row(self._administration(caller).approve(body.id))

    def _withdraw(self, caller: Caller, body: contract.ApprovalId) -> Nothing:
        self._administration(caller).withdraw(body.id)
        return Nothing()

    def _approvals(self, caller: Caller, _body: Nothing) -> contract.Approvals:
        return contract.Approvals(
            approvals=[_approval_row(one) for one in self._inspection(caller).approvals()]
        )

    def _find(self, caller: Caller, body: contract.KeyId) -> contract.KeyRow:
        return _key_row(self._inspection(caller).find(body.key_id))

    def _list(self, caller: Caller, body: contract.ListKeys) -> contract.Keys:
        found = self._inspection(caller).records(
            kind=Kind(body.kind) if body.kind else None, owner=body.owner, after=body.after, limit=body.limit
        )
        return contract.Keys(keys=[_key_row(one) for one in found])

    def _events(self, caller: Caller, body: contract.ListEvents) -> contract.Events:
        rows = self._inspection(caller).events(body.after, body.limit)
        return contract.Events(
            events=[
                contract.EventRow(seq=row.seq, at=row.at, row_hash=row.row_hash, **row.event._asdict())
                for row in rows
            ]
        )


def _approval_row(approval: Approval) -> contract.ApprovalRow:
    return contract.ApprovalRow(**approval._asdict())


def _key_row(record: KeyRecord) -> contract.KeyRow:
    told = asdict(record)
    return contract.KeyRow(**{**told, "kind": str(record.kind), "state": str(record.state)})
