"""The key server over loopback HTTPS, and the platform that has no keys of its own (H2.1, H2.8)."""

import hashlib
import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from app import preflight
from app.installation import set_up
from app.platform import build_platform
from app.site import free_ports
from core import config, personal_data
from core.errors import Unavailable
from crypto.errors import RoleRefused, ServiceUnavailable
from crypto.service.client import CryptoClient
from crypto.service.remote_keyring import RemoteKeyring
from tests.fixtures.certificates import Certificate, make_certificate
from tests.fixtures.key_server import KeyServer, key_server

pytestmark = pytest.mark.requirement("H2.1", "H2.8")

TOKEN = "a-long-random-text-of-this-test"


@pytest.fixture(scope="module")
def machine_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, port: int, machine_certificate: Certificate
) -> Iterator[KeyServer]:
    home = tmp_path_factory.mktemp("key-server")
    read = x509.load_pem_x509_certificate(machine_certificate.certificate.read_bytes())
    der = read.public_bytes(serialization.Encoding.DER)
    peers = {
        "platform": {"tokens": [hashlib.sha256(TOKEN.encode()).hexdigest()]},
        "archive": {"certificates": [hashlib.sha256(der).hexdigest()]},
    }
    (home / "peers.json").write_text(json.dumps(peers))
    settings = {
        "CLOUDFILM_CRYPTO_BIND": f"127.0.0.1:{port}",
        "CLOUDFILM_CRYPTO_PEERS": str(home / "peers.json"),
        "CLOUDFILM_CRYPTO_CLIENT_CA": str(machine_certificate.certificate),
    }
    with key_server(home, **settings) as made:
        made.make_vault("platform", "archive")
        made.start()
        yield made


@pytest.fixture
def trusted(server: KeyServer) -> Path:
    return server.home / "run" / "crypto-certificate.pem"


def keyring_at(port: int, trusted: Path, token: str) -> RemoteKeyring:
    return RemoteKeyring(CryptoClient(f"https://127.0.0.1:{port}", token=token, trusted=trusted, pauses=()))


def test_a_token_opens_and_a_wrong_one_does_not(port: int, trusted: Path) -> None:
    keyring = keyring_at(port, trusted, TOKEN)
    assert keyring.open_field(keyring.seal_field("name", context="name"), context="name") == "name"
    for wrong in (TOKEN + "x", ""):
        with pytest.raises(RoleRefused):
            keyring_at(port, trusted, wrong).seal_field("name", context="name")


def test_a_server_of_another_certificate_is_not_trusted(
    server: KeyServer, port: int, other_certificate: Certificate
) -> None:
    with pytest.raises(ServiceUnavailable):
        keyring_at(port, other_certificate.certificate, TOKEN).seal_field("name", context="name")


def ask_version(port: int, context: ssl.SSLContext) -> int:
    line = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    line.request("GET", "/v1/keyring/version")
    status = line.getresponse().status
    line.close()
    return status


def test_a_known_certificate_opens_and_no_older_tls_is_spoken(
    port: int, trusted: Path, machine_certificate: Certificate, other_certificate: Certificate
) -> None:
    context = ssl.create_default_context(cafile=trusted)
    context.load_cert_chain(machine_certificate.certificate, machine_certificate.key)
    assert ask_version(port, context) == 200
    assert ask_version(port, ssl.create_default_context(cafile=trusted)) == 401
    stranger = ssl.create_default_context(cafile=trusted)
    stranger.load_cert_chain(other_certificate.certificate, other_certificate.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask_version(port, stranger)
    older = ssl.create_default_context(cafile=trusted)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask_version(port, older)


def test_what_is_no_tls_disturbs_nobody(server: KeyServer, port: int, trusted: Path) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with pytest.raises((OSError, http.client.HTTPException)):
        line.request("GET", "/health")
        line.getresponse()
    keyring = keyring_at(port, trusted, TOKEN)
    assert keyring.active_version == 1


def test_the_platform_seals_and_opens_without_a_key_of_its_own(
    server: KeyServer, port: int, trusted: Path, tmp_path: Path
) -> None:
    settings = config.load(
        {
            "CLOUDFILM_HOME": str(tmp_path / "web"),
            "CLOUDFILM_CRYPTO_URL": f"https://127.0.0.1:{port}",
            "CLOUDFILM_CRYPTO_TOKEN": TOKEN,
            "CLOUDFILM_CRYPTO_CERTIFICATE": str(trusted),
        }
    )
    set_up(settings)
    platform = build_platform(settings)
    assert isinstance(platform.keyring, RemoteKeyring)
    sealed = personal_data.seal_text("张三", "patient.name")
    assert personal_data.open_text(sealed, "patient.name") == "张三"
    assert personal_data.blind_index("phone", "13800000000") == platform.keyring.blind_index(
        "phone", "13800000000"
    )
    assert not list((tmp_path / "web").rglob("*.key"))
    assert not (tmp_path / "web" / "keys").exists()
    findings = [one for one in preflight.examine(settings) if one.subject == "keys"]
    assert [one.is_ok for one in findings] == [True]
    server.kill()
    with pytest.raises(Unavailable, match="crypto serve"):
        personal_data.open_text(sealed, "patient.name")
    server.start()
    assert personal_data.open_text(sealed, "patient.name") == "张三"
