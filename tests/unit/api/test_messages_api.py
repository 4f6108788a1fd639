"""Messages over REST: commands as JSON and HL7 v2 as it is, signed, into the inbox; the judge of signatures is a fake."""

import json
from types import SimpleNamespace
from typing import Any

import peewee
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from api import body_limit, guards
from api.v1 import intake
from core.errors import NotAllowed
from core.models import InboundMessage
from hl7_engine.framing import wrap
from hl7_engine.json_shape import ACTIONS
from tests.unit.api.html import json_of
from tests.unit.api.test_soap import ER7

pytestmark = pytest.mark.requirement("P2", "F6")

CANCEL = {
    "action": "CancelOrder",
    "id": "J1",
    "data": {"accession_number": "", "placer_order_number": "SQ1", "said_at": "2026-11-24T10:00:00+08:00"},
}


@pytest.fixture(autouse=True)
def signed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that the judge of signatures was shown."""
    shown: list[bytes] = []

    def verify(_keys: Any, _method: str, _target: str, headers: Any, body: bytes) -> Any:
        shown.append(body)
        if headers.get("X-CF-Signature") != "good":
            raise NotAllowed("the signature does not match")
        return SimpleNamespace(key_id="his-1")

    monkeypatch.setattr(guards.signed_requests, "verify", verify)
    return shown


def post(browser: FlaskClient, body: bytes, kind: str = "application/json") -> TestResponse:
    return browser.post("/api/v1/messages", data=body, content_type=kind, headers={"X-CF-Signature": "good"})


def test_a_command_is_taken_once(browser: FlaskClient, signed: list[bytes]) -> None:
    body = json.dumps(CANCEL).encode()
    answers = [post(browser, body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    row = InboundMessage.get()
    assert [json_of(answer) for answer in answers] == [
        {"id": row.id, "state": "stored"},
        {"id": row.id, "state": "known"},
    ]
    assert (row.channel, row.format, row.peer, row.control_id, row.message_type, row.state) == (
        "rest",
        "json",
        "his-1",
        "J1",
        "CancelOrder",
        "received",
    )
    assert row.body == body
    assert signed == [body, body]


def test_a_list_is_one_message(browser: FlaskClient) -> None:
    assert post(browser, json.dumps([CANCEL, CANCEL]).encode()).status_code == 202
    assert InboundMessage.select().count() == 1


@pytest.mark.parametrize(
    "kind", ["application/hl7-v2", "text/plain; charset=gbk", "x-application/hl7-v2+er7"]
)
def test_an_hl7_v2_message_is_taken_as_it_is(browser: FlaskClient, kind: str) -> None:
    content = ER7.encode("gb18030")
    assert post(browser, content, kind).status_code == 202
    row = InboundMessage.get()
    assert (row.channel, row.format, row.peer, row.control_id, row.message_type, row.body) == (
        "rest",
        "er7",
        "HIS|SZSRMYY",
        "M1",
        "ADT^A04",
        content,
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [(ER7.encode(), "application/hl7-v2"), (json.dumps(CANCEL).encode(), "application/json")],
)
def test_the_block_of_mllp_around_a_message_is_taken_off(
    browser: FlaskClient, content: bytes, kind: str
) -> None:
    assert post(browser, wrap(content), kind).status_code == 202
    row = InboundMessage.get()
    assert (row.state, row.body) == ("received", content)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"said_at": "2026-11-24T10:00:00"}, "data.said_at"),
        ({"placer_order_number": 7}, "data.placer_order_number"),
        ({"patient_name": "张珅東"}, "data.patient_name"),
    ],
)
def test_a_mistake_is_told_at_once_by_its_field(
    browser: FlaskClient, changes: dict[str, Any], field: str
) -> None:
    body = json.dumps({**CANCEL, "data": {**CANCEL["data"], **changes}}).encode()  # type: ignore[dict-item]
    answer = post(browser, body)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert field in json_of(answer)["detail"]
    assert "张" not in answer.get_data(as_text=True)
    assert InboundMessage.select().count() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"action": "ReceiveInstance", "data": {}}'])
def test_what_is_no_command_is_refused(browser: FlaskClient, body: bytes) -> None:
    assert post(browser, body).status_code == 422
    assert InboundMessage.select().count() == 0


def test_what_is_no_hl7_is_refused_and_kept_for_operators(browser: FlaskClient) -> None:
    answer = post(browser, b"PID|1", "text/plain")
    assert answer.status_code == 422
    assert "MSH" in json_of(answer)["detail"]
    assert InboundMessage.get().state == "refused"


@pytest.mark.parametrize("kind", ["application/xml", "multipart/form-data", ""])
def test_other_content_is_not_taken(browser: FlaskClient, kind: str) -> None:
    assert post(browser, b"<a/>", kind).status_code == 415
    assert InboundMessage.select().count() == 0


def test_size_is_limited(browser: FlaskClient) -> None:
    large = ER7 + "NTE|1||" + "x" * (2 * body_limit.USUAL_BYTES)
    assert post(browser, large.encode(), "text/plain").status_code == 202
    assert post(browser, b"x" * (body_limit.MESSAGE_BYTES + 1), "text/plain").status_code == 413


def test_what_cannot_be_stored_is_not_accepted(browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def accept(*_: Any) -> None:
        raise peewee.OperationalError("database is locked")

    monkeypatch.setattr(intake.inbox, "accept", accept)
    answer = post(browser, json.dumps(CANCEL).encode())
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


@pytest.mark.requirement("K5")
def test_without_signature_nothing_is_taken(browser: FlaskClient) -> None:
    assert browser.post("/api/v1/messages", json=CANCEL).status_code == 403
    assert InboundMessage.select().count() == 0


def test_the_document_describes_every_command(app: APIFlask) -> None:
    document: Any = app.spec
    schemas = document["components"]["schemas"]
    assert set(ACTIONS) <= set(schemas)
    body = document["paths"]["/api/v1/messages"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "application/hl7-v2"}
    told = json.loads(json.dumps(schemas).replace("#/components/schemas/", "#/$defs/"))
    validator = Draft202012Validator({"$ref": "#/$defs/Message", "$defs": told})
    validator.validate(CANCEL)
    validator.validate([CANCEL])
    assert not validator.is_valid({**CANCEL, "data": {}})
