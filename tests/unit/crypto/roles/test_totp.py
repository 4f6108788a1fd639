"""One-time codes against the vectors of RFC 6238 and RFC 4226."""

from urllib.parse import parse_qs, urlsplit

import pytest

from crypto.roles.totp import code, enrolment_uri, matching_step

pytestmark = pytest.mark.requirement("H2.7")

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_rfc_6238_appendix_b(seconds: int, answer: str) -> None:
    assert code(SECRET, seconds // 30, 8) == answer


@pytest.mark.parametrize(
    ("counter", "answer"),
    enumerate(
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    ),
)
def test_rfc_4226_appendix_d(counter: int, answer: str) -> None:
    assert code(SECRET, counter) == answer


def test_a_clock_may_be_off_by_one_step_and_no_more() -> None:
    step = 1111111111 // 30
    for shift in (-1, 0, 1):
        assert matching_step(SECRET, code(SECRET, step + shift), 1111111111, after=0) == step + shift
    for shift in (-2, 2):
        assert matching_step(SECRET, code(SECRET, step + shift), 1111111111, after=0) is None


def test_a_step_that_was_used_and_those_before_it_do_not_match() -> None:
    step = 1111111111 // 30
    assert matching_step(SECRET, code(SECRET, step), 1111111111, after=step) is None
    assert matching_step(SECRET, code(SECRET, step - 1), 1111111111, after=step) is None
    assert matching_step(SECRET, code(SECRET, step + 1), 1111111111, after=step) == step + 1


@pytest.mark.parametrize("given", ["", "12345", "1234567", "一二三四五六", "050471 "])
def test_other_texts_are_no_codes(given: str) -> None:
    assert matching_step(SECRET, given, 1111111111, after=0) is None


def test_what_the_app_reads() -> None:
    parts = urlsplit(enrolment_uri(SECRET, "li.na", "CloudFilm keys"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/CloudFilm%20keys:li.na")
    assert parse_qs(parts.query) == {
        "secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"],
        "issuer": ["CloudFilm keys"],
        "digits": ["6"],
        "period": ["30"],
    }
