"""Settings: read once, by name, with a clear text for everything that is wrong."""

from dataclasses import fields
from pathlib import Path

import pytest

from core.config import PREFIX, Settings, host_and_port, load
from core.errors import Misconfigured


def test_defaults_need_no_environment() -> None:
    assert load({"PATH": "/bin", "HOME": "/root"}) == Settings()


def test_every_setting_is_read_under_its_name() -> None:
    texts = {int: "7", bool: "true", str: "text"}
    environ = {PREFIX + field.name.upper(): texts[type(field.default)] for field in fields(Settings)}
    settings = load({**environ, "CLOUDFILM_ROLE": "all"})
    for field in fields(Settings):
        expected = {int: 7, bool: True, str: "text"}[type(field.default)]
        assert getattr(settings, field.name) == ("all" if field.name == "role" else expected)


def test_frames_of_another_site_need_https() -> None:
    with pytest.raises(Misconfigured, match="SECURE_COOKIES"):
        load({"CLOUDFILM_CROSS_SITE_FRAMES": "true"})
    assert load({"CLOUDFILM_CROSS_SITE_FRAMES": "1", "CLOUDFILM_SECURE_COOKIES": "1"}).cross_site_frames


@pytest.mark.parametrize(
    ("raw", "value"),
    [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("False", False), ("no", False)],
)
def test_yes_and_no_have_their_usual_forms(raw: str, value: bool) -> None:
    assert load({"CLOUDFILM_SECURE_COOKIES": raw}).secure_cookies is value


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("CLOUDFILM_SECURE_COOKIES", "maybe", "true or false"),
        ("CLOUDFILM_OTP_TRIES", "five", "whole number"),
        ("CLOUDFILM_OTP_TRIES", "", "whole number"),
        ("CLOUDFILM_ROLE", "front", "this version"),
        ("CLOUDFILM_OTP_TRYS", "5", "docs/configuration.md"),
        ("CLOUDFILM_OSS_KEY_SECRET_FILE", "/no/such/file", "cannot read"),
    ],
)
def test_what_is_wrong_is_named(name: str, raw: str, says: str) -> None:
    with pytest.raises(Misconfigured, match=name.removesuffix("_FILE")) as raised:
        load({name: raw})
    assert says in str(raised.value)


def test_secret_may_lie_in_a_file_and_the_variable_itself_wins(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-file\n", encoding="utf-8")
    environ = {"CLOUDFILM_SMS_KEY_SECRET_FILE": str(secret)}
    assert load(environ).sms_key_secret == "from-file"
    assert load({**environ, "CLOUDFILM_SMS_KEY_SECRET": "direct"}).sms_key_secret == "direct"


def test_paths_follow_the_home(tmp_path: Path) -> None:
    settings = load({"CLOUDFILM_HOME": str(tmp_path)})
    assert settings.database == f"sqlite:///{tmp_path / 'cloudfilm.db'}"
    assert settings.vault_path == tmp_path / "keys" / "keys.db"
    assert settings.system_key_location == tmp_path / "keys" / "system.key"
    assert {settings.spool_path.parent, settings.packs_path.parent} == {tmp_path}
    other = load(
        {
            "CLOUDFILM_DATABASE_URL": "postgresql:///x",
            "CLOUDFILM_KEY_DIR": "/keys",
            "CLOUDFILM_SYSTEM_KEY_PATH": "/stick/system.key",
        }
    )
    assert (other.database, other.vault_path) == ("postgresql:///x", Path("/keys/keys.db"))
    assert other.system_key_location == Path("/stick/system.key")


def test_host_and_port_are_split_at_the_last_colon() -> None:
    assert host_and_port("127.0.0.1:2575") == ("127.0.0.1", 2575)
    assert host_and_port("::1:80") == ("::1", 80)
    for wrong in ("", "host", ":80", "host:", "host:x"):
        with pytest.raises(Misconfigured):
            host_and_port(wrong)
