"""Making an installation: keys, tables, price list, first staff account. Safe to repeat."""

import json
import secrets
from pathlib import Path

import peewee

from access.staff import create_staff
from app.keys import make_vault, open_keyring
from billing.prices import add_price
from core import db, migrate, personal_data
from core.config import Settings
from core.errors import Misconfigured
from core.models import Pack, Patient, PriceItem, Staff
from crypto.vault.identity import is_vault

# 数字影像服务费 as Zhejiang's hospitals list it; a site edits its own catalogue. 20.00 yuan.
FILM_PRICE_FEN = 2000


def set_up(settings: Settings) -> list[str]:
    """Create what is missing; return a line for each thing that was made."""
    settings.home_path.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = db.connect(settings.database)
    # Where a key server is set, its own installation has the vault.
    if not settings.crypto_url:
        _refuse_new_keys_for_old_data(settings, database)
    made = [] if settings.crypto_url else make_vault(settings)
    personal_data.bind(open_keyring(settings))
    with db.connection():
        applied = migrate.upgrade(database)
        made += [f"database: migration {name}" for name in applied]
        if not PriceItem.select().exists():
            add_price(settings.film_item_code, "数字影像服务费", FILM_PRICE_FEN)
            made.append(f"price list: {settings.film_item_code} {FILM_PRICE_FEN} fen")
    return made


def _refuse_new_keys_for_old_data(settings: Settings, database: peewee.Database) -> None:
    """A vault that was lost must be noticed now, not when the first patient's name does not open."""
    if is_vault(settings.vault_path) or settings.old_keyring_path.exists():
        return
    with db.connection():
        tables = set(database.get_tables())
        sealed = [one for one in (Patient, Pack) if one._meta.table_name in tables and one.select().exists()]
    if sealed:
        raise Misconfigured(
            f"there are no keys at {settings.vault_path}, but the database holds data sealed with some: restore the "
            "vault from its backup (`./cloudfilm keys restore`); new keys would open none of it"
        )


def add_staff(username: str, display_name: str, role: str) -> str | None:
    """Create a staff account and return its new password; None when the name exists."""
    with db.transaction():
        if Staff.get_or_none(Staff.username == username):
            return None
        password = secrets.token_urlsafe(12)
        create_staff(username, display_name, role, password)
        return password


def add_machine_key(path: Path, key_id: str, name: str) -> str:
    """Give a kiosk or till a signing key in the key file (mode 0600); return the secret, hex. Known ids keep theirs."""
    keys = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if key_id not in keys:
        keys[key_id] = {"secret": secrets.token_hex(32), "name": name}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(keys, ensure_ascii=False, indent=1), encoding="utf-8")
        temporary.replace(path)
    return str(keys[key_id]["secret"])
