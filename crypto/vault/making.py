"""New keys, made and wrapped in batches: rows that are ready to be written."""

from collections.abc import Callable

from crypto.errors import KeyRefused
from crypto.provider import KEY_SIZE, RandomBytes
from crypto.sm2.self_test import check_pairs
from crypto.vault.keks import Kek, kek_id
from crypto.vault.records import KeyRecord, Kind, StoredKey
from crypto.vault.states import State
from crypto.vault.wrapping import VaultEngines, Wrapping

# What is in memory at once, about 100 MB.
MOST = 200_000
_ID_SIZE = 16
_OWNER_LIMIT = 256


class KeyMaker:
    """`stamp` is the time now, ISO 8601."""

    def __init__(
        self, engines: VaultEngines, random: RandomBytes, wrapping: Wrapping, stamp: Callable[[], str]
    ) -> None:
        self._sm2 = engines.sm2
        self._random = random
        self._wrapping = wrapping
        self._stamp = stamp

    def pairs(
        self, key: bytes, version: int, owner: str, purpose: str, count: int, state: State
    ) -> list[StoredKey]:
        """SM2 pairs under the system's wrapping key. Raises `KeyRefused`, `SelfTestFailed`."""
        _require_bounds(owner, count)
        pairs = self._sm2.generate_many(count)
        # GM/T 0028 (conditional self-test): one batch of lanes of every request signs, verifies and decrypts.
        check_pairs(self._sm2, pairs[: self._sm2.lanes])
        rows = self._rows(Kind.SM2, owner, purpose, state, "", version, [pair.public for pair in pairs])
        return self._wrapped(key, rows, [pair.private for pair in pairs])

    def keys(self, kek: Kek, name: str, owner: str, count: int, state: State) -> list[StoredKey]:
        """SM4 keys under a KEK. Raises `KeyRefused`."""
        _require_bounds(owner, count)
        drawn = self._random(KEY_SIZE * count)
        rows = self._rows(Kind.SM4, owner, "data", state, name, kek.version, [b""] * count)
        return self._wrapped(
            kek.key, rows, [drawn[at : at + KEY_SIZE] for at in range(0, len(drawn), KEY_SIZE)]
        )

    def kek(
        self, key: bytes, system_version: int, name: str, version: int, secret: bytes, state: State
    ) -> list[StoredKey]:
        """One version of a KEK under the system's wrapping key."""
        at = self._stamp()
        record = KeyRecord(
            id=kek_id(name, version),
            kind=Kind.KEK,
            owner=name,
            purpose="wrap",
            version=version,
            state=state,
            wrapped_by="",
            wrapped_version=system_version,
            public=b"",
            created_at=at,
            activated_at=at,
        )
        return self._wrapped(key, [record], [secret])

    def _rows(
        self,
        kind: Kind,
        owner: str,
        purpose: str,
        state: State,
        wrapped_by: str,
        wrapped_version: int,
        publics: list[bytes],
    ) -> list[KeyRecord]:
        activated_at = at = self._stamp()
        if state is State.PRE_ACTIVE:
            activated_at = ""
        return [
            KeyRecord(
                key_id,
                kind,
                owner,
                purpose,
                1,
                state,
                wrapped_by,
                wrapped_version,
                public,
                at,
                activated_at,
            )
            for key_id, public in zip(self._ids(len(publics)), publics, strict=True)
        ]

    def _ids(self, count: int) -> list[str]:
        """Random, in order: their index grows from one end to the other, which halves the time of 100,000 rows."""
        drawn = self._random(_ID_SIZE * count).hex()
        width = 2 * _ID_SIZE
        return sorted(drawn[start : start + width] for start in range(0, len(drawn), width))

    def _wrapped(self, key: bytes, rows: list[KeyRecord], secrets: list[bytes]) -> list[StoredKey]:
        first = rows[0]
        blobs = self._wrapping.wrap(
            key, first.wrapped_by, first.wrapped_version, list(zip(rows, secrets, strict=True))
        )
        return [StoredKey(row, blob) for row, blob in zip(rows, blobs, strict=True)]


def _require_bounds(owner: str, count: int) -> None:
    if not 1 <= count <= MOST:
        raise KeyRefused(f"keys are made 1 to {MOST} at a time, not {count}")
    if not 0 < len(owner) <= _OWNER_LIMIT:
        raise KeyRefused(f"an owner has 1 to {_OWNER_LIMIT} characters")
