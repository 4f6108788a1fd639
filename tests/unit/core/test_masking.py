"""Masks show enough to recognise oneself, and never a whole name, phone or identity number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.masking import mask_id_number, mask_name, mask_phone

pytestmark = pytest.mark.requirement("K5")


@pytest.mark.parametrize(
    ("name", "masked"),
    [("", ""), ("珅", "*"), ("珅東", "珅*"), ("張珅東", "張*東"), ("歐陽珅東", "歐**東"), ("A B", "A*B")],
)
def test_name_keeps_its_ends(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [("13800138000", "138****8000"), ("057583338329", "057****8329"), ("12345", "*****"), ("", "")],
)
def test_phone_keeps_three_and_four(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


def test_identity_number_keeps_three_and_four() -> None:
    assert mask_id_number("330683198506151234") == "330***********1234"
    assert mask_id_number("1234567") == "*******"


@given(st.text(st.characters(exclude_characters="*"), min_size=1))
def test_no_mask_shows_everything(text: str) -> None:
    for mask in (mask_name, mask_phone, mask_id_number):
        masked = mask(text)
        assert masked != text
        assert "*" in masked
