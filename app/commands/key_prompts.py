"""What the commands of keys ask of people and show them: shares, passwords, progress.

Shares are shown once, on the terminal and nowhere else: no log, no file, no message of an error has one.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from core.errors import Misconfigured
from crypto.errors import KeyRefused, ShareRefused
from crypto.roles.accounts import Accounts
from crypto.roles.permissions import Session
from crypto.shamir import Purpose, Share
from crypto.unsealing import ShareGathering

_TRIES = 5
_WRITTEN = "written"


class Numbers(click.ParamType):
    """`3/5`: three of five shares."""

    name = "M/N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Two numbers; whether they make sense says `shamir.split`."""
        if isinstance(value, tuple):
            return value
        needed, _, made = value.partition("/")
        if not (needed.isdigit() and made.isdigit()):
            self.fail(f"{value!r}: say how many shares are needed and made, as in 3/5", param, ctx)
        return int(needed), int(made)


def require_private_output(no_terminal: bool) -> None:
    """Raises `Misconfigured` when shares would go into a file that nobody thought of."""
    if not no_terminal and not sys.stdout.isatty():
        raise Misconfigured(
            "shares would go into a file or a pipe: run this in a terminal, or say --no-terminal when that is intended"
        )


def show_shares(shares: list[Share], no_terminal: bool) -> None:
    """Print them, wait until they are written down, clear the screen. Raises `Abort` when that is not said."""
    require_private_output(no_terminal)
    first = shares[0]
    click.echo(
        f"{len(shares)} shares of {first.purpose.words}, set {first.set_name}; any {first.threshold} give it back. "
        "Each holder writes down one, and nobody two."
    )
    for share in shares:
        click.echo(f"\nshare {share.index} of {len(shares)}, set {share.set_name}\n{_lines(share.text)}")
    click.echo("")
    if no_terminal:
        return
    click.prompt(
        f"They are shown this once. Type {_WRITTEN!r} when every share is on paper",
        type=click.Choice([_WRITTEN]),
        show_choices=False,
    )
    click.clear()
    # The scroll-back as well (ECMA-48 ED with the 3 that xterm added): a screen that is clear can be scrolled up.
    click.echo("\x1b[3J", nl=False)


def ask_share(called: str) -> str:
    """One share as it is typed, without echo; a line of the standard input when that is no terminal."""
    if sys.stdin.isatty():
        return str(click.prompt(f"{called} (not shown)", hide_input=True))
    line = sys.stdin.readline()
    if not line:
        raise ShareRefused(f"{called}: no more shares came")
    return line


def gather(purpose: Purpose) -> bytes:
    """Ask for shares until the key is there; a mistyped one is asked for again. Raises `ShareRefused`."""
    gathering = ShareGathering(purpose, time.monotonic)
    give_shares(lambda text: gathering.add(text).is_complete, purpose)
    return gathering.take_key()


def give_shares(add: Callable[[str], bool], purpose: Purpose) -> None:
    """Hand typed shares to `add` until it says that they are enough. Raises `ShareRefused` after five refusals in a row."""
    refusals, given = 0, 0
    while True:
        text = ask_share(f"share {given + 1} of {purpose.words}")
        try:
            is_complete = add(text)
        except ShareRefused as refused:
            refusals += 1
            if refusals == _TRIES or not sys.stdin.isatty():
                raise
            click.echo(f"{refused}", err=True)
            continue
        refusals, given = 0, given + 1
        if is_complete:
            return


def sign_in(accounts: Accounts) -> Session:
    """Who manages keys says who it is. Raises `RoleRefused`."""
    name = click.prompt("account")
    password = click.prompt("password", hide_input=True)
    return accounts.sign_in(name, password, click.prompt("code of the authenticator"))


@contextmanager
def disk_errors_told(path: Path) -> Iterator[None]:
    """A full disk or a directory that is closed to us is one clear line. Raises `KeyRefused`."""
    try:
        yield
    except OSError as error:
        raise KeyRefused(f"{error.filename or path}: {error.strerror}; nothing was left half done") from None


@contextmanager
def progress(*labels: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told done and total; when it begins anew it goes on as the next label."""
    bars = _Bars(list(labels))
    try:
        yield bars.tell
    finally:
        bars.end()


class _Bars:
    def __init__(self, labels: list[str]) -> None:
        self._labels = labels
        self._bar: Any = None
        self._done = 0

    def tell(self, done: int, total: int) -> None:
        if self._bar is None or done < self._done:
            self.end()
            label = self._labels.pop(0) if len(self._labels) > 1 else self._labels[0]
            self._bar = click.progressbar(length=total, label=label, show_pos=False, file=sys.stderr)
            self._bar.__enter__()
            self._done = 0
        self._bar.update(done - self._done)
        self._done = done

    def end(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


def _lines(text: str) -> str:
    """Three lines of four groups, easier to copy than one of twelve."""
    groups = text.split("-")
    return "\n".join("  " + "-".join(groups[start : start + 4]) for start in range(0, len(groups), 4))
