"""Names, descriptions and reports come from other systems: whatever they hold, a page keeps its elements."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.api import makers
from tests.unit.api.html import page_of
from workflow import list_history, open_exam, open_film, search_exams
from workflow.exam_card import ExamCard
from workflow.open_exam import ExamView, ReportView
from workflow.open_film import Film

pytestmark = pytest.mark.requirement("K5", "E8", "E10")

MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="<>\"'&/=!-[]{}() scriptonerrorimgx\u2028\u202e\0", max_size=60),
)
IMG = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(1)</script><!--"
ATTRIBUTE = "\" autofocus onfocus='alert(1)' x=\""


def _card(text: str) -> ExamCard:
    return ExamCard(
        exam_id=7,
        accession_number=text,
        item_name=text,
        modality=text,
        hospital=text,
        exam_at=makers.MORNING,
        state="published",
        amount_fen=None,
        thumbnail=b"RIFF",
        patient_name=text,
        patient_line=text,
    )


def _view(text: str) -> ExamView:
    report = ReportView(text, text, text, text, makers.MORNING, "F", True)
    return ExamView(_card(text), text, report, True, 3)


def _film(text: str) -> Film:
    series = [{"uid": "1.2", "description": text, "packs": [], "frames": []}]
    manifest = {"version": 1, "title": text, "patient": text, "series": series, "documents": []}
    return Film(title=text, manifest=manifest, preview=None)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every text of every page is `texts["all"]`."""
    text = {"all": "x"}
    monkeypatch.setattr(list_history, "list_history", lambda *_: [_card(text["all"])])
    monkeypatch.setattr(search_exams, "search_exams", lambda *_: [_card(text["all"])])
    monkeypatch.setattr(open_exam, "open_exam", lambda *_: _view(text["all"]))
    monkeypatch.setattr(open_film, "open_film", lambda *_: _film(text["all"]))
    return text


def _skeletons(browser: FlaskClient, paths: list[str]) -> list[Any]:
    return [page_of(browser.get(path)).skeleton for path in paths]


@MANY
@given(HOSTILE)
@example(IMG)
@example(SCRIPT)
@example(ATTRIBUTE)
def test_patient_pages_keep_their_elements(browser: FlaskClient, texts: dict[str, str], text: str) -> None:
    makers.sign_in(browser)
    paths = ["/exams", "/exams/7", "/exams/7/film"]
    texts["all"] = "x"
    expected = _skeletons(browser, paths)
    texts["all"] = text or "x"
    assert _skeletons(browser, paths) == expected


@MANY
@given(HOSTILE)
@example(IMG)
@example(ATTRIBUTE)
def test_staff_pages_keep_their_elements(
    browser: FlaskClient, texts: dict[str, str], doctor: str, text: str
) -> None:
    paths = ["/staff/exams", "/exams/7"]
    texts["all"] = "x"
    expected = _skeletons(browser, paths)
    texts["all"] = text or "x"
    assert _skeletons(browser, paths) == expected
    texts["all"] = "x"
    form = {"csrf_token": doctor, "q": text}
    typed = page_of(browser.post("/staff/exams", data=form))
    assert typed.skeleton == expected[0]


@MANY
@given(HOSTILE)
@example(SCRIPT)
def test_manifest_in_the_page_reads_back_as_it_was(
    browser: FlaskClient, texts: dict[str, str], text: str
) -> None:
    makers.sign_in(browser)
    texts["all"] = text
    page = page_of(browser.get("/exams/7/film"))
    assert json.loads(page.scripts["film-manifest"]) == _film(text).manifest


def test_error_page_says_nothing_of_what_was_asked(browser: FlaskClient) -> None:
    page = browser.get(f"/{IMG}")
    assert page.status_code == 404
    assert b"onerror" not in page.data


def test_text_is_shown_as_it_is(browser: FlaskClient, texts: dict[str, str]) -> None:
    makers.sign_in(browser)
    texts["all"] = IMG
    assert page_of(browser.get("/exams/7")).text.count(IMG) >= 3


@pytest.fixture
def doctor(browser: FlaskClient) -> str:
    return makers.sign_in_staff(browser).visitor.csrf_token
