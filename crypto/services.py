"""The services for whoever has keys in hand: SM2, SM3, SM4, RSA generation; one item or a batch (H2.1, H2.2).

By key id they are offered by `roles.operation`, over the network by `service`. Here nobody is asked who he is.

Forms are raw (`provider`). One item goes to the single engine, two or more to the engine with lanes: a lone call to lanes
costs what eight cost. Verification raises. Nothing is released before it was checked.
"""

import hmac
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from crypto import inputs
from crypto.errors import EncodingRefused, SealBroken, SignatureRefused
from crypto.inputs import InputLimits, Inputs
from crypto.provider import (
    NONCE_SIZE,
    TAG_SIZE,
    USER_ID,
    KeyPair,
    Provider,
    RandomBytes,
    Sm2Engine,
    Sm3Lanes,
    Sm4Modes,
)
from crypto.rsa_keys import RsaKey, RsaKeyGenerator
from crypto.sm2.exchange import KeyExchange, Peer, Points
from crypto.sm3 import DIGEST_SIZE, hmac_sm3, kdf, sm3

_SM3_BLOCK = 64


class EngineSet(Protocol):
    """What the services need of `selection.Engines`."""

    @property
    def sm4(self) -> Provider:
        """SM4-GCM."""
        ...

    @property
    def modes(self) -> Sm4Modes:
        """SM4 CTR and CBC."""
        ...

    @property
    def sm3(self) -> Sm3Lanes:
        """SM3 of many."""
        ...

    @property
    def sm2(self) -> Sm2Engine:
        """For batches."""
        ...

    @property
    def sm2_single(self) -> Sm2Engine:
        """For one at a time."""
        ...

    @property
    def points(self) -> Points:
        """For key exchange."""
        ...


class Exchange(NamedTuple):
    """A key exchange begun: `public` (64 bytes) goes to the peer, `run.agree` takes what the peer sent."""

    run: KeyExchange
    public: bytes


class CryptoServices:
    """Threads may share it. Raises `InputRefused`, `EncodingRefused` and what each method says."""

    def __init__(
        self,
        engines: EngineSet,
        random: RandomBytes,
        limits: InputLimits | None = None,
        rsa: RsaKeyGenerator | None = None,
    ) -> None:
        """`rsa` is given where an engine tests primes in lanes."""
        self._engines = engines
        self._random = random
        self._rsa = rsa or RsaKeyGenerator(random)
        self._inputs = Inputs(limits or InputLimits())

    @property
    def limits(self) -> InputLimits:
        """The most of one call."""
        return self._inputs.limits

    def generate_many(self, count: int) -> list[KeyPair]:
        """New random SM2 pairs."""
        self._inputs.count("pairs of one request", count, self.limits.pairs)
        return self._sm2(count).generate_many(count)

    def generate(self) -> KeyPair:
        """One new SM2 pair."""
        return self.generate_many(1)[0]

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """r ‖ s for each (GB/T 32918.2 §6.1), over SM3(Z_A ‖ message). Raises `KeyRefused`."""
        count = self._check_messages(pairs, messages, user_id)
        inputs.pairs(pairs)
        return self._sm2(count).sign_many(pairs, messages, user_id)

    def sign(self, pair: KeyPair, message: bytes, user_id: bytes = USER_ID) -> bytes:
        """r ‖ s of one message. Raises `KeyRefused`."""
        self._check_messages([pair], [message], user_id)
        inputs.pairs([pair])
        return self._sign_one(pair, message, user_id)

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> None:
        """All are genuine (GB/T 32918.2 §7.1). Raises `SignatureRefused` with the index of the first that is not."""
        count = self._check_messages(publics, messages, user_id)
        self._inputs.batch(publics, signatures)
        verdicts = self._sm2(count).verify_many(publics, messages, signatures, user_id)
        for index, is_genuine in enumerate(verdicts):
            if not is_genuine:
                raise SignatureRefused(f"signature {index} was not made by this key over this message", index)

    def verify(self, public: bytes, message: bytes, signature: bytes, user_id: bytes = USER_ID) -> None:
        """One signature is genuine. Raises `SignatureRefused`."""
        self._check_messages([public], [message], user_id)
        if not self._verify_one(public, message, signature, user_id):
            raise SignatureRefused("the signature was not made by this key over this message")

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each (GB/T 32918.4 §6.1). Raises `KeyRefused` for a key off the curve."""
        count = self._inputs.batch(publics, plaintexts)
        self._check_plaintexts(publics, plaintexts)
        return self._sm2(count).encrypt_many(publics, plaintexts)

    def encrypt(self, public: bytes, plaintext: bytes) -> bytes:
        """C1 ‖ C3 ‖ C2 of one plaintext. Raises `KeyRefused`."""
        self._check_plaintexts([public], [plaintext])
        return self._encrypt_one(public, plaintext)

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes]:
        """The plaintexts (GB/T 32918.4 §7.1). Raises `SealBroken` naming the first that does not open; none is released."""
        count = self._inputs.batch(pairs, ciphertexts)
        self._check_ciphertexts(pairs, ciphertexts)
        opened = self._sm2(count).decrypt_many(pairs, ciphertexts)
        return [_opened(plaintext, f"item {index}") for index, plaintext in enumerate(opened)]

    def decrypt(self, pair: KeyPair, ciphertext: bytes) -> bytes:
        """The plaintext. Raises `SealBroken`."""
        self._check_ciphertexts([pair], [ciphertext])
        return _opened(self._decrypt_one(pair, ciphertext), "the ciphertext")

    def begin_exchange(
        self, own: KeyPair, peer: Peer, *, is_initiator: bool, user_id: bytes = USER_ID
    ) -> Exchange:
        """One side of a key exchange (GB/T 32918.3), with a new ephemeral pair. Raises `KeyRefused`."""
        inputs.pairs([own])
        inputs.exactly("a public key", inputs.PUBLIC_SIZE, [peer.public])
        for identity in (user_id, peer.user_id):
            self._inputs.user_id(identity)
        ephemeral = self.generate()
        run = KeyExchange(
            self._engines.points, own, ephemeral, peer, is_initiator=is_initiator, user_id=user_id
        )
        return Exchange(run, ephemeral.public)

    def generate_rsa(self, bits: int, count: int = 1) -> list[RsaKey]:
        """RSA keys of 1024 bits (weak: `is_weak`) or 2048, PKCS#8 DER. Raises `InputRefused` for other sizes."""
        self._inputs.count("RSA keys of one request", count, self.limits.rsa_keys)
        return self._rsa.generate(bits, count)

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """SM3 of each, 32 bytes (GB/T 32905)."""
        count = self._inputs.batch(messages)
        self._inputs.total(messages)
        return [sm3(messages[0])] if count == 1 else self._engines.sm3.digest_many(messages)

    def digest(self, message: bytes) -> bytes:
        """SM3, 32 bytes."""
        return self.digest_many([message])[0]

    def mac_many(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SM3 of each, 32 bytes (GB/T 15852.2, RFC 2104)."""
        count = self._inputs.batch(messages)
        self._inputs.total(messages)
        self._inputs.at_most("a MAC key", key, self.limits.mac_key_bytes)
        if count == 1:
            return [hmac_sm3(key, messages[0])]
        # RFC 2104 §2, both halves in lanes.
        padded = (sm3(key) if len(key) > _SM3_BLOCK else key).ljust(_SM3_BLOCK, b"\0")
        inner, outer = bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)
        halves = self._engines.sm3.digest_many([inner + message for message in messages])
        return self._engines.sm3.digest_many([outer + half for half in halves])

    def mac(self, key: bytes, message: bytes) -> bytes:
        """HMAC-SM3, 32 bytes."""
        return self.mac_many(key, [message])[0]

    def verify_mac(self, key: bytes, message: bytes, code: bytes) -> None:
        """The code is that of this message under this key. Raises `SignatureRefused`."""
        if len(code) != DIGEST_SIZE or not hmac.compare_digest(code, self.mac(key, message)):
            raise SignatureRefused("the code was not made by this key over this message")

    def derive(self, secret: bytes, info: bytes, length: int) -> bytes:
        """`length` bytes by the KDF of GB/T 32918.4 §5.4.3 over secret ‖ info (`sm3.kdf`)."""
        self._inputs.count("bytes to derive", length, self.limits.derived_bytes)
        self._inputs.at_most("a secret to derive from", secret, self.limits.mac_key_bytes)
        self._inputs.at_most("the purpose of a derived key", info, self.limits.aad_bytes)
        return kdf(secret, info, length)

    def gcm_seal_many(self, key: bytes, plaintexts: Sequence[bytes], aad: bytes = b"") -> list[bytes]:
        """nonce ‖ ciphertext ‖ tag for each (GB/T 17964 GCM, RFC 8998), under a fresh random nonce for each."""
        self._check_sm4(key, plaintexts, aad)
        nonces = [self._random(NONCE_SIZE) for _ in plaintexts]
        if len(plaintexts) == 1:
            return [self._engines.sm4.seal(key, nonces[0], aad, plaintexts[0], nonces[0])]
        sealed = self._engines.sm4.seal_many(key, nonces, aad, plaintexts)
        return [nonce + one for nonce, one in zip(nonces, sealed, strict=True)]

    def gcm_seal(self, key: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
        """nonce ‖ ciphertext ‖ tag."""
        return self.gcm_seal_many(key, [plaintext], aad)[0]

    def gcm_open_many(self, key: bytes, sealed: Sequence[bytes], aad: bytes = b"") -> list[bytes]:
        """What `gcm_seal_many` sealed. Raises `SealBroken` when one does not match; none is released."""
        self._check_sm4(key, sealed, aad)
        for index, one in enumerate(sealed):
            if len(one) < NONCE_SIZE + TAG_SIZE:
                raise SealBroken(f"item {index}: shorter than its nonce and tag; it was cut")
        nonces = [one[:NONCE_SIZE] for one in sealed]
        return self._engines.sm4.open_many(key, nonces, aad, [one[NONCE_SIZE:] for one in sealed])

    def gcm_open(self, key: bytes, sealed: bytes, aad: bytes = b"") -> bytes:
        """What `gcm_seal` sealed. Raises `SealBroken`."""
        return self.gcm_open_many(key, [sealed], aad)[0]

    def ctr_encrypt(self, key: bytes, plaintext: bytes) -> bytes:
        """iv ‖ ciphertext (GB/T 17964 CTR) under a fresh random iv of 16 bytes: a repeated one would give plaintext away."""
        self._check_sm4(key, [plaintext])
        iv = self._random(inputs.BLOCK_SIZE)
        return iv + self._engines.modes.ctr(key, iv, plaintext)

    def ctr_decrypt(self, key: bytes, sealed: bytes) -> bytes:
        """What `ctr_encrypt` made. Altered bytes are not noticed in this mode: prefer GCM."""
        iv, ciphertext = self._split_iv(key, sealed)
        return self._engines.modes.ctr(key, iv, ciphertext)

    def cbc_encrypt_many(self, key: bytes, plaintexts: Sequence[bytes]) -> list[bytes]:
        """iv ‖ ciphertext (GB/T 17964 CBC) for each, fresh random ivs; plaintexts are whole blocks, nothing is padded."""
        self._check_sm4(key, plaintexts)
        for plaintext in plaintexts:
            inputs.whole_blocks(plaintext)
        ivs = [self._random(inputs.BLOCK_SIZE) for _ in plaintexts]
        ciphertexts = self._engines.modes.cbc_encrypt_many([key] * len(ivs), ivs, plaintexts)
        return [iv + ciphertext for iv, ciphertext in zip(ivs, ciphertexts, strict=True)]

    def cbc_encrypt(self, key: bytes, plaintext: bytes) -> bytes:
        """iv ‖ ciphertext of whole blocks."""
        return self.cbc_encrypt_many(key, [plaintext])[0]

    def cbc_decrypt(self, key: bytes, sealed: bytes) -> bytes:
        """What `cbc_encrypt` made. Altered bytes are not noticed in this mode: prefer GCM."""
        iv, ciphertext = self._split_iv(key, sealed)
        inputs.whole_blocks(ciphertext)
        return self._engines.modes.cbc_decrypt(key, iv, ciphertext)

    # What one call does by itself; `batcher.GatheringServices` gathers these of many callers.

    def _sign_one(self, pair: KeyPair, message: bytes, user_id: bytes) -> bytes:
        return self._engines.sm2_single.sign_many([pair], [message], user_id)[0]

    def _verify_one(self, public: bytes, message: bytes, signature: bytes, user_id: bytes) -> bool:
        return self._engines.sm2_single.verify_many([public], [message], [signature], user_id)[0]

    def _encrypt_one(self, public: bytes, plaintext: bytes) -> bytes:
        return self._engines.sm2_single.encrypt_many([public], [plaintext])[0]

    def _decrypt_one(self, pair: KeyPair, ciphertext: bytes) -> bytes | None:
        return self._engines.sm2_single.decrypt_many([pair], [ciphertext])[0]

    def _sm2(self, count: int) -> Sm2Engine:
        return self._engines.sm2_single if count == 1 else self._engines.sm2

    def _check_messages(
        self, keys: Sequence[KeyPair] | Sequence[bytes], messages: Sequence[bytes], user_id: bytes
    ) -> int:
        count = self._inputs.batch(keys, messages)
        self._inputs.total(messages)
        self._inputs.user_id(user_id)
        return count

    def _check_plaintexts(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> None:
        inputs.exactly("a public key", inputs.PUBLIC_SIZE, publics)
        self._inputs.plaintexts(plaintexts)
        self._inputs.total(plaintexts)

    def _check_ciphertexts(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> None:
        inputs.pairs(pairs)
        self._inputs.ciphertexts(ciphertexts)
        self._inputs.total(ciphertexts)

    def _check_sm4(self, key: bytes, contents: Sequence[bytes], aad: bytes = b"") -> None:
        self._inputs.batch(contents)
        self._inputs.total(contents)
        self._inputs.at_most("additional data", aad, self.limits.aad_bytes)
        inputs.sm4_key(key)

    def _split_iv(self, key: bytes, sealed: bytes) -> tuple[bytes, bytes]:
        self._check_sm4(key, [sealed])
        if len(sealed) < inputs.BLOCK_SIZE:
            raise EncodingRefused(f"iv ‖ ciphertext has {inputs.BLOCK_SIZE} bytes or more, not {len(sealed)}")
        return sealed[: inputs.BLOCK_SIZE], sealed[inputs.BLOCK_SIZE :]


def _opened(plaintext: bytes | None, what: str) -> bytes:
    if plaintext is None:
        raise SealBroken(f"{what} does not open: altered, or encrypted for another key")
    return plaintext
