"""Named places where a test may kill the process: `CLOUDFILM_FAIL=name:n` dies at the n-th pass of `name`, once.

The way SQLite tests itself (fail the Nth step, loop until nothing fails). Every name is listed here so that the harness
can walk over all of them; an unknown name refuses to start.
"""

import os
import threading
from pathlib import Path

from core.errors import Misconfigured

NAMES = (
    "hl7.before_commit",
    "hl7.before_ack",
    "hl7.before_handled",
    "dicom.after_spool",
    "dicom.before_success",
    "archive.after_pack",
    "archive.before_commit",
    "upload.before_put",
    "upload.after_put",
    "upload.before_spool_emptied",
    "kiosk.before_commit",
    "kiosk.before_answer",
    "report.before_commit",
    "publish.before_commit",
    "outbox.before_done",
    "his.before_send",
    "his.after_ack",
    "sms.before_send",
    "sms.after_send",
    "wechat.after_send",
    "otp.before_answer",
    "film.before_grant",
)

# What a shell reports for SIGKILL: 128 + 9.
KILLED = 137

_lock = threading.Lock()
_passes: dict[str, int] = {}
_armed: tuple[str, int, Path] | None = None


def arm(spec: str, home: Path) -> None:
    """Arm `name:n` from the settings; a marker file in `home` makes it fire once over all restarts."""
    global _armed
    if not spec:
        _armed = None
        return
    name, _, count = spec.partition(":")
    if name not in NAMES or not count.isdigit():
        raise Misconfigured(f"CLOUDFILM_FAIL {spec!r}: use name:n with one of {', '.join(NAMES)}")
    _armed = (name, int(count), home / "failpoint.fired")


def passing(name: str) -> None:
    """Called at the place itself: dies here without any clean-up when armed for this pass."""
    if _armed is None or _armed[0] != name:
        return
    with _lock:
        _passes[name] = _passes.get(name, 0) + 1
        marker = _armed[2]
        if _passes[name] == _armed[1] and not marker.exists():
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.write_text(f"{name}:{_armed[1]}\n", encoding="utf-8")
            os._exit(KILLED)
