"""Structured logs: one JSON line per event with request, job and message ids; personal data never (decision 13)."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

# Mainland phone and identity numbers, wherever they hide in a value: the net below every careful caller.
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_ID_NUMBER = re.compile(r"(?<!\d)(\d{3})\d{11}(\d{3}[\dXx])(?!\d)")
_FORBIDDEN_KEYS = frozenset(
    {"name", "patient_name", "phone", "id_number", "password", "code", "token", "secret"}
)


def mask_text(text: str) -> str:
    """Mask phone and identity numbers inside `text`."""
    return _PHONE.sub(r"\1****\2", _ID_NUMBER.sub(r"\1***********\2", text))


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        event[key] = "***" if key in _FORBIDDEN_KEYS else _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: "***" if key in _FORBIDDEN_KEYS else _masked(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value


class _Unfailing:
    """A stream whose reader may go or whose disk may fill: a line is lost then, and nothing else.

    What was about to be done, a commit or its answer, must not fail because it could not be written about.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(level: str, process: str) -> None:
    """Send structlog and the standard library's logging to stderr as JSON lines marked with the process's name."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _mask,
    ]
    stream = cast(TextIO, _Unfailing(sys.stderr))
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelName(level), logging.WARNING))


def get_logger(room: str) -> Any:
    """A logger whose lines carry `room`."""
    return structlog.get_logger(room=room)
