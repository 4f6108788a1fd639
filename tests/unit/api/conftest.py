"""The application on an empty database in memory, and a browser in front of it."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from apiflask import APIFlask
from flask.testing import FlaskClient

from api.application import create_app
from core import logs
from core.config import Settings
from crypto.keyring import Keyring
from tests.unit.api import makers


@pytest.fixture
def app(settings: Settings, keyring: Keyring, memory_database: object) -> APIFlask:
    return create_app(makers.platform(settings, keyring))


@pytest.fixture
def browser(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the log has said so far, one dictionary per line."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stderr = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        logs.configure("INFO", "test")
    yield lambda: [json.loads(line) for line in stderr.getvalue().splitlines()]
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
