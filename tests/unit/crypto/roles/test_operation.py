"""Operators use keys by id: results, counts, rows, states, and nothing without the record."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import AuditUnavailable, KeyRefused, SealBroken, SignatureRefused, VaultSealed
from crypto.sm2.exchange import Peer
from tests.unit.crypto.roles.people import make_argon2_cheap
from tests.unit.crypto.roles.vaults import SYSTEM_KEY, KeyRoom

pytestmark = pytest.mark.requirement("H2.4", "H2.7")

MESSAGES = [b"one", b"two and more", b"three"]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyRoom:
    make_argon2_cheap(monkeypatch)
    return KeyRoom(tmp_path)


@pytest.fixture
def signer(room: KeyRoom) -> str:
    return room.administration().create_pairs("hospital", "sign")[0]


@pytest.fixture
def reader(room: KeyRoom) -> str:
    return room.administration().create_pairs("hospital", "encrypt")[0]


@pytest.fixture
def secret(room: KeyRoom) -> str:
    return room.administration().create_keys("hospital", "data")[0]


def _last(room: KeyRoom) -> tuple[str, str, int, str]:
    event = room.audit.rows()[-1].event
    return event.operation, event.subject, event.items, event.outcome


def test_sign_and_verify(room: KeyRoom, signer: str) -> None:
    signature = room.operation().sign(signer, b"message")
    assert _last(room) == ("Operation.sign", signer, 1, "done")
    room.operation().verify(signer, b"message", signature)
    assert room.uses(signer) == 2
    with pytest.raises(SignatureRefused):
        room.operation().verify(signer, b"messagE", signature)
    assert _last(room) == ("Operation.verify", signer, 1, "failed: SignatureRefused")
    assert room.uses(signer) == 3


def test_a_batch_is_one_row_and_each_key_is_counted(room: KeyRoom, signer: str) -> None:
    [other] = room.administration().create_pairs("clinic", "sign")
    before = room.audit.head()[0]
    signatures = room.operation().sign_many([signer, other, signer], MESSAGES)
    assert room.audit.head()[0] == before + 1
    assert _last(room) == ("Operation.sign_many", f"{signer} {other}", 3, "done")
    assert (room.uses(signer), room.uses(other)) == (2, 1)
    room.operation().verify_many([signer, other, signer], MESSAGES, signatures)
    with pytest.raises(SignatureRefused):
        room.operation().verify_many([other, signer, signer], MESSAGES, signatures)


def test_encrypt_and_decrypt(room: KeyRoom, reader: str) -> None:
    operation = room.operation()
    ciphertext = operation.encrypt(reader, b"plain")
    assert operation.decrypt(reader, ciphertext) == b"plain"
    assert operation.decrypt_many([reader] * 3, operation.encrypt_many([reader] * 3, MESSAGES)) == MESSAGES
    assert room.uses(reader) == 8
    with pytest.raises(SealBroken):
        operation.decrypt(reader, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]))
    assert room.uses(reader) == 9


def test_the_services_of_an_sm4_key(room: KeyRoom, secret: str) -> None:
    operation, block = room.operation(), bytes(range(16))
    assert operation.gcm_open(secret, operation.gcm_seal(secret, b"plain", b"aad"), b"aad") == b"plain"
    assert operation.gcm_open_many(secret, operation.gcm_seal_many(secret, MESSAGES)) == MESSAGES
    assert operation.ctr_decrypt(secret, operation.ctr_encrypt(secret, b"plain")) == b"plain"
    assert operation.cbc_decrypt(secret, operation.cbc_encrypt(secret, block)) == block
    assert operation.cbc_decrypt(secret, operation.cbc_encrypt_many(secret, [block])[0]) == block
    operation.verify_mac(secret, b"one", operation.mac(secret, b"one"))
    assert operation.mac_many(secret, MESSAGES)[0] == operation.mac(secret, b"one")
    assert operation.derive(secret, b"info", 24) == operation.derive(secret, b"info", 24)
    # 2 + 6 + 2 + 2 + 2 + 2 + 4 + 2
    assert room.uses(secret) == 22
    with pytest.raises(SealBroken):
        operation.gcm_open(secret, bytes(40))
    with pytest.raises(SignatureRefused):
        operation.verify_mac(secret, b"one", bytes(32))


def test_what_needs_no_key(room: KeyRoom) -> None:
    operation = room.operation()
    assert operation.digest(b"one") == operation.digest_many(MESSAGES)[0]
    assert len(operation.generate_many(2)) == 2
    assert _last(room) == ("Operation.generate_many", "no key", 2, "done")


def test_two_operators_agree_on_a_key(room: KeyRoom) -> None:
    ours, theirs = room.administration().create_pairs("hospital", "encrypt", 2)
    publics = {key_id: room.vault.find(key_id).public for key_id in (ours, theirs)}
    mine = room.operation().begin_exchange(ours, Peer(publics[theirs]), is_initiator=True)
    yours = room.operation().begin_exchange(theirs, Peer(publics[ours]), is_initiator=False)
    answer = yours.run.agree(mine.public, 16)
    agreed = mine.run.agree(yours.public, 16)
    key = agreed.confirm(answer.code)
    assert key == answer.confirm(agreed.code)
    assert (room.uses(ours), room.uses(theirs)) == (1, 1)
    assert _last(room) == ("Operation.begin_exchange", theirs, 1, "done")


def test_rsa_keys_are_recorded(room: KeyRoom) -> None:
    [key] = room.operation().generate_rsa(1024)
    assert key.is_weak
    assert _last(room) == ("Operation.generate_rsa", "no key", 1, "done")


CALLS: list[Callable[[Any, str, str, str], object]] = [
    lambda operation, signer, reader, secret: operation.sign(signer, b"m"),
    lambda operation, signer, reader, secret: operation.sign_many([signer], [b"m"]),
    lambda operation, signer, reader, secret: operation.encrypt(reader, b"m"),
    lambda operation, signer, reader, secret: operation.gcm_seal(secret, b"m"),
    lambda operation, signer, reader, secret: operation.mac(secret, b"m"),
    lambda operation, signer, reader, secret: operation.derive(secret, b"m", 16),
    lambda operation, signer, reader, secret: operation.generate_many(1),
]


@pytest.mark.parametrize("call", CALLS)
def test_no_audit_no_service(
    room: KeyRoom, signer: str, reader: str, secret: str, call: Callable[..., object]
) -> None:
    call(room.operation(), signer, reader, secret)
    uses = [room.uses(key_id) for key_id in (signer, reader, secret)]
    room.break_audit()
    released: list[object] = []
    with pytest.raises(AuditUnavailable):
        released.append(call(room.operation(), signer, reader, secret))
    assert released == []
    assert [room.uses(key_id) for key_id in (signer, reader, secret)] == uses


@pytest.mark.parametrize("call", CALLS[:-1])
def test_a_sealed_vault_serves_nothing_and_says_so(
    room: KeyRoom, signer: str, reader: str, secret: str, call: Callable[..., object]
) -> None:
    room.administration().seal()
    with pytest.raises(VaultSealed):
        call(room.operation(), signer, reader, secret)
    assert room.audit.rows()[-1].event.outcome == "failed: VaultSealed"
    room.vault.unseal(SYSTEM_KEY)
    call(room.operation(), signer, reader, secret)


def test_states_bind_operators(room: KeyRoom, signer: str) -> None:
    signature = room.operation().sign(signer, b"message")
    room.administration().deactivate(signer, "replaced")
    with pytest.raises(KeyRefused):
        room.operation().sign(signer, b"message")
    room.operation().verify(signer, b"message", signature)
    room.administration().destroy(signer, "end of contract", room.approval("destroy", key_id=signer))
    with pytest.raises(KeyRefused):
        room.operation().verify(signer, b"message", signature)
    assert _last(room) == ("Operation.verify", signer, 1, "failed: KeyRefused")


def test_nothing_of_content_or_keys_is_recorded(room: KeyRoom, reader: str, secret: str) -> None:
    room.operation().decrypt(reader, room.operation().encrypt(reader, b"confidential text"))
    room.operation().gcm_seal(secret, b"confidential text", b"confidential label")
    assert "confidential" not in str(room.audit.rows())


def test_a_name_of_a_key_from_outside_is_cut(room: KeyRoom) -> None:
    with pytest.raises(KeyRefused):
        room.operation().sign("x" * 100_000, b"message")
    assert len(room.audit.rows()[-1].event.subject) < 2200
    assert room.audit.verify() > 0
