"""Shares of a split key: any M give it back; typing errors, foreign, repeated, altered and missing ones are refused."""

from itertools import combinations

import pytest
from Cryptodome.Protocol.SecretSharing import Shamir
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import ShareRefused
from crypto.shamir import GROUPS, MAX_SHARES, Purpose, Share, combine, parse, split

pytestmark = pytest.mark.requirement("H2.6", "H2.8")

KEY = bytes(range(16))
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@pytest.fixture(scope="module")
def shares() -> list[Share]:
    return split(KEY, 3, 5, Purpose.SYSTEM_KEY)


def test_any_three_of_five_give_the_key_and_each_says_its_number(shares: list[Share]) -> None:
    assert [share.index for share in shares] == [1, 2, 3, 4, 5]
    for chosen in combinations(shares, 3):
        assert combine(chosen, Purpose.SYSTEM_KEY) == KEY
    assert combine(shares[::-1], Purpose.SYSTEM_KEY) == KEY, "more than needed are no error"


@given(key=st.binary(min_size=16, max_size=16), numbers=st.data())
def test_the_typed_form_comes_back_whatever_case_and_spaces(key: bytes, numbers: st.DataObject) -> None:
    total = numbers.draw(st.integers(2, MAX_SHARES))
    threshold = numbers.draw(st.integers(2, total))
    made = split(key, threshold, total, Purpose.BACKUP_KEY)
    typed = [share.text.lower().replace("-", " ").replace("0", "o").replace("1", "l") for share in made]
    assert [parse(text) for text in typed] == made
    assert combine([parse(text) for text in typed[-threshold:]], Purpose.BACKUP_KEY) == key


def test_the_text_is_twelve_groups_that_show_nothing_of_the_key(shares: list[Share]) -> None:
    text = shares[0].text
    assert [len(group) for group in text.split("-")] == [5] * GROUPS
    assert not set(text) & set("ILOU")
    assert shares[0].value.hex() not in repr(shares[0])
    assert repr(shares[0].value) not in repr(shares[0])


def test_every_single_wrong_sign_is_found_in_its_group(shares: list[Share]) -> None:
    text = shares[1].text
    for place, sign in enumerate(text):
        if sign == "-":
            continue
        wrong = SIGNS[(SIGNS.index(sign) + 1 + place) % 32]
        if wrong == sign:
            continue
        with pytest.raises(ShareRefused, match=rf"^share 2: mistyped in group {place // 6 + 1} of 12"):
            parse(text[:place] + wrong + text[place + 1 :], "share 2")


def test_exchanged_signs_and_groups_are_found(shares: list[Share]) -> None:
    groups = shares[0].text.split("-")
    first, last = next((a, b) for a, b in combinations(range(GROUPS), 2) if groups[a] != groups[b])
    groups[first], groups[last] = groups[last], groups[first]
    with pytest.raises(ShareRefused, match=f"groups {first + 1}, {last + 1} of"):
        parse("-".join(groups))
    text = shares[0].text.replace("-", "")
    for place in range(len(text) - 1):
        if text[place] != text[place + 1]:
            swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
            with pytest.raises(ShareRefused, match="mistyped"):
                parse(swapped)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (lambda text: "", "0 signs were typed, a share has 60"),
        (lambda text: text[:-1], "59 signs were typed"),
        (lambda text: text + "0", "61 signs were typed"),
        (lambda text: "U" + text[1:], "no share has, in group 1"),
        (lambda text: text[:-1] + "é", "no share has, in group 12"),
    ],
)
def test_what_is_no_share_is_said(shares: list[Share], typed, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ShareRefused, match=said):
        parse(typed(shares[0].text))


def test_errors_never_repeat_what_was_typed(shares: list[Share]) -> None:
    groups = shares[0].text.split("-")
    groups[5] = groups[5][::-1] if groups[5] != groups[5][::-1] else "00001"
    with pytest.raises(ShareRefused) as refused:
        parse("-".join(groups))
    assert not any(group in str(refused.value) for group in groups)


def test_too_few_repeated_mixed_and_other_shares_are_refused(shares: list[Share]) -> None:
    others = split(KEY, 3, 5, Purpose.SYSTEM_KEY)
    backup = split(KEY, 3, 5, Purpose.BACKUP_KEY)
    with pytest.raises(ShareRefused, match="no share"):
        combine([], Purpose.SYSTEM_KEY)
    with pytest.raises(ShareRefused, match="2 of 3 shares were given: 1 more"):
        combine(shares[:2], Purpose.SYSTEM_KEY)
    with pytest.raises(ShareRefused, match=r"share 3: share number 1 was given already"):
        combine([shares[0], shares[1], shares[0]], Purpose.SYSTEM_KEY)
    with pytest.raises(ShareRefused, match="share 3: it is of another set"):
        combine([shares[0], shares[1], others[2]], Purpose.SYSTEM_KEY)
    with pytest.raises(ShareRefused, match="share 1: it is a share of a backup key, but the system key"):
        combine(backup[:3], Purpose.SYSTEM_KEY)


@pytest.mark.parametrize(("threshold", "total"), [(0, 3), (1, 3), (4, 3), (2, MAX_SHARES + 1), (-1, 2)])
def test_numbers_that_make_no_sense_are_refused(threshold: int, total: int) -> None:
    with pytest.raises(ShareRefused, match=f"{threshold} of {total}"):
        split(KEY, threshold, total, Purpose.SYSTEM_KEY)


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ShareRefused, match="16 bytes"):
        split(KEY + b"0", 2, 3, Purpose.SYSTEM_KEY)


def test_two_ceremonies_of_one_key_have_nothing_in_common(shares: list[Share]) -> None:
    others = split(KEY, 3, 5, Purpose.SYSTEM_KEY)
    assert others[0].set_id != shares[0].set_id
    assert all(other.value != share.value for other, share in zip(others, shares, strict=True))
    forced = [Share(s.purpose, shares[0].set_id, 3, s.index, s.value) for s in (shares[0], shares[1])]
    forced.append(Share(Purpose.SYSTEM_KEY, shares[0].set_id, 3, 3, others[2].value))
    assert combine(forced, Purpose.SYSTEM_KEY) != KEY, "why the product needs a commitment"


def test_the_points_are_those_of_the_plain_scheme(shares: list[Share]) -> None:
    points = [(share.index, share.value) for share in shares[2:]]
    assert Shamir.combine(points) == KEY
