"""What belongs to a sealed file and lies outside its body: the wrapped data key, and what is said about the file.

On disk it is `NAME.cfs.key` beside `NAME.cfs`; in an object store it is the object's metadata. A re-wrap writes a new
envelope and leaves the body alone. Fields, all text:

    object-id        hex, as in the header of the body
    kind             one of `kinds.Kind`, in clear: for lists and statistics
    kek-version      which key-encryption key opens the wrapped key
    wrapped-key      hex, of `Keyring.wrap_dek` for this object id, `WRAP_KIND`, `WRAP_OWNER`
    key-commitment   hex, `class_keys.key_commitment` of data key and header
    about            hex, name and time of the file: nonce ‖ SM4-GCM under KDF(data key ‖ "about" ‖ object id), with
                     object id and kind as additional data
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from crypto.class_keys import key_commitment, verify_commitment
from crypto.errors import FileRefused, KeyRefused, SealBroken
from crypto.files.kinds import Kind, Label
from crypto.keyring import Keyring, WrappedKey
from crypto.provider import KEY_SIZE, NONCE_SIZE, Provider
from crypto.sealed_header import SealedHeader
from crypto.sm3 import kdf

WRAP_KIND = "file"
WRAP_OWNER = "files"
KEY_SUFFIX = ".key"
# With the name in hex an envelope stays far below the 8 KiB that object stores allow for metadata.
NAME_LIMIT = 1024

_FORMAT = "cloudfilm-file-key-1"
_FIELDS = ("object-id", "kind", "kek-version", "wrapped-key", "key-commitment", "about")
_FILE_LIMIT = 16 * 1024


@dataclass(frozen=True)
class About:
    """What the file was: its path relative to what was sealed (posix), time of change in ns, how its kind was found.

    `source` is the SM3 of the path that it lay at, hex: with length and time it tells whether a file is sealed already.
    """

    name: str
    modified_ns: int
    label: Label
    source: str


@dataclass(frozen=True)
class Envelope:
    """All of it, as stored."""

    object_id: bytes
    kind: str
    wrapped: WrappedKey
    commitment: bytes = field(repr=False)
    about: bytes = field(repr=False)

    @classmethod
    def seal(
        cls, header: SealedHeader, dek: bytes, about: About, keyring: Keyring, provider: Provider
    ) -> "Envelope":
        """The envelope of a new file. Raises `KeyRefused`, `VaultSealed`, `FileRefused` for a name out of bounds."""
        wrapped = keyring.wrap_dek(dek, object_id=header.object_id, kind=WRAP_KIND, owner=WRAP_OWNER)
        nonce = secrets.token_bytes(NONCE_SIZE)
        aad = _about_aad(header.object_id, about.label.kind)
        sealed = provider.seal(_about_key(dek, header.object_id), nonce, aad, _pack_about(about), nonce)
        return cls(header.object_id, about.label.kind, wrapped, key_commitment(dek, header.pack()), sealed)

    def unwrap(self, header: SealedHeader, keyring: Keyring) -> bytes:
        """The data key of the body with this header. Raises `KeyRefused`, `SealBroken` when they are not a pair."""
        if header.object_id != self.object_id:
            raise SealBroken(
                f"sealed object {header.object_id.hex()} lies beside the key of {self.object_id.hex()}: "
                "bring each file together with its own key file"
            )
        dek = keyring.unwrap_dek(self.wrapped, object_id=self.object_id, kind=WRAP_KIND, owner=WRAP_OWNER)
        verify_commitment(dek, header.pack(), self.commitment)
        return dek

    def open_about(self, dek: bytes, provider: Provider) -> About:
        """What was said about the file. Raises `SealBroken` when that, or the kind, was altered."""
        nonce, sealed = self.about[:NONCE_SIZE], self.about[NONCE_SIZE:]
        aad = _about_aad(self.object_id, self.kind)
        try:
            packed = provider.open(_about_key(dek, self.object_id), nonce, aad, sealed)
        except (SealBroken, ValueError):
            raise SealBroken(
                f"sealed object {self.object_id.hex()}: name or kind in its key file was altered; restore that file"
            ) from None
        content = json.loads(packed.decode("utf-8", "surrogateescape"))
        label = Label(Kind(self.kind), content["evidence"])
        return About(content["name"], content["modified_ns"], label, content.get("source", ""))

    def rewrapped(self, keyring: Keyring) -> "Envelope":
        """The same with the data key under the newest key-encryption key."""
        dek = keyring.unwrap_dek(self.wrapped, object_id=self.object_id, kind=WRAP_KIND, owner=WRAP_OWNER)
        return replace(
            self, wrapped=keyring.wrap_dek(dek, object_id=self.object_id, kind=WRAP_KIND, owner=WRAP_OWNER)
        )

    def fields(self) -> dict[str, str]:
        """As text, for a key file or the metadata of an object."""
        return {
            "object-id": self.object_id.hex(),
            "kind": self.kind,
            "kek-version": str(self.wrapped.kek_version),
            "wrapped-key": self.wrapped.blob.hex(),
            "key-commitment": self.commitment.hex(),
            "about": self.about.hex(),
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, str], where: str) -> "Envelope":
        """Read `fields`. Raises `KeyRefused` naming `where` they come from."""
        try:
            object_id, kind, version, wrapped, commitment, about = (fields[name] for name in _FIELDS)
            return cls(
                bytes.fromhex(object_id),
                str(Kind(kind)),
                WrappedKey(int(version), bytes.fromhex(wrapped)),
                bytes.fromhex(commitment),
                bytes.fromhex(about),
            )
        except (KeyError, ValueError, TypeError, OverflowError):  # JSON knows Infinity, which is no version
            raise KeyRefused(f"{where}: the wrapped key is damaged or not one of ours; restore it") from None


def key_path(sealed: Path) -> Path:
    """Where the envelope of the sealed file lies."""
    return sealed.with_name(sealed.name + KEY_SUFFIX)


def pack_key_file(envelope: Envelope) -> bytes:
    """The content of a key file."""
    return json.dumps({"format": _FORMAT, **envelope.fields()}, indent=1).encode() + b"\n"


def read_key_file(path: Path) -> Envelope:
    """The envelope in a key file. Raises `KeyRefused`: missing, damaged, of another format."""
    try:
        with path.open("rb") as file:
            content = file.read(_FILE_LIMIT + 1)
    except OSError as error:
        raise KeyRefused(
            f"{path}: {error.strerror}; without its key a sealed file stays closed: restore it"
        ) from None
    try:
        fields = json.loads(content) if len(content) <= _FILE_LIMIT else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or fields.get("format") != _FORMAT:
        raise KeyRefused(f"{path}: this is no key of a sealed file ({_FORMAT}); restore it")
    return Envelope.from_fields(fields, str(path))


def require_safe_name(name: str) -> str:
    """`name` when it stays inside of a directory and fits an envelope. Raises `FileRefused`."""
    parts = name.split("/")
    if not name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise FileRefused(f"{name!r} is no relative path of a file; it is not used")
    if len(name.encode("utf-8", "surrogateescape")) > NAME_LIMIT:
        raise FileRefused(
            f"{PurePosixPath(name).name}: its path is longer than {NAME_LIMIT} bytes; shorten it"
        )
    return name


def _pack_about(about: About) -> bytes:
    content = {
        "name": require_safe_name(about.name),
        "modified_ns": about.modified_ns,
        "evidence": about.label.evidence,
        "source": about.source,
    }
    # File names on Linux are bytes, in old systems GBK: they come back byte for byte.
    return json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogateescape")


def _about_key(dek: bytes, object_id: bytes) -> bytes:
    return kdf(dek, b"about" + object_id, KEY_SIZE)


def _about_aad(object_id: bytes, kind: str) -> bytes:
    return object_id + kind.encode()
