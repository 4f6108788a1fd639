"""Identity numbers by GB 11643: the check character, the birth date, the form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Refused
from core.idcard import is_id_number, is_identifying, normalise_id_number, verify_id_number

# The example of GB 11643-1999 §4 and appendix: 11010519491231002X; its check character is computed there.
STANDARD_EXAMPLE = "11010519491231002X"


def with_check_character(seventeen: str) -> str:
    """ISO 7064 MOD 11-2 by its definition: the weights are powers of two, the whole sum is 1 modulo 11."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(seventeen))
    return seventeen + "0123456789X"[(1 - total) % 11]


def test_example_of_the_standard_is_right() -> None:
    verify_id_number(STANDARD_EXAMPLE)


@given(st.integers(100000, 999999), st.dates(), st.integers(0, 999))
def test_every_computed_number_is_right_and_every_other_check_character_wrong(
    region: int, born: object, serial: int
) -> None:
    number = with_check_character(f"{region}{str(born).replace('-', '')}{serial:03}")
    verify_id_number(number)
    for other in set("0123456789X") - {number[17]}:
        with pytest.raises(Refused, match="check character"):
            verify_id_number(number[:17] + other)


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("", "17 digits"),
        ("1101051949123100", "17 digits"),
        ("11010519491231002X9", "17 digits"),
        ("1101051949123100AX", "17 digits"),
        ("１１０１０５１９４９１２３１００２X", "17 digits"),
        (with_check_character("11010519490230002"), "birth date"),
        (with_check_character("11010519491331002"), "birth date"),
        (with_check_character("11010500001231002"), "birth date"),
    ],
)
def test_wrong_number_is_refused_and_not_repeated(number: str, says: str) -> None:
    with pytest.raises(Refused, match=says) as raised:
        verify_id_number(number)
    assert not number or number not in str(raised.value)


def test_normalising_trims_and_raises_the_check_character() -> None:
    assert normalise_id_number(" 11010519491231002x\n") == STANDARD_EXAMPLE


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("11010519491231002X", True),
        ("11010519491231002x", True),
        ("330683198506151230", True),
        ("000000000000000000", False),
        ("110105194913310021", False),
        ("110105294912310021", False),
        ("1101051949123100", False),
        ("无", False),
    ],
)
def test_form_of_an_identity_number(text: str, is_one: bool) -> None:
    assert is_id_number(text) is is_one
    assert is_identifying(text) is is_one


@pytest.mark.parametrize("text", ["E12345678", "110105491231002", "12345678A"])
def test_other_numbers_that_tell_persons_apart(text: str) -> None:
    assert is_identifying(text)
    assert not is_id_number(text)


@pytest.mark.parametrize("text", ["", "-", "NA", "未提供", "AAAAAAAA", "99999999", "111111111111111"])
def test_placeholders_tell_nobody_apart(text: str) -> None:
    assert not is_identifying(text)
