"""When the HIS changes an entry of its code tables, then ours says the same; older news changes nothing (P6▲)."""

from core.clock import now
from core.commands import UpdateDictionary
from core.db import transaction
from core.models import DictionaryItem


def update_dictionary(command: UpdateDictionary) -> None:
    """Write the entry unless a newer one is known."""
    told = {"name": command.name, "is_active": command.is_active, "said_at": command.said_at}
    with transaction():
        added = DictionaryItem.add_if_new(kind=command.kind, code=command.code, created_at=now(), **told)
        if added is None:
            DictionaryItem.update(**told).where(
                DictionaryItem.kind == command.kind,
                DictionaryItem.code == command.code,
                DictionaryItem.said_at < command.said_at,
            ).execute()
