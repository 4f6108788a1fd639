"""Services by key id over the service: the handlers of `operation_contract`, for operators (`roles.operation`).

A batch of one takes the single form, in which lone requests of many callers share lanes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from crypto.roles.audit_log import AuditLog
from crypto.roles.operation import Operation
from crypto.service import operation_contract as contract
from crypto.service.door import Caller
from crypto.service.endpoint import Message, Nothing
from crypto.services import CryptoServices
from crypto.vault.vault import KeyVault


class OperationDesk:
    """Nothing is done but through the guarded operation of the caller's session."""

    def __init__(self, services: CryptoServices, vault: KeyVault, audit: AuditLog) -> None:
        self._operation = lambda caller: Operation(services, vault, audit, caller.session)

    @property
    def handlers(self) -> Mapping[str, Callable[[Caller, Any], Message]]:
        """By the endpoint's name."""
        return {
            contract.SIGN.name: self._sign,
            contract.VERIFY.name: self._verify,
            contract.ENCRYPT.name: self._encrypt,
            contract.DECRYPT.name: self._decrypt,
            contract.GCM_SEAL.name: self._gcm_seal,
            contract.GCM_OPEN.name: self._gcm_open,
            contract.CTR_ENCRYPT.name: self._ctr_encrypt,
            contract.CTR_DECRYPT.name: self._ctr_decrypt,
            contract.CBC_ENCRYPT.name: self._cbc_encrypt,
            contract.CBC_DECRYPT.name: self._cbc_decrypt,
            contract.MAC.name: self._mac,
            contract.VERIFY_MAC.name: self._verify_mac,
            contract.DERIVE.name: self._derive,
            contract.DIGEST.name: self._digest,
            contract.GENERATE.name: self._generate,
        }

    def _sign(self, caller: Caller, body: contract.Sign) -> contract.Signatures:
        operation = self._operation(caller)
        if len(body.items) == 1:
            [one] = body.items
            return contract.Signatures(signatures=[operation.sign(one.key_id, one.message, body.user_id)])
        messages = [one.message for one in body.items]
        return contract.Signatures(signatures=operation.sign_many(_ids(body.items), messages, body.user_id))

    def _verify(self, caller: Caller, body: contract.Verify) -> Nothing:
        operation = self._operation(caller)
        if len(body.items) == 1:
            [one] = body.items
            operation.verify(one.key_id, one.message, one.signature, body.user_id)
        else:
            messages = [one.message for one in body.items]
            signatures = [one.signature for one in body.items]
            operation.verify_many(_ids(body.items), messages, signatures, body.user_id)
        return Nothing()

    def _encrypt(self, caller: Caller, body: contract.Encrypt) -> contract.Ciphertexts:
        operation = self._operation(caller)
        if len(body.items) == 1:
            [one] = body.items
            return contract.Ciphertexts(ciphertexts=[operation.encrypt(one.key_id, one.plaintext)])
        plaintexts = [one.plaintext for one in body.items]
        return contract.Ciphertexts(ciphertexts=operation.encrypt_many(_ids(body.items), plaintexts))

    def _decrypt(self, caller: Caller, body: contract.Decrypt) -> contract.Plaintexts:
        operation = self._operation(caller)
        if len(body.items) == 1:
            [one] = body.items
            return contract.Plaintexts(plaintexts=[operation.decrypt(one.key_id, one.ciphertext)])
        ciphertexts = [one.ciphertext for one in body.items]
        return contract.Plaintexts(plaintexts=operation.decrypt_many(_ids(body.items), ciphertexts))

    def _gcm_seal(self, caller: Caller, body: contract.GcmSeal) -> contract.Sealed:
        sealed = self._operation(caller).gcm_seal_many(body.key_id, body.plaintexts, body.aad)
        return contract.Sealed(sealed=sealed)

    def _gcm_open(self, caller: Caller, body: contract.GcmOpen) -> contract.Plaintexts:
        opened = self._operation(caller).gcm_open_many(body.key_id, body.sealed, body.aad)
        return contract.Plaintexts(plaintexts=opened)

    def _ctr_encrypt(self, caller: Caller, body: contract.SealOne) -> contract.SealedOne:
        return contract.SealedOne(sealed=self._operation(caller).ctr_encrypt(body.key_id, body.plaintext))

    def _ctr_decrypt(self, caller: Caller, body: contract.OpenOne) -> contract.Plaintext:
        return contract.Plaintext(plaintext=self._operation(caller).ctr_decrypt(body.key_id, body.sealed))

    def _cbc_encrypt(self, caller: Caller, body: contract.SealAll) -> contract.Sealed:
        return contract.Sealed(sealed=self._operation(caller).cbc_encrypt_many(body.key_id, body.plaintexts))

    def _cbc_decrypt(self, caller: Caller, body: contract.OpenOne) -> contract.Plaintext:
        return contract.Plaintext(plaintext=self._operation(caller).cbc_decrypt(body.key_id, body.sealed))

    def _mac(self, caller: Caller, body: contract.Macs) -> contract.Codes:
        return contract.Codes(codes=self._operation(caller).mac_many(body.key_id, body.messages))

    def _verify_mac(self, caller: Caller, body: contract.VerifyMac) -> Nothing:
        self._operation(caller).verify_mac(body.key_id, body.message, body.code)
        return Nothing()

    def _derive(self, caller: Caller, body: contract.DeriveKey) -> contract.DerivedKey:
        return contract.DerivedKey(key=self._operation(caller).derive(body.key_id, body.info, body.length))

    def _digest(self, caller: Caller, body: contract.Messages) -> contract.Digests:
        return contract.Digests(digests=self._operation(caller).digest_many(body.messages))

    def _generate(self, caller: Caller, body: contract.Count) -> contract.NewPairs:
        pairs = self._operation(caller).generate_many(body.count)
        return contract.NewPairs(
            pairs=[contract.NewPair(private=pair.private, public=pair.public) for pair in pairs]
        )


def _ids(items: list[Any]) -> list[str]:
    return [one.key_id for one in items]
