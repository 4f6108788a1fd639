"""Health answers while the process lives; readiness names the part that is not well."""

import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from api import health
from core.config import Settings
from core.models import AuditHead
from tests.unit.api.html import json_of

pytestmark = pytest.mark.requirement("S5", "F10")

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def spool(settings: Settings) -> Path:
    settings.spool_path.mkdir(parents=True)
    return settings.spool_path


@pytest.mark.usefixtures("spool")
def test_all_well(browser: FlaskClient) -> None:
    assert json_of(browser.get("/healthz")) == {"status": "ok"}
    answer = browser.get("/readyz")
    assert answer.status_code == 200
    assert json_of(answer) == {"status": "ok", "checks": {"database": "ok", "spool": "ok", "keys": "ok"}}


@pytest.mark.usefixtures("spool")
def test_the_probe_changes_nothing(browser: FlaskClient) -> None:
    AuditHead.create(id=1, seq=3, row_hash="f" * 64)
    browser.get("/readyz")
    assert AuditHead.get_by_id(1).seq == 3


def test_missing_spool_is_named(browser: FlaskClient) -> None:
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert json_of(answer)["checks"] == {"database": "ok", "spool": "failed", "keys": "ok"}


@pytest.mark.usefixtures("spool")
def test_full_disk_is_named(browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 10**6))
    assert json_of(browser.get("/readyz"))["checks"]["spool"] == "failed"


@pytest.mark.usefixtures("spool")
def test_read_only_spool_is_named(browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.os, "access", lambda _path, mode: mode != os.W_OK)
    assert json_of(browser.get("/readyz"))["checks"]["spool"] == "failed"


@pytest.mark.usefixtures("spool")
def test_database_without_tables_is_named(browser: FlaskClient, memory_database: Any) -> None:
    memory_database.drop_tables([AuditHead])
    answer = browser.get("/readyz")
    assert answer.status_code == 503
    assert json_of(answer)["checks"]["database"] == "failed"
    assert browser.get("/healthz").status_code == 200
