"""The operators' pages in a real Chromium: searching, replaying, correcting, with and without script."""

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
from core import clock, db
from core.config import Settings
from core.models import InboundMessage
from crypto.keyring import Keyring
from tests.browser import day_of_messages
from tests.browser.pages import DESK, IS_TOO_WIDE, PHONE, SMALL_TARGETS, complaints_of, new_page, served
from tests.unit.api import makers

pytestmark = pytest.mark.requirement("S3", "S5", "K5")


@dataclass
class Site:
    """The running pages after a day of messages."""

    url: str
    operator: str
    parked: int
    refused: int
    report: int


@pytest.fixture
def site(settings: Settings, keyring: Keyring, empty_sqlite: Path, tmp_path: Path) -> Iterator[Site]:
    if not (DIST / "staff.css").exists():
        pytest.skip("the pages are not built: run ./cloudfilm test once, or npm run build in web/")
    shutil.copyfile(empty_sqlite, tmp_path / "pages.db")
    db.connect(f"sqlite:///{tmp_path / 'pages.db'}")
    with db.connection():
        day_of_messages.fill(settings, clock.now())
        person = staff_accounts.create_staff("y001", "运维小陈", "operator", "correct horse battery")
        operator = sessions.open_staff_session(person, 1).token
        found = {
            (row.state, row.message_type): row.id
            for row in InboundMessage.select(
                InboundMessage.id, InboundMessage.state, InboundMessage.message_type
            )
        }
    app = create_app(makers.platform(settings, keyring, site=day_of_messages.SITE))
    with served(app) as url:
        yield Site(
            url,
            operator,
            found["parked", "ORU^R01"],
            found["refused", "ADT^A04"],
            found["handled", "ORU^R01"],
        )


@pytest.mark.parametrize("script", [True, False])
def test_operator_finds_a_parked_message_and_replays_it(chromium: Browser, site: Site, script: bool) -> None:
    page = new_page(chromium, site.url, site.operator, PHONE, script)
    page.goto(f"{site.url}/staff/messages")
    with page.expect_response("**/staff/messages"):
        page.select_option("[name=state]", "problem")
        if not script:
            page.click("text=查找")
    page.wait_for_selector("tbody tr >> text=报告时间")
    assert page.locator("tbody tr").count() == 5
    page.click("tbody tr:has-text('报告时间') >> text=打开")
    assert "时间无法识别" in page.inner_text("main")
    page.fill("[name=reason]", "方言已补上中文时间")
    page.click("button:text('重放')")
    page.wait_for_selector("text=已放回队列")
    assert "方言已补上中文时间" in page.inner_text(".cf-history")
    page.context.close()


def test_operator_corrects_a_field_and_the_copy_names_the_first(chromium: Browser, site: Site) -> None:
    page = new_page(chromium, site.url, site.operator, DESK)
    page.goto(f"{site.url}/staff/messages/{site.parked}/edit")
    page.fill("[name='field:OBR-22']", "20261124101500")
    page.fill("[name=reason]", "与 RIS 核实")
    page.click("text=作为新消息重发")
    page.wait_for_selector("text=已作为新消息收下")
    assert "20261124101500" in page.inner_text("main")
    page.click(f"text=消息 {site.parked}")
    page.wait_for_url(f"**/{site.parked}")
    assert "昨天下午" in page.inner_text("main")
    page.context.close()


def test_search_keeps_names_out_of_the_address(chromium: Browser, site: Site) -> None:
    page = new_page(chromium, site.url, site.operator, DESK)
    page.goto(f"{site.url}/staff/messages")
    page.fill("[name=text]", "欧阳")
    page.click("text=查找")
    page.wait_for_selector("text=已逐条查找")
    assert page.url == f"{site.url}/staff/messages"
    assert 0 < page.locator("tbody tr").count() < 10
    page.context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_operator_pages_fit_keep_their_policy_and_suit_thumbs(
    chromium: Browser, site: Site, size: dict[str, int], theme: Any, tmp_path: Path
) -> None:
    visits = {
        "messages": "/staff/messages",
        "parked": f"/staff/messages/{site.parked}",
        "refused": f"/staff/messages/{site.refused}",
        "report": f"/staff/messages/{site.report}",
        "edit": f"/staff/messages/{site.parked}/edit",
        "outgoing": "/staff/messages/outgoing",
        "none": "/staff/messages/outgoing?peer=nobody",
        "alarms": "/staff/alarms",
    }
    for name, path in visits.items():
        page = new_page(chromium, site.url, site.operator, size)
        page.emulate_media(color_scheme=theme)
        complaints = complaints_of(page)
        page.goto(site.url + path, wait_until="networkidle")
        page.screenshot(path=tmp_path / f"{name}-{theme}-{size['width']}.png", full_page=True)
        assert complaints == [], path
        assert page.evaluate(SMALL_TARGETS) == [], path
        assert not page.evaluate(IS_TOO_WIDE), path
        page.context.close()
