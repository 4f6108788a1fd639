"""Rules of the Chinese resident identity number (GB 11643-1999): 17 digits and a check character (ISO 7064 MOD 11-2)."""

import re
from datetime import date

from core.clock import now
from core.errors import Refused

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_FIRST_YEAR = 1880
# Fewer different characters are a row of zeros, or a keyboard held down.
_DISTINCT = 4


def normalise_id_number(text: str) -> str:
    """Trim, upper-case the check character. Says nothing about validity: HIS data holds passports and errors."""
    return text.strip().upper()


def is_id_number(text: str) -> bool:
    """Whether it has the form of a resident identity number, with a birth date of somebody who may live.

    The check character is not asked: HIS data has typing errors in it, and each is one person's.
    """
    number = normalise_id_number(text)
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return False
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return _FIRST_YEAR <= born.year <= now().year


def is_identifying(text: str) -> bool:
    """Whether a number may tell persons apart: an identity number or a passport's by its form, no placeholder."""
    if is_id_number(text):
        return True
    number = normalise_id_number(text)
    is_old_or_foreign = re.fullmatch(r"[0-9]{15}|[A-Z][A-Z0-9]{5,19}|[0-9]{8,12}[A-Z]?", number)
    return bool(is_old_or_foreign) and len(set(number)) >= _DISTINCT


def verify_id_number(number: str) -> None:
    """Raise `Refused` unless `number` is a well-formed 18-character number with a real birth date."""
    if len(number) != 18 or not number[:17].isascii() or not number[:17].isdigit():
        raise Refused("an identity number has 17 digits and a check character")
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise Refused("the birth date inside the identity number does not exist") from None
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    if number[17] != _CHECKS[total % 11]:
        raise Refused("the check character of the identity number is wrong")
