"""A kiosk or cashier's till of another maker: asks what is owed and tells that it was collected (P6▲, S3).

It signs by the interface document alone (HMAC-SM3, GB/T 15852.2 with GB/T 32905) and shares no signing code
with the server, so that it fails when the server strays from the document. Requests go to loopback or
wherever `base_url` says; errors and time-outs are the caller's to repeat: the same key never settles twice.
"""

import json
import secrets
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import requests
from cryptography.hazmat.primitives import hashes, hmac

from core.clock import now

TIMEOUT_SECONDS = 15


class KioskRefused(Exception):
    """The server answered with an error: `status` and its text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status}: {text[:300]}")
        self.status = status


class Kiosk:
    """One machine with its key. `secret` is hex, as `./cloudfilm setup` gives it out."""

    def __init__(self, base_url: str, key_id: str, secret: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._key_id = key_id
        self._secret = bytes.fromhex(secret)
        self._session = requests.Session()
        self._session.trust_env = False  # A proxy of this machine has no business in the hospital's network.

    def find(
        self, placer_order_number: str = "", *, accession_number: str = "", fee_line_id: str = ""
    ) -> list[dict[str, Any]]:
        """The fee lines of an order, exam or line as the server tells them. Raises `KioskRefused`."""
        numbers = {
            "placer_order_number": placer_order_number,
            "accession_number": accession_number,
            "fee_line_id": fee_line_id,
        }
        query = urlencode({name: value for name, value in numbers.items() if value})
        answer = self._send("GET", f"/api/v1/charges?{query}")
        charges: list[dict[str, Any]] = answer["charges"]
        return charges

    def settle(
        self,
        fee_line_id: str,
        amount_fen: int,
        key: str,
        *,
        paid_at: datetime | None = None,
        channel: str = "kiosk",
        external_number: str | None = None,
    ) -> dict[str, Any]:
        """Tell that `amount_fen` was collected for the line; `key` names this payment for ever.

        Returns the verdict {state, fee_line_id, reason}. Raises `KioskRefused`, or requests' errors when no
        answer came.
        """
        body = {
            "fee_line_id": fee_line_id,
            "amount_fen": amount_fen,
            "paid_at": (paid_at or now()).isoformat(),
            "channel": channel,
            "external_number": key if external_number is None else external_number,
        }
        return self._send("POST", "/api/v1/settlements", json.dumps(body).encode(), key)

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, method: str, target: str, body: bytes = b"", idempotency_key: str = "") -> dict[str, Any]:
        url = self._base_url + target
        headers = self._signature(method, target_of(url), body, idempotency_key)
        if body:
            headers["Content-Type"] = "application/json"
        answer = self._session.request(
            method, url, data=body or None, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        if answer.status_code != 200:
            raise KioskRefused(answer.status_code, answer.text)
        told: dict[str, Any] = answer.json()
        return told

    def _signature(self, method: str, target: str, body: bytes, idempotency_key: str) -> dict[str, str]:
        timestamp = str(int(now().timestamp()))
        nonce = secrets.token_hex(16)
        lines = [method, target, timestamp, nonce, _sm3(body).hex(), idempotency_key]
        mac = hmac.HMAC(self._secret, hashes.SM3())
        mac.update("\n".join(lines).encode())
        headers = {
            "X-CF-Key": self._key_id,
            "X-CF-Timestamp": timestamp,
            "X-CF-Nonce": nonce,
            "X-CF-Signature": mac.finalize().hex(),
        }
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return headers


def target_of(url: str) -> str:
    """Path and query as they stand in the request line: what the signature covers."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()
