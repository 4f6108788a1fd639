"""Machines sign requests (decision 12): HMAC-SM3 over what they ask, when, and under which idempotency key.

The interface document for makers of kiosks is docs/kiosk.md. A repeated request within the time window is
harmless: a GET changes nothing, a POST settles once per idempotency key, which the signature covers.
"""

import hmac as constant_time
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.clock import now
from core.errors import Misconfigured, NotAllowed
from crypto.sm3 import hmac_sm3, sm3

SKEW_SECONDS = 300
_NONCE = re.compile(r"[0-9A-Za-z_-]{16,64}")


@dataclass(frozen=True)
class MachineKey:
    """One machine: its id, signing secret and the name that operators know it by."""

    key_id: str
    secret: bytes = field(repr=False)
    name: str


def load_keys(path: str | Path) -> dict[str, MachineKey]:
    """Read `{id: {"secret": hex, "name": text}}`. Raises `Misconfigured` naming the file."""
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        return {
            key_id: MachineKey(key_id, bytes.fromhex(item["secret"]), str(item["name"]))
            for key_id, item in told.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(
            f"machine keys {path}: {type(error).__name__}; see docs/kiosk.md for the form"
        ) from error


def sign(key: MachineKey, method: str, target: str, headers: Mapping[str, str], body: bytes) -> str:
    """The signature, hex. `target` is path and query as in the request line."""
    lines = [
        method,
        target,
        headers.get("X-CF-Timestamp", ""),
        headers.get("X-CF-Nonce", ""),
        sm3(body).hex(),
        headers.get("Idempotency-Key", ""),
    ]
    return hmac_sm3(key.secret, "\n".join(lines).encode()).hex()


def verify(
    keys: Mapping[str, MachineKey], method: str, target: str, headers: Mapping[str, str], body: bytes
) -> MachineKey:
    """The key that signed. Raises `NotAllowed` saying which part is wrong, never what would be right."""
    key = keys.get(headers.get("X-CF-Key", ""))
    if key is None:
        raise NotAllowed("X-CF-Key is not known here")
    timestamp = headers.get("X-CF-Timestamp", "")
    if not re.fullmatch(r"\d{1,12}", timestamp) or abs(int(timestamp) - now().timestamp()) > SKEW_SECONDS:
        raise NotAllowed(
            f"X-CF-Timestamp is more than {SKEW_SECONDS} s from our clock: set the machine's clock"
        )
    if not _NONCE.fullmatch(headers.get("X-CF-Nonce", "")):
        raise NotAllowed("X-CF-Nonce must be 16 to 64 letters, digits, - or _")
    given = headers.get("X-CF-Signature", "")
    if not constant_time.compare_digest(given.encode(), sign(key, method, target, headers, body).encode()):
        raise NotAllowed("X-CF-Signature does not fit the request")
    return key
