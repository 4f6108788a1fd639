"""The key server among accidents and bad company: kills, sealing, strangers, floods, malformed requests (H2.1)."""

import hashlib
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from crypto.errors import KeyRefused, RoleRefused, ServiceUnavailable, ShareRefused, VaultSealed
from crypto.service import management_contract as management
from crypto.service import state_contract as state
from crypto.service.limits import ServiceLimits
from crypto.service.remote_keyring import RemoteKeyring
from crypto.shamir import Purpose, split
from tests.fixtures.key_server import SECONDS, SYSTEM_KEY, KeyServer, key_server
from tests.fixtures.waiting import wait_until

pytestmark = pytest.mark.requirement("H2.1", "H2.7")

NAME = "病人甲的名字"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyServer]:
    """Its own user is not in its peers file; the test's token is."""
    home = tmp_path_factory.mktemp("key-server")
    with key_server(home) as made:
        made.make_vault()
        made.start()
        yield made


def is_well(server: KeyServer) -> bool:
    keyring = server.keyring()
    return keyring.open_field(keyring.seal_field(NAME, context="name"), context="name") == NAME


def test_the_socket_is_for_its_owner_alone_and_memory_is_not_dumped(server: KeyServer) -> None:
    mode = server.socket.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    limits = Path(f"/proc/{server.pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if "core file" in line).split()[4:6] == ["0", "0"]
    # Not dumpable: the kernel gives such a process's files in /proc to root.
    assert Path(f"/proc/{server.pid}/mem").stat().st_uid == 0


def test_a_second_server_leaves_the_first_alone(server: KeyServer) -> None:
    with ExitStack() as stack:
        second = KeyServer(server.home, server.socket.parent)
        stack.callback(second.end)
        assert second.start_process().wait(SECONDS) == 1
    assert "stop that one first" in server.log.read_text()
    assert is_well(server)


MALFORMED = [
    b"",
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /health HTTP/1.1\r\n" + b"x: " + b"y" * 70_000,
    b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{",
    b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n{}",
    b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
    b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
    b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 20\r\n\r\n"
    + b"[" * 20,
    b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n{",
    b"GET /health HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
]


@pytest.mark.parametrize("told", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_requests_disturb_nobody(server: KeyServer, told: bytes) -> None:
    answer = server.say(told, hangs_up=True)
    assert not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 5")) or b"/health" in told
    assert is_well(server)


def test_a_chunked_body_without_end_is_cut_at_its_limit(server: KeyServer) -> None:
    head = b"POST /v1/keyring/open HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    answer = server.say(head + chunk * 20, hangs_up=False)
    assert answer.startswith(b"HTTP/1.1 413") or not answer
    assert is_well(server)


def has_ended(line: socket.socket) -> bool:
    """Whether the other end hung up; nothing was sent on this line."""
    try:
        return line.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_idle_connections_do_not_keep_others_out(server: KeyServer) -> None:
    keyring = server.keyring()
    sealed = keyring.seal_field(NAME, context="name")
    most = ServiceLimits().connections
    with ExitStack() as stack:
        lines = [
            stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) for _ in range(most + 50)
        ]
        for line in lines:
            # Blocking: a full queue of connections makes it wait, not fail.
            line.connect(str(server.socket))
        # Who was there before goes on; of the flood, no more stay than there are places.
        wait_until(lambda: sum(map(has_ended, lines)) >= 50, SECONDS, "the end of what is too many")
        assert keyring.open_field(sealed, context="name") == NAME
    assert is_well(server)


def test_a_flood_of_requests_is_answered_or_told_to_wait(server: KeyServer) -> None:
    keyring = server.keyring()
    sealed = keyring.seal_field(NAME, context="name")

    def open_some(_number: int) -> int:
        client = server.client(pauses=())
        done = 0
        for _ in range(10):
            try:
                assert RemoteKeyring(client).open_field(sealed, context="name") == NAME
                done += 1
            except ServiceUnavailable:
                pass
        client.close()
        return done

    with ThreadPoolExecutor(40) as pool:
        done = sum(pool.map(open_some, range(40)))
    assert done > 0
    assert is_well(server)


def test_nothing_of_names_and_keys_is_in_the_log(server: KeyServer) -> None:
    keyring = server.keyring()
    dek = keyring.new_dek()
    about = {"object_id": b"\1" * 16, "kind": "pack", "owner": "7"}
    wrapped = keyring.wrap_dek(dek, **about)
    with pytest.raises(KeyRefused) as refused:
        keyring.unwrap_dek(wrapped, **{**about, "owner": "8"})
    told = server.log.read_text() + str(refused.value)
    for secret in (dek.hex(), SYSTEM_KEY.hex(), NAME, "Traceback"):
        assert secret not in told


def test_killed_and_started_again_it_goes_on_where_it_was(server: KeyServer) -> None:
    keyring = server.keyring()
    sealed = keyring.seal_field(NAME, context="name")
    server.kill()
    with pytest.raises(ServiceUnavailable, match="crypto serve"):
        RemoteKeyring(server.client(pauses=())).open_field(sealed, context="name")
    starting = threading.Thread(target=server.start)
    starting.start()
    # The same client, on its old connection, waits for the restart.
    assert keyring.open_field(sealed, context="name") == NAME
    starting.join()
    auditor = server.person("auditor")
    auditor.ask(management.EVENTS, management.Events, limit=1)


def test_asked_to_stop_it_ends_its_record_and_its_socket(server: KeyServer) -> None:
    assert is_well(server)
    assert server.stop() == 0
    assert not server.socket.exists()
    server.start()
    assert is_well(server)
    events = server.person("auditor").ask(management.EVENTS, management.Events).events
    ended = [
        one for one in events if one.operation == "DataKeys.open_blobs" and one.subject == "uses since begun"
    ]
    assert ended[-1].items > 0


def test_without_its_key_file_it_is_sealed_until_enough_shares_came(tmp_path: Path) -> None:
    with key_server(tmp_path, CLOUDFILM_UNSEAL="shares") as server:
        server.make_vault(with_key_file=False)
        server.start()
        assert server.get("/health") == {"status": "sealed", "sealed": True}
        keyring = RemoteKeyring(server.client(pauses=()))
        for refused in (
            lambda: keyring.seal_field(NAME, context="name"),
            lambda: keyring.derive("audit"),
            lambda: keyring.active_version,
        ):
            with pytest.raises(VaultSealed, match="keys unseal"):
                refused()
        client = server.client()
        foreign = split(bytes(16), 2, 2, Purpose.SYSTEM_KEY)
        shares = split(SYSTEM_KEY, 2, 3, Purpose.SYSTEM_KEY)

        def give(text: str) -> state.Unsealing:
            return client.ask(state.UNSEAL, state.Unsealing, share=text)

        with pytest.raises(ShareRefused):
            give("no share")
        give(foreign[0].text)
        with pytest.raises(KeyRefused):
            give(foreign[1].text)
        assert give(shares[2].text) == state.Unsealing(sealed=True, given=1, needed=2)
        with pytest.raises(ShareRefused):
            give(shares[2].text)
        told = client.ask(state.STATUS, state.Status)
        assert (told.sealed, told.shares_given, told.shares_needed) == (True, 1, 2)
        assert not give(shares[0].text).sealed
        assert is_well(server)
        assert shares[0].text not in server.log.read_text()
        assert server.person("first").ask(state.SEAL, state.Unsealing).sealed
        with pytest.raises(VaultSealed):
            keyring.seal_field(NAME, context="name")


def test_a_user_without_an_account_is_not_served(tmp_path: Path) -> None:
    peers = tmp_path / "peers.json"
    token = "a-long-random-text-of-this-test"
    known = {"users": [os.getuid() + 1], "tokens": [hashlib.sha256(token.encode()).hexdigest()]}
    peers.write_text(json.dumps({"archive": known}))
    with key_server(tmp_path, CLOUDFILM_CRYPTO_PEERS=str(peers)) as server:
        server.make_vault()
        server.start()
        with pytest.raises(RoleRefused, match="CLOUDFILM_CRYPTO_PEERS"):
            server.keyring().seal_field(NAME, context="name")
        with pytest.raises(RoleRefused, match="not known"):
            RemoteKeyring(server.client("another-token")).seal_field(NAME, context="name")
        # Known to the file, but no administrator has added such a machine.
        with pytest.raises(RoleRefused, match="no such machine"):
            RemoteKeyring(server.client(token)).seal_field(NAME, context="name")
        # Persons come in by whatever connection, and are who they are.
        with pytest.raises(RoleRefused, match="administrator"):
            RemoteKeyring(server.person("first")).seal_field(NAME, context="name")
