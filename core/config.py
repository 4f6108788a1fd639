"""Every setting, in one place: the only reader of the environment (ARCHITECTURE §2).

Each field of `Settings` is `CLOUDFILM_<NAME>`. A secret may be given as a file: `CLOUDFILM_<NAME>_FILE=path`.
docs/configuration.md is checked against this file by tests/structure.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import Misconfigured

PREFIX = "CLOUDFILM_"


@dataclass(frozen=True)
class Settings:
    """One installation. Defaults are those of one small machine with no other server (ARCHITECTURE decision 3)."""

    home: str = "var"
    role: str = "all"
    log_level: str = "INFO"
    hospital_name: str = "演示医院"
    public_url: str = "http://127.0.0.1:8100"
    web_bind: str = "127.0.0.1:8100"
    web_threads: int = 12
    live_bind: str = "127.0.0.1:8101"
    live_url: str = ""
    mllp_bind: str = "127.0.0.1:2575"
    mllp_peers: str = ""
    mllp_tls_cert: str = ""
    mllp_tls_key: str = ""
    mllp_tls_client_ca: str = ""
    http_peers: str = "127.0.0.1"
    http_peer_tokens: str = ""
    soap_operations: str = "HIPMessageServer,Call,invoke"
    scp_bind: str = "127.0.0.1:11112"
    scp_ae_title: str = "CLOUDFILM"
    scp_peers: str = ""
    frame_ancestors: str = "'self'"
    trusted_proxies: int = 0
    secure_cookies: bool = False
    cross_site_frames: bool = False

    database_url: str = ""
    redis_url: str = ""
    key_dir: str = ""
    unseal: str = "file"
    unseal_command: str = ""
    system_key_path: str = ""
    noise_device: str = ""
    sdf_library: str = ""
    sdf_slot: int = 1
    sdf_password: str = ""
    crypto_url: str = ""
    crypto_token: str = ""
    crypto_certificate: str = ""
    crypto_socket: str = ""
    crypto_socket_group: str = ""
    crypto_bind: str = ""
    crypto_peers: str = ""
    crypto_client_ca: str = ""
    relay_threads: int = 3
    outbox_max_attempts: int = 12

    store: str = "local"
    oss_endpoint: str = ""
    oss_bucket: str = "cloudfilm"
    oss_region: str = "cn-hangzhou"
    oss_key_id: str = ""
    oss_key_secret: str = ""

    series_quiet_seconds: int = 60
    lossy_copy: bool = True

    his_address: str = ""
    hl7_site: str = ""
    message_days: int = 180
    message_problem_days: int = 1095

    film_item_code: str = "YYX0001"
    kiosk_keys: str = ""

    sms_channel: str = "console"
    sms_endpoint: str = ""
    sms_key_id: str = ""
    sms_key_secret: str = ""
    sms_sign_name: str = "云胶片"
    sms_otp_template: str = "SMS_OTP"
    sms_film_template: str = "SMS_FILM"

    wechat_api: str = ""
    wechat_oauth: str = ""
    wechat_app_id: str = ""
    wechat_app_secret: str = ""
    wechat_film_template: str = "TPL_FILM"

    otp_minutes: int = 5
    otp_tries: int = 5
    otp_resend_seconds: int = 60
    otp_per_phone_hour: int = 5
    otp_per_address_hour: int = 60
    session_hours: int = 12

    fail: str = ""

    @cached_property
    def home_path(self) -> Path:
        """The installation's data directory, absolute."""
        return Path(self.home).resolve()

    @property
    def database(self) -> str:
        """The database URL; SQLite in the home directory unless set."""
        return self.database_url or f"sqlite:///{self.home_path / 'cloudfilm.db'}"

    @property
    def live_address(self) -> str:
        """Where browsers find the live rooms: `ws://host` or `wss://host`, without a path."""
        parts = urlsplit(self.live_url or self.public_url)
        return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}"

    @property
    def keys_path(self) -> Path:
        """The directory of the keys."""
        return Path(self.key_dir) if self.key_dir else self.home_path / "keys"

    @property
    def vault_path(self) -> Path:
        """The vault: every key, wrapped."""
        return self.keys_path / "keys.db"

    @property
    def system_key_location(self) -> Path:
        """The file with the key that unseals the vault."""
        return Path(self.system_key_path) if self.system_key_path else self.keys_path / "system.key"

    @property
    def old_keyring_path(self) -> Path:
        """The key file of versions before the vault."""
        return self.keys_path / "keyring.json"

    @property
    def crypto_socket_path(self) -> Path:
        """Where the key server listens for processes of this machine."""
        return Path(self.crypto_socket) if self.crypto_socket else self.crypto_run_path / "crypto.sock"

    @property
    def crypto_run_path(self) -> Path:
        """The key server's socket, certificate and its key."""
        return self.home_path / "run"

    @property
    def spool_path(self) -> Path:
        """Received files until they are proven to be archived."""
        return self.home_path / "spool"

    @property
    def packs_path(self) -> Path:
        """Sealed packs on the front disk."""
        return self.home_path / "packs"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment (or from `environ`). Raises `Misconfigured` naming the variable."""
    env = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for field in fields(Settings):
        raw = _raw(env, PREFIX + field.name.upper())
        if raw is not None:
            values[field.name] = _convert(field.name, raw, type(field.default))
    unknown = {name for name in env if name.startswith(PREFIX)} - {
        PREFIX + f.name.upper() + suffix for f in fields(Settings) for suffix in ("", "_FILE")
    }
    if unknown:
        raise Misconfigured(f"unknown settings {sorted(unknown)}: see docs/configuration.md for the names")
    settings = Settings(**values)
    if settings.role != "all":
        raise Misconfigured(f"{PREFIX}ROLE is {settings.role!r}: this version runs both sites in one, 'all'")
    if settings.cross_site_frames and not settings.secure_cookies:
        raise Misconfigured(
            f"{PREFIX}CROSS_SITE_FRAMES needs HTTPS: browsers take such cookies with {PREFIX}SECURE_COOKIES only"
        )
    return settings


def _raw(env: Mapping[str, str], name: str) -> str | None:
    if name in env:
        return env[name]
    path = env.get(name + "_FILE")
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured(f"{name}_FILE: cannot read {path}: {error.strerror}") from error


def _convert(name: str, raw: str, kind: type) -> Any:
    if kind is bool:
        if raw.lower() not in {"0", "1", "true", "false", "yes", "no"}:
            raise Misconfigured(f"{PREFIX}{name.upper()} is {raw!r}: use true or false")
        return raw.lower() in {"1", "true", "yes"}
    if kind is int:
        try:
            return int(raw)
        except ValueError:
            raise Misconfigured(f"{PREFIX}{name.upper()} is {raw!r}: a whole number is needed") from None
    return raw


def foreign_environment() -> dict[str, str]:
    """The caller's environment without our settings, for a child process that is given exactly its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def host_and_port(bind: str) -> tuple[str, int]:
    """Split `host:port`. Raises `Misconfigured`."""
    host, _, port = bind.rpartition(":")
    if not host or not port.isdigit():
        raise Misconfigured(f"{bind!r} is not host:port")
    return host, int(port)
