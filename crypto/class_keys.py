"""The two keys of a sealed object, and the commitment to its data key (DEK: 16 random bytes)."""

import hmac
from dataclasses import dataclass, field

from crypto.errors import KeyRefused, SealBroken
from crypto.provider import KEY_SIZE
from crypto.sm3 import hmac_sm3, kdf


@dataclass(frozen=True)
class ClassKeys:
    """What opens an object's chunks. A viewer has `ClassKeys(head=None, pixel=…)`: images, never names."""

    head: bytes | None = field(repr=False)
    pixel: bytes = field(repr=False)


def class_keys(dek: bytes, object_id: bytes) -> ClassKeys:
    """Both keys, from data key and object id by the KDF of GB/T 32918.4 §5.4.3. Neither tells the other."""
    return ClassKeys(head=head_key(dek, object_id), pixel=pixel_key(dek, object_id))


def head_key(dek: bytes, object_id: bytes) -> bytes:
    """The 16-byte key of head chunks and of the class map."""
    return _class_key(dek, b"head", object_id)


def pixel_key(dek: bytes, object_id: bytes) -> bytes:
    """The 16-byte key of pixel chunks: what a viewer is given."""
    return _class_key(dek, b"pixel", object_id)


def _class_key(dek: bytes, name: bytes, object_id: bytes) -> bytes:
    if len(dek) != KEY_SIZE:
        raise KeyRefused(f"sealed object {object_id.hex()}: a data key has {KEY_SIZE} bytes, not {len(dek)}")
    return kdf(dek, name + object_id, KEY_SIZE)


def key_commitment(dek: bytes, header_bytes: bytes) -> bytes:
    """HMAC-SM3 of the header under the data key, 32 bytes, kept in the database.

    GCM does not commit to its key: without this, bytes could be made that open under two keys.
    """
    return hmac_sm3(dek, header_bytes)


def verify_commitment(dek: bytes, header_bytes: bytes, commitment: bytes) -> None:
    """Raises `SealBroken` unless `commitment` was made for this key and this header."""
    if not hmac.compare_digest(key_commitment(dek, header_bytes), commitment):
        raise SealBroken(
            "the object's header and its data key are not those that were recorded: "
            "the object was replaced, or its row points elsewhere; restore one of them from the backup"
        )
