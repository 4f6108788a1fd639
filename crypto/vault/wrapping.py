"""How a stored key is wrapped: nonce ‖ SM4-GCM(secret ‖ binding), so that a row works in its own place only.

    binding          SM3 over kind, id, version, owner, purpose and public key of the row, inside of what is sealed
    additional data  vault, name and version of the wrapping key

GCM authenticates the binding as it does additional data; inside, it may differ from row to row while one call seals a whole
batch in the engine's lanes. State and counters are not bound: they change without the key.
"""

import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from crypto.errors import KeyRefused, SealBroken
from crypto.provider import NONCE_SIZE, Provider, RandomBytes, Sm2Engine, Sm3Lanes
from crypto.sm3 import DIGEST_SIZE
from crypto.vault.records import KeyRecord


class VaultEngines(Protocol):
    """What the vault needs of `selection.Engines`."""

    @property
    def sm4(self) -> Provider:
        """Wraps."""
        ...

    @property
    def sm3(self) -> Sm3Lanes:
        """Binds."""
        ...

    @property
    def sm2(self) -> Sm2Engine:
        """Makes pairs."""
        ...


class Wrapping:
    """Wraps and unwraps the secrets of one vault's rows, in batches."""

    def __init__(self, engines: VaultEngines, random: RandomBytes, set_id: str) -> None:
        self._sm4 = engines.sm4
        self._sm3 = engines.sm3
        self._random = random
        self._set_id = set_id

    def wrap(
        self, key: bytes, name: str, version: int, keys: Sequence[tuple[KeyRecord, bytes]]
    ) -> list[bytes]:
        """The blobs of records and their secrets, under `key`, which is version `version` of `name`."""
        drawn = self._random(NONCE_SIZE * len(keys))
        nonces = [drawn[start : start + NONCE_SIZE] for start in range(0, len(drawn), NONCE_SIZE)]
        bindings = self._bindings([record for record, _ in keys])
        contents = [secret + binding for (_, secret), binding in zip(keys, bindings, strict=True)]
        sealed = self._sm4.seal_many(key, nonces, self._aad(name, version), contents)
        return [nonce + one for nonce, one in zip(nonces, sealed, strict=True)]

    def unwrap(
        self, key: bytes, name: str, version: int, keys: Sequence[tuple[KeyRecord, bytes]]
    ) -> list[bytes]:
        """The secrets of records and their blobs. Raises `KeyRefused` naming the first that does not fit its row."""
        aad = self._aad(name, version)
        nonces = [blob[:NONCE_SIZE] for _, blob in keys]
        sealed = [blob[NONCE_SIZE:] for _, blob in keys]
        try:
            contents = self._sm4.open_many(key, nonces, aad, sealed)
        except SealBroken:
            contents = [self._open_alone(key, aad, record, blob) for record, blob in keys]
        bindings = self._bindings([record for record, _ in keys])
        for (record, _), content, binding in zip(keys, contents, bindings, strict=True):
            if not hmac.compare_digest(content[-DIGEST_SIZE:], binding):
                raise _altered(record)
        return [content[:-DIGEST_SIZE] for content in contents]

    def _open_alone(self, key: bytes, aad: bytes, record: KeyRecord, blob: bytes) -> bytes:
        try:
            return self._sm4.open(key, blob[:NONCE_SIZE], aad, blob[NONCE_SIZE:])
        except SealBroken:
            raise _altered(record) from None

    def _aad(self, name: str, version: int) -> bytes:
        return labelled("vault", self._set_id, name, str(version))

    def _bindings(self, records: Sequence[KeyRecord]) -> list[bytes]:
        return self._sm3.digest_many([_binding(record) for record in records])


def labelled(*parts: str | bytes) -> bytes:
    """The parts with their lengths, so that no two lists of parts give the same bytes."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _binding(record: KeyRecord) -> bytes:
    """`labelled` over kind, id, version, owner, purpose, public; what a batch has in common is computed once."""
    head, middle = _common(record.kind, record.version, record.owner, record.purpose)
    key_id = record.id.encode()
    return b"".join(
        (
            head,
            len(key_id).to_bytes(4, "big"),
            key_id,
            middle,
            len(record.public).to_bytes(4, "big"),
            record.public,
        )
    )


@lru_cache(maxsize=64)
def _common(kind: str, version: int, owner: str, purpose: str) -> tuple[bytes, bytes]:
    return labelled(kind), labelled(str(version), owner, purpose)


def _altered(record: KeyRecord) -> KeyRefused:
    return KeyRefused(
        f"{record.called}: its wrapped secret does not belong to this row, or was altered; restore the vault"
    )
