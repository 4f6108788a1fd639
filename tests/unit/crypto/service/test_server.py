"""Sockets of the key server: for whom, where, and whose they are after a kill."""

import grp
import os
import socket
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.errors import KeyRefused, ServiceUnavailable
from crypto.service import tls
from crypto.service.client import CryptoClient
from crypto.service.server import loopback_listener, unix_listener
from crypto.service.state_contract import HEALTH, Health

pytestmark = pytest.mark.requirement("H2.1")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_socket_is_for_one_user_or_for_one_group(tmp_path: Path) -> None:
    path = tmp_path / "run" / "s.sock"
    with unix_listener(path, ""):
        assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
    group = grp.getgrgid(os.getgid()).gr_name
    with unix_listener(path, group):
        assert (mode_of(path), path.stat().st_gid) == (0o660, os.getgid())
    assert not path.exists()
    with pytest.raises(ServiceUnavailable, match="no such group"), unix_listener(path, "no such group"):
        pass


def test_what_a_killed_server_left_is_taken_over_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with (
        unix_listener(path, ""),
        pytest.raises(ServiceUnavailable, match="stop that one"),
        unix_listener(path, ""),
    ):
        pass
    with unix_listener(path, ""):
        assert path.exists()


def test_a_path_that_the_system_does_not_take_is_told(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 110) / "s.sock"
    with pytest.raises(ServiceUnavailable, match="CLOUDFILM_CRYPTO_SOCKET"), unix_listener(path, ""):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "localhost", "", "127.0.0.2"])
def test_other_addresses_than_loopback_are_refused(host: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(ServiceUnavailable, match="listens on"), loopback_listener(host, 0, context):
        pass


def test_certificates_of_callers_that_are_none_are_refused(tmp_path: Path) -> None:
    certificate, key = tls.certificate_in(tmp_path, lambda: datetime(2030, 1, 1, tzinfo=UTC))
    for content in (None, "no certificate"):
        authorities = tmp_path / "authorities.pem"
        if content:
            authorities.write_text(content)
        with pytest.raises(KeyRefused, match="authorities"):
            tls.server_context(certificate, key, authorities)


def test_a_client_without_the_servers_certificate_says_so(tmp_path: Path) -> None:
    client = CryptoClient("https://127.0.0.1:1", trusted=tmp_path / "none.pem", pauses=())
    with pytest.raises(ServiceUnavailable, match="No such file"):
        client.ask(HEALTH, Health)
