"""What the simulated HIS is told, read by hl7apy: payments and refunds, film addresses, answers to its own messages.

A message of ours that only we can read is noticed here.
"""

from typing import Any

from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

PAYMENT = "payment"
REFUND = "refund"
FILM_LINK = "film_link"
ANSWER = "answer"

_ANSWERS = frozenset({"ACK", "ORR", "ORG"})


def read(text: str) -> dict[str, Any]:
    """`kind`, `control_id` and the facts of one message. Raises hl7apy's exceptions, or LookupError and the like."""
    message = parse_message(text, find_groups=False)
    code = message.msh.msh_9.msh_9_1.value
    told = {"control_id": message.msh.msh_10.value}
    if code == "DFT":
        return told | _money(message)
    if code == "ORU":
        return told | _film_link(message)
    if code in _ANSWERS:
        return told | _answer(message)
    raise HL7apyException(f"{code} is not read here")


def _money(message: Any) -> dict[str, Any]:
    line, fee = message.ft1, message.zfe
    if fee.zfe_2.value != line.ft1_2.value:
        raise HL7apyException("ZFE-2 names another fee line than FT1-2")
    return {
        "kind": REFUND if line.ft1_6.value == "CR" else PAYMENT,
        "fee_line_id": line.ft1_2.value,
        "amount": line.ft1_11.value,
        "order_number": line.ft1_23.ft1_23_1.value,
        "paid_at": line.ft1_4.value,
        "patient_name": message.pid.pid_5.pid_5_1.value,
        "channel": fee.zfe_6.value,
        "external_number": fee.zfe_11.value,
    }


def _film_link(message: Any) -> dict[str, Any]:
    if message.obx.obx_2.value != "RP":
        raise HL7apyException("only film addresses come by ORU^R01: OBX-2 is RP")
    return {
        "kind": FILM_LINK,
        "order_number": message.obr.obr_2.obr_2_1.value,
        "accession_number": message.obr.obr_18.value,
        "patient_name": message.pid.pid_5.pid_5_1.value,
        "code": message.obx.obx_3.obx_3_1.value,
        "address": message.obx.obx_5.value,
    }


def _answer(message: Any) -> dict[str, Any]:
    orders = [segment for segment in message.children if segment.name == "ORC"]
    return {
        "kind": ANSWER,
        "message_type": message.msh.msh_9.value,
        "code": message.msa.msa_1.value,
        "answers": message.msa.msa_2.value,
        "orders": [[order.orc_1.value, order.orc_2.orc_2_1.value] for order in orders],
        "text": message.msa.msa_3.value,
    }
