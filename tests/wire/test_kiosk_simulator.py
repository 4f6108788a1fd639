"""The kiosk speaks the signed interface to the letter; a server that knows only the document checks it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from flask import Flask, Response, request

from crypto.sm3 import hmac_sm3, sm3
from simulators.kiosk import Kiosk, KioskRefused
from simulators.loopback import LoopbackServer

pytestmark = pytest.mark.requirement("P6", "S3")

SECRET = "5a" * 32


class Till:
    """The other side: checks every signature and remembers what came."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.answer: tuple[dict[str, Any], int] = ({"charges": []}, 200)
        app = Flask("till")
        app.add_url_rule("/<path:path>", view_func=self._serve, methods=["GET", "POST"])
        self.server = LoopbackServer(app)

    def _serve(self, path: str) -> Response:
        target = request.full_path.rstrip("?")
        key = request.headers.get("Idempotency-Key", "")
        head = request.headers
        body = request.get_data()
        lines = [request.method, target, head["X-CF-Timestamp"], head["X-CF-Nonce"], sm3(body).hex(), key]
        expected = hmac_sm3(bytes.fromhex(SECRET), "\n".join(lines).encode()).hex()
        if head["X-CF-Signature"] != expected:
            return Response("the signature is wrong", 403)
        self.seen.append({"target": target, "key": key, "head": dict(head), "body": body})
        return Response(json.dumps(self.answer[0]), self.answer[1], content_type="application/json")


@pytest.fixture
def till() -> Iterator[Till]:
    till = Till()
    with till.server:
        yield till


@pytest.fixture
def kiosk(till: Till) -> Iterator[Kiosk]:
    with Kiosk(till.server.url + "/", "kiosk-1", SECRET) as kiosk:
        yield kiosk


def test_question_is_signed_with_its_query(till: Till, kiosk: Kiosk) -> None:
    till.answer = ({"charges": [{"fee_line_id": "F1"}]}, 200)
    assert kiosk.find("SQ 1&2/三") == [{"fee_line_id": "F1"}]
    assert till.seen[0]["target"] == "/api/v1/charges?placer_order_number=SQ+1%262%2F%E4%B8%89"
    kiosk.find(accession_number="CT1", fee_line_id="F1")
    assert till.seen[1]["target"] == "/api/v1/charges?accession_number=CT1&fee_line_id=F1"


def test_payment_is_signed_with_its_key_and_body(till: Till, kiosk: Kiosk) -> None:
    till.answer = ({"state": "accepted", "fee_line_id": "F1", "reason": ""}, 200)
    noon = datetime(2026, 11, 24, 4, tzinfo=UTC)
    assert kiosk.settle("F1", 2000, "k-1", paid_at=noon)["state"] == "accepted"
    seen = till.seen[0]
    assert (seen["target"], seen["key"]) == ("/api/v1/settlements", "k-1")
    assert json.loads(seen["body"]) == {
        "fee_line_id": "F1",
        "amount_fen": 2000,
        "paid_at": "2026-11-24T04:00:00+00:00",
        "channel": "kiosk",
        "external_number": "k-1",
    }


def test_no_two_requests_share_a_nonce(till: Till, kiosk: Kiosk) -> None:
    for _ in range(3):
        kiosk.find("SQ1")
    assert len({seen["head"]["X-Cf-Nonce"] for seen in till.seen}) == 3


def test_refusal_is_an_error_with_its_status(till: Till) -> None:
    with Kiosk(till.server.url, "kiosk-1", "00" * 32) as stranger, pytest.raises(KioskRefused) as refused:
        stranger.settle("F1", 2000, "k-1")
    assert (refused.value.status, till.seen) == (403, [])
    till.answer = ({"error": "used for another payment"}, 409)
    with Kiosk(till.server.url, "kiosk-1", SECRET) as kiosk, pytest.raises(KioskRefused, match="HTTP 409"):
        kiosk.settle("F1", 2000, "k-1")


def test_server_that_is_away_is_the_callers_to_repeat(till: Till) -> None:
    url = till.server.url
    till.server.stop()
    with Kiosk(url, "kiosk-1", SECRET) as kiosk, pytest.raises(requests.ConnectionError):
        kiosk.find("SQ1")
