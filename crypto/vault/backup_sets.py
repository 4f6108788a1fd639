"""The backup keys of a vault, and whose shares open what they seal.

A backup key is a version of the KEK `backup`: made in a ceremony, split, and kept wrapped like any KEK, so that the archives
of every night need nobody. A set counts once its shares are in people's hands: a ceremony that was broken off leaves a
version that nothing is ever sealed under.
"""

from dataclasses import dataclass, field

from crypto.errors import KeyRefused
from crypto.shamir import Purpose, Share, split
from crypto.vault.records import Kind
from crypto.vault.states import State
from crypto.vault.vault import KeyVault

BACKUP_KEK = "backup"
_OWNER = "backup"
_TABLE = """
CREATE TABLE IF NOT EXISTS backup_sets (
    version INTEGER PRIMARY KEY, share_set TEXT NOT NULL, needed INTEGER NOT NULL, made INTEGER NOT NULL, at TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class BackupSet:
    """One split backup key: the KEK version, and the shares that give it back."""

    version: int
    share_set: str
    needed: int
    made: int
    at: str = ""


@dataclass(frozen=True)
class Ceremony:
    """A new backup key and its shares, before they are in people's hands."""

    backup_set: BackupSet
    shares: list[Share] = field(repr=False)


class BackupSets:
    """Of one vault; everything but `standing` needs it unsealed."""

    def __init__(self, vault: KeyVault) -> None:
        self._vault = vault
        vault.database.connection().execute(_TABLE)

    def standing(self) -> BackupSet | None:
        """The set of the last finished ceremony."""
        query = "SELECT version, share_set, needed, made, at FROM backup_sets ORDER BY version DESC LIMIT 1"
        row = self._vault.database.connection().execute(query).fetchone()
        return BackupSet(*row) if row else None

    def begin(self, needed: int, made: int) -> Ceremony:
        """A new backup key, split. Show the shares, then `finish`. Raises `ShareRefused`, `VaultSealed`."""
        with self._vault.database.transaction():
            version = self._new_version()
            shares = split(self._vault.kek(BACKUP_KEK).key, needed, made, Purpose.BACKUP_KEY)
        return Ceremony(BackupSet(version, shares[0].set_name, needed, made), shares)

    def finish(self, ceremony: Ceremony, at: str) -> None:
        """The shares are written down: archives are sealed for them from now on."""
        one = ceremony.backup_set
        with self._vault.database.transaction() as connection:
            connection.execute(
                "INSERT INTO backup_sets VALUES (?, ?, ?, ?, ?)",
                (one.version, one.share_set, one.needed, one.made, at),
            )

    def key(self, backup_set: BackupSet) -> bytes:
        """The backup key. Raises `KeyRefused`, `VaultSealed`."""
        return self._vault.kek(BACKUP_KEK, backup_set.version).key

    def signer(self) -> str:
        """Id of the pair that signs archives, made at the first use. Raises `VaultSealed`."""
        found = next(self._vault.records(kind=Kind.SM2, owner=_OWNER, state=State.ACTIVE), None)
        return found.id if found else self._vault.create_pairs(_OWNER, "sign")[0]

    def _new_version(self) -> int:
        try:
            self._vault.kek_version(BACKUP_KEK)
        except KeyRefused:
            self._vault.create_kek(BACKUP_KEK)
            return 1
        return self._vault.rotate_kek(BACKUP_KEK)
