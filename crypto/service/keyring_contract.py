"""The platform's keyring: data keys of objects, sealed fields, blind indexes, named sub-keys (`crypto.keyring`)."""

from pydantic import Field

from crypto.provider import KEY_SIZE
from crypto.service.endpoint import Endpoint, Message, Nothing

_MOST = 4096
_LABEL = 256


class ObjectKey(Message):
    """What a data key is bound to."""

    object_id: bytes = Field(min_length=1, max_length=64)
    kind: str = Field(max_length=_LABEL)
    owner: str = Field(max_length=_LABEL)


class WrapDek(ObjectKey):
    """A data key to wrap."""

    dek: bytes = Field(min_length=KEY_SIZE, max_length=KEY_SIZE)


class WrappedDek(Message):
    """As it is stored: the version of the KEK that opens it, nonce ‖ ciphertext ‖ tag."""

    kek_version: int = Field(ge=0, le=0xFFFFFFFF)
    blob: bytes = Field(max_length=4096)


class UnwrapDek(ObjectKey):
    """A wrapped data key, and what it is bound to."""

    kek_version: int = Field(ge=0, le=0xFFFFFFFF)
    blob: bytes = Field(max_length=4096)


class Dek(Message):
    """A data key in the clear: the caller seals or opens one object with it and forgets it."""

    dek: bytes


class SealBlobs(Message):
    """Values of one column to seal."""

    contents: list[bytes] = Field(min_length=1, max_length=_MOST)
    context: str = Field(max_length=_LABEL)


class Blobs(Message):
    """Sealed values, in order."""

    blobs: list[bytes]


class OpenBlobs(Message):
    """Sealed values of one column."""

    blobs: list[bytes] = Field(min_length=1, max_length=_MOST)
    context: str = Field(max_length=_LABEL)


class Contents(Message):
    """The values, in order."""

    contents: list[bytes]


class BlindIndexes(Message):
    """Values of one kind to find equal ones by."""

    kind: str = Field(max_length=_LABEL)
    values: list[str] = Field(min_length=1, max_length=_MOST)


class Indexes(Message):
    """64 hex digits for each."""

    indexes: list[str]


class Purpose(Message):
    """The name of a sub-key."""

    purpose: str = Field(min_length=1, max_length=_LABEL)


class SubKey(Message):
    """32 bytes."""

    key: bytes


class ActiveVersion(Message):
    """Of the KEK that seals now."""

    version: int


WRAP_DEK = Endpoint("POST", "/v1/keyring/wrap", "wrap_dek", "Wrap a data key", WrapDek, WrappedDek)
UNWRAP_DEK = Endpoint("POST", "/v1/keyring/unwrap", "unwrap_dek", "Unwrap a data key", UnwrapDek, Dek)
SEAL_BLOBS = Endpoint("POST", "/v1/keyring/seal", "seal_blobs", "Seal values of a column", SealBlobs, Blobs)
OPEN_BLOBS = Endpoint(
    "POST", "/v1/keyring/open", "open_blobs", "Open values of a column", OpenBlobs, Contents
)
BLIND_INDEX = Endpoint(
    "POST", "/v1/keyring/blind-index", "blind_index", "Keyed digests to search by", BlindIndexes, Indexes
)
DERIVE = Endpoint("POST", "/v1/keyring/derive", "derive_purpose", "The sub-key of a purpose", Purpose, SubKey)
ACTIVE_VERSION = Endpoint(
    "GET", "/v1/keyring/version", "active_version", "The version that seals now", Nothing, ActiveVersion
)

ENDPOINTS = (WRAP_DEK, UNWRAP_DEK, SEAL_BLOBS, OPEN_BLOBS, BLIND_INDEX, DERIVE, ACTIVE_VERSION)
