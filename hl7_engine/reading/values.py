"""Money in fields."""

import re

from hl7_engine.errors import Unreadable

# Below ten million yuan: more is a decimal point that went astray.
_YUAN = re.compile(r"(-?)([0-9]{1,7})(?:\.([0-9]{1,2})0*)?")


def fen(text: str, place: str) -> int:
    """An amount in yuan, `20`, `20.0` or `-20.00`, as integer fen. Raises `Unreadable`."""
    match = _YUAN.fullmatch(text)
    if match is None:
        raise Unreadable(f"{place} is {text[:32]!r}: an amount is yuan with at most two decimals")
    sign, yuan, cents = match.groups()
    return int(f"{sign}{yuan}{(cents or '').ljust(2, '0')}")
