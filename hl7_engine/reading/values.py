"""Money and telephone numbers in fields."""

import re
from collections.abc import Iterable

from hl7_engine.errors import Unreadable, quoted

# Below ten million yuan: more is a decimal point that went astray.
_YUAN = re.compile(r"(-?)([0-9]{1,7})(?:\.([0-9]{1,2})0*)?")
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_BETWEEN_DIGITS = re.compile(r"[\s()-]")


def fen(text: str, place: str) -> int:
    """An amount in yuan, `20`, `20.0` or `-20.00`, as integer fen. Raises `Unreadable`."""
    match = _YUAN.fullmatch(text)
    if match is None:
        raise Unreadable(f"{place} is {quoted(text)}: an amount is yuan with at most two decimals")
    sign, yuan, cents = match.groups()
    return int(f"{sign}{yuan}{(cents or '').ljust(2, '0')}")


def best_phone(told: Iterable[str]) -> str:
    """A mobile number without its country code, since messages go there; else the first number; empty for none."""
    numbers = [number for number in (_BETWEEN_DIGITS.sub("", text) for text in told) if number]
    mobiles = (match[1] for match in map(_MOBILE.fullmatch, numbers) if match)
    return next(mobiles, numbers[0] if numbers else "")
