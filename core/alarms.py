"""Alarms: one row when something begins to be wrong, closed when it has ended; nothing in between (S5).

What is wrong once and needs a person is a problem (core/problems.py); an alarm is a state that lasts.
"""

from core.clock import now
from core.logs import get_logger, mask_text
from core.models import Alarm

_TEXT_LENGTH = 500

_log = get_logger("alarms")


def begin(kind: str, subject: str, text: str) -> bool:
    """Raise the alarm unless it is raised already; return whether it was new. `subject` names the peer or thing."""
    open_key = _open_key(kind, subject)
    if Alarm.select().where(Alarm.open_key == open_key).exists():
        return False
    row = {"kind": kind, "subject": subject[:96], "text": mask_text(text)[:_TEXT_LENGTH]}
    started = Alarm.insert(**row, open_key=open_key, created_at=now()).on_conflict_ignore().execute()
    if not started:
        return False
    _log.warning("alarm_began", alarm=kind, subject=subject, why=row["text"])
    return True


def end(kind: str, subject: str) -> bool:
    """Close the alarm; return whether it was open."""
    ended = (
        Alarm.update(ended_at=now(), open_key=None)
        .where(Alarm.open_key == _open_key(kind, subject))
        .execute()
    )
    if ended:
        _log.warning("alarm_ended", alarm=kind, subject=subject)
    return bool(ended)


def open_alarms(kind: str | None = None) -> list[Alarm]:
    """What is wrong now, the newest first."""
    query = Alarm.select().where(Alarm.open_key.is_null(False))
    if kind is not None:
        query = query.where(Alarm.kind == kind)
    return list(query.order_by(Alarm.id.desc()))


def past_alarms(limit: int) -> list[Alarm]:
    """What was wrong and has ended, the newest first."""
    return list(Alarm.select().where(Alarm.open_key.is_null()).order_by(Alarm.id.desc()).limit(limit))


def _open_key(kind: str, subject: str) -> str:
    return f"{kind}:{subject[:96]}"
