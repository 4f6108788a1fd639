"""Rules of the Chinese resident identity number (GB 11643-1999): 17 digits and a check character (ISO 7064 MOD 11-2)."""

from datetime import date

from core.errors import Refused

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def normalise_id_number(text: str) -> str:
    """Trim, upper-case the check character. Says nothing about validity: HIS data holds passports and errors."""
    return text.strip().upper()


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
