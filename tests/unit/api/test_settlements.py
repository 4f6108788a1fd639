"""What a kiosk asks and tells; the judge of signatures is a fake that knows one key."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import guards
from core.errors import NotAllowed
from core.models import Charge, Settlement
from tests.unit.api import makers
from tests.unit.api.html import json_of

pytestmark = pytest.mark.requirement("P6", "S3")

GOOD = {"X-CF-Signature": "good", "Idempotency-Key": "k-1"}
PAID = {
    "amount_fen": 2500,
    "paid_at": "2026-11-24T09:30:00+08:00",
    "channel": "kiosk",
    "fee_line_id": "FY-CT1",
}


@pytest.fixture(autouse=True)
def signed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bytes]]:
    """What the judge of signatures was shown: method, target, body."""
    shown: list[tuple[str, str, bytes]] = []

    def verify(_keys: Any, method: str, target: str, headers: Any, body: bytes) -> Any:
        shown.append((method, target, body))
        if headers.get("X-CF-Signature") != "good":
            raise NotAllowed("the signature does not match")
        return SimpleNamespace(key_id="kiosk-1")

    monkeypatch.setattr(guards.signed_requests, "verify", verify)
    return shown


def test_what_is_owed_is_told_with_a_masked_name(browser: FlaskClient) -> None:
    makers.fee_line(makers.exam(placer_order_number="SQ1"))
    answer = browser.get("/api/v1/charges?placer_order_number=SQ1", headers=GOOD)
    assert answer.status_code == 200
    (charge,) = json_of(answer)["charges"]
    assert (charge["fee_line_id"], charge["amount_fen"], charge["state"]) == ("FY-CT1", 2500, "unpaid")
    assert charge["patient_name"] == "张*東"


def test_query_is_part_of_what_is_signed(browser: FlaskClient, signed: list[tuple[str, str, bytes]]) -> None:
    browser.get("/api/v1/charges?placer_order_number=S%2FQ+1", headers=GOOD)
    assert signed == [("GET", "/api/v1/charges?placer_order_number=S%2FQ+1", b"")]


def test_without_any_number_nothing_is_told(browser: FlaskClient) -> None:
    assert browser.get("/api/v1/charges", headers=GOOD).status_code == 422


def test_payment_is_accepted_once_and_repeated_with_its_verdict(browser: FlaskClient) -> None:
    makers.fee_line(makers.exam())
    verdicts = [browser.post("/api/v1/settlements", json=PAID, headers=GOOD) for _ in range(2)]
    assert [one.status_code for one in verdicts] == [200, 200]
    assert json_of(verdicts[0]) == {"state": "accepted", "fee_line_id": "FY-CT1", "reason": ""}
    assert json_of(verdicts[1])["state"] == "already"
    assert Charge.get().state == "paid"
    (row,) = Settlement.select()
    assert (row.source, row.key, row.amount_fen) == ("kiosk-1", "k-1", 2500)


def test_same_key_for_another_payment_is_a_conflict(browser: FlaskClient) -> None:
    makers.fee_line(makers.exam())
    browser.post("/api/v1/settlements", json=PAID, headers=GOOD)
    answer = browser.post("/api/v1/settlements", json={**PAID, "amount_fen": 2400}, headers=GOOD)
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_fen": 0},
        {"amount_fen": 25.5},
        {"amount_fen": "2500"},
        {"paid_at": "2026-11-24T09:30:00"},
        {"paid_at": "yesterday"},
        {"fee_line_id": ""},
        {"channel": "x" * 17},
        {"note": "unknown field"},
    ],
)
def test_senseless_payments_leave_no_row(browser: FlaskClient, changes: dict[str, Any]) -> None:
    assert browser.post("/api/v1/settlements", json={**PAID, **changes}, headers=GOOD).status_code == 422
    assert Settlement.select().count() == 0


@pytest.mark.parametrize(
    "headers",
    [{"X-CF-Signature": "good"}, {"X-CF-Signature": "good", "Idempotency-Key": "x" * 65}],
)
def test_payment_needs_its_key(browser: FlaskClient, headers: dict[str, str]) -> None:
    assert browser.post("/api/v1/settlements", json=PAID, headers=headers).status_code == 422
    assert Settlement.select().count() == 0


@pytest.mark.requirement("K5")
def test_without_signature_nothing_is_read_or_written(browser: FlaskClient) -> None:
    makers.sign_in_staff(browser)
    assert browser.get("/api/v1/charges?placer_order_number=SQ1").status_code == 403
    answer = browser.post("/api/v1/settlements", json=PAID, headers={"Idempotency-Key": "k-1"})
    assert answer.status_code == 403
    assert Settlement.select().count() == 0
