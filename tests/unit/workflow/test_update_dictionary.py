"""Entries of the hospital's code tables: written once, changed by newer news only."""

from dataclasses import replace

import pytest

from core.commands import UpdateDictionary
from core.models import DictionaryItem
from tests.unit.workflow.makers import MINUTE, NOON
from workflow.update_dictionary import update_dictionary

pytestmark = [pytest.mark.requirement("P6"), pytest.mark.usefixtures("database")]

ENTRY = UpdateDictionary("item", "210300001", "胸部CT平扫", is_active=True, said_at=NOON)


def test_newer_news_wins_whichever_comes_first() -> None:
    newer = replace(ENTRY, name="胸部CT", is_active=False, said_at=NOON + MINUTE)
    for sequence in ([ENTRY, newer], [newer, ENTRY], [newer, newer, ENTRY]):
        DictionaryItem.delete().execute()
        for command in sequence:
            update_dictionary(command)
        row = DictionaryItem.get()
        assert (row.name, row.is_active, row.said_at) == ("胸部CT", False, NOON + MINUTE)


def test_codes_of_two_tables_are_two_entries() -> None:
    update_dictionary(ENTRY)
    update_dictionary(replace(ENTRY, kind="price"))
    assert DictionaryItem.select().count() == 2
