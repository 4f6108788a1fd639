"""How processes of the installation reach its key server (docs/crypto-service.md)."""

from pathlib import Path
from typing import Any, TypeVar

from core.config import Settings
from core.errors import Unavailable
from crypto.errors import AuditUnavailable, ServiceUnavailable, SourceFailed, VaultSealed
from crypto.service.client import PAUSES, CryptoClient
from crypto.service.endpoint import Endpoint, Message
from crypto.service.remote_keyring import RemoteKeyring

Answer = TypeVar("Answer", bound=Message)

# What passes when somebody has unsealed, started or mended the server: the same request will then do.
_NOT_NOW = (ServiceUnavailable, VaultSealed, AuditUnavailable, SourceFailed)


class _PlatformClient(CryptoClient):
    """Says `Unavailable` as the platform's other dependencies do: pages answer 503, work in the outbox waits."""

    def ask(self, endpoint: Endpoint, answer: type[Answer], **body: Any) -> Answer:
        try:
            return super().ask(endpoint, answer, **body)
        except _NOT_NOW as error:
            raise Unavailable(str(error)) from None


def key_client(settings: Settings, *, is_patient: bool = True) -> CryptoClient:
    """A client of the key server of the settings; where none is named, of the socket of this installation."""
    return CryptoClient(**_address(settings), pauses=PAUSES if is_patient else ())


def remote_keyring(settings: Settings) -> RemoteKeyring:
    """The platform's keyring at the key server. Its methods raise `core.errors.Unavailable` besides."""
    return RemoteKeyring(_PlatformClient(**_address(settings)))


def _address(settings: Settings) -> dict[str, Any]:
    trusted = settings.crypto_certificate or settings.crypto_run_path / "crypto-certificate.pem"
    return {
        "address": settings.crypto_url or f"unix:{settings.crypto_socket_path}",
        "token": settings.crypto_token,
        "trusted": Path(trusted),
    }
