"""The pages in a real Chromium, on a phone and on a desk: they work without script, within their own policy.

The codes by SMS are a fake; rows, sessions, rights and pages are real.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from access import sessions
from access import staff as staff_accounts
from api.application import DIST, create_app
from core import db
from core.config import Settings
from crypto.keyring import Keyring
from tests.browser.pages import DESK, IS_TOO_WIDE, PHONE, SMALL_TARGETS, complaints_of, new_page, served
from tests.unit.api import makers
from workflow import sign_in


@dataclass
class Site:
    """The running pages, with one patient's exams."""

    url: str
    exam_id: int
    patient: str
    doctor: str


@pytest.fixture
def site(
    settings: Settings,
    keyring: Keyring,
    empty_sqlite: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    if not (DIST / "pages.css").exists():
        pytest.skip("the pages are not built: run ./cloudfilm test once, or npm run build in web/")

    def enter(_platform: Any, phone: str, _code: str, _address: str) -> sessions.NewSession:
        return sessions.open_patient_session(phone, "", 1)

    monkeypatch.setattr(sign_in, "request_code", lambda *_: None)
    monkeypatch.setattr(sign_in, "sign_in", enter)
    shutil.copyfile(empty_sqlite, tmp_path / "pages.db")
    db.connect(f"sqlite:///{tmp_path / 'pages.db'}")
    with db.connection():
        exam = makers.published("CT1")
        makers.fee_line(makers.exam("US1", item_name="上腹部彩色多普勒超声检查（含肝胆胰脾双肾）"))
        patient = sessions.open_patient_session(makers.PHONE, "", 1).token
        person = staff_accounts.create_staff("d001", "医生甲", "doctor", "correct horse battery")
        doctor = sessions.open_staff_session(person, 1).token
    app = create_app(makers.platform(settings, keyring))
    with served(app) as url:
        yield Site(url, exam.id, patient, doctor)


@pytest.mark.requirement("E6", "E3", "E10", "K1")
def test_patient_signs_in_and_reads_without_script(chromium: Browser, site: Site) -> None:
    page = new_page(chromium, site.url, script=False)
    page.goto(f"{site.url}/exams/{site.exam_id}")
    page.fill("[name=phone]", makers.PHONE)
    page.click("text=获取验证码")
    page.fill("[name=code]", "246810")
    page.click("button:text('登录')")
    page.wait_for_url(f"**/exams/{site.exam_id}")
    assert "双肺纹理清晰。" in page.inner_text("article")
    page.click("text=返回")
    assert page.locator(".cf-exam").count() == 2
    page.click("text=我的 >> nth=0")
    page.click("text=退出登录")
    page.wait_for_url("**/login?left=1")
    page.context.close()


@pytest.mark.requirement("P5", "F9")
@pytest.mark.parametrize("script", [True, False])
def test_doctor_searches_with_and_without_script(chromium: Browser, site: Site, script: bool) -> None:
    page = new_page(chromium, site.url, site.doctor, DESK, script)
    page.goto(f"{site.url}/staff/exams")
    assert page.locator("tbody tr").count() == 2
    page.fill("[name=q]", "CT1")
    with page.expect_response("**/staff/exams") as answer:
        page.click("text=查找")
    assert ("hx-request" in answer.value.request.headers) is script
    page.wait_for_selector("tbody tr:only-child")
    assert "CT1" in page.inner_text("tbody")
    page.context.close()


@pytest.mark.requirement("K1", "K5", "P5")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_fit_keep_their_policy_and_suit_thumbs(
    chromium: Browser, site: Site, size: dict[str, int], theme: Any, tmp_path: Path
) -> None:
    visits = [
        ("", "/login"),
        ("", "/staff/login"),
        (site.patient, "/exams"),
        (site.patient, f"/exams/{site.exam_id}"),
        (site.patient, f"/exams/{site.exam_id + 1}"),
        (site.patient, "/account"),
        (site.doctor, "/staff/exams"),
        (site.doctor, f"/exams/{site.exam_id}"),
    ]
    for token, path in visits:
        page = new_page(chromium, site.url, token, size)
        page.emulate_media(color_scheme=theme)
        complaints = complaints_of(page)
        page.goto(site.url + path, wait_until="networkidle")
        page.screenshot(path=tmp_path / f"{path.replace('/', '_')}.png")
        assert complaints == [], path
        assert page.evaluate(SMALL_TARGETS) == [], path
        assert not page.evaluate(IS_TOO_WIDE), path
        page.context.close()
