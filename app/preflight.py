"""What may be wrong with an installation, and what to do: the checks behind `./cloudfilm preflight`."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import peewee

from app.engines import open_engines
from app.keys import open_keyring, open_vault
from app.platform import build_platform, load_site
from app.randomness import process_drbg
from core import db, migrate
from core.config import Settings, host_and_port
from core.errors import CloudFilmError
from crypto.errors import CryptoError
from crypto.local_keyring import LocalKeyring
from hl7_engine.connectors import registry
from hl7_engine.site import Peer

# A day of a busy CT department is about 30 GB; below this the front machine is close to refusing images.
FREE_BYTES = 20 * 2**30


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, and the text with the remedy when it failed."""

    subject: str
    is_ok: bool
    text: str


def examine(settings: Settings) -> list[Finding]:
    """Run every check; one that fails does not hide the others."""
    checks: tuple[tuple[str, Callable[[Settings], Iterator[Finding]]], ...] = (
        ("python", _python),
        ("home", _home),
        ("keys", _keys),
        ("database", _database),
        ("pages", _pages),
        ("peers", _peers),
        ("adapters", _adapters),
        ("connectors", _connectors),
    )
    findings: list[Finding] = []
    for subject, check in checks:
        try:
            findings.extend(check(settings))
        except (CloudFilmError, CryptoError, OSError, peewee.PeeweeException) as error:
            findings.append(Finding(subject, False, str(error)))
    return findings


def _python(_settings: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info[:2] == (3, 11), f"{version}; 3.11 is what is tested")


def _home(settings: Settings) -> Iterator[Finding]:
    home = settings.home_path
    if not home.is_dir():
        yield Finding("home", False, f"{home} does not exist: run `./cloudfilm setup`")
        return
    yield Finding("home", os.access(home, os.W_OK), f"{home} must be writable by this user")
    free = shutil.disk_usage(home).free
    yield Finding("disk", free >= FREE_BYTES, f"{free / 2**30:.0f} GB free at {home}; have at least 20")


def _keys(settings: Settings) -> Iterator[Finding]:
    if settings.crypto_url:
        # Through the server and back: known to it, and it is unsealed.
        keyring = open_keyring(settings)
        keyring.open_blob(keyring.seal_blob(b"", context="preflight"), context="preflight")
        yield Finding("keys", True, f"the key server at {settings.crypto_url} seals and opens for us")
        return
    engines = open_engines(settings)
    provider = engines.sm4
    failed = [f"{one.engine}: {one.reason}" for one in engines.rejected if one.is_failure]
    text = f"SM4 by {provider.name}, SM2 by {engines.sm2.name}; their known answers are right"
    yield Finding("crypto", not failed, "; ".join([text, *failed]))
    vault = open_vault(settings)
    keyring = LocalKeyring(vault, provider, process_drbg(settings).random_bytes)
    # A wrap and an unwrap of nothing: the KEK in use, not only the file.
    keyring.open_blob(keyring.seal_blob(b"", context="preflight"), context="preflight")
    text = (
        f"{settings.vault_path} opens by {settings.system_key_location}; {sum(vault.counts().values())} keys"
    )
    yield Finding("keys", True, text)
    if settings.old_keyring_path.exists():
        text = f"{settings.old_keyring_path} holds keys in clear that the vault has taken over: delete it"
        yield Finding("keys", False, text)


def _database(settings: Settings) -> Iterator[Finding]:
    database = db.connect(settings.database)
    with db.connection():
        pending = migrate.pending(database)
    text = f"migrations to apply: {', '.join(pending)}: run `./cloudfilm setup`" if pending else "up to date"
    yield Finding("database", not pending, text)


def _pages(_settings: Settings) -> Iterator[Finding]:
    from api.application import DIST

    built = (DIST / "film.js").exists()
    yield Finding(
        "pages",
        built,
        f"{DIST} " + ("is built" if built else "is empty: run `./cloudfilm demo` once to build it"),
    )


def _peers(settings: Settings) -> Iterator[Finding]:
    peers = [peer for peer in load_site(settings).peers if peer.send_to]
    if not peers:
        yield Finding("peers", True, "no HIS to tell of payments (CLOUDFILM_HIS_ADDRESS is empty)")
    for peer in peers:
        yield _peer(peer)


def _peer(peer: Peer) -> Finding:
    address = peer.send_to.removeprefix("mllp://")
    if "://" in address:
        return Finding(peer.name, True, "its messages go through middleware, which is not asked here")
    try:
        with socket.create_connection(host_and_port(address), timeout=3):
            return Finding(peer.name, True, f"{address} answers")
    except OSError as error:
        return Finding(peer.name, False, f"{address} does not answer ({error}); messages wait in the outbox")


def _adapters(settings: Settings) -> Iterator[Finding]:
    build_platform(settings)
    yield Finding("adapters", True, f"store {settings.store}, sms {settings.sms_channel}")


def _connectors(settings: Settings) -> Iterator[Finding]:
    connectors = registry.build_all(load_site(settings).connectors)
    yield Finding("connectors", True, ", ".join(one.name for one in connectors) or "none")
