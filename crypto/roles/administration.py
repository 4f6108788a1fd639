"""Managing keys and accounts, for administrators; no method but `export` gives a key or its work out (H2.7).

A change and its row are one transaction. What takes long (re-wrap, backup) has a row before and a row after.
Raises besides what the vault raises: `RoleRefused`, `AuditUnavailable`. `approval`: the id of a request that another
administrator approved (`dual_control`); `request` asks for it with the same arguments.
"""

from collections.abc import Callable
from typing import TypeVar

from crypto.errors import RoleRefused
from crypto.roles.accounts import Accounts
from crypto.roles.audit_log import AuditLog
from crypto.roles.dual_control import Approval, DualControl
from crypto.roles.guard import Guard
from crypto.roles.permissions import TWO_PERSON, Role, Session
from crypto.roles.ports import ManagedVault
from crypto.services import CryptoServices
from crypto.sm3 import sm3
from crypto.vault.rewrap import checkpoint

Result = TypeVar("Result")
# Fewer administrators cannot approve each other: then, and only then, one alone adds accounts (a new installation).
FEWEST_ADMINISTRATORS = 2
# In whose name the record has what is done before there is an administrator: whoever may run this program.
INSTALLATION = Session("installation", Role.ADMINISTRATOR)


class Administration:
    """The management of one vault for one session."""

    def __init__(
        self,
        vault: ManagedVault,
        accounts: Accounts,
        dual_control: DualControl,
        audit: AuditLog,
        services: CryptoServices,
        session: Session,
    ) -> None:
        self._vault = vault
        self._services = services
        self._accounts = accounts
        self._dual_control = dual_control
        self._session = session
        self._guard = Guard(vault.database, audit, session)

    def create_pairs(self, owner: str, purpose: str, count: int = 1, *, is_active: bool = True) -> list[str]:
        """New SM2 pairs to "sign" or "encrypt"; their ids."""
        return self._change(
            "create_pairs",
            owner,
            lambda: self._vault.create_pairs(owner, purpose, count, is_active=is_active),
            purpose,
            count,
        )

    def create_keys(self, owner: str, kek: str, count: int = 1, *, is_active: bool = True) -> list[str]:
        """New SM4 keys under the key-encryption key `kek`; their ids."""
        return self._change(
            "create_keys",
            owner,
            lambda: self._vault.create_keys(owner, kek, count, is_active=is_active),
            kek,
            count,
        )

    def create_kek(self, name: str) -> None:
        """A new key-encryption key, version 1."""
        self._change("create_kek", name, lambda: self._vault.create_kek(name))

    def rotate_kek(self, name: str) -> int:
        """A new version that wraps from now on; its number."""
        return self._change("rotate_kek", name, lambda: self._vault.rotate_kek(name))

    def set_minimum_version(self, name: str, version: int) -> None:
        """Older versions of the key-encryption key open nothing any more."""
        self._change(
            "set_minimum_version",
            name,
            lambda: self._vault.set_minimum_version(name, version),
            f"version {version}",
        )

    def rewrap(self, name: str, progress: Callable[[int, int], None]) -> int:
        """Bring all keys under the newest version of `name`; how many. May be killed and called again."""
        return self._long("rewrap", name, lambda: self._vault.rewrap(name, progress))

    def activate(self, key_id: str, reason: str) -> None:
        """From now on the key may be used."""
        self._change("activate", key_id, lambda: self._vault.activate(key_id, reason), reason)

    def deactivate(self, key_id: str, reason: str) -> None:
        """From now on the key opens and verifies only."""
        self._change("deactivate", key_id, lambda: self._vault.deactivate(key_id, reason), reason)

    def compromise(self, key_id: str, reason: str) -> None:
        """Somebody else may have the key."""
        self._change("compromise", key_id, lambda: self._vault.compromise(key_id, reason), reason)

    def destroy(self, key_id: str, reason: str, approval: str) -> None:
        """The key is gone and everything under it unreadable, for ever. Approved with {"key_id"}."""
        self._approved(
            "destroy",
            {"key_id": key_id},
            approval,
            lambda: self._vault.destroy(key_id, reason),
            key_id,
            reason,
        )
        # The vault does this itself, but not within a transaction: the deleted blob must not live on in the log.
        checkpoint(self._vault.database)

    def export(self, key_id: str, recipient: bytes, approval: str) -> bytes:
        """The private half of an encryption pair, encrypted for an SM2 public key of 64 bytes: C1 ‖ C3 ‖ C2.

        Approved with {"key_id", "recipient"}, the latter the SM3 digest of the public key in hex, which people can compare.
        """
        digest = sm3(recipient).hex()
        return self._approved(
            "export",
            {"key_id": key_id, "recipient": digest},
            approval,
            lambda: self._services.encrypt(recipient, self._vault.exportable(key_id).private),
            key_id,
            f"to {digest}",
        )

    def seal(self) -> None:
        """Forget the system key: nothing opens until the next unsealing."""

        def work() -> None:
            self._accounts.require_active(self._session)
            self._vault.seal()

        self._guard.use("Administration.seal", "vault", work)

    def backup(self, archive: str, work: Callable[[], Result]) -> Result:
        """What `work` gives, which writes the sealed archive of this name."""
        return self._long("backup", archive, work)

    def request(self, operation: str, arguments: dict[str, str], reason: str) -> str:
        """Ask another administrator for one of `permissions.TWO_PERSON`; the id that is then the `approval`."""

        def ask() -> str:
            if operation not in TWO_PERSON:
                raise RoleRefused(f"{operation}: it needs no second person; do it")
            return self._dual_control.request(self._session, operation, arguments, reason)

        detail = ", ".join(f"{name} {value}" for name, value in sorted(arguments.items()))
        return self._change("request", operation, ask, f"{detail}: {reason}")

    def approve(self, approval: str) -> Approval:
        """Say yes to another administrator's request."""
        return self._change("approve", approval, lambda: self._dual_control.approve(self._session, approval))

    def withdraw(self, approval: str) -> None:
        """End a request, one's own or another's."""
        self._change("withdraw", approval, lambda: self._dual_control.withdraw(approval))

    def add_account(self, name: str, role: Role, password: str, approval: str = "") -> str:
        """A new person; the address for the authenticator app, to show once.

        `approval` for {"name", "role"} is needed when there are two administrators or more.
        """
        return self._account(
            "add_account", name, role, approval, lambda: self._accounts.add(name, role, password)
        )

    def add_machine(self, name: str, approval: str = "") -> None:
        """A new program that may use keys; `approval` as for `add_account`, the role is operator."""
        self._account("add_machine", name, Role.OPERATOR, approval, lambda: self._accounts.add_machine(name))

    def remove_account(self, name: str, approval: str) -> None:
        """End an account."""
        self._approved("remove_account", {"name": name}, approval, lambda: self._accounts.remove(name), name)

    def unlock_account(self, name: str) -> None:
        """Open an account before its half hour is over."""
        self._change("unlock_account", name, lambda: self._accounts.unlock(name))

    def _account(
        self, method: str, name: str, role: Role, approval: str, work: Callable[[], Result]
    ) -> Result:
        if self._accounts.administrators() < FEWEST_ADMINISTRATORS:
            return self._change(method, name, work, role)
        return self._approved(method, {"name": name, "role": role}, approval, work, name, role)

    def _change(
        self, method: str, subject: str, work: Callable[[], Result], detail: str = "", count: int = 1
    ) -> Result:
        def run() -> Result:
            self._accounts.require_active(self._session)
            return work()

        return self._guard.change(f"Administration.{method}", subject, run, detail, count)

    def _approved(
        self,
        method: str,
        arguments: dict[str, str],
        approval: str,
        work: Callable[[], Result],
        subject: str,
        detail: str = "",
    ) -> Result:
        def run() -> Result:
            spent = self._dual_control.use(self._session, approval, method, arguments)
            # Who was removed since has no say any more.
            self._accounts.require_active(Session(spent.approved_by, Role.ADMINISTRATOR))
            return work()

        return self._change(method, subject, run, f"approval {approval}: {detail}")

    def _long(self, method: str, subject: str, work: Callable[[], Result]) -> Result:
        return self._guard.long_change(
            f"Administration.{method}", subject, work, lambda: self._accounts.require_active(self._session)
        )


def add_first_administrator(accounts: Accounts, audit: AuditLog, name: str, password: str) -> str:
    """The address for the authenticator app of an installation's first administrator, whom nobody can sign in before.

    Raises `RoleRefused` when there is one already.
    """

    def run() -> str:
        if accounts.administrators():
            raise RoleRefused(f"account {name}: there is an administrator, who adds it (`keys account add`)")
        return accounts.add(name, Role.ADMINISTRATOR, password)

    guard = Guard(audit.database, audit, INSTALLATION)
    return guard.change("Administration.add_account", name, run, Role.ADMINISTRATOR)
