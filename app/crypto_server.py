"""The key server's process (docs/crypto-service.md)."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from app.engines import open_engines
from app.randomness import process_drbg
from app.system_key import unseal_alone
from core import clock, logs
from core.config import Settings, host_and_port
from core.errors import Misconfigured
from crypto.errors import CryptoError
from crypto.local_keyring import LocalKeyring
from crypto.provider import RandomBytes
from crypto.rsa_keys import RsaKeyGenerator
from crypto.selection import Engines
from crypto.service import machines, tls
from crypto.service.key_service import KeyService
from crypto.service.limits import ServiceLimits
from crypto.service.server import Listener, keep_memory_private, loopback_listener, serve, unix_listener
from crypto.vault.identity import is_vault
from crypto.vault.vault import KeyVault

_log = logs.get_logger("crypto")


def run_key_server(settings: Settings, told: Callable[[str], None]) -> None:
    """Answer until SIGTERM. `told` gets a line when it listens. Raises `Misconfigured`, `CryptoError` saying what to do."""
    limits = ServiceLimits()
    with ExitStack() as stack:
        # First the lock on the socket: a second server must not so much as open the vault.
        socket = settings.crypto_socket_path
        listeners = [stack.enter_context(unix_listener(socket, settings.crypto_socket_group))]
        service = _service(settings, limits)
        stack.callback(service.close)
        places = [f"unix:{socket}"]
        if settings.crypto_bind:
            listeners.append(stack.enter_context(_loopback(settings)))
            places.append(f"https://{settings.crypto_bind}")
        state = "sealed" if service.is_sealed else "unsealed"
        serve(service.asgi, listeners, limits, lambda: told(f"key server at {', '.join(places)}: {state}"))


def _service(settings: Settings, limits: ServiceLimits) -> KeyService:
    if not is_vault(settings.vault_path):
        raise Misconfigured(f"no keys at {settings.vault_path}: run `./cloudfilm setup` once")
    engines, random = open_engines(settings), process_drbg(settings).random_bytes
    keep_memory_private()
    vault = KeyVault.open(settings.vault_path, engines, clock.now, random)
    _unseal(settings, vault)
    peers = Path(settings.crypto_peers) if settings.crypto_peers else None
    known = machines.load(peers, os.getuid())
    service = KeyService(
        vault,
        LocalKeyring(vault, engines.sm4, random),
        engines,
        known,
        random,
        _rsa(engines, random),
        limits,
        clock.now,
        time.monotonic,
    )
    if peers is None:
        service.add_machine_once(machines.PLATFORM)
    return service


def _unseal(settings: Settings, vault: KeyVault) -> None:
    """As the settings say; what is wrong is told, and people may come with their shares."""
    try:
        unseal_alone(settings, vault)
    except CryptoError as error:
        _log.critical("stays_sealed", why=str(error))


def _rsa(engines: Engines, random: RandomBytes) -> RsaKeyGenerator:
    """With the lanes of the engine that has some for it."""
    return RsaKeyGenerator(random, getattr(engines.sm2, "fermat", None))


def _loopback(settings: Settings) -> AbstractContextManager[Listener]:
    host, port = host_and_port(settings.crypto_bind)
    certificate, key = tls.certificate_in(settings.crypto_run_path, clock.now)
    authorities = Path(settings.crypto_client_ca) if settings.crypto_client_ca else None
    return loopback_listener(host, port, tls.server_context(certificate, key, authorities))
