"""Messages from files through the whole engine — inbox, drain, steps of the exam — in an installation of their own."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.bindings import message_drain
from app.installation import set_up
from app.platform import build_platform
from core import db
from core.config import Settings
from core.models import InboundMessage
from hl7_engine import inbox
from hl7_engine.incoming import Incoming

_BATCH = 200
_EXAMPLES = 2


@dataclass
class Summary:
    """`outcomes` counts states; `reasons` what was said about those without effect; `crashes` what nobody foresaw."""

    total: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    crashes: int = 0

    def lines(self) -> Iterator[str]:
        """For a terminal: counts, then every reason with the first messages that it was given for."""
        yield f"{self.total} messages; " + ", ".join(
            f"{name} {count}" for name, count in sorted(self.outcomes.items())
        )
        for name, count in self.effects.most_common():
            yield f"  {count:6d}  {name}"
        yield f"reasons of the {sum(map(len, self.reasons.values()))} that were refused or parked:"
        for reason, names in sorted(self.reasons.items(), key=lambda told: -len(told[1])):
            yield f"  {len(names):6d}  {reason}   ({', '.join(names[:_EXAMPLES])}{', …' if len(names) > _EXAMPLES else ''})"
        yield f"crashes: {self.crashes}"


def replay_files(home: Path, messages: Sequence[tuple[str, bytes]]) -> Summary:
    """Take the (name, content) messages into a fresh installation at `home` and act on them."""
    settings = Settings(home=str(home))
    set_up(settings)
    platform = build_platform(settings)
    drain = message_drain(platform)
    names: dict[int, str] = {}
    summary = Summary(total=len(messages))
    with db.connection():
        for start in range(0, len(messages), _BATCH):
            part = messages[start : start + _BATCH]
            receipts = inbox.accept([Incoming(content, "file", "file") for _, content in part])
            for (name, _), receipt in zip(part, receipts, strict=True):
                if receipt.message_id is not None:
                    names.setdefault(receipt.message_id, name)
                summary.outcomes["repeated"] += receipt.state == "known"
        while drain.run_once():
            pass
        _count(summary, names)
    return summary


def _count(summary: Summary, names: dict[int, str]) -> None:
    columns = (InboundMessage.id, InboundMessage.state, InboundMessage.outcome, InboundMessage.error)
    for row in InboundMessage.select(*columns).order_by(InboundMessage.id):
        summary.outcomes[row.state] += 1
        if row.state == "handled":
            summary.effects[row.outcome] += 1
        elif row.state in ("refused", "parked"):
            summary.reasons[_kind_of(row.error)].append(names.get(row.id, str(row.id)))
        # Still received: it failed without a reason of its own, and would be tried again.
        summary.crashes += row.state == "received"


def _kind_of(reason: str) -> str:
    """A reason without the value that it quotes, so that equal ones are counted together."""
    reason = re.sub(r"^message type .* is not read", "its message type is not read", reason)
    reason = re.sub(r"^exam \S+ is of patient \d+", "the exam is of a patient", reason)
    return re.sub(r" is ('.*?'|a text of \d+ characters):", " is unusual:", reason)
