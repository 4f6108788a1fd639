"""What kiosks and tills ask: what is owed, and to note that it was collected (P6▲, S3).

Requests are signed (access/signed_requests.py). The machine's key id and the Idempotency-Key name a payment
once and for all, so a till that heard no answer asks again with the same key.
"""

from typing import Any

from apiflask import APIBlueprint

from api import guards
from api.request_scope import address
from api.v1.schemas import (
    ChargeQuery,
    ChargesOut,
    IdempotencyHeader,
    SettlementIn,
    SettlementOut,
)
from billing.told import SettleOutcome
from core import failpoints
from core.commands import SettleFee
from core.errors import Refused
from workflow import find_charges, settle_fee

blueprint = APIBlueprint("v1_settlements", __name__, url_prefix="/api/v1", tag="Fees")


@blueprint.get("/charges")
@guards.signed_machine
@blueprint.input(ChargeQuery, location="query")
@blueprint.output(ChargesOut)
def list_charges(query_data: dict[str, str]) -> dict[str, Any]:
    """Film fee lines of an order or exam"""
    return {"charges": find_charges.find_charges(guards.machine().key_id, address(), **query_data)}


@blueprint.post("/settlements")
@guards.signed_machine
@blueprint.input(IdempotencyHeader, location="headers")
@blueprint.input(SettlementIn)
@blueprint.output(SettlementOut)
def settle(headers_data: dict[str, str], json_data: dict[str, Any]) -> SettleOutcome:
    """Note that a fee was collected

    200 with the verdict; 409 when the key was used for another payment.
    """
    if json_data["paid_at"].tzinfo is None:
        raise Refused("paid_at has no zone: write 2026-11-24T09:30:00+08:00")
    outcome = settle_fee.settle_fee(
        SettleFee(
            source=guards.machine().key_id,
            key=headers_data["idempotency_key"],
            **json_data,
        )
    )
    failpoints.passing("kiosk.before_answer")
    return outcome
