"""State, unsealing and persons' sessions: what can be asked while the service is sealed."""

from pydantic import Field

from crypto.service.endpoint import Endpoint, Message, Needs, Nothing

# A share is about a hundred characters; whoever guesses one has all time in the world at this rate.
_SHARES_PER_SECOND = 5.0
# argon2 takes 50 ms of a core.
_SESSIONS_PER_SECOND = 2.0


class Health(Message):
    """That the process answers, and whether it can serve."""

    status: str = Field(description="`ok`, or `sealed`")
    sealed: bool


class EngineRow(Message):
    """One service of an engine: `in use`, `unavailable` or `failed`."""

    service: str
    engine: str
    state: str
    reason: str


class Status(Message):
    """What runs here, and how much waits."""

    sealed: bool
    shares_given: int = Field(description="of the unsealing under way")
    shares_needed: int = Field(description="0 before the first share")
    engines: list[EngineRow]
    keys: dict[str, int] = Field(description="how many keys, by state")
    requests: int = Field(description="under way now")
    version: str


class ShareGiven(Message):
    """One holder's share as it is typed."""

    share: str = Field(max_length=1024)


class Unsealing(Message):
    """How far it is."""

    sealed: bool
    given: int
    needed: int


class LogIn(Message):
    """A person: password and the authenticator's code."""

    account: str = Field(max_length=64)
    password: str = Field(max_length=256)
    code: str = Field(max_length=8)


class LoggedIn(Message):
    """The token goes into `Authorization: Bearer …`; it ends with the service's process."""

    token: str
    role: str
    seconds: int = Field(description="so long it is valid without use")


HEALTH = Endpoint(
    "GET", "/health", "health", "Does it answer, and is it unsealed", Nothing, Health, Needs.NOBODY
)
STATUS = Endpoint("GET", "/status", "status", "Engines, keys, unsealing, load", Nothing, Status, Needs.KNOWN)
UNSEAL = Endpoint(
    "POST",
    "/v1/unseal",
    "unseal",
    "Give one share of the system key",
    ShareGiven,
    Unsealing,
    Needs.KNOWN,
    is_repeatable=False,
    per_second=_SHARES_PER_SECOND,
)
SEAL = Endpoint(
    "POST",
    "/v1/seal",
    "seal",
    "Forget the system key (administrator)",
    Nothing,
    Unsealing,
    is_repeatable=False,
)
LOG_IN = Endpoint(
    "POST",
    "/v1/sessions",
    "log_in",
    "A person's session, by password and code",
    LogIn,
    LoggedIn,
    Needs.NOBODY,
    is_repeatable=False,
    per_second=_SESSIONS_PER_SECOND,
)
LOG_OUT = Endpoint(
    "POST", "/v1/sessions/end", "log_out", "End the session of the token", Nothing, Nothing, Needs.KNOWN
)

ENDPOINTS = (HEALTH, STATUS, UNSEAL, SEAL, LOG_IN, LOG_OUT)
