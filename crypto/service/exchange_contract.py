"""Key exchange with a stored encryption pair (GB/T 32918.3), in three steps; and RSA keys for the caller.

Each side begins and sends its `public` to the other; each agrees with what came and sends its `code`; the key is given out
when the other's code is right. A run belongs to the caller who began it and ends after a minute.
"""

from typing import Annotated, Literal

from pydantic import Field

from crypto.inputs import InputLimits
from crypto.provider import USER_ID
from crypto.service.endpoint import Endpoint, Message

_LIMITS = InputLimits()
_Point = Annotated[bytes, Field(min_length=64, max_length=64, description="x ‖ y")]
_Identity = Annotated[bytes, Field(max_length=_LIMITS.user_id_bytes)]
_ExchangeId = Annotated[str, Field(min_length=1, max_length=64)]


class BeginExchange(Message):
    """Our pair, the peer as it is known, and which side we are."""

    key_id: str = Field(min_length=1, max_length=64)
    peer_public: _Point
    is_initiator: bool
    user_id: _Identity = USER_ID
    peer_user_id: _Identity = USER_ID


class Begun(Message):
    """`public` goes to the peer."""

    exchange_id: str
    public: bytes


class Agree(Message):
    """What the peer sent, and how long the key is to be."""

    exchange_id: _ExchangeId
    peer_ephemeral: _Point
    length: int = Field(ge=1, le=_LIMITS.derived_bytes)


class Agreed(Message):
    """`code` goes to the peer; the key waits for the peer's."""

    code: bytes


class Confirm(Message):
    """The peer's code."""

    exchange_id: _ExchangeId
    code: bytes = Field(max_length=32)


class ExchangedKey(Message):
    """Both sides have it."""

    key: bytes


class RsaCount(Message):
    """Which size and how many."""

    bits: Literal[1024, 2048]
    count: int = Field(default=1, ge=1, le=_LIMITS.rsa_keys)


class NewRsaKey(Message):
    """PKCS#8 DER, not encrypted. `weak`: 1024 bits, for what cannot do better."""

    bits: int
    weak: bool
    pkcs8: bytes


class NewRsaKeys(Message):
    """As many as were asked for."""

    keys: list[NewRsaKey]


BEGIN = Endpoint("POST", "/v1/exchange/begin", "begin_exchange", "Begin a key exchange", BeginExchange, Begun)
AGREE = Endpoint("POST", "/v1/exchange/agree", "agree", "Come to a key", Agree, Agreed, is_repeatable=False)
CONFIRM = Endpoint(
    "POST", "/v1/exchange/confirm", "confirm", "Get the key", Confirm, ExchangedKey, is_repeatable=False
)
RSA = Endpoint("POST", "/v1/rsa", "generate_rsa", "New RSA keys for the caller", RsaCount, NewRsaKeys)

ENDPOINTS = (BEGIN, AGREE, CONFIRM, RSA)
