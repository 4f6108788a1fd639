"""The life of a key, as one table (SP 800-57 part 1 rev. 5 §7; GM/T 0051): what each state allows, what may follow it.

sign, verify, encrypt and decrypt are the uses; wrapping other keys counts as encrypt, unwrapping as decrypt.
"""

from enum import StrEnum
from typing import NamedTuple

from crypto.errors import KeyRefused


class State(StrEnum):
    """Where a key is in its life."""

    PRE_ACTIVE = "pre-active"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"


TABLE = """
    state        sign verify encrypt decrypt  may become

    pre-active   -    -      -       -        active compromised destroyed
    active       yes  yes    yes     yes      deactivated compromised destroyed
    deactivated  -    yes    -       yes      compromised destroyed
    compromised  -    -      -       yes      destroyed
    destroyed    -    -      -       -
"""
# What the two halves of a person's keys are for: one pair never does both (GB/T 35276-2017, dual certificates).
USES_OF_PURPOSE = {
    "sign": frozenset({"sign", "verify"}),
    "encrypt": frozenset({"encrypt", "decrypt"}),
    "data": frozenset({"encrypt", "decrypt"}),
    "wrap": frozenset({"encrypt", "decrypt"}),
}


class Rule(NamedTuple):
    """One row."""

    uses: frozenset[str]
    next_states: frozenset[State]


def _parse(table: str) -> dict[State, Rule]:
    header, *rows = [line.split() for line in table.splitlines() if line.strip()]
    uses = header[1:5]
    return {
        State(row[0]): Rule(
            frozenset(use for use, cell in zip(uses, row[1:5], strict=True) if cell == "yes"),
            frozenset(map(State, row[5:])),
        )
        for row in rows
    }


RULES = _parse(TABLE)


def require_use(called: str, state: State, purpose: str, use: str) -> None:
    """Raises `KeyRefused` when the state or the purpose of the key `called` so does not allow `use`."""
    if use not in USES_OF_PURPOSE[purpose]:
        raise KeyRefused(f"{called}: it is there to {purpose}, not to {use}; take the owner's other key")
    if use not in RULES[state].uses:
        raise KeyRefused(f"{called}: it is {state} and may not {use}; {_REMEDIES[state]}")


def require_change(called: str, state: State, target: State) -> None:
    """Raises `KeyRefused` when `target` does not follow `state`."""
    if target not in RULES[state].next_states:
        follows = ", ".join(sorted(RULES[state].next_states)) or "nothing"
        raise KeyRefused(f"{called}: it is {state}; {target} does not follow that, but {follows}")


_REMEDIES = {
    State.PRE_ACTIVE: "activate it first",
    State.ACTIVE: "see its purpose",
    State.DEACTIVATED: "use its successor",
    State.COMPROMISED: "use a new key, and decrypt what must be saved from this one",
    State.DESTROYED: "nothing brings it back",
}
