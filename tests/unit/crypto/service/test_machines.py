"""The peers file: which user, token or certificate is which machine."""

import hashlib
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from crypto.errors import KeyRefused
from crypto.service.connection import Peer
from crypto.service.machines import PLATFORM, Machines, load
from crypto.service.problems import NotKnown
from crypto.sm3 import sm3

pytestmark = pytest.mark.requirement("H2.7")

TOKEN = "a-long-random-text-of-this-test"
OWN = os.getuid()


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def machines(tmp_path: Path) -> Machines:
    digests = [hashlib.sha256(TOKEN.encode()).hexdigest().upper(), sm3(b"other").hex()]
    told = {
        "platform": {"users": [pwd.getpwuid(OWN).pw_name, 4242], "tokens": digests},
        "archive": {"certificates": ["ab" * 32]},
    }
    return load(write(tmp_path / "peers.json", told), 77)


def test_without_a_file_our_own_user_is_the_platform_and_nobody_else() -> None:
    alone = load(None, 77)
    assert alone.account_of(Peer(uid=77), "") == PLATFORM
    for stranger in (Peer(uid=78), Peer(uid=0), Peer(), Peer(certificate="ab" * 32)):
        with pytest.raises(NotKnown):
            alone.account_of(stranger, "")


def test_with_a_file_those_are_known_whom_it_names(machines: Machines) -> None:
    assert machines.account_of(Peer(uid=OWN), "") == "platform"
    assert machines.account_of(Peer(uid=4242), "") == "platform"
    assert machines.account_of(Peer(certificate="ab" * 32), "") == "archive"
    for token in (TOKEN, "other"):
        assert machines.account_of(Peer(), token) == "platform"
    for stranger in (Peer(uid=77), Peer(certificate="ac" * 32), Peer()):
        with pytest.raises(NotKnown):
            machines.account_of(stranger, "")


def test_a_wrong_token_is_refused_even_where_the_user_would_do(machines: Machines) -> None:
    with pytest.raises(NotKnown) as refused:
        machines.account_of(Peer(uid=OWN), TOKEN + "x")
    assert TOKEN not in str(refused.value)
    assert "tokens" not in repr(machines)


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"Platform": {}},
        {"platform": []},
        {"platform": {"user": [1]}},
        {"platform": {"users": ["no such user here"]}},
        {"platform": {"users": [True]}},
        {"platform": {"users": 5}},
        {"platform": {"tokens": ["abc"]}},
        {"platform": {"tokens": [5]}},
        {"platform": {"users": [5]}, "other": {"users": [5]}},
        {"platform": {"tokens": ["ab" * 32]}, "other": {"tokens": ["AB" * 32]}},
    ],
)
def test_a_file_that_is_not_clear_is_refused(tmp_path: Path, told: Any) -> None:
    with pytest.raises(KeyRefused, match="peers file"):
        load(write(tmp_path / "peers.json", told), 77)


def test_a_file_that_is_missing_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="cannot be read"):
        load(tmp_path / "none.json", 77)
    (tmp_path / "peers.json").write_text("{")
    with pytest.raises(KeyRefused, match="cannot be read"):
        load(tmp_path / "peers.json", 77)
