"""What the commands of keys ask: shares again when mistyped, the word that all is on paper, bars that begin anew."""

import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from app.commands import key_prompts
from core.errors import Misconfigured
from crypto.errors import ShareRefused
from crypto.shamir import Purpose, Share, split

pytestmark = pytest.mark.requirement("H2.6", "H2.8")

KEY = bytes(range(16))


@pytest.fixture
def shares() -> list[Share]:
    return split(KEY, 2, 3, Purpose.BACKUP_KEY)


class Terminal:
    """Answers what is typed, one after the other; remembers what was asked and said."""

    def __init__(self, typed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._typed: Iterator[str] = iter(typed)
        self.asked: list[tuple[str, bool]] = []
        self.said: list[str] = []
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(click, "prompt", self._prompt)
        monkeypatch.setattr(click, "echo", lambda text, err=False, nl=True: self.said.append(text))

    def _prompt(self, text: str, hide_input: bool = False, **_options: object) -> str:
        self.asked.append((text, hide_input))
        return next(self._typed)


def test_a_mistyped_share_is_asked_for_again_and_never_shown(
    shares: list[Share], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "2" + shares[0].text[::-1]
    terminal = Terminal([shares[0].text, wrong, shares[0].text, shares[2].text], monkeypatch)
    assert key_prompts.gather(Purpose.BACKUP_KEY) == KEY
    assert len(terminal.said) == 2
    assert "share number 1 was given already" in terminal.said[1]
    assert all(hidden for _, hidden in terminal.asked)
    assert [text.split(" of")[0] for text, _ in terminal.asked] == [
        "share 1",
        "share 2",
        "share 2",
        "share 2",
    ]
    assert not any(share.text in said for share in shares for said in terminal.said)


def test_after_five_refusals_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(["nonsense"] * 9, monkeypatch)
    with pytest.raises(ShareRefused):
        key_prompts.gather(Purpose.SYSTEM_KEY)
    assert len(terminal.asked) == 5


def test_shares_are_shown_once_and_then_the_screen_is_cleared(
    shares: list[Share], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    terminal, cleared = Terminal(["written"], monkeypatch), []
    monkeypatch.setattr(click, "clear", lambda: cleared.append(len(terminal.said)))
    key_prompts.show_shares(shares, no_terminal=False)
    shown = "\n".join(terminal.said)
    for share in shares:
        assert shown.count("-".join(share.text.split("-")[:4])) == 1
    assert cleared == [len(terminal.said) - 1]
    assert terminal.said[-1] == "\x1b[3J", "what was shown is not in the scroll-back either"
    assert "Type 'written'" in terminal.asked[0][0]


def test_shares_go_into_no_pipe_unasked(shares: list[Share], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    with pytest.raises(Misconfigured, match="--no-terminal"):
        key_prompts.show_shares(shares, no_terminal=False)


def test_a_bar_begins_anew_with_the_next_label() -> None:
    @click.command()
    def work() -> None:
        with key_prompts.progress("sealing", "reading back") as told:
            for done in (1, 2, 1, 2):
                told(done, 2)

    result = CliRunner().invoke(work)
    assert result.exit_code == 0
    assert result.stderr.split() == ["sealing", "reading", "back"]
    assert result.stdout == ""
