"""A HIS page that embeds us: the doctor signs in inside its frame and the film opens there (F6, docs/invoke.md)."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser

from access import staff as staff_accounts
from api.application import create_app
from core import db, personal_data
from core.config import Settings
from crypto.keyring import Keyring
from tests.browser.pages import DESK, new_page, served
from tests.unit.api import archived, makers
from tests.unit.imaging import dicom_files

HOST_PAGE = '<!doctype html><iframe id="film" width="1200" height="700" src="{src}"></iframe>'


@pytest.fixture
def his() -> Iterator[tuple[Flask, str]]:
    """A HIS on an origin of its own."""
    app = Flask("his")
    with served(app) as url:
        yield app, url


@pytest.mark.requirement("F6", "P5")
@pytest.mark.parametrize("is_allowed", [True, False])
def test_sign_in_and_film_inside_a_frame(
    chromium: Browser,
    his: tuple[Flask, str],
    settings: Settings,
    session_keyring: Keyring,
    empty_sqlite: Path,
    tmp_path: Path,
    is_allowed: bool,
) -> None:
    host, host_url = his
    personal_data.bind(session_keyring)
    shutil.copyfile(empty_sqlite, tmp_path / "pages.db")
    db.connect(f"sqlite:///{tmp_path / 'pages.db'}")
    sources = f"'self' {host_url if is_allowed else 'http://127.0.0.1:9'}"
    platform = archived.platform(replace(settings, frame_ancestors=sources), session_keyring)
    with db.connection():
        exam = makers.exam("CT1")
        archived.archive(platform, exam, [dicom_files.file(dicom_files.slope(64, 64))])
        staff_accounts.create_staff("d001", "医生甲", "doctor", "correct horse battery")
    with served(create_app(platform)) as url:
        link = f"{url}/IHEInvokeImageDisplay?requestType=STUDY&amp;accessionNumber=CT1"
        host.add_url_rule("/", view_func=lambda: HOST_PAGE.format(src=link))
        page = new_page(chromium, host_url, size=DESK)
        page.goto(host_url)
        frame = page.frame_locator("#film")
        if not is_allowed:
            assert page.frames[1].url.startswith("chrome-error:"), "the browser refuses the frame"
            assert frame.locator("input[name=username]").count() == 0
        else:
            frame.locator("input[name=username]").fill("d001")
            frame.locator("input[name=password]").fill("correct horse battery")
            frame.locator("button[type=submit]").click()
            main = frame.locator("#film")
            main.wait_for(state="attached")
            assert main.get_attribute("data-embed-origins") == f"self {host_url}"
        page.context.close()
