"""All that the service can be asked, in one list."""

from crypto.service import (
    exchange_contract,
    keyring_contract,
    management_contract,
    operation_contract,
    state_contract,
)
from crypto.service.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *state_contract.ENDPOINTS,
    *keyring_contract.ENDPOINTS,
    *operation_contract.ENDPOINTS,
    *exchange_contract.ENDPOINTS,
    *management_contract.ENDPOINTS,
)
