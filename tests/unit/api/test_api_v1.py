"""The JSON API: sessions, exams, and how it fails."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from access import sessions
from api.cookies import SESSION
from tests.unit.api import makers
from tests.unit.api.html import json_of
from workflow import sign_in


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Phones that asked for a code; any code opens."""
    asked: list[str] = []

    def enter(_platform: Any, phone: str, _code: str, _address: str) -> sessions.NewSession:
        return sessions.open_patient_session(phone, "", 12)

    monkeypatch.setattr(sign_in, "request_code", lambda _platform, phone, _address: asked.append(phone))
    monkeypatch.setattr(sign_in, "sign_in", enter)
    return asked


@pytest.mark.requirement("E6", "F6")
def test_code_then_session_then_exams_then_out(browser: FlaskClient, codes: list[str]) -> None:
    assert browser.post("/api/v1/otp", json={"phone": makers.PHONE}).status_code == 204
    assert codes == [makers.PHONE]
    answer = browser.post("/api/v1/session", json={"phone": makers.PHONE, "code": "246810"})
    assert answer.status_code == 201
    assert set(json_of(answer)) == {"token", "csrf_token", "expires_at"}
    assert json_of(browser.get("/api/v1/exams")) == {"exams": []}
    assert browser.delete("/api/v1/session").status_code == 403
    headers = {"X-CSRF-Token": json_of(answer)["csrf_token"]}
    assert browser.delete("/api/v1/session", headers=headers).status_code == 204
    assert browser.get_cookie(SESSION) is None
    bearer = {"Authorization": f"Bearer {json_of(answer)['token']}"}
    assert browser.get("/api/v1/exams", headers=bearer).status_code == 401


@pytest.mark.requirement("E6", "K5")
@pytest.mark.parametrize(
    "body",
    [
        {"phone": "1380013800"},
        {"phone": "13800138000\n"},
        {"phone": "１３８００１３８０００"},
        {"phone": makers.PHONE, "who": "x"},
        {},
        [],
    ],
)
def test_what_is_no_phone_is_refused_without_repeating_it(
    browser: FlaskClient, codes: list[str], body: Any
) -> None:
    answer = browser.post("/api/v1/otp", json=body)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert "json" in json_of(answer)["errors"]
    assert "1380013800" not in answer.get_data(as_text=True)
    assert codes == []


@pytest.mark.requirement("K5")
@pytest.mark.parametrize("path", ["/api/v1/otp", "/api/v1/session"])
def test_forms_and_broken_json_do_not_sign_in(browser: FlaskClient, codes: list[str], path: str) -> None:
    form = {"phone": makers.PHONE, "code": "246810"}
    assert browser.post(path, data=form).status_code == 403
    answer = browser.post(path, data='{"phone":', content_type="application/json")
    assert answer.status_code in {400, 422}
    assert answer.mimetype == "application/problem+json"
    plain = '{"phone": "13800138000", "code": "246810"}'
    assert browser.post(path, data=plain, content_type="text/plain").status_code == 403
    assert codes == []


@pytest.mark.requirement("E3", "E7", "E8", "E9", "E10", "F6")
def test_exams_as_data(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    exam = makers.published()
    listed = json_of(browser.get("/api/v1/exams"))["exams"]
    assert listed == [
        {
            "exam_id": exam.id,
            "accession_number": "CT1",
            "item_name": "胸部CT平扫",
            "modality": "CT",
            "hospital": "演示医院",
            "exam_at": "2026-11-24T01:30:00+00:00",
            "state": "published",
            "amount_fen": None,
            "patient": listed[0]["patient"],
            "thumbnail": None,
        }
    ]
    assert listed[0]["patient"].startswith("张*東 男 ")
    detail = json_of(browser.get(f"/api/v1/exams/{exam.id}"))
    assert detail["report"]["impression"] == "未见异常。"
    assert detail["report"]["document_url"] == f"/exams/{exam.id}/report.pdf"
    assert (detail["has_film"], detail["image_count"]) == (False, 0)


@pytest.mark.requirement("E9", "S3")
def test_exam_that_waits_has_no_report(browser: FlaskClient) -> None:
    makers.sign_in(browser)
    exam = makers.exam()
    makers.fee_line(exam)
    makers.report(exam)
    detail = json_of(browser.get(f"/api/v1/exams/{exam.id}"))
    assert (detail["state"], detail["amount_fen"], detail["report"]) == ("awaiting_payment", 2500, None)
