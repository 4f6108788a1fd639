"""The keys of one installation in three levels (H2.8): system key → key-encryption keys (KEK) → data keys.

    system key    16 random bytes in the key file; wraps what follows, nothing else
    KEK           one per version; wraps data keys, and every version has a field key derived from it
    root          32 random bytes that no rotation changes: blind indexes and named sub-keys come from it
    data key      one per sealed object, kept wrapped beside the object's row

Everything wrapped is nonce ‖ ciphertext ‖ tag, SM4-GCM, random nonce: rotate a KEK before 2^32 wraps.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crypto.errors import KeyRefused, SealBroken
from crypto.key_file import create_key_file, locked, read_key_file, replace_key_file
from crypto.provider import KEY_SIZE, NONCE_SIZE, TAG_SIZE, Provider
from crypto.sm3 import hmac_sm3, kdf

_ROOT_SIZE = 32
_BLOB_FORMAT = 1
_BLOB_PREFIX_SIZE = 3
_MAX_KEK_VERSION = 0xFFFF


@dataclass(frozen=True)
class WrappedKey:
    """A data key as it is stored: which KEK version opens it, and nonce ‖ ciphertext ‖ tag (44 bytes)."""

    kek_version: int
    blob: bytes


@dataclass(frozen=True)
class _Keys:
    """What the key file holds, opened; `keks` by version, the highest is active."""

    system_key: bytes = field(repr=False)
    root: bytes = field(repr=False)
    keks: dict[int, bytes] = field(repr=False)


class Keyring:
    """The opened keys of one installation. Threads may share it; other processes' rotations are seen."""

    def __init__(self, path: Path, provider: Provider, keys: _Keys) -> None:
        self._path = path
        self._provider = provider
        self._keys = keys
        # Derived once: a key of a version never changes, and deriving costs as much as sealing a name.
        self._field_keys: dict[int, bytes] = {}
        self._sub_keys: dict[tuple[str, ...], bytes] = {}

    @classmethod
    def create(cls, path: Path, provider: Provider) -> "Keyring":
        """New random keys in a new key file (mode 0600). Raises `KeyRefused` when `path` exists."""
        keys = _Keys(
            system_key=secrets.token_bytes(KEY_SIZE),
            root=secrets.token_bytes(_ROOT_SIZE),
            keks={1: secrets.token_bytes(KEY_SIZE)},
        )
        create_key_file(path, _pack(keys, provider))
        return cls(path, provider, keys)

    @classmethod
    def load(cls, path: Path, provider: Provider) -> "Keyring":
        """Open the keys of `path`. Raises `KeyRefused` when it is missing, altered, or open to others."""
        return cls(path, provider, _load(path, provider))

    @property
    def active_version(self) -> int:
        """The KEK version that seals from now on."""
        return max(self._keys.keks)

    def rotate(self) -> int:
        """Add a KEK and make it the active one; return its version. Older versions go on opening."""
        with locked(self._path):
            keys = self._reload()
            version = max(keys.keks) + 1
            if version > _MAX_KEK_VERSION:
                raise KeyRefused(f"key file {self._path}: KEK versions end at {_MAX_KEK_VERSION}")
            keys.keks[version] = secrets.token_bytes(KEY_SIZE)
            replace_key_file(self._path, _pack(keys, self._provider))
        self._keys = keys
        return version

    def new_dek(self) -> bytes:
        """A data key for one object: 16 random bytes."""
        return secrets.token_bytes(KEY_SIZE)

    def wrap_dek(self, dek: bytes, *, object_id: bytes, kind: str, owner: str) -> WrappedKey:
        """Wrap under the active KEK; the blob opens only for the same object, kind and owner."""
        if len(dek) != KEY_SIZE:
            raise KeyRefused(f"object {object_id.hex()}: a data key has {KEY_SIZE} bytes, not {len(dek)}")
        version = self.active_version
        return WrappedKey(
            version, _wrap(self._provider, self._kek(version), _dek_aad(object_id, kind, owner), dek)
        )

    def unwrap_dek(self, wrapped: WrappedKey, *, object_id: bytes, kind: str, owner: str) -> bytes:
        """The data key. Raises `KeyRefused`: unknown version, or blob, object, kind, owner do not match."""
        kek = self._kek(wrapped.kek_version)
        what = f"the data key of object {object_id.hex()} ({kind} of {owner})"
        return _unwrap(self._provider, kek, _dek_aad(object_id, kind, owner), wrapped.blob, what)

    def seal_blob(self, content: bytes, *, context: str) -> bytes:
        """Seal bytes for the column `context`: format, KEK version, nonce, ciphertext, tag."""
        version = self.active_version
        prefix = bytes([_BLOB_FORMAT]) + version.to_bytes(2, "big")
        return _wrap(self._provider, self._field_key(version), _labelled(prefix, context), content, prefix)

    def seal_blobs(self, contents: Sequence[bytes], *, context: str) -> list[bytes]:
        """`seal_blob` for each, with what they share done once."""
        version = self.active_version
        prefix = bytes([_BLOB_FORMAT]) + version.to_bytes(2, "big")
        key, aad = self._field_key(version), _labelled(prefix, context)
        return [_wrap(self._provider, key, aad, content, prefix) for content in contents]

    def open_blob(self, blob: bytes, *, context: str) -> bytes:
        """What `seal_blob` sealed for this context. Raises `SealBroken`, `KeyRefused`."""
        if len(blob) < _BLOB_PREFIX_SIZE + NONCE_SIZE + TAG_SIZE or blob[0] != _BLOB_FORMAT:
            raise SealBroken(f"{context}: the stored value is not a sealed one; it was cut or overwritten")
        prefix, nonce, sealed = _split(blob)
        key = self._field_key(int.from_bytes(prefix[1:], "big"))
        try:
            return self._provider.open(key, nonce, _labelled(prefix, context), sealed)
        except SealBroken:
            raise SealBroken(
                f"{context}: the sealed value was altered, or belongs to another column"
            ) from None

    def seal_field(self, text: str, *, context: str) -> bytes:
        """Seal text (UTF-8) for one column."""
        return self.seal_blob(text.encode(), context=context)

    def open_field(self, blob: bytes, *, context: str) -> str:
        """What `seal_field` sealed for this context. Raises `SealBroken`, `KeyRefused`."""
        return self.open_blob(blob, context=context).decode()

    def blind_index(self, kind: str, value: str) -> str:
        """64 hex digits that find equal values of one kind. No rotation changes it; callers normalise."""
        return hmac_sm3(self._sub_key("blind index"), _labelled(kind, value)).hex()

    def derive(self, purpose: str) -> bytes:
        """The 32-byte sub-key of a named purpose (audit, otp, …). No rotation changes it."""
        return self._sub_key("purpose", purpose)

    def _reload(self) -> _Keys:
        keys = _load(self._path, self._provider)
        if keys.root != self._keys.root:
            raise KeyRefused(
                f"key file {self._path}: it was exchanged for another installation's; put ours back"
            )
        return keys

    def _sub_key(self, *labels: str) -> bytes:
        if labels not in self._sub_keys:
            self._sub_keys[labels] = hmac_sm3(self._keys.root, _labelled(*labels))
        return self._sub_keys[labels]

    def _field_key(self, version: int) -> bytes:
        if version not in self._field_keys:
            self._field_keys[version] = kdf(self._kek(version), b"field", KEY_SIZE)
        return self._field_keys[version]

    def _kek(self, version: int) -> bytes:
        if version not in self._keys.keks:
            self._keys = self._reload()
        try:
            return self._keys.keks[version]
        except KeyError:
            raise KeyRefused(
                f"KEK version {version} is not in {self._path}, which ends at version {self.active_version}; "
                "what it opens was sealed with another installation's keys, or the key file is an old copy"
            ) from None


def _pack(keys: _Keys, provider: Provider) -> dict[str, object]:
    def wrapped(key: bytes, *labels: str) -> str:
        return _wrap(provider, keys.system_key, _labelled(*labels), key).hex()

    return {
        "system_key": keys.system_key.hex(),
        "root": wrapped(keys.root, "root"),
        "keks": {str(version): wrapped(kek, "kek", str(version)) for version, kek in keys.keks.items()},
    }


def _load(path: Path, provider: Provider) -> _Keys:
    content = read_key_file(path)
    try:
        system_key = bytes.fromhex(content["system_key"])
        root = bytes.fromhex(content["root"])
        keks = {int(version): bytes.fromhex(blob) for version, blob in content["keks"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise KeyRefused(f"key file {path}: it is damaged; restore it from the backup") from None
    if len(system_key) != KEY_SIZE or not keks:
        raise KeyRefused(f"key file {path}: it is damaged; restore it from the backup")
    return _Keys(
        system_key=system_key,
        root=_unwrap(provider, system_key, _labelled("root"), root, f"the root key in {path}"),
        keks={
            version: _unwrap(
                provider, system_key, _labelled("kek", str(version)), blob, f"KEK version {version} in {path}"
            )
            for version, blob in keks.items()
        },
    )


def _wrap(provider: Provider, key: bytes, aad: bytes, content: bytes, prefix: bytes = b"") -> bytes:
    nonce = secrets.token_bytes(NONCE_SIZE)
    return provider.seal(key, nonce, aad, content, prefix + nonce)


def _unwrap(provider: Provider, key: bytes, aad: bytes, blob: bytes, what: str) -> bytes:
    refused = KeyRefused(f"{what} does not unwrap: it was altered, or belongs elsewhere; restore it")
    if len(blob) < NONCE_SIZE + TAG_SIZE:
        raise refused
    try:
        return provider.open(key, blob[:NONCE_SIZE], aad, blob[NONCE_SIZE:])
    except SealBroken:
        raise refused from None


def _split(blob: bytes) -> tuple[bytes, bytes, bytes]:
    nonce_end = _BLOB_PREFIX_SIZE + NONCE_SIZE
    return blob[:_BLOB_PREFIX_SIZE], blob[_BLOB_PREFIX_SIZE:nonce_end], blob[nonce_end:]


def _dek_aad(object_id: bytes, kind: str, owner: str) -> bytes:
    return _labelled("dek", object_id, kind, owner)


def _labelled(*parts: str | bytes) -> bytes:
    """The parts with their lengths, so that no two lists of parts give the same bytes."""
    encoded = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
