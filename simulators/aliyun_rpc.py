"""The door of Aliyun's RPC services: checks key, signature, time and nonce (signature version 1.0).

Source: Aliyun RPC API reference, signature method V2. The wording of SignatureDoesNotMatch is the service's
own, since client libraries read the text behind the colon.
"""

import base64
import hmac
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

LONGEST_AGE_SECONDS = 900


class RpcError(Exception):
    """A refusal by the door: HTTP status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class RpcDoor:
    """Lets signed requests of known keys through, each nonce once."""

    def __init__(self, secrets_by_id: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self._secrets = dict(secrets_by_id)
        self._clock = clock
        self._lock = threading.Lock()
        self._nonces: dict[str, float] = {}

    def remember(self, nonces: Iterable[str]) -> None:
        """Count these nonces as used now: those of messages that were accepted before a restart."""
        with self._lock:
            self._nonces.update(dict.fromkeys(nonces, self._clock()))

    def check(self, method: str, parameters: Mapping[str, str]) -> None:
        """Raises `RpcError` unless `parameters` (query and form together) are signed, fresh and new."""
        signed = dict(parameters)
        provided = signed.pop("Signature", "")
        for name in ("AccessKeyId", "Action", "Version", "SignatureNonce", "Timestamp"):
            if not signed.get(name):
                raise RpcError(400, f"Missing{name}", f"{name} is mandatory for this action.")
        if signed.get("Format") != "JSON":
            raise RpcError(400, "UnsupportedFormat", "This gateway answers in JSON only: set Format=JSON.")
        secret = self._secrets.get(signed["AccessKeyId"])
        if secret is None:
            raise RpcError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        if (signed.get("SignatureMethod"), signed.get("SignatureVersion")) != ("HMAC-SHA1", "1.0"):
            raise RpcError(
                400, "InvalidParameter.SignatureMethod", "Use HMAC-SHA1 with signature version 1.0."
            )
        text = string_to_sign(method, signed)
        expected = base64.b64encode(hmac.digest(f"{secret}&".encode(), text.encode(), "sha1")).decode()
        if not hmac.compare_digest(expected.encode(), provided.encode()):
            raise RpcError(
                400,
                "SignatureDoesNotMatch",
                f"Specified signature is not matched with our calculation. server string to sign is:{text}",
            )
        self._check_time(signed["Timestamp"])
        self._take_nonce(signed["SignatureNonce"])

    def _check_time(self, timestamp: str) -> None:
        try:
            moment = datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise RpcError(
                400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."
            ) from None
        if abs(self._clock() - moment) > LONGEST_AGE_SECONDS:
            raise RpcError(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")

    def _take_nonce(self, nonce: str) -> None:
        with self._lock:
            # A request may be dated 15 minutes ahead, so its nonce must be remembered for twice as long.
            oldest = self._clock() - 2 * LONGEST_AGE_SECONDS
            self._nonces = {known: at for known, at in self._nonces.items() if at >= oldest}
            if nonce in self._nonces:
                raise RpcError(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
            self._nonces[nonce] = self._clock()


def string_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """What the signature covers: the method, and all parameters but the signature, sorted by name."""
    pairs = sorted(parameters.items())
    query = "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
    return f"{method}&%2F&{quote(query, safe='~')}"
