"""A kiosk of another maker at the real API: its own signing code against ours, over HTTP (P6▲)."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from access import signed_requests
from api.application import create_app
from core.config import Settings
from core.models import Charge, LedgerEntry, Settlement
from crypto.keyring import Keyring
from simulators.kiosk import Kiosk, KioskRefused
from tests.unit.api import makers

pytestmark = [pytest.mark.requirement("P6", "S3", "K5"), pytest.mark.usefixtures("database")]

SECRET = "5a" * 32


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def url(settings: Settings, keyring: Keyring, database: object, tmp_path: Path) -> Iterator[str]:
    """The API with one kiosk's key, and one unpaid fee line."""
    makers.fee_line(makers.exam("CT1", placer_order_number="SQ/1 甲"))
    keys = tmp_path / "kiosks.json"
    keys.write_text(json.dumps({"kiosk-1": {"secret": SECRET, "name": "门诊自助机"}}), encoding="utf-8")
    platform = makers.platform(settings, keyring, machine_keys=signed_requests.load_keys(str(keys)))
    server = make_server("127.0.0.1", 0, create_app(platform), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_asks_pays_and_asks_again(url: str) -> None:
    with Kiosk(url, "kiosk-1", SECRET) as kiosk:
        (owed,) = kiosk.find("SQ/1 甲")
        assert (owed["fee_line_id"], owed["amount_fen"], owed["state"]) == ("FY-CT1", 2500, "unpaid")
        assert kiosk.settle("FY-CT1", 2500, "T-0001")["state"] == "accepted"
        assert kiosk.settle("FY-CT1", 2500, "T-0001", paid_at=Settlement.get().paid_at)["state"] == "already"
        assert kiosk.find(accession_number="CT1")[0]["state"] == "paid"
    assert Settlement.get().source == "kiosk-1"
    assert sum(row.debit_fen - row.credit_fen for row in LedgerEntry.select()) == 0


@pytest.mark.parametrize(("key_id", "secret"), [("kiosk-1", "5b" * 32), ("kiosk-2", SECRET), ("", SECRET)])
def test_a_wrong_key_is_refused(url: str, key_id: str, secret: str) -> None:
    with Kiosk(url, key_id, secret) as kiosk:
        with pytest.raises(KioskRefused) as refused:
            kiosk.settle("FY-CT1", 2500, "T-0001")
        assert refused.value.status in {401, 403}
    assert Charge.get().state == "unpaid"


def test_two_tills_at_once_settle_the_line_once(url: str) -> None:
    verdicts: list[str] = []

    def pay(key: str) -> None:
        with Kiosk(url, "kiosk-1", SECRET) as kiosk:
            verdicts.append(kiosk.settle("FY-CT1", 2500, key)["state"])

    tills = [threading.Thread(target=pay, args=(f"T-{number}",)) for number in range(6)]
    for till in tills:
        till.start()
    for till in tills:
        till.join()
    assert sorted(verdicts) == ["accepted", *["parked"] * 5]
    assert Charge.get().state == "paid"
