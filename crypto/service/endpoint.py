"""What the service can be asked: one entry for each, read by the server, by the client and by the OpenAPI page."""

from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A body. Bytes are base64 (RFC 4648; both alphabets are read, §5 is written). Unknown fields are refused."""

    model_config = ConfigDict(
        ser_json_bytes="base64",
        val_json_bytes="base64",
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
    )


class Nothing(Message):
    """A body without content."""


class Needs(Enum):
    """Whom an endpoint answers, and when."""

    NOBODY = "anybody who reaches the socket"
    KNOWN = "a known caller, sealed or not"
    UNSEALED = "a known caller; 503 while the service is sealed"


@dataclass(frozen=True)
class Endpoint:
    """`is_repeatable`: asking again after a broken connection does no harm. `per_second`: of all callers together."""

    method: str
    path: str
    name: str
    summary: str
    request: type[Message]
    answer: type[Message]
    needs: Needs = Needs.UNSEALED
    is_repeatable: bool = True
    per_second: float | None = None
