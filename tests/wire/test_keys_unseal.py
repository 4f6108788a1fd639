"""`./cloudfilm keys unseal|seal|status` at a real key server: holders come one by one, an administrator seals it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.commands.keys import keys_group
from crypto.errors import KeyRefused, RoleRefused, ShareRefused, VaultSealed
from crypto.roles import totp
from crypto.shamir import Purpose, Share, split
from tests.fixtures.key_server import PASSWORD, SYSTEM_KEY, KeyServer, key_server

pytestmark = pytest.mark.requirement("H2.7", "H2.8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyServer]:
    with key_server(tmp_path_factory.mktemp("key-server"), CLOUDFILM_UNSEAL="shares") as made:
        made.make_vault(with_key_file=False)
        made.start()
        yield made


@pytest.fixture(autouse=True)
def environment(server: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFILM_HOME", str(server.home))
    monkeypatch.setenv("CLOUDFILM_UNSEAL", "shares")
    monkeypatch.setenv("CLOUDFILM_CRYPTO_URL", server.url)


@pytest.fixture(scope="module")
def shares() -> list[Share]:
    return split(SYSTEM_KEY, 2, 3, Purpose.SYSTEM_KEY)


def keys(*arguments: str, typed: list[str] | None = None) -> Result:
    lines = "".join(f"{line}\n" for line in typed or [])
    return CliRunner().invoke(keys_group, list(arguments), input=lines, catch_exceptions=False)


def test_holders_unseal_one_after_the_other_and_an_administrator_seals(
    server: KeyServer, shares: list[Share]
) -> None:
    with pytest.raises(VaultSealed):
        server.keyring().new_dek()
        server.keyring().seal_blob(b"x", context="name")
    assert "key server: sealed" in keys("status").output

    with pytest.raises(ShareRefused, match="mistyped"):
        keys("unseal", typed=[shares[0].text[:-1] + ("0" if shares[0].text[-1] != "0" else "1")])
    with pytest.raises(ShareRefused, match="a share of a backup key"):
        keys("unseal", typed=[split(SYSTEM_KEY, 2, 2, Purpose.BACKUP_KEY)[0].text])
    with pytest.raises(ShareRefused, match="no more shares"):
        keys("unseal", typed=[shares[0].text])
    assert "the key server is unsealed" in keys("unseal", typed=[shares[2].text.lower()]).output
    assert "key server: unsealed" in keys("status").output
    assert server.keyring().seal_blob(b"x", context="name")
    assert keys("unseal").output == "the key server is unsealed\n"

    code = totp.code(server.secrets["first"], int(time.time() // totp.STEP_SECONDS))
    with pytest.raises(RoleRefused):
        keys("seal", typed=["first", "not the password", code])
    assert keys("seal", typed=["first", PASSWORD, code]).output.endswith("the key server is sealed\n")
    assert "key server: sealed" in keys("status").output


def test_shares_of_another_key_do_not_open_and_begin_anew(server: KeyServer, shares: list[Share]) -> None:
    foreign = split(bytes(16), 2, 2, Purpose.SYSTEM_KEY)
    with pytest.raises(KeyRefused, match="does not belong"):
        keys("unseal", typed=[share.text for share in foreign])
    keys("unseal", typed=[share.text for share in shares[:2]])
    assert "key server: unsealed" in keys("status").output


def test_no_share_is_in_the_log(server: KeyServer, shares: list[Share]) -> None:
    log = server.log.read_text()
    assert "unsealed by" in log
    for share in shares:
        assert not any(group in log for group in share.text.split("-"))


def test_without_a_server_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFILM_CRYPTO_URL", f"unix:{tmp_path}/no.sock")
    assert "key server: " in keys("status").output
    assert "unsealed" not in keys("status").output
