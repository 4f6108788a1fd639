"""The application acknowledgement: what became of a message that was taken in before (v2.5.1 chapter 2.9.2.2).

A plain ACK, or for orders the answer of chapter 4.4.2 (ORR^O02 to ORM^O01, ORG^O20 to OMG^O19) with one ORC for each order.
"""

from typing import Any

from hl7apy.exceptions import HL7apyException

from hl7_engine.acknowledge import ACCEPTED, ERROR
from hl7_engine.er7 import Message, escape
from hl7_engine.errors import CONDITION_TEXTS, INTERNAL, Unwritable
from hl7_engine.writing.envelope import STANDARD, Envelope, new_message, new_segment, to_bytes

# Message type → type and structure of its answer.
ORDER_ANSWERS = {"ORM^O01": ("ORR^O02", "ORR_O02"), "OMG^O19": ("ORG^O20", "ORG_O20")}
# ORC-1 of the order → ORC-1 of the answer when we did, and could not do, what it asks (table 0119).
_CONTROLS = {"CA": ("CR", "UC"), "DC": ("DR", "UD"), "XO": ("XR", "UX")}
_OTHER_CONTROLS = ("OK", "UA")
# Since then ERR has the fields that we fill.
_WITH_ERR = "2.5"


def build(message: Message, error: str, control_id: str, envelope: Envelope = STANDARD) -> bytes:
    """AA, or AE with `error` as its reason. Raises `Unwritable`."""
    event = message.get("MSH-9.2")
    return _build(message, error, control_id, envelope, f"ACK^{event}" if event else "ACK", "ACK")


def build_order_answer(message: Message, error: str, control_id: str, envelope: Envelope = STANDARD) -> bytes:
    """The same to an order, each of its orders accepted or not. Raises `Unwritable`."""
    message_type, structure = ORDER_ANSWERS[message.type]
    orders = [_answer_of(order, error) for order in message.segments("ORC")]
    # hl7apy 1.3.5 cannot validate ORR_O02_ORDER: of <OBR|RQD|RQ1|RXO|ODS|ODT>, one of which may follow, it wants all. So
    # the orders are validated each by itself and put at the end, where they stand anyway.
    return _build(message, error, control_id, envelope, message_type, structure, *orders)


def _build(
    message: Message,
    error: str,
    control_id: str,
    envelope: Envelope,
    message_type: str,
    structure: str,
    *last: Any,
) -> bytes:
    try:
        answer = new_message(message_type, structure, control_id, envelope)
        answer.msa.msa_1 = ERROR if error else ACCEPTED
        answer.msa.msa_2 = escape(message.get("MSH-10"))
        if error:
            # MSA-3 is deprecated, and all that receivers before v2.5 read.
            answer.msa.msa_3 = escape(error)
        if error and envelope.version >= _WITH_ERR:
            err = answer.add_segment("ERR")
            err.err_3 = f"{INTERNAL}^{CONDITION_TEXTS[INTERNAL]}^HL70357"
            err.err_4 = "E"
            err.err_8 = escape(error)
        return to_bytes(answer, envelope, *last)
    except (HL7apyException, ValueError) as broken:
        raise Unwritable(
            f"the answer to a message of type {message.type[:16]} makes no valid {message_type} ({type(broken).__name__})"
        ) from broken


def _answer_of(order: Any, error: str) -> Any:
    done, not_done = _CONTROLS.get(order.get("1").upper(), _OTHER_CONTROLS)
    orc = new_segment("ORC")
    orc.orc_1 = not_done if error else done
    for field in (2, 3):
        number, assigner = order.get(f"{field}.1"), order.get(f"{field}.2")
        if number:
            told = f"{escape(number)}^{escape(assigner)}" if assigner else escape(number)
            setattr(orc, f"orc_{field}", told)
    return orc
