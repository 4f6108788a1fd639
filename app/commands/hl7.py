"""`./cloudfilm hl7 …`: connecting a hospital and looking after its messages."""

import socket
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message

from app.commands.hl7_replay import replay_files
from core import config, logs
from core.config import host_and_port
from core.errors import Refused
from hl7_engine import acknowledge, charset, profile
from hl7_engine.batch import split
from hl7_engine.er7 import Message
from hl7_engine.errors import Unreadable
from hl7_engine.framing import Deframer, wrap
from hl7_engine.sender import MllpSender
from hl7_engine.trial import Trial, described, try_message

FILES = click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
_SEND_SECONDS = 30.0
_READ_BYTES = 64 * 1024
# What is taken for a message in a directory.
_SUFFIXES = frozenset({".hl7", ".er7", ".msg", ".txt", ".dat", ".xml", ".json"})


@click.group("hl7")
def hl7_group() -> None:
    """HL7 messages: try, send, listen, replay, look."""


@hl7_group.command("try-profile")
@click.argument("profile_name")
@FILES
@click.option("--plain", is_flag=True, help="Show names, identity numbers and phones instead of masks.")
def try_profile(profile_name: str, files: tuple[Path, ...], plain: bool) -> None:
    """Show what each message would do in the dialect PROFILE_NAME, and what of it was not read. Nothing is stored.

    PROFILE_NAME is a shipped profile (standard_251, dragonris_23, county_his) or the path of a TOML file.
    """
    dialect = profile.load(profile_name)
    item_code = config.load().film_item_code
    outcomes: Counter[str] = Counter()
    unread: Counter[str] = Counter()
    for path, content in messages_of(files):
        trial = try_message(content, dialect, item_code)
        outcomes[trial.outcome] += 1
        unread.update(trial.unread)
        click.echo(f"{path}: {trial.message_type or '-'} {trial.control_id} ({trial.charset or '-'})")
        for line in _lines(trial, plain=plain):
            click.echo(f"  {line}")
    told = ", ".join(f"{outcome} {count}" for outcome, count in sorted(outcomes.items()))
    click.echo(f"\nprofile {dialect.name} ({dialect.description}): {told or 'no message'}")
    if unread:
        fields = ", ".join(f"{name} ({count})" for name, count in unread.most_common(20))
        click.echo(f"fields with a value that this profile does not read: {fields}")


@hl7_group.command()
@FILES
def replay(files: tuple[Path, ...]) -> None:
    """Run files or directories of messages through the whole engine in a throw-away installation, and count."""
    # What is wrong with each message is in the summary; a crash still shows itself.
    logs.configure("ERROR", "replay")
    with tempfile.TemporaryDirectory(prefix="cloudfilm-replay-") as home:
        summary = replay_files(Path(home), list(messages_of(files)))
    for line in summary.lines():
        click.echo(line)
    if summary.crashes:
        sys.exit(1)


@hl7_group.command()
@click.argument("address")
@FILES
def send(address: str, files: tuple[Path, ...]) -> None:
    """Send messages by MLLP to ADDRESS (host:port) and show each answer."""
    sender = MllpSender(host_and_port(address), _SEND_SECONDS)
    refused = 0
    for path, content in messages_of(files):
        answer = sender.send(content)
        refused += answer.code not in acknowledge.POSITIVE
        click.echo(f"{path}: {answer.code} {answer.control_id} {answer.text}".rstrip())
    if refused:
        sys.exit(1)


@hl7_group.command()
@click.option(
    "--bind", default="127.0.0.1:2576", show_default=True, help="host:port; port 0 takes a free one."
)
@click.option("--count", type=int, default=0, help="Stop after so many messages; 0: never.")
def listen(bind: str, count: int) -> None:
    """Show what a system sends by MLLP, and answer AA. Stores nothing: for trying a connection only."""
    with socket.create_server(host_and_port(bind)) as server:
        click.echo(f"listening on {server.getsockname()[0]}:{server.getsockname()[1]}; nothing is stored")
        shown = 0
        while not count or shown < count:
            connection, address = server.accept()
            with connection:
                for content in _frames(connection):
                    shown += 1
                    click.echo(f"--- {address[0]}\n{_readable(content)}")
                    connection.sendall(wrap(_answer(content)))
                    if count and shown >= count:
                        break


@hl7_group.command()
@FILES
def validate(files: tuple[Path, ...]) -> None:
    """Say where messages break the rules of the HL7 version that they name: strict, unlike what this engine accepts."""
    broken = 0
    for path, content in messages_of(files):
        reason = _why_invalid(content)
        broken += bool(reason)
        click.echo(f"{path}: {reason or 'valid'}")
    if broken:
        sys.exit(1)


def messages_of(files: tuple[Path, ...]) -> Iterator[tuple[str, bytes]]:
    """Every message in the files and below the directories; a batch file holds several."""
    for told in files:
        found = sorted(filter(_is_message_file, told.rglob("*"))) if told.is_dir() else [told]
        for path in found:
            content = path.read_bytes()
            parts = split(content)
            for number, part in enumerate(parts, 1):
                yield (f"{path.name}[{number}]" if len(parts) > 1 else path.name), part


def _is_message_file(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in _SUFFIXES


def _lines(trial: Trial, *, plain: bool) -> Iterator[str]:
    yield f"{trial.outcome}{': ' + trial.reason if trial.reason else ''}"
    for command in trial.commands:
        yield from described(command, plain=plain)
    for note in trial.notes:
        yield f"note: {note}"
    if trial.unread:
        yield f"not read: {', '.join(trial.unread)}"


def _frames(connection: socket.socket) -> Iterator[bytes]:
    deframer = Deframer()
    while data := connection.recv(_READ_BYTES):
        for frame in deframer.feed(data):
            yield frame.content


def _readable(content: bytes) -> str:
    try:
        return charset.decode(content).text.replace("\r", "\n").rstrip()
    except Unreadable as error:
        return f"({len(content)} bytes: {error})"


def _answer(content: bytes) -> bytes:
    try:
        text, charset_name = charset.decode(content)
        return acknowledge.build(acknowledge.ACCEPTED, Message.parse(text), charset_name)
    except Unreadable:
        return acknowledge.build(acknowledge.REJECTED, None, charset.UTF_8)


def _why_invalid(content: bytes) -> str:
    try:
        lines = Message.parse(charset.decode(content).text).lines
        parse_message("\r".join(lines)).validate()
    except Refused as error:
        return str(error)
    except (HL7apyException, AttributeError, IndexError, KeyError, ValueError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return ""
