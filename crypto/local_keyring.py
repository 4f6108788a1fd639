"""The keyring on a vault in this process: its KEK `data`, and its root, which no rotation changes.

    data key      SM4-GCM under the KEK, random nonce
    column value  SM4-GCM under KDF(KEK, "field")
    blind index   HMAC-SM3 under a sub-key of the root; sub-keys are HMAC-SM3(root, label)

Wraps are counted on the KEK in blocks, so that the counter is an upper bound; at 2^32 the KEK must be rotated (SP 800-38D
§8.3: random nonces of 96 bits).
"""

import threading
from collections.abc import Sequence

from crypto.errors import KeyRefused, SealBroken
from crypto.keyring import WrappedKey
from crypto.provider import KEY_SIZE, NONCE_SIZE, TAG_SIZE, Provider, RandomBytes
from crypto.sealed_blob import parse, prefix_of
from crypto.sm3 import hmac_sm3, kdf
from crypto.vault.keks import Kek, kek_id
from crypto.vault.vault import DATA_KEK, KeyVault
from crypto.vault.wrapping import labelled

MOST_WRAPS = 1 << 32
_COUNTED_BLOCK = 4096


class LocalKeyring:
    """`crypto.keyring.Keyring`, see there. Threads may share it."""

    def __init__(self, vault: KeyVault, provider: Provider, random: RandomBytes) -> None:
        self._vault = vault
        self._provider = provider
        self._random = random
        self._counting = threading.Lock()
        self._counted: tuple[int, int] = (0, 0)

    def __repr__(self) -> str:
        return f"LocalKeyring({self._vault!r})"

    @property
    def active_version(self) -> int:
        """The KEK version that seals from now on."""
        return self._vault.kek_version(DATA_KEK)

    def new_dek(self) -> bytes:
        """A data key for one object: 16 random bytes."""
        return self._random(KEY_SIZE)

    def wrap_dek(self, dek: bytes, *, object_id: bytes, kind: str, owner: str) -> WrappedKey:
        """Wrap under the active KEK."""
        if len(dek) != KEY_SIZE:
            raise KeyRefused(f"object {object_id.hex()}: a data key has {KEY_SIZE} bytes, not {len(dek)}")
        kek = self._sealing_kek(1)
        nonce = self._random(NONCE_SIZE)
        aad = _dek_aad(object_id, kind, owner)
        return WrappedKey(kek.version, self._provider.seal(kek.key, nonce, aad, dek, nonce))

    def unwrap_dek(self, wrapped: WrappedKey, *, object_id: bytes, kind: str, owner: str) -> bytes:
        """The data key."""
        kek = self._vault.kek(DATA_KEK, wrapped.kek_version)
        nonce, sealed = wrapped.blob[:NONCE_SIZE], wrapped.blob[NONCE_SIZE:]
        try:
            if len(sealed) != KEY_SIZE + TAG_SIZE:
                raise SealBroken("cut")
            return self._provider.open(kek.key, nonce, _dek_aad(object_id, kind, owner), sealed)
        except SealBroken:
            raise KeyRefused(
                f"the data key of object {object_id.hex()} ({kind} of {owner}) does not unwrap: "
                "it was altered, or belongs elsewhere; restore it"
            ) from None

    def seal_blob(self, content: bytes, *, context: str) -> bytes:
        """Seal one value."""
        kek = self._sealing_kek(1)
        prefix, nonce = prefix_of(kek.version), self._random(NONCE_SIZE)
        aad = labelled(prefix, context)
        return self._provider.seal(self._field_key(kek), nonce, aad, content, prefix + nonce)

    def seal_blobs(self, contents: Sequence[bytes], *, context: str) -> list[bytes]:
        """Seal each, in the engine's lanes."""
        if not contents:
            return []
        kek = self._sealing_kek(len(contents))
        prefix, drawn = prefix_of(kek.version), self._random(NONCE_SIZE * len(contents))
        nonces = [drawn[start : start + NONCE_SIZE] for start in range(0, len(drawn), NONCE_SIZE)]
        sealed = self._provider.seal_many(self._field_key(kek), nonces, labelled(prefix, context), contents)
        return [prefix + nonce + one for nonce, one in zip(nonces, sealed, strict=True)]

    def open_blob(self, blob: bytes, *, context: str) -> bytes:
        """Open one value; a page of names asks for each alone, so without the ways around batches."""
        version, nonce, sealed = parse(blob, context)
        key = self._field_key(self._vault.kek(DATA_KEK, version))
        try:
            return self._provider.open(key, nonce, labelled(prefix_of(version), context), sealed)
        except SealBroken:
            raise _altered(context) from None

    def open_blobs(self, blobs: Sequence[bytes], *, context: str) -> list[bytes]:
        """Open each; those of one KEK version together."""
        parsed = [parse(blob, context) for blob in blobs]
        opened = [b""] * len(blobs)
        for version in {one.version for one in parsed}:
            places = [place for place, one in enumerate(parsed) if one.version == version]
            key = self._field_key(self._vault.kek(DATA_KEK, version))
            nonces, sealed = [parsed[at].nonce for at in places], [parsed[at].sealed for at in places]
            try:
                contents = self._provider.open_many(
                    key, nonces, labelled(prefix_of(version), context), sealed
                )
            except SealBroken:
                raise _altered(context) from None
            for place, content in zip(places, contents, strict=True):
                opened[place] = content
        return opened

    def seal_field(self, text: str, *, context: str) -> bytes:
        """Seal text."""
        return self.seal_blob(text.encode(), context=context)

    def open_field(self, blob: bytes, *, context: str) -> str:
        """Open text."""
        return self.open_blob(blob, context=context).decode()

    def blind_index(self, kind: str, value: str) -> str:
        """64 hex digits."""
        return hmac_sm3(self._sub_key("blind index"), labelled(kind, value)).hex()

    def derive(self, purpose: str) -> bytes:
        """32 bytes."""
        return self._sub_key("purpose", purpose)

    def _sub_key(self, *labels: str) -> bytes:
        return self._vault.remembered(
            ("sub-key", *labels), lambda: hmac_sm3(self._vault.root(), labelled(*labels))
        )

    def _field_key(self, kek: Kek) -> bytes:
        # Derived once: deriving costs as much as sealing a name.
        return self._vault.remembered(("field", str(kek.version)), lambda: kdf(kek.key, b"field", KEY_SIZE))

    def _sealing_kek(self, count: int) -> Kek:
        kek = self._vault.kek(DATA_KEK)
        with self._counting:
            version, left = self._counted
            if version != kek.version or left < count:
                self._count(kek.version, max(count, _COUNTED_BLOCK))
                left = max(count, _COUNTED_BLOCK)
            self._counted = (kek.version, left - count)
        return kek

    def _count(self, version: int, count: int) -> None:
        key_id = kek_id(DATA_KEK, version)
        if self._vault.find(key_id).uses + count > MOST_WRAPS:
            raise KeyRefused(
                f"KEK {key_id}: it has wrapped as often as it may; run `./cloudfilm keys rotate`"
            )
        self._vault.count_uses({key_id: count})


def _altered(context: str) -> SealBroken:
    return SealBroken(f"{context}: the sealed value was altered, or belongs to another column")


def _dek_aad(object_id: bytes, kind: str, owner: str) -> bytes:
    return labelled("dek", object_id, kind, owner)
