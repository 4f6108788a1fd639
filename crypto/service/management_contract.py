"""Managing keys and looking at them, by a person's session: administrators change, auditors look (`roles`).

Backup and restore move files and belong to the machine: `./cloudfilm keys backup|restore`.
"""

from typing import Annotated, Literal

from pydantic import Field

from crypto.service.endpoint import Endpoint, Message, Nothing

_PAIRS = 10_000
_PAGE = 1000
Name = Annotated[str, Field(min_length=1, max_length=64)]
Owner = Annotated[str, Field(min_length=1, max_length=128)]
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class CreatePairs(Message):
    """SM2 pairs to make."""

    owner: Owner
    purpose: Literal["sign", "encrypt"]
    count: int = Field(default=1, ge=1, le=_PAIRS)


class CreateKeys(Message):
    """SM4 keys to make under a key-encryption key."""

    owner: Owner
    kek: Name
    count: int = Field(default=1, ge=1, le=_PAIRS)


class KeyIds(Message):
    """Of the new keys, in order."""

    ids: list[str]


class KekName(Message):
    """A key-encryption key by its name."""

    name: Name


class KekVersion(Message):
    """The version that wraps now."""

    version: int


class MinimumVersion(KekName):
    """Versions below open nothing any more."""

    version: int = Field(ge=1, le=0xFFFF)


class Rewrapped(Message):
    """How many keys came under the newest version."""

    count: int


class KeyChange(Message):
    """A key and why."""

    key_id: Name
    reason: Reason


class Destroy(KeyChange):
    """With the id of the approval that another administrator gave."""

    approval: Name


class Export(Message):
    """An encryption pair to hand over, and the SM2 public key (64 bytes) that alone can read it."""

    key_id: Name
    recipient: bytes = Field(min_length=64, max_length=64)
    approval: Name


class Exported(Message):
    """The private half: C1 ‖ C3 ‖ C2."""

    ciphertext: bytes


class AskApproval(Message):
    """What another administrator shall allow, with its very arguments."""

    operation: Name
    arguments: dict[Name, Annotated[str, Field(max_length=256)]]
    reason: Reason


class ApprovalId(Message):
    """A request for a second person."""

    id: Name


class ApprovalRow(Message):
    """Such a request as it is shown."""

    id: str
    operation: str
    arguments: str
    reason: str
    requested_by: str
    approved_by: str
    expires_at: str
    state: str


class Approvals(Message):
    """All of them, the newest last."""

    approvals: list[ApprovalRow]


class KeyId(Message):
    """One key."""

    key_id: Name


class KeyRow(Message):
    """What is known of a key without its secret; `public` is x ‖ y of an SM2 pair."""

    id: str
    kind: str
    owner: str
    purpose: str
    version: int
    state: str
    wrapped_by: str
    wrapped_version: int
    public: bytes
    created_at: str
    activated_at: str
    ended_at: str
    reason: str
    uses: int
    number: int


class ListKeys(Message):
    """A page of keys; `after` is the `number` of the last one seen."""

    owner: Annotated[str, Field(max_length=128)] | None = None
    kind: Literal["sm2", "sm4", "kek"] | None = None
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=_PAGE, ge=1, le=_PAGE)


class Keys(Message):
    """Oldest first."""

    keys: list[KeyRow]


class ListEvents(Message):
    """A page of the record; `after` is the number of the last row seen."""

    after: int = Field(default=0, ge=0)
    limit: int = Field(default=_PAGE, ge=1, le=_PAGE)


class EventRow(Message):
    """One row of the record."""

    seq: int
    at: str
    account: str
    role: str
    operation: str
    subject: str
    items: int
    outcome: str
    detail: str
    row_hash: str


class Events(Message):
    """Oldest first."""

    events: list[EventRow]


def _change(path: str, name: str, summary: str, request: type[Message], answer: type[Message]) -> Endpoint:
    return Endpoint("POST", path, name, summary, request, answer, is_repeatable=False)


CREATE_PAIRS = _change("/v1/keys/pairs", "create_pairs", "New SM2 pairs", CreatePairs, KeyIds)
CREATE_KEYS = _change("/v1/keys/symmetric", "create_keys", "New SM4 keys", CreateKeys, KeyIds)
ACTIVATE = _change("/v1/keys/activate", "activate", "A key may be used from now on", KeyChange, Nothing)
DEACTIVATE = _change("/v1/keys/deactivate", "deactivate", "A key verifies and opens only", KeyChange, Nothing)
COMPROMISE = _change("/v1/keys/compromise", "compromise", "Somebody else may have a key", KeyChange, Nothing)
DESTROY = _change("/v1/keys/destroy", "destroy", "A key is gone for ever (two persons)", Destroy, Nothing)
EXPORT = _change(
    "/v1/keys/export", "export", "A private half, for another's key (two persons)", Export, Exported
)
CREATE_KEK = _change("/v1/keks", "create_kek", "A new key-encryption key", KekName, Nothing)
ROTATE_KEK = _change("/v1/keks/rotate", "rotate_kek", "A new version that wraps", KekName, KekVersion)
MINIMUM = _change(
    "/v1/keks/minimum", "set_minimum_version", "Older versions open nothing", MinimumVersion, Nothing
)
REWRAP = Endpoint(
    "POST", "/v1/keks/rewrap", "rewrap", "Keys come under the newest version", KekName, Rewrapped
)
ASK_APPROVAL = _change("/v1/approvals", "request", "Ask for a second person", AskApproval, ApprovalId)
APPROVE = _change("/v1/approvals/approve", "approve", "Be the second person", ApprovalId, ApprovalRow)
WITHDRAW = _change("/v1/approvals/withdraw", "withdraw", "End a request", ApprovalId, Nothing)
APPROVALS = Endpoint("GET", "/v1/approvals", "approvals", "All requests", Nothing, Approvals)
FIND = Endpoint("POST", "/v1/keys/find", "find", "One key without its secret", KeyId, KeyRow)
LIST = Endpoint("POST", "/v1/keys/list", "records", "Keys without their secrets", ListKeys, Keys)
EVENTS = Endpoint("POST", "/v1/record", "events", "The record of requests (auditor)", ListEvents, Events)

ENDPOINTS = (
    CREATE_PAIRS,
    CREATE_KEYS,
    ACTIVATE,
    DEACTIVATE,
    COMPROMISE,
    DESTROY,
    EXPORT,
    CREATE_KEK,
    ROTATE_KEK,
    MINIMUM,
    REWRAP,
    ASK_APPROVAL,
    APPROVE,
    WITHDRAW,
    APPROVALS,
    FIND,
    LIST,
    EVENTS,
)
