"""Using keys: the services of `crypto.services` by key id, for operators (H2.4, H2.7).

Nothing of a stored key comes out. Each method is one request: one row in the record, each key's uses counted in the row's
transaction. Raises besides what the service raises: `RoleRefused`, `AuditUnavailable`, `VaultSealed`, and `KeyRefused` when
a key is unknown or its state does not allow the use. Forms are those of `crypto.services`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from crypto.provider import USER_ID, KeyPair
from crypto.roles.audit_log import AuditLog
from crypto.roles.guard import Guard
from crypto.roles.permissions import Session
from crypto.roles.ports import UsableVault
from crypto.rsa_keys import RsaKey
from crypto.services import CryptoServices, Exchange
from crypto.sm2.exchange import Peer

Result = TypeVar("Result")
_NO_KEY = "no key"


class Operation:
    """The services for one session. Threads may share it."""

    def __init__(
        self, services: CryptoServices, vault: UsableVault, audit: AuditLog, session: Session
    ) -> None:
        self._services = services
        self._vault = vault
        self._guard = Guard(vault.database, audit, session)

    def sign(self, key_id: str, message: bytes, user_id: bytes = USER_ID) -> bytes:
        """r ‖ s."""
        return self._pair("sign", "sign", key_id, lambda pair: self._services.sign(pair, message, user_id))

    def sign_many(
        self, key_ids: Sequence[str], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """r ‖ s for each key and message."""
        return self._pairs(
            "sign_many", "sign", key_ids, lambda pairs: self._services.sign_many(pairs, messages, user_id)
        )

    def verify(self, key_id: str, message: bytes, signature: bytes, user_id: bytes = USER_ID) -> None:
        """Raises `SignatureRefused`."""
        self._pair(
            "verify",
            "verify",
            key_id,
            lambda pair: self._services.verify(pair.public, message, signature, user_id),
        )

    def verify_many(
        self,
        key_ids: Sequence[str],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> None:
        """Raises `SignatureRefused` with the index of the first that is not genuine."""
        self._pairs(
            "verify_many",
            "verify",
            key_ids,
            lambda pairs: self._services.verify_many(_publics(pairs), messages, signatures, user_id),
        )

    def encrypt(self, key_id: str, plaintext: bytes) -> bytes:
        """C1 ‖ C3 ‖ C2."""
        return self._pair(
            "encrypt", "encrypt", key_id, lambda pair: self._services.encrypt(pair.public, plaintext)
        )

    def encrypt_many(self, key_ids: Sequence[str], plaintexts: Sequence[bytes]) -> list[bytes]:
        """C1 ‖ C3 ‖ C2 for each key and plaintext."""
        return self._pairs(
            "encrypt_many",
            "encrypt",
            key_ids,
            lambda pairs: self._services.encrypt_many(_publics(pairs), plaintexts),
        )

    def decrypt(self, key_id: str, ciphertext: bytes) -> bytes:
        """The plaintext. Raises `SealBroken`."""
        return self._pair("decrypt", "decrypt", key_id, lambda pair: self._services.decrypt(pair, ciphertext))

    def decrypt_many(self, key_ids: Sequence[str], ciphertexts: Sequence[bytes]) -> list[bytes]:
        """The plaintexts. Raises `SealBroken` when one does not open."""
        return self._pairs(
            "decrypt_many", "decrypt", key_ids, lambda pairs: self._services.decrypt_many(pairs, ciphertexts)
        )

    def gcm_seal(self, key_id: str, plaintext: bytes, aad: bytes = b"") -> bytes:
        """nonce ‖ ciphertext ‖ tag."""
        return self._secret(
            "gcm_seal", "encrypt", key_id, lambda key: self._services.gcm_seal(key, plaintext, aad)
        )

    def gcm_seal_many(self, key_id: str, plaintexts: Sequence[bytes], aad: bytes = b"") -> list[bytes]:
        """nonce ‖ ciphertext ‖ tag for each."""
        return self._secret(
            "gcm_seal_many",
            "encrypt",
            key_id,
            lambda key: self._services.gcm_seal_many(key, plaintexts, aad),
            len(plaintexts),
        )

    def gcm_open(self, key_id: str, sealed: bytes, aad: bytes = b"") -> bytes:
        """What `gcm_seal` sealed. Raises `SealBroken`."""
        return self._secret(
            "gcm_open", "decrypt", key_id, lambda key: self._services.gcm_open(key, sealed, aad)
        )

    def gcm_open_many(self, key_id: str, sealed: Sequence[bytes], aad: bytes = b"") -> list[bytes]:
        """What `gcm_seal_many` sealed. Raises `SealBroken` when one does not match."""
        return self._secret(
            "gcm_open_many",
            "decrypt",
            key_id,
            lambda key: self._services.gcm_open_many(key, sealed, aad),
            len(sealed),
        )

    def ctr_encrypt(self, key_id: str, plaintext: bytes) -> bytes:
        """iv ‖ ciphertext."""
        return self._secret(
            "ctr_encrypt", "encrypt", key_id, lambda key: self._services.ctr_encrypt(key, plaintext)
        )

    def ctr_decrypt(self, key_id: str, sealed: bytes) -> bytes:
        """What `ctr_encrypt` made."""
        return self._secret(
            "ctr_decrypt", "decrypt", key_id, lambda key: self._services.ctr_decrypt(key, sealed)
        )

    def cbc_encrypt(self, key_id: str, plaintext: bytes) -> bytes:
        """iv ‖ ciphertext of whole blocks."""
        return self._secret(
            "cbc_encrypt", "encrypt", key_id, lambda key: self._services.cbc_encrypt(key, plaintext)
        )

    def cbc_encrypt_many(self, key_id: str, plaintexts: Sequence[bytes]) -> list[bytes]:
        """iv ‖ ciphertext for each."""
        return self._secret(
            "cbc_encrypt_many",
            "encrypt",
            key_id,
            lambda key: self._services.cbc_encrypt_many(key, plaintexts),
            len(plaintexts),
        )

    def cbc_decrypt(self, key_id: str, sealed: bytes) -> bytes:
        """What `cbc_encrypt` made."""
        return self._secret(
            "cbc_decrypt", "decrypt", key_id, lambda key: self._services.cbc_decrypt(key, sealed)
        )

    def mac(self, key_id: str, message: bytes) -> bytes:
        """HMAC-SM3."""
        return self._secret("mac", "encrypt", key_id, lambda key: self._services.mac(key, message))

    def mac_many(self, key_id: str, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SM3 of each."""
        return self._secret(
            "mac_many", "encrypt", key_id, lambda key: self._services.mac_many(key, messages), len(messages)
        )

    def verify_mac(self, key_id: str, message: bytes, code: bytes) -> None:
        """Raises `SignatureRefused`."""
        self._secret(
            "verify_mac", "decrypt", key_id, lambda key: self._services.verify_mac(key, message, code)
        )

    def derive(self, key_id: str, info: bytes, length: int) -> bytes:
        """`length` bytes that belong to this key and this info."""
        return self._secret("derive", "encrypt", key_id, lambda key: self._services.derive(key, info, length))

    def digest(self, message: bytes) -> bytes:
        """SM3."""
        return self._guard.use("Operation.digest", _NO_KEY, lambda: self._services.digest(message))

    def digest_many(self, messages: Sequence[bytes]) -> list[bytes]:
        """SM3 of each."""
        return self._guard.use(
            "Operation.digest_many", _NO_KEY, lambda: self._services.digest_many(messages), len(messages)
        )

    def generate_many(self, count: int) -> list[KeyPair]:
        """SM2 pairs for the caller; nothing of them is kept here."""
        return self._guard.use(
            "Operation.generate_many", _NO_KEY, lambda: self._services.generate_many(count), count
        )

    def generate_rsa(self, bits: int, count: int = 1) -> list[RsaKey]:
        """RSA keys for the caller; nothing of them is kept here."""
        return self._guard.use(
            "Operation.generate_rsa", _NO_KEY, lambda: self._services.generate_rsa(bits, count), count
        )

    def begin_exchange(
        self, key_id: str, peer: Peer, *, is_initiator: bool, user_id: bytes = USER_ID
    ) -> Exchange:
        """One side of a key exchange with an encryption pair; the use is recorded here, before the peer hears of it.

        What comes back keeps the pair inside for `agree`: it stays in this process.
        """
        return self._pair(
            "begin_exchange",
            "decrypt",
            key_id,
            lambda pair: self._services.begin_exchange(
                pair, peer, is_initiator=is_initiator, user_id=user_id
            ),
        )

    def _pair(self, method: str, use: str, key_id: str, work: Callable[[KeyPair], Result]) -> Result:
        return self._pairs(method, use, [key_id], lambda pairs: work(pairs[0]))

    def _pairs(
        self, method: str, use: str, key_ids: Sequence[str], work: Callable[[list[KeyPair]], Result]
    ) -> Result:
        uses = Counter(key_ids)

        def run() -> Result:
            pairs = {key_id: self._vault.pair(key_id, use) for key_id in uses}
            return work([pairs[key_id] for key_id in key_ids])

        return self._guard.use(
            f"Operation.{method}",
            " ".join(uses),
            run,
            len(key_ids),
            lambda: self._vault.count_uses(uses),
        )

    def _secret(
        self, method: str, use: str, key_id: str, work: Callable[[bytes], Result], count: int = 1
    ) -> Result:
        return self._guard.use(
            f"Operation.{method}",
            key_id,
            lambda: work(self._vault.symmetric(key_id, use)),
            count,
            lambda: self._vault.count_uses({key_id: count}),
        )


def _publics(pairs: Sequence[KeyPair]) -> list[bytes]:
    return [pair.public for pair in pairs]
