"""The vault: three levels of keys in one database (H2.8), sealed until the system key comes.

    system key   wraps SM2 pairs, KEK versions and the root, nothing else; never stored here
    KEK          by name and version; wraps SM4 keys here and data keys of objects elsewhere
    SM4 keys     of an owner, under a KEK

What changes keys is one transaction, or part of the caller's (`KeyDatabase.transaction`). Roles and audit: `crypto.roles`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from crypto.errors import KeyRefused, VaultSealed
from crypto.provider import KEY_SIZE, KeyPair, RandomBytes
from crypto.vault import identity as identities
from crypto.vault import rewrap
from crypto.vault.database import KeyDatabase
from crypto.vault.identity import Identity
from crypto.vault.keks import MAX_VERSION, Kek, KekVersions, require_name
from crypto.vault.making import KeyMaker
from crypto.vault.open_secrets import SYSTEM, OpenSecrets, commitment, require_fits, wrapping_key
from crypto.vault.records import KeyRecord, Kind, Records, StoredKey
from crypto.vault.states import State, require_change, require_use
from crypto.vault.wrapping import VaultEngines, Wrapping

# What the platform's own objects and columns are under.
DATA_KEK = "data"
_ROOT_SIZE = 32
_log = logging.getLogger(__name__)


class KeyVault:
    """One vault. Threads may share it, and other processes may use the same file."""

    def __init__(
        self,
        database: KeyDatabase,
        identity: Identity,
        engines: VaultEngines,
        now: Callable[[], datetime],
        random: RandomBytes,
    ) -> None:
        """For `create`, `adopt` and `open`."""
        self.database = database
        self._set_id = identity.set_id
        self._held_version = identity.system_version
        self._now = now
        self._random = random
        self._secrets = OpenSecrets()
        self._records = Records(database)
        self._wrapping = Wrapping(engines, random, identity.set_id)
        self._maker = KeyMaker(engines, random, self._wrapping, self._stamp)
        self._keks = KekVersions(database, self._records, self._secrets, self._secret_of)

    @classmethod
    def create(
        cls,
        path: Path,
        system_key: bytes,
        engines: VaultEngines,
        now: Callable[[], datetime],
        random: RandomBytes,
    ) -> "KeyVault":
        """A new vault with a KEK `data`, unsealed. Raises `KeyRefused` when there is one at `path`."""
        keks = {1: random(KEY_SIZE)}
        return cls.adopt(path, system_key, engines, now, random, root=random(_ROOT_SIZE), keks=keks)

    @classmethod
    def adopt(
        cls,
        path: Path,
        system_key: bytes,
        engines: VaultEngines,
        now: Callable[[], datetime],
        random: RandomBytes,
        *,
        root: bytes,
        keks: Mapping[int, bytes],
    ) -> "KeyVault":
        """A new vault with the root (32 bytes) and the versions of `data` that another store had; unsealed."""
        database = KeyDatabase(path)
        at = now().isoformat()
        set_id = random(16).hex()
        identity = Identity(set_id, at, 1, commitment(system_key, set_id), b"")
        vault = cls(database, identity, engines, now, random)
        key = wrapping_key(system_key, set_id)
        blob = vault._wrapping.wrap(key, "", 1, [(identity.root_record, root)])[0]
        with database.transaction():
            identities.create_identity(database, identity.under(1, identity.system_key_check, blob))
            vault._records.create_table()
            vault._keks.create_table()
            for version in sorted(keks):
                state = State.ACTIVE if version == max(keks) else State.DEACTIVATED
                vault._records.insert(vault._maker.kek(key, 1, DATA_KEK, version, keks[version], state))
        vault._hold(key, 1)
        return vault

    @classmethod
    def open(
        cls, path: Path, engines: VaultEngines, now: Callable[[], datetime], random: RandomBytes
    ) -> "KeyVault":
        """The vault at `path`, sealed. Raises `KeyRefused` when there is none."""
        if not path.exists():
            raise KeyRefused(f"no vault at {path}: run `./cloudfilm setup` once, or restore a backup")
        database = KeyDatabase(path)
        return cls(database, identities.read_identity(database), engines, now, random)

    def __repr__(self) -> str:
        return f"KeyVault({self.set_id[:8]}, {'sealed' if self.is_sealed else 'unsealed'})"

    @property
    def set_id(self) -> str:
        """The random id of this vault, 32 hex digits."""
        return self._set_id

    @property
    def system_key_check(self) -> bytes:
        """The commitment to the system key, 32 bytes."""
        return identities.read_identity(self.database).system_key_check

    @property
    def is_sealed(self) -> bool:
        """Whether this process lacks the system key."""
        return self._secrets.is_sealed

    def unseal(self, system_key: bytes) -> None:
        """Open for this process. Raises `KeyRefused` when it is another vault's key."""
        identity = self._identity()
        key = wrapping_key(system_key, self.set_id)
        require_fits(system_key, self.set_id, identity.system_key_check)
        self._hold(key, identity.system_version)

    def wrapping_key(self) -> bytes:
        """What the system key wraps by, derived; archives hold it. Raises `VaultSealed`, also when it was changed."""
        return self._system()[0]

    def unseal_by_wrapping_key(self, key: bytes) -> None:
        """Open what an archive brought, which has no system key. Raises `KeyRefused` when the key does not fit."""
        self._hold(key, identities.read_identity(self.database).system_version)
        try:
            self.root()
        except KeyRefused:
            self._secrets.wipe()
            raise

    def seal(self) -> None:
        """Wipe all keys from this process's memory."""
        self._secrets.wipe()
        rewrap.checkpoint(self.database)

    def close(self) -> None:
        """Seal, and close the database."""
        self._secrets.wipe()
        self.database.close()

    def change_system_key(self, system_key: bytes) -> None:
        """Put everything under another system key, in one transaction; the old one opens nothing here any more.

        Other processes must unseal anew. Raises `VaultSealed`, `KeyRefused`.
        """
        new = wrapping_key(system_key, self.set_id)
        with self.database.transaction():
            old, identity = self._system()
            root = self._wrapping.unwrap(
                old, "", identity.system_version, [(identity.root_record, identity.root)]
            )
            version = identity.system_version + 1
            blob = self._wrapping.wrap(new, "", version, [(identity.root_record, root[0])])[0]
            check = commitment(system_key, self.set_id)
            identities.replace_identity(self.database, identity.under(version, check, blob))
            for _ in rewrap.batches(
                self.database, self._records, self._wrapping, "", lambda _version: old, Kek(version, new)
            ):
                pass
        self._secrets.wipe()
        self._hold(new, version)

    def create_pairs(self, owner: str, purpose: str, count: int = 1, *, is_active: bool = True) -> list[str]:
        """New SM2 pairs of `owner` to "sign" or to "encrypt"; their ids, 32 hex digits. Raises `VaultSealed`."""
        if purpose not in ("sign", "encrypt"):
            raise KeyRefused(f"a pair is there to sign or to encrypt, not to {purpose[:80]!r}")
        key, identity = self._system()
        made = self._maker.pairs(key, identity.system_version, owner, purpose, count, _first(is_active))
        return self._insert(made)

    def create_keys(self, owner: str, kek: str, count: int = 1, *, is_active: bool = True) -> list[str]:
        """New SM4 keys of `owner` under the KEK of this name; their ids. Raises `KeyRefused`, `VaultSealed`."""
        return self._insert(self._maker.keys(self._keks.to_wrap(kek), kek, owner, count, _first(is_active)))

    def create_kek(self, name: str) -> None:
        """A new KEK, version 1. Raises `KeyRefused` when the name is taken."""
        self._add_version(require_name(name), 1)

    def rotate_kek(self, name: str) -> int:
        """A new version that wraps from now on; the one before it unwraps only. Raises `KeyRefused`, `VaultSealed`."""
        with self.database.transaction():
            newest = self._keks.newest(name)
            if newest.version >= MAX_VERSION:
                raise KeyRefused(f"KEK {name}: versions end at {MAX_VERSION}; make another KEK")
            if newest.state is State.ACTIVE:
                self._records.change(newest, State.DEACTIVATED, self._stamp(), "rotated")
            self._add_version(name, newest.version + 1)
        return newest.version + 1

    def set_minimum_version(self, name: str, version: int) -> None:
        """Versions of the KEK below this one open nothing. Raises `KeyRefused` while keys here are under them."""
        with self.database.transaction():
            self._keks.set_minimum(name, version)

    def rewrap(self, name: str, progress: Callable[[int, int], None], batch: int = rewrap.BATCH) -> int:
        """Bring the keys under older versions of `name` under the newest; how many. Killed, it goes on when called again.

        `progress` is told how many are done, of how many, after each batch. Raises `KeyRefused`, `VaultSealed`.
        """
        target = self._keks.to_wrap(name)
        total = self._records.count_wrapped_below(name, target.version)
        done = 0
        for count in rewrap.batches(
            self.database,
            self._records,
            self._wrapping,
            name,
            lambda version: self._keks.to_unwrap(name, version).key,
            target,
            batch,
        ):
            done += count
            progress(done, max(total, done))
        return done

    def activate(self, key_id: str, reason: str) -> None:
        """From now on the key may be used. Raises `KeyRefused`."""
        self._change(key_id, State.ACTIVE, reason)

    def deactivate(self, key_id: str, reason: str) -> None:
        """From now on the key verifies and decrypts only. Raises `KeyRefused`."""
        self._change(key_id, State.DEACTIVATED, reason)

    def compromise(self, key_id: str, reason: str) -> None:
        """Somebody else may have the key: it decrypts only, and each such use is logged. Raises `KeyRefused`."""
        self._change(key_id, State.COMPROMISED, reason)

    def destroy(self, key_id: str, reason: str) -> None:
        """Delete the secret, leave a tombstone; with a KEK version go all keys under it. Raises `KeyRefused`."""
        with self.database.transaction():
            record = self._change(key_id, State.DESTROYED, reason)
            self._records.bury(key_id)
            if record.kind is Kind.KEK:
                self._records.bury_wrapped_by(record.owner, record.version, self._stamp(), reason)
        self._secrets.forget(("kek", record.owner, record.id))
        self._secrets.forget(("derived",))
        rewrap.checkpoint(self.database)

    def find(self, key_id: str) -> KeyRecord:
        """By id, also while sealed. Raises `KeyRefused` when there is none."""
        return self._records.find(key_id).record

    def records(
        self,
        *,
        kind: Kind | None = None,
        owner: str | None = None,
        state: State | None = None,
        after: int = 0,
    ) -> Iterator[KeyRecord]:
        """All that fit, oldest first, those with a `number` after `after`."""
        return self._records.iterate(kind=kind, owner=owner, state=state, after=after)

    def counts(self) -> dict[tuple[str, str], int]:
        """How many keys of each kind and state."""
        return self._records.counts()

    def count_uses(self, uses: Mapping[str, int]) -> None:
        """Add to the counters of keys, by id; part of the caller's transaction if there is one."""
        with self.database.transaction():
            self._records.count_uses([(count, key_id) for key_id, count in uses.items()])

    def pair(self, key_id: str, use: str) -> KeyPair:
        """An SM2 pair to sign, verify, encrypt or decrypt; `private` is empty where the use needs the public half alone.

        Raises `KeyRefused` when purpose or state forbid the use or the row was altered, `VaultSealed`.
        """
        stored = self._usable(key_id, Kind.SM2, use)
        private = self._unwrap(stored)
        return KeyPair(private if use in ("sign", "decrypt") else b"", stored.record.public)

    def exportable(self, key_id: str) -> KeyPair:
        """The whole pair, for its owner's other device. Raises `KeyRefused`: a signing key never leaves the vault."""
        return self.pair(key_id, "decrypt")

    def symmetric(self, key_id: str, use: str) -> bytes:
        """An SM4 key to encrypt or decrypt. Raises `KeyRefused`, `VaultSealed`."""
        return self._unwrap(self._usable(key_id, Kind.SM4, use))

    def kek(self, name: str, version: int | None = None) -> Kek:
        """The version that wraps now, or the one that unwraps. Raises `KeyRefused`, `VaultSealed`."""
        return self._keks.to_wrap(name) if version is None else self._keks.to_unwrap(name, version)

    def kek_version(self, name: str) -> int:
        """The number of the version that wraps now, also while sealed. Raises `KeyRefused`."""
        return self._keks.newest(name).version

    def root(self) -> bytes:
        """32 bytes that no rotation changes. Raises `VaultSealed`."""
        return self._secrets.get(("root",), self._open_root)

    def remembered(self, name: tuple[str, ...], make: Callable[[], bytes]) -> bytes:
        """A key that `make` derives from keys of the vault, kept until it is sealed. Raises `VaultSealed`."""
        return self._secrets.get(("derived", *name), make)

    def _open_root(self) -> bytes:
        key, identity = self._system()
        return self._wrapping.unwrap(
            key, "", identity.system_version, [(identity.root_record, identity.root)]
        )[0]

    def _hold(self, key: bytes, system_version: int) -> None:
        self._held_version = system_version
        self._secrets.hold(SYSTEM, key)

    def _system(self) -> tuple[bytes, Identity]:
        key, identity = self._secrets.system_key(), self._identity()
        self._require_held(identity.system_version)
        return key, identity

    def _identity(self) -> Identity:
        identity = identities.read_identity(self.database)
        if identity.set_id != self.set_id:
            raise KeyRefused(f"{self.database.path} was exchanged for another vault's; put ours back")
        return identity

    def _require_held(self, system_version: int) -> None:
        if system_version != self._held_version:
            self._secrets.wipe()
            raise VaultSealed("the system key was changed by another process: unseal with the new one")

    def _usable(self, key_id: str, kind: Kind, use: str) -> StoredKey:
        self._secrets.system_key()
        stored = self._records.find(key_id)
        record = stored.record
        if record.kind is not kind:
            raise KeyRefused(f"{record.called}: it is a key of kind {record.kind}, not {kind}")
        require_use(record.called, record.state, record.purpose, use)
        if record.state is State.COMPROMISED:
            _log.warning("compromised %s was used to %s", record.called, use)
        return stored

    def _unwrap(self, stored: StoredKey) -> bytes:
        record = stored.record
        if stored.blob is None:
            raise KeyRefused(f"{record.called}: its secret is gone; restore the vault from a backup")
        if record.wrapped_by:
            key = self._keks.to_unwrap(record.wrapped_by, record.wrapped_version).key
        else:
            key = self._secrets.system_key()
            self._require_held(record.wrapped_version)
        wrapped = [(record, stored.blob)]
        return self._wrapping.unwrap(key, record.wrapped_by, record.wrapped_version, wrapped)[0]

    def _secret_of(self, key_id: str) -> bytes:
        return self._unwrap(self._records.find(key_id))

    def _add_version(self, name: str, version: int) -> None:
        key, identity = self._system()
        made = self._maker.kek(
            key, identity.system_version, name, version, self._random(KEY_SIZE), State.ACTIVE
        )
        self._insert(made)

    def _insert(self, made: list[StoredKey]) -> list[str]:
        """Write what was wrapped outside of the transaction, if what wraps it is still in force."""
        first = made[0].record
        with self.database.transaction():
            if first.wrapped_by:
                self._keks.to_unwrap(first.wrapped_by, first.wrapped_version)
            else:
                self._require_held(self._identity().system_version)
            self._records.insert(made)
        return [key.record.id for key in made]

    def _change(self, key_id: str, state: State, reason: str) -> KeyRecord:
        with self.database.transaction():
            record = self.find(key_id)
            require_change(record.called, record.state, state)
            self._records.change(record, state, self._stamp(), reason)
        return record

    def _stamp(self) -> str:
        return self._now().isoformat()


def _first(is_active: bool) -> State:
    return State.ACTIVE if is_active else State.PRE_ACTIVE
