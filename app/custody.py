"""The vault of this installation for the commands that manage it: opened, created, restored; who does it is recorded."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from app.engines import open_engines
from app.randomness import process_drbg
from app.system_key import first_system_key, needs_people, unseal_alone
from core import clock, db
from core.config import Settings
from core.errors import Misconfigured
from crypto.errors import KeyRefused
from crypto.local_keyring import LocalKeyring
from crypto.provider import KEY_SIZE
from crypto.roles.accounts import Accounts
from crypto.roles.audit_log import AuditLog, Event
from crypto.roles.guard import Guard
from crypto.roles.permissions import Role, Session
from crypto.unsealing import change_key_file
from crypto.vault.archive import Opened, Progress, verify
from crypto.vault.backup import KeyBackup
from crypto.vault.identity import is_vault
from crypto.vault.restore import KeyRestore
from crypto.vault.vault import KeyVault
from workflow.rewrap_stored import Rewrapped, rewrap_stored

Result = TypeVar("Result")
# Who acts before there are administrators, and where nobody needs to be there: whoever may run this program.
INSTALLATION = Session("installation", Role.ADMINISTRATOR)


class Custody:
    """`ask_shares` gives the system key from what people type; it is called where `CLOUDFILM_UNSEAL` is `shares`."""

    def __init__(self, settings: Settings, ask_shares: Callable[[], bytes]) -> None:
        self._settings = settings
        self._ask_shares = ask_shares
        self.engines = open_engines(settings)
        self.random = process_drbg(settings).random_bytes

    @property
    def needs_people(self) -> bool:
        """Whether the system key is in people's hands; else each process unseals itself. Raises `Misconfigured`."""
        return needs_people(self._settings)

    @property
    def has_vault(self) -> bool:
        """Whether there are keys here."""
        return is_vault(self._settings.vault_path)

    @cached_property
    def vault(self) -> KeyVault:
        """Of this installation, sealed. Raises `Misconfigured`."""
        if not self.has_vault:
            raise Misconfigured(
                f"no keys at {self._settings.vault_path}: run `./cloudfilm keys init`, or `keys restore` from an archive"
            )
        return KeyVault.open(self._settings.vault_path, self.engines, clock.now, self.random)

    def unseal(self) -> KeyVault:
        """The vault, unsealed in this process alone. Raises `KeyRefused`, `ShareRefused`."""
        if not unseal_alone(self._settings, self.vault):
            self.vault.unseal(self._ask_shares())
        return self.vault

    def new_system_key(self) -> bytes:
        """16 random bytes."""
        return self.random(KEY_SIZE)

    def first_system_key(self) -> bytes:
        """Of a machine that has no vault yet and where nobody needs to come. Raises `Misconfigured`, `KeyRefused`."""
        return first_system_key(self._settings)

    def create(self, system_key: bytes) -> None:
        """A new vault. Raises `KeyRefused` when there is one, or keys of an earlier version are to be taken over."""
        if self._settings.old_keyring_path.exists():
            raise KeyRefused(
                f"{self._settings.old_keyring_path} holds the keys: run `./cloudfilm setup`, which takes them over"
            )
        KeyVault.create(self._settings.vault_path, system_key, self.engines, clock.now, self.random).close()

    def change_system_key(self, guard: Guard, system_key: bytes) -> None:
        """Put the vault under another system key; with a key file the file follows. Raises `Misconfigured`."""
        if self._settings.unseal not in ("file", "shares"):
            raise Misconfigured(
                "with this CLOUDFILM_UNSEAL a restore does it: back up, move keys.db and the system key's file away "
                "(a command must bring another key), restore"
            )

        def change() -> None:
            self.vault.change_system_key(system_key)

        def work() -> None:
            if self._settings.unseal == "file":
                change_key_file(
                    self._settings.system_key_location, system_key, self.vault.wrapping_key, change
                )
            else:
                change()

        recorded(guard, "rotate_kek", "system key", work)

    @property
    def has_platform(self) -> bool:
        """Whether the platform's own database is here: a front encryption server may have none."""
        return bool(self._settings.database_url) or (self._settings.home_path / "cloudfilm.db").exists()

    def rewrap_platform(self, progress: Progress) -> Rewrapped:
        """Bring the platform's rows under the newest version of its KEK; the vault is unsealed."""
        db.connect(self._settings.database)
        return rewrap_stored(LocalKeyring(self.vault, self.engines.sm4, self.random), progress)

    @cached_property
    def backup(self) -> KeyBackup:
        """Backups of the unsealed vault."""
        return KeyBackup(self.vault, self.engines, clock.now, self.random)

    def restore_target(self) -> KeyRestore:
        """This machine, which must have no vault. Raises `KeyRefused`."""
        target = KeyRestore(self._settings.vault_path, self.engines, clock.now, self.random)
        target.require_empty()
        return target

    def verify(self, path: Path, progress: Progress) -> Opened:
        """Signature and digest of an archive; needs no vault. Raises `SealBroken`, `SignatureRefused`."""
        return verify(path, self.engines.sm2, progress)

    def guard(self, sign_in: Callable[[Accounts], Session]) -> Guard:
        """Requests in the name of whoever signs in; of the installation as long as there is no administrator."""
        audit = AuditLog(self.vault.database, clock.now)
        accounts = Accounts(self.vault.database, audit, self.engines.sm4, self.random, clock.now)
        session = sign_in(accounts) if accounts.administrators() else INSTALLATION
        return Guard(self.vault.database, audit, session)

    def unattended_guard(self) -> Guard:
        """Requests of the machine itself: nightly backups, which nobody can read without the shares."""
        return Guard(self.vault.database, AuditLog(self.vault.database, clock.now), INSTALLATION)


def recorded(guard: Guard, method: str, subject: str, work: Callable[[], Result]) -> Result:
    """What `work` gives, with a row of the record before and after it."""
    return guard.long_change(f"Administration.{method}", subject, work, lambda: None)


def record_restore(vault: KeyVault, archive: str) -> None:
    """The restored vault's own record says that and when it was restored, before it is used."""
    account, role = INSTALLATION
    AuditLog(vault.database, clock.now).append(Event(account, role, "Administration.restore", archive))
