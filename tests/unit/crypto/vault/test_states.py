"""The table of states against what is written about it elsewhere: SP 800-57 part 1 rev. 5, §7."""

import pytest

from crypto.errors import KeyRefused
from crypto.vault.states import RULES, USES_OF_PURPOSE, State, require_change, require_use

pytestmark = pytest.mark.requirement("H2.8")


def test_a_key_begins_nothing_unless_it_is_active() -> None:
    beginning = {state for state, rule in RULES.items() if rule.uses & {"sign", "encrypt"}}
    assert beginning == {State.ACTIVE}


def test_what_was_sealed_opens_until_the_key_is_destroyed() -> None:
    opening = {state for state, rule in RULES.items() if "decrypt" in rule.uses}
    assert opening == {State.ACTIVE, State.DEACTIVATED, State.COMPROMISED}


def test_no_signature_of_a_compromised_key_is_accepted() -> None:
    assert "verify" not in RULES[State.COMPROMISED].uses


def test_there_is_no_way_back() -> None:
    def reachable(state: State) -> set[State]:
        found = set(RULES[state].next_states)
        for following in RULES[state].next_states:
            found |= reachable(following)
        return found

    for state in State:
        assert state not in reachable(state)
        assert (State.DESTROYED in reachable(state)) == (state is not State.DESTROYED)


def test_a_pair_signs_or_encrypts_never_both() -> None:
    assert not USES_OF_PURPOSE["sign"] & USES_OF_PURPOSE["encrypt"]
    with pytest.raises(KeyRefused, match="there to sign, not to decrypt"):
        require_use("key 1", State.ACTIVE, "sign", "decrypt")


@pytest.mark.parametrize("state", list(State))
def test_a_refusal_names_the_key_and_what_follows(state: State) -> None:
    with pytest.raises(KeyRefused, match=f"key 7: it is {state}"):
        require_change("key 7", state, State.PRE_ACTIVE)
