"""One connector with the real inbox as a process of its own, for tests that kill it (`python -m … TABLE …`)."""

import json
import sys
from pathlib import Path
from threading import Event

from core import db, failpoints, personal_data
from hl7_engine import connector
from hl7_engine.connectors import registry
from hl7_engine.site import Site
from tests.fixtures import key_vault


def main(table: str, database_url: str, keys: str, home: str, fail: str) -> None:
    db.connect(database_url)
    personal_data.bind(key_vault.keyring_of(key_vault.opened(Path(keys))))
    failpoints.arm(fail, Path(home))
    connector.keep_running(registry.build(json.loads(table)), connector.into_inbox(Site()), Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
