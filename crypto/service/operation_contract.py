"""Using keys by their ids: SM2, SM4, HMAC-SM3 and derivation with stored keys, SM3 and new pairs without (for operators).

Everything takes a batch; one item is a batch of one. Raw forms: signature r ‖ s (64 bytes), SM2 ciphertext C1 ‖ C3 ‖ C2,
GCM nonce ‖ ciphertext ‖ tag, CTR and CBC iv ‖ ciphertext.
"""

from typing import Annotated

from pydantic import Field

from crypto.inputs import InputLimits
from crypto.provider import USER_ID
from crypto.service.endpoint import Endpoint, Message, Nothing

_LIMITS = InputLimits()
KeyId = Annotated[str, Field(min_length=1, max_length=64)]


class _UserId(Message):
    user_id: bytes = Field(
        default=USER_ID, max_length=_LIMITS.user_id_bytes, description="of the signer (GB/T 35276 §10)"
    )


class ToSign(Message):
    """One message and the key that signs it."""

    key_id: KeyId
    message: bytes


class Sign(_UserId):
    """Messages to sign."""

    items: list[ToSign] = Field(min_length=1, max_length=_LIMITS.items)


class Signatures(Message):
    """r ‖ s for each, in order."""

    signatures: list[bytes]


class ToVerify(ToSign):
    """One message, the key that is said to have signed it, and r ‖ s."""

    signature: bytes


class Verify(_UserId):
    """Signatures to verify: the answer is 200, or 422 `SignatureRefused` with the index of the first that is false."""

    items: list[ToVerify] = Field(min_length=1, max_length=_LIMITS.items)


class ToEncrypt(Message):
    """One plaintext and the pair whose holder may read it."""

    key_id: KeyId
    plaintext: bytes


class Encrypt(Message):
    """Plaintexts to encrypt by SM2."""

    items: list[ToEncrypt] = Field(min_length=1, max_length=_LIMITS.items)


class Ciphertexts(Message):
    """C1 ‖ C3 ‖ C2 for each, in order."""

    ciphertexts: list[bytes]


class ToDecrypt(Message):
    """One ciphertext and the pair that opens it."""

    key_id: KeyId
    ciphertext: bytes


class Decrypt(Message):
    """Ciphertexts to decrypt by SM2; when one does not open, none is released."""

    items: list[ToDecrypt] = Field(min_length=1, max_length=_LIMITS.items)


class Plaintexts(Message):
    """In order."""

    plaintexts: list[bytes]


class SealAll(Message):
    """Plaintexts under one SM4 key; CBC takes whole blocks of 16 bytes."""

    key_id: KeyId
    plaintexts: list[bytes] = Field(min_length=1, max_length=_LIMITS.items)


class GcmSeal(SealAll):
    """Plaintexts and what they are bound to."""

    aad: bytes = Field(default=b"", max_length=_LIMITS.aad_bytes)


class Sealed(Message):
    """Sealed values, in order."""

    sealed: list[bytes]


class GcmOpen(Message):
    """Sealed values and what they are bound to."""

    key_id: KeyId
    sealed: list[bytes] = Field(min_length=1, max_length=_LIMITS.items)
    aad: bytes = Field(default=b"", max_length=_LIMITS.aad_bytes)


class SealOne(Message):
    """One plaintext under an SM4 key."""

    key_id: KeyId
    plaintext: bytes


class SealedOne(Message):
    """iv ‖ ciphertext."""

    sealed: bytes


class OpenOne(SealedOne):
    """iv ‖ ciphertext, and the SM4 key. Altered bytes are not noticed in these modes."""

    key_id: KeyId


class Plaintext(Message):
    """What was sealed."""

    plaintext: bytes


class Macs(Message):
    """Messages to authenticate by HMAC-SM3 under one SM4 key."""

    key_id: KeyId
    messages: list[bytes] = Field(min_length=1, max_length=_LIMITS.items)


class Codes(Message):
    """32 bytes for each, in order."""

    codes: list[bytes]


class VerifyMac(Message):
    """A message and its code: the answer is 200, or 422 `SignatureRefused`."""

    key_id: KeyId
    message: bytes
    code: bytes


class DeriveKey(Message):
    """So many bytes that belong to this key and this info (GB/T 32918.4 §5.4.3)."""

    key_id: KeyId
    info: bytes = Field(max_length=_LIMITS.aad_bytes)
    length: int = Field(ge=1, le=_LIMITS.derived_bytes)


class DerivedKey(Message):
    """As many bytes as were asked for."""

    key: bytes


class Messages(Message):
    """To digest by SM3."""

    messages: list[bytes] = Field(min_length=1, max_length=_LIMITS.items)


class Digests(Message):
    """32 bytes for each, in order."""

    digests: list[bytes]


class Count(Message):
    """How many."""

    count: int = Field(ge=1, le=_LIMITS.pairs)


class NewPair(Message):
    """A pair for the caller, which is not kept here. Raw: 32 and 64 bytes."""

    private: bytes
    public: bytes


class NewPairs(Message):
    """As many as were asked for."""

    pairs: list[NewPair]


SIGN = Endpoint("POST", "/v1/sign", "sign", "SM2 signatures", Sign, Signatures)
VERIFY = Endpoint("POST", "/v1/verify", "verify", "Verify SM2 signatures", Verify, Nothing)
ENCRYPT = Endpoint("POST", "/v1/encrypt", "encrypt", "Encrypt by SM2", Encrypt, Ciphertexts)
DECRYPT = Endpoint("POST", "/v1/decrypt", "decrypt", "Decrypt by SM2", Decrypt, Plaintexts)
GCM_SEAL = Endpoint("POST", "/v1/sm4/gcm/seal", "gcm_seal", "Seal by SM4-GCM", GcmSeal, Sealed)
GCM_OPEN = Endpoint("POST", "/v1/sm4/gcm/open", "gcm_open", "Open what SM4-GCM sealed", GcmOpen, Plaintexts)
CTR_ENCRYPT = Endpoint("POST", "/v1/sm4/ctr/encrypt", "ctr_encrypt", "Encrypt by SM4-CTR", SealOne, SealedOne)
CTR_DECRYPT = Endpoint("POST", "/v1/sm4/ctr/decrypt", "ctr_decrypt", "Decrypt by SM4-CTR", OpenOne, Plaintext)
CBC_ENCRYPT = Endpoint("POST", "/v1/sm4/cbc/encrypt", "cbc_encrypt", "Encrypt by SM4-CBC", SealAll, Sealed)
CBC_DECRYPT = Endpoint("POST", "/v1/sm4/cbc/decrypt", "cbc_decrypt", "Decrypt by SM4-CBC", OpenOne, Plaintext)
MAC = Endpoint("POST", "/v1/mac", "mac", "HMAC-SM3", Macs, Codes)
VERIFY_MAC = Endpoint("POST", "/v1/mac/verify", "verify_mac", "Verify an HMAC-SM3", VerifyMac, Nothing)
DERIVE = Endpoint("POST", "/v1/derive", "derive", "Derive a key from a stored one", DeriveKey, DerivedKey)
DIGEST = Endpoint("POST", "/v1/digest", "digest", "SM3", Messages, Digests)
GENERATE = Endpoint("POST", "/v1/pairs", "generate", "New SM2 pairs for the caller", Count, NewPairs)

ENDPOINTS = (
    SIGN,
    VERIFY,
    ENCRYPT,
    DECRYPT,
    GCM_SEAL,
    GCM_OPEN,
    CTR_ENCRYPT,
    CTR_DECRYPT,
    CBC_ENCRYPT,
    CBC_DECRYPT,
    MAC,
    VERIFY_MAC,
    DERIVE,
    DIGEST,
    GENERATE,
)
