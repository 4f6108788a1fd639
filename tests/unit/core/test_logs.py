"""Log lines are JSON with ids, and carry no phone, no identity number, no name."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from core.logs import configure, get_logger, mask_text

pytestmark = pytest.mark.requirement("K5", "F10")

ID_NUMBER = "330683198506151234"
PHONE = "13800138000"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (PHONE, "138****8000"),
        (f"to {PHONE}, again {PHONE}.", "to 138****8000, again 138****8000."),
        (f"电话{PHONE}转", "电话138****8000转"),
        (ID_NUMBER, "330***********1234"),
        ("11010519491231002x", "110***********002x"),
        ("1.2.840.113619.2.55", "1.2.840.113619.2.55"),
        ("20261124101530", "20261124101530"),
        ("0013800138000", "0013800138000"),
    ],
)
def test_numbers_of_persons_are_masked_and_others_stay(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(alphabet="abc 珅東,;|^", max_size=8))
def test_no_phone_survives_in_any_text(phone: str, around: str) -> None:
    assert phone not in mask_text(around + phone + around)


def lines(captured: str) -> list[dict]:
    return [json.loads(line) for line in captured.splitlines()]


def test_line_is_json_with_its_ids_and_without_personal_data(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "web")
    with structlog.contextvars.bound_contextvars(request="r-1"):
        get_logger("api").info("signed_in", name="珅東", phone=PHONE, note=f"said {ID_NUMBER}", count=3)
    line = lines(capsys.readouterr().err)[0]
    assert (line["event"], line["room"], line["process"], line["request"], line["count"]) == (
        "signed_in",
        "api",
        "web",
        "r-1",
        3,
    )
    assert (line["level"], line["timestamp"][-1]) == ("info", "Z")
    assert (line["name"], line["phone"], line["note"]) == ("***", "***", "said 330***********1234")


def test_tracebacks_and_lines_of_libraries_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "web")
    try:
        raise ValueError(f"no such phone {PHONE}")
    except ValueError:
        get_logger("api").exception("failed")
    logging.getLogger("some.library").warning("calling %s", PHONE)
    err = capsys.readouterr().err
    ours, theirs = lines(err)
    assert "no such phone 138****8000" in ours["exception"]
    assert theirs["event"] == "calling 138****8000"
    assert PHONE not in err


def test_what_is_nested_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "web")
    get_logger("api").info("told", detail={"phone": PHONE, "said": [f"call {PHONE}", 3, None]})
    line = lines(capsys.readouterr().err)[0]
    assert line["detail"] == {"phone": "***", "said": ["call 138****8000", 3, None]}


def test_level_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", "web")
    get_logger("api").info("quiet")
    get_logger("api").warning("loud")
    assert [line["event"] for line in lines(capsys.readouterr().err)] == ["loud"]


class Broken:
    """stderr whose reader has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_line_that_cannot_be_written_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Broken())
    configure("INFO", "mllp")
    get_logger("hl7_engine").error("message_refused")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        get_logger("hl7_engine").critical("messages_not_answered", exc_info=True)
    logging.getLogger("library").error("and the library's own")
