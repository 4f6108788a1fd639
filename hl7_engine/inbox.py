"""Messages come in: stored, committed, only then acknowledged (decision 2). Many at once share one commit.

| the message | its row | the outcome |
|---|---|---|
| readable | received: the drain acts on it | AA |
| the same again (sender, control id, content) | nothing new | AA again |
| the same control id with another content | a row of its own; the drain raises an alarm | AA |
| no header, damaged, too long | refused | AR |
| characters unknown, MSH-9 or MSH-10 missing, no XML, no JSON | refused | AE |

How an outcome is worded for the sender is told in acknowledge.py.
"""

from collections import Counter
from collections.abc import Sequence

from core import db, failpoints
from core.clock import now
from core.logs import get_logger
from hl7_engine import acknowledge, statistics
from hl7_engine.acknowledge import Fault
from hl7_engine.errors import INTERNAL, NotHl7, Unreadable
from hl7_engine.inbox_rows import store
from hl7_engine.incoming import Incoming, Receipt
from hl7_engine.letter import Letter, open_letter, remains_of, sender_of
from hl7_engine.site import STANDARD_SITE, Site

_log = get_logger("hl7_engine")


def accept(items: Sequence[Incoming], site: Site = STANDARD_SITE) -> list[Receipt]:
    """Make messages durable in one transaction; return what became of each, in their order.

    Raises only what the database raises: then nothing was stored, and `unavailable` is the answer.
    """
    letters = [open_letter(item) for item in items]
    refused = [letter for letter in letters if letter.error]
    with db.transaction():
        stored = store(letters)
        if refused:
            _count(refused)
        failpoints.passing("hl7.before_commit")
    failpoints.passing("hl7.before_ack")
    for letter in refused:
        _log.warning(
            "message_refused",
            peer=letter.peer,
            control_id=letter.control_id,
            message_type=letter.message_type,
            why=str(letter.error),
        )
    return [_receipt(letter, *row, site) for letter, row in zip(letters, stored, strict=True)]


def _count(refused: list[Letter]) -> None:
    """The others are counted when they are handled."""
    hour = now().replace(minute=0, second=0, microsecond=0)
    statistics.add(
        Counter(
            statistics.Kind(hour, letter.peer, letter.item.channel, letter.message_type, "refused")
            for letter in refused
        )
    )


def unavailable(item: Incoming, site: Site = STANDARD_SITE) -> Receipt:
    """What is said when a message could not be stored: the sender keeps it and tries again."""
    fault = Fault(INTERNAL, "the message could not be stored just now: send it again")
    if item.format != "er7":
        return Receipt("unavailable", reason=fault.text, condition=INTERNAL)
    remains, charset_name = remains_of(item.content)
    code = acknowledge.REJECTED
    if remains is not None:
        mode = site.peer_of(sender_of(remains, item)).profile.ack
        # Said even to one who wants no answers: what it does not hear of would be lost.
        code = acknowledge.answer_code(code, remains.first("MSH"), mode) or code
    answer = acknowledge.build(code, remains, charset_name, fault)
    return Receipt("unavailable", answer, reason=fault.text, condition=INTERNAL)


def _receipt(letter: Letter, message_id: int, is_new: bool, site: Site) -> Receipt:
    if letter.error is not None:
        fault = Fault(letter.error.condition, str(letter.error))
        answer = _refusal(letter, letter.error, fault, site)
        return Receipt("refused", answer, message_id, letter.control_id, fault.text, fault.condition)
    state = "stored" if is_new else "known"
    return Receipt(state, _acceptance(letter, site), message_id, letter.control_id)


def _acceptance(letter: Letter, site: Site) -> bytes:
    if letter.header is None:
        return b""
    template = letter.header.form.accepted(site.peer_of(letter.peer).profile.ack, letter.charset)
    return template.fill(letter.header.control_id) if template else b""


def _refusal(letter: Letter, error: Unreadable, fault: Fault, site: Site) -> bytes:
    if letter.item.format != "er7":
        return b""
    code = acknowledge.REJECTED if isinstance(error, NotHl7) else acknowledge.ERROR
    if letter.remains is not None:
        mode = site.peer_of(letter.peer).profile.ack
        code = acknowledge.answer_code(code, letter.remains.first("MSH"), mode)
    return acknowledge.build(code, letter.remains, letter.charset, fault) if code else b""
