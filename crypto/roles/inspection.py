"""Looking: keys without their secrets, accounts, requests, the record. Changes nothing but adds rows about itself (H2.7)."""

from itertools import islice

from crypto.roles.accounts import Account, Accounts
from crypto.roles.audit_log import AuditLog, Row
from crypto.roles.dual_control import Approval, DualControl
from crypto.roles.guard import Guard
from crypto.roles.permissions import Session
from crypto.roles.ports import VisibleVault
from crypto.vault.records import KeyRecord, Kind
from crypto.vault.states import State


class Inspection:
    """What one session may see. Raises `RoleRefused`, `AuditUnavailable`."""

    def __init__(
        self,
        vault: VisibleVault,
        accounts: Accounts,
        dual_control: DualControl,
        audit: AuditLog,
        session: Session,
    ) -> None:
        self._vault = vault
        self._accounts = accounts
        self._dual_control = dual_control
        self._audit = audit
        self._guard = Guard(vault.database, audit, session)

    def find(self, key_id: str) -> KeyRecord:
        """What is known of a key, without its secret. Raises `KeyRefused` when there is none."""
        return self._guard.use("Inspection.find", key_id, lambda: self._vault.find(key_id))

    def records(
        self,
        *,
        kind: Kind | None = None,
        owner: str | None = None,
        state: State | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[KeyRecord]:
        """At most `limit` keys that fit, oldest first, those with a `number` after `after`."""
        return self._guard.use(
            "Inspection.records",
            owner or "all",
            lambda: list(
                islice(self._vault.records(kind=kind, owner=owner, state=state, after=after), limit)
            ),
        )

    def counts(self) -> dict[tuple[str, str], int]:
        """How many keys of each kind and state."""
        return self._guard.use("Inspection.counts", "vault", lambda: self._vault.counts())

    def accounts(self) -> list[Account]:
        """Every account."""
        return self._guard.use("Inspection.accounts", "accounts", self._accounts.all)

    def approvals(self) -> list[Approval]:
        """Every request for a second person."""
        return self._guard.use("Inspection.approvals", "approvals", self._dual_control.all)

    def events(self, after: int, limit: int) -> list[Row]:
        """At most `limit` rows of the record after number `after`."""
        return self._guard.use("Inspection.events", f"after {after}", lambda: self._audit.rows(after, limit))

    def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest row, which is this request's own: to be kept elsewhere."""
        self._guard.use("Inspection.audit_head", "record", lambda: None)
        return self._audit.head()

    def verify_audit(self, kept: tuple[int, str] | None = None) -> int:
        """The length of the whole chain. Raises `AuditBroken`; a chain that is broken still takes this row."""
        return self._guard.use("Inspection.verify_audit", "record", lambda: self._audit.verify(kept))
