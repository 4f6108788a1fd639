"""Signatures of machines, made by the kiosk's own signing code, which shares nothing with ours."""

import json
from pathlib import Path

import pytest

from access import signed_requests
from access.signed_requests import MachineKey
from core.errors import Misconfigured, NotAllowed
from simulators.kiosk import Kiosk

SECRET = "5a" * 32
KEYS = {"kiosk-1": MachineKey("kiosk-1", bytes.fromhex(SECRET), "一楼自助机")}
TARGET, BODY = "/api/v1/settlements?a=1%2F2", b'{"amount_fen": 2500}'

pytestmark = pytest.mark.requirement("S3")


def signed(secret: str = SECRET, idempotency_key: str = "k-1") -> dict[str, str]:
    with Kiosk("http://127.0.0.1:1", "kiosk-1", secret) as kiosk:
        return kiosk._signature("POST", TARGET, BODY, idempotency_key)


def test_what_the_kiosk_signs_is_accepted() -> None:
    assert signed_requests.verify(KEYS, "POST", TARGET, signed(), BODY) == KEYS["kiosk-1"]
    assert signed_requests.verify(KEYS, "POST", TARGET, signed(idempotency_key=""), BODY) == KEYS["kiosk-1"]


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [("PUT", TARGET, BODY), ("POST", TARGET + "1", BODY), ("POST", TARGET, BODY + b" ")],
)
def test_any_part_altered_is_refused(method: str, target: str, body: bytes) -> None:
    with pytest.raises(NotAllowed, match="X-CF-Signature"):
        signed_requests.verify(KEYS, method, target, signed(), body)


@pytest.mark.parametrize(
    ("header", "value", "named"),
    [
        ("X-CF-Key", "kiosk-2", "X-CF-Key"),
        ("X-CF-Nonce", "0" * 32, "X-CF-Signature"),
        ("X-CF-Nonce", "short", "X-CF-Nonce"),
        ("Idempotency-Key", "k-2", "X-CF-Signature"),
        ("X-CF-Signature", "字", "X-CF-Signature"),
        ("X-CF-Timestamp", "soon", "X-CF-Timestamp"),
        ("X-CF-Timestamp", "1700000000", "X-CF-Timestamp"),  # 2023
        ("X-CF-Timestamp", "4100000000", "X-CF-Timestamp"),  # 2099
    ],
)
def test_any_header_altered_is_refused_by_name(header: str, value: str, named: str) -> None:
    with pytest.raises(NotAllowed, match=named):
        signed_requests.verify(KEYS, "POST", TARGET, signed() | {header: value}, BODY)


def test_another_secret_and_no_headers_are_refused() -> None:
    with pytest.raises(NotAllowed):
        signed_requests.verify(KEYS, "POST", TARGET, signed("5b" * 32), BODY)
    with pytest.raises(NotAllowed):
        signed_requests.verify(KEYS, "POST", TARGET, {}, BODY)


def test_keys_are_read_and_do_not_show(tmp_path: Path) -> None:
    path = tmp_path / "kiosks.json"
    path.write_text(json.dumps({"kiosk-1": {"secret": SECRET, "name": "一楼自助机"}}), encoding="utf-8")
    keys = signed_requests.load_keys(path)
    assert keys == KEYS and SECRET not in repr(keys) and "secret" not in repr(keys)


@pytest.mark.parametrize("text", ["", "[]", '{"k": {}}', '{"k": {"secret": "xy", "name": "n"}}'])
def test_unreadable_keys_name_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kiosks.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"kiosks\.json"):
        signed_requests.load_keys(path)
