"""The key server as a process: what it does for whom over its socket (H2.1, H2.7, H2.8)."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from core import clock
from crypto.errors import KeyRefused, RoleRefused, SealBroken, SignatureRefused
from crypto.keyring import WrappedKey
from crypto.local_keyring import LocalKeyring
from crypto.provider import KeyPair
from crypto.service import exchange_contract as exchange
from crypto.service import management_contract as management
from crypto.service import operation_contract as operation
from crypto.service import state_contract as state
from crypto.service.client import CryptoClient
from crypto.service.contract import ENDPOINTS
from crypto.service.endpoint import Endpoint, Message, Nothing
from crypto.sm3 import hmac_sm3, sm3
from crypto.vault.vault import KeyVault
from tests.fixtures.key_server import SYSTEM_KEY, KeyServer, any_engines, key_server

pytestmark = pytest.mark.requirement("H2.1", "H2.7", "H2.8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyServer]:
    with key_server(tmp_path_factory.mktemp("key-server")) as made:
        made.make_vault()
        made.start()
        yield made


@pytest.fixture(scope="module")
def machine(server: KeyServer) -> CryptoClient:
    return server.client()


@pytest.fixture(scope="module")
def administrator(server: KeyServer) -> CryptoClient:
    return server.person("first")


@pytest.fixture
def local(server: KeyServer) -> Iterator[LocalKeyring]:
    """The same vault, opened in this process."""
    vault = KeyVault.open(server.home / "keys" / "keys.db", any_engines(), clock.now, os.urandom)
    vault.unseal(SYSTEM_KEY)
    yield LocalKeyring(vault, any_engines().sm4, os.urandom)
    vault.close()


def new_keys(administrator: CryptoClient, endpoint: Endpoint, **body: object) -> list[str]:
    return administrator.ask(endpoint, management.KeyIds, owner="ward", **body).ids


def test_the_remote_keyring_and_the_local_one_open_each_others(
    server: KeyServer, local: LocalKeyring
) -> None:
    remote = server.keyring()
    dek = remote.new_dek()
    about = {"object_id": b"\1" * 16, "kind": "pack", "owner": "patient 7"}
    assert local.unwrap_dek(remote.wrap_dek(dek, **about), **about) == dek
    assert remote.unwrap_dek(local.wrap_dek(dek, **about), **about) == dek
    texts = ["张三", "", "x" * 70_000]
    for text in texts:
        assert local.open_field(remote.seal_field(text, context="name"), context="name") == text
        assert remote.open_field(local.seal_field(text, context="name"), context="name") == text
    contents = [os.urandom(size) for size in range(40)]
    sealed = remote.seal_blobs(contents, context="a column")
    assert local.open_blobs(sealed, context="a column") == contents
    assert remote.open_blobs(sealed, context="a column") == contents
    assert remote.blind_index("phone", "13800000000") == local.blind_index("phone", "13800000000")
    assert remote.derive("audit") == local.derive("audit")
    assert remote.active_version == local.active_version


def test_the_remote_keyring_refuses_as_the_local_one_does(server: KeyServer, local: LocalKeyring) -> None:
    about = {"object_id": b"\1" * 16, "kind": "pack", "owner": "patient 7"}
    sealed = local.seal_blob(b"content", context="name")
    wrapped = local.wrap_dek(bytes(16), **about)
    for keyring in (server.keyring(), local):
        for broken in (sealed[:-1], b"", b"\1\0\1", sealed[:-1] + bytes([sealed[-1] ^ 1])):
            with pytest.raises(SealBroken):
                keyring.open_blob(broken, context="name")
        with pytest.raises(SealBroken):
            keyring.open_blob(sealed, context="phone")
        for wrong in (
            WrappedKey(wrapped.kek_version, wrapped.blob[:-1]),
            WrappedKey(wrapped.kek_version, b""),
            WrappedKey(77, wrapped.blob),
        ):
            with pytest.raises(KeyRefused):
                keyring.unwrap_dek(wrong, **about)
        with pytest.raises(KeyRefused):
            keyring.unwrap_dek(wrapped, **{**about, "owner": "patient 8"})
        with pytest.raises(KeyRefused):
            keyring.wrap_dek(bytes(15), **about)


def test_pairs_sign_verify_encrypt_and_decrypt_by_their_ids(
    machine: CryptoClient, administrator: CryptoClient
) -> None:
    signers = new_keys(administrator, management.CREATE_PAIRS, purpose="sign", count=3)
    for count in (1, 3):
        items = [{"key_id": signers[n], "message": b"message %d" % n} for n in range(count)]
        signatures = machine.ask(operation.SIGN, operation.Signatures, items=items).signatures
        signed = [{**item, "signature": one} for item, one in zip(items, signatures, strict=True)]
        machine.ask(operation.VERIFY, Nothing, items=signed)
        signed[-1]["message"] = b"another"
        with pytest.raises(SignatureRefused) as refused:
            machine.ask(operation.VERIFY, Nothing, items=signed)
        assert refused.value.index == count - 1
    # Outside of the server the public half judges too.
    public = administrator.ask(management.FIND, management.KeyRow, key_id=signers[0]).public
    assert any_engines().sm2.verify_many([public], [b"message 0"], [signatures[0]]) == [True]
    readers = new_keys(administrator, management.CREATE_PAIRS, purpose="encrypt", count=2)
    for count in (1, 2):
        items = [{"key_id": readers[n], "plaintext": b"text %d" % n} for n in range(count)]
        hidden = machine.ask(operation.ENCRYPT, operation.Ciphertexts, items=items).ciphertexts
        items = [{"key_id": readers[n], "ciphertext": one} for n, one in enumerate(hidden)]
        opened = machine.ask(operation.DECRYPT, operation.Plaintexts, items=items).plaintexts
        assert opened == [b"text %d" % n for n in range(count)]
        items[0]["ciphertext"] = hidden[0][:-1] + bytes([hidden[0][-1] ^ 1])
        with pytest.raises(SealBroken):
            machine.ask(operation.DECRYPT, operation.Plaintexts, items=items)
    with pytest.raises(KeyRefused):
        machine.ask(operation.DECRYPT, operation.Plaintexts, items=[{**items[0], "key_id": signers[0]}])


def test_symmetric_keys_seal_open_authenticate_and_derive_by_their_id(
    machine: CryptoClient, administrator: CryptoClient
) -> None:
    [key_id] = new_keys(administrator, management.CREATE_KEYS, kek="data")
    texts = [b"", b"one", bytes(1000)]
    sealed = machine.ask(
        operation.GCM_SEAL, operation.Sealed, key_id=key_id, plaintexts=texts, aad=b"a"
    ).sealed
    opened = machine.ask(operation.GCM_OPEN, operation.Plaintexts, key_id=key_id, sealed=sealed, aad=b"a")
    assert opened.plaintexts == texts
    with pytest.raises(SealBroken):
        machine.ask(operation.GCM_OPEN, operation.Plaintexts, key_id=key_id, sealed=sealed, aad=b"b")
    ctr = machine.ask(operation.CTR_ENCRYPT, operation.SealedOne, key_id=key_id, plaintext=b"odd").sealed
    assert (
        machine.ask(operation.CTR_DECRYPT, operation.Plaintext, key_id=key_id, sealed=ctr).plaintext == b"odd"
    )
    [cbc] = machine.ask(operation.CBC_ENCRYPT, operation.Sealed, key_id=key_id, plaintexts=[bytes(32)]).sealed
    assert machine.ask(
        operation.CBC_DECRYPT, operation.Plaintext, key_id=key_id, sealed=cbc
    ).plaintext == bytes(32)
    [code] = machine.ask(operation.MAC, operation.Codes, key_id=key_id, messages=[b"m"]).codes
    machine.ask(operation.VERIFY_MAC, Nothing, key_id=key_id, message=b"m", code=code)
    with pytest.raises(SignatureRefused):
        machine.ask(operation.VERIFY_MAC, Nothing, key_id=key_id, message=b"n", code=code)
    derived = [
        machine.ask(operation.DERIVE, operation.DerivedKey, key_id=key_id, info=info, length=40).key
        for info in (b"x", b"x", b"y")
    ]
    assert (len(derived[0]), derived[0] == derived[1], derived[1] == derived[2]) == (40, True, False)


def test_two_ends_exchange_a_key_and_a_false_code_gives_none(
    machine: CryptoClient, administrator: CryptoClient
) -> None:
    ours, theirs = new_keys(administrator, management.CREATE_PAIRS, purpose="encrypt", count=2)
    publics = {
        key_id: administrator.ask(management.FIND, management.KeyRow, key_id=key_id).public
        for key_id in (ours, theirs)
    }

    def begin(key_id: str, peer: str, *, is_initiator: bool) -> exchange.Begun:
        return machine.ask(
            exchange.BEGIN,
            exchange.Begun,
            key_id=key_id,
            peer_public=publics[peer],
            is_initiator=is_initiator,
        )

    def agree(own: exchange.Begun, peer: exchange.Begun) -> bytes:
        body = {"exchange_id": own.exchange_id, "peer_ephemeral": peer.public, "length": 40}
        return machine.ask(exchange.AGREE, exchange.Agreed, **body).code

    def confirm(run: exchange.Begun, code: bytes) -> bytes:
        body = {"exchange_id": run.exchange_id, "code": code}
        return machine.ask(exchange.CONFIRM, exchange.ExchangedKey, **body).key

    first, second = begin(ours, theirs, is_initiator=True), begin(theirs, ours, is_initiator=False)
    with pytest.raises(KeyRefused, match="agree first"):
        confirm(first, bytes(32))
    answer, code = agree(second, first), agree(first, second)
    assert len(confirm(first, answer)) == 40
    with pytest.raises(KeyRefused):
        confirm(first, answer)  # a run ends with its key
    with pytest.raises(SignatureRefused):
        confirm(second, code[:-1] + bytes([code[-1] ^ 1]))
    with pytest.raises(KeyRefused):
        confirm(second, code)  # and with a false code
    with pytest.raises(RoleRefused):
        administrator.ask(exchange.RSA, exchange.NewRsaKeys, bits=1024)


def test_rsa_keys_are_made_and_weak_ones_marked(machine: CryptoClient) -> None:
    for bits in (1024, 2048):
        [key] = machine.ask(exchange.RSA, exchange.NewRsaKeys, bits=bits).keys
        assert load_der_private_key(key.pkcs8, None).key_size == bits
        assert key.weak is (bits == 1024)


def test_digests_and_new_pairs_need_no_key(machine: CryptoClient) -> None:
    messages = [b"abc", b""]
    digests = machine.ask(operation.DIGEST, operation.Digests, messages=messages).digests
    assert digests == [sm3(message) for message in messages]
    pairs = machine.ask(operation.GENERATE, operation.NewPairs, count=2).pairs
    whole = [KeyPair(pair.private, pair.public) for pair in pairs]
    assert any_engines().sm2.public_keys([pair.private for pair in whole]) == [p.public for p in whole]


def test_administrators_do_not_use_keys_and_operators_do_not_manage_them(
    server: KeyServer, machine: CryptoClient, administrator: CryptoClient
) -> None:
    def ask(client: CryptoClient, endpoint: Endpoint, answer: type[Message], **body: object) -> None:
        with pytest.raises(RoleRefused, match="may not"):
            client.ask(endpoint, answer, **body)

    ask(administrator, operation.DIGEST, operation.Digests, messages=[b"x"])
    ask(administrator, operation.SIGN, operation.Signatures, items=[{"key_id": "k", "message": b""}])
    with pytest.raises(RoleRefused):
        server_keyring = type(server.keyring())(administrator)
        server_keyring.seal_blob(b"x", context="name")
    for client in (machine, server.person("clerk"), server.person("auditor")):
        ask(client, management.CREATE_KEK, Nothing, name="other")
        ask(client, management.ROTATE_KEK, management.KekVersion, name="data")
        ask(client, state.SEAL, state.Unsealing)
        ask(client, management.DESTROY, Nothing, key_id="k", reason="r", approval="a")


def test_destroying_takes_two_administrators_and_is_in_the_record(
    server: KeyServer, machine: CryptoClient, administrator: CryptoClient
) -> None:
    [key_id] = new_keys(administrator, management.CREATE_KEYS, kek="data")
    body = {"key_id": key_id, "reason": "the contract ended"}
    with pytest.raises(RoleRefused):
        administrator.ask(management.DESTROY, Nothing, **body, approval="none")
    asked = administrator.ask(
        management.ASK_APPROVAL,
        management.ApprovalId,
        operation="destroy",
        arguments={"key_id": key_id},
        reason=body["reason"],
    ).id
    with pytest.raises(RoleRefused):
        administrator.ask(management.APPROVE, management.ApprovalRow, id=asked)
    second = server.person("second")
    assert second.ask(management.APPROVE, management.ApprovalRow, id=asked).state == "approved"
    administrator.ask(management.DESTROY, Nothing, **body, approval=asked)
    with pytest.raises(KeyRefused):
        machine.ask(operation.MAC, operation.Codes, key_id=key_id, messages=[b"m"])
    assert administrator.ask(management.FIND, management.KeyRow, key_id=key_id).state == "destroyed"
    auditor = server.person("auditor")
    events = auditor.ask(management.EVENTS, management.Events).events
    told = [(one.account, one.operation, one.outcome) for one in events if one.subject == key_id]
    assert ("first", "Administration.destroy", "done") in told
    assert ("platform", "Operation.mac_many", "failed: KeyRefused") in told
    assert SYSTEM_KEY.hex() not in json.dumps([one.model_dump(mode="json") for one in events])


def test_rotation_is_seen_at_once_and_old_values_open(server: KeyServer, administrator: CryptoClient) -> None:
    keyring = server.keyring()
    old = keyring.seal_field("before", context="name")
    version = administrator.ask(management.ROTATE_KEK, management.KekVersion, name="data").version
    assert keyring.active_version == version
    assert keyring.open_field(old, context="name") == "before"
    assert keyring.seal_field("after", context="name")[:3] != old[:3]
    assert administrator.ask(management.REWRAP, management.Rewrapped, name="data").count >= 0


def test_status_tells_engines_and_keys_and_no_secret(machine: CryptoClient) -> None:
    told = machine.ask(state.STATUS, state.Status)
    assert not told.sealed
    assert {row.service for row in told.engines} >= {"SM4-GCM", "SM3", "SM2 in batches"}
    assert told.keys["kek active"] == 1
    assert told.requests == 1


def test_a_session_ends_when_its_person_leaves(server: KeyServer) -> None:
    second = server.person("second")
    second.ask(management.APPROVALS, management.Approvals)
    second.ask(state.LOG_OUT, Nothing)
    with pytest.raises(RoleRefused):
        second.ask(management.APPROVALS, management.Approvals)


def test_wrong_passwords_and_codes_are_refused_with_the_same_words(server: KeyServer) -> None:
    client = server.client()
    words = set()
    for account, password in (("nobody", "x"), ("clerk", "x"), ("platform", "")):
        with pytest.raises(RoleRefused) as refused:
            client.ask(state.LOG_IN, state.LoggedIn, account=account, password=password, code="000000")
        words.add(str(refused.value))
    assert len(words) == 1


def test_every_route_that_the_contract_tells_is_there_and_no_other(server: KeyServer) -> None:
    document = server.get("/openapi.json")
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(one.method, one.path) for one in ENDPOINTS}


def test_the_codes_of_a_key_are_those_of_the_key_itself(
    server: KeyServer, machine: CryptoClient, administrator: CryptoClient
) -> None:
    """Another implementation with the key from the vault comes to the same."""
    [key_id] = new_keys(administrator, management.CREATE_KEYS, kek="data")
    vault = KeyVault.open(Path(server.home / "keys" / "keys.db"), any_engines(), clock.now, os.urandom)
    vault.unseal(SYSTEM_KEY)
    key = vault.symmetric(key_id, "encrypt")
    vault.close()
    codes = machine.ask(operation.MAC, operation.Codes, key_id=key_id, messages=[b"a", b"b"]).codes
    assert codes == [hmac_sm3(key, b"a"), hmac_sm3(key, b"b")]
