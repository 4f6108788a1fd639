"""Which systems of the hospital may call without signing."""

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest

from access import hospital_peers
from access.hospital_peers import HospitalPeers, TokenRequired
from core.errors import Misconfigured, NotAllowed
from crypto.sm3 import sm3

pytestmark = pytest.mark.requirement("P2", "K5")

TOKEN = "qTzv7kP0mXbR3nYw5sLd8uHc1fJg4aEo"


def basic(password: str, name: str = "his") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture
def with_tokens(tmp_path: Path) -> HospitalPeers:
    path = tmp_path / "tokens.json"
    digests = {"HIS": hashlib.sha256(TOKEN.encode()).hexdigest().upper(), "RIS": sm3(b"ris-token").hex()}
    path.write_text(json.dumps(digests), encoding="utf-8")
    return hospital_peers.load("10.1.0.0/16, ::1", str(path))


@pytest.mark.parametrize("address", ["10.1.2.3", "10.1.255.255", "::1", "::ffff:10.1.2.3"])
def test_expected_addresses(address: str) -> None:
    assert hospital_peers.verify(hospital_peers.load("10.1.0.0/16,::1"), address, {}) == ""


@pytest.mark.parametrize("address", ["10.2.0.1", "127.0.0.1", "::2", "", "unix"])
def test_other_addresses(address: str) -> None:
    with pytest.raises(NotAllowed, match="HTTP_PEERS"):
        hospital_peers.verify(hospital_peers.load("10.1.0.0/16,::1"), address, {"X-CloudFilm-Token": TOKEN})


def test_without_networks_nobody_may() -> None:
    with pytest.raises(NotAllowed):
        hospital_peers.verify(hospital_peers.load(""), "127.0.0.1", {})


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({"X-CloudFilm-Token": TOKEN}, "HIS"),
        (basic(TOKEN), "HIS"),
        (basic("ris-token", "anything"), "RIS"),
    ],
)
def test_a_token_names_its_system(with_tokens: HospitalPeers, headers: dict[str, str], name: str) -> None:
    assert hospital_peers.verify(with_tokens, "10.1.2.3", headers) == name


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CloudFilm-Token": ""},
        {"X-CloudFilm-Token": TOKEN[:-1]},
        {"X-CloudFilm-Token": hashlib.sha256(TOKEN.encode()).hexdigest()},
        basic(""),
        basic("wrong"),
        {"Authorization": "Basic %%%"},
        {"Authorization": "Bearer " + TOKEN},
    ],
)
def test_without_the_token_nobody_may(with_tokens: HospitalPeers, headers: dict[str, str]) -> None:
    with pytest.raises(TokenRequired) as refused:
        hospital_peers.verify(with_tokens, "10.1.2.3", headers)
    assert TOKEN[:8] not in str(refused.value)


@pytest.mark.parametrize("networks", ["10.1.2.3/16", "his.local", "300.1.1.1"])
def test_networks_that_are_none(networks: str) -> None:
    with pytest.raises(Misconfigured, match="CLOUDFILM_HTTP_PEERS"):
        hospital_peers.load(networks)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"HIS": "secret"}', '{"HIS": 7}', '{"": "' + "0" * 64 + '"}']
)
def test_token_files_that_are_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Misconfigured, match="CLOUDFILM_HTTP_PEER_TOKENS") as refused:
        hospital_peers.load("", str(path))
    assert "secret" not in str(refused.value)
    with pytest.raises(Misconfigured, match="CLOUDFILM_HTTP_PEER_TOKENS"):
        hospital_peers.load("", str(tmp_path / "missing.json"))
