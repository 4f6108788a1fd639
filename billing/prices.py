"""The price list of the province or city, with dates of validity (S3). Prices are followed, never edited."""

from datetime import datetime

from core import db, problems
from core.clock import now
from core.commands import FeeLine
from core.errors import Refused
from core.models import PriceItem


def price_of(code: str, at: datetime) -> int | None:
    """The price of an item on that day, in fen; None when the list has none."""
    valid = (
        item
        for item in PriceItem.all_with(PriceItem.code == code)
        if item.valid_from <= at and (item.valid_to is None or item.valid_to > at)
    )
    return next((item.amount_fen for item in valid), None)


def add_price(code: str, name: str, amount_fen: int, valid_from: datetime | None = None) -> None:
    """Let a new price begin, now unless said otherwise, and end the one before it.

    Raises `Refused` when one that begins then or later is listed.
    """
    valid_from = valid_from or now()
    if amount_fen < 0:
        raise Refused(f"price of {code}: {amount_fen} fen is less than nothing")
    with db.transaction():
        if PriceItem.select().where(PriceItem.code == code, PriceItem.valid_from >= valid_from).exists():
            raise Refused(f"price of {code}: the list has one that begins at that time or later")
        PriceItem.update(valid_to=valid_from).where(
            PriceItem.code == code, PriceItem.valid_to.is_null()
        ).execute()
        PriceItem.create(code=code, name=name, amount_fen=amount_fen, valid_from=valid_from)


def compare(line: FeeLine, at: datetime) -> None:
    """Note a line whose amount is not the listed one. It stands as told: the HIS is master of the price."""
    listed = price_of(line.item_code, at)
    if listed is not None and line.choice == "charge" and line.amount_fen != listed:
        text = f"fee line {line.fee_line_id}: {line.amount_fen} fen, but the price list says {listed} fen"
        problems.note("billing", f"price:{line.fee_line_id}", text)
