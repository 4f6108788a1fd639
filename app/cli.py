"""`./cloudfilm COMMAND`: every command of the installation. Errors are one clear line, not a traceback."""

import sys

import click

from app.commands import files, hl7_store, key_accounts
from app.commands.bench import bench
from app.commands.check import check
from app.commands.crypto import crypto_group
from app.commands.demo import demo
from app.commands.hl7 import hl7_group
from app.commands.hl7_crash import crash_test
from app.commands.installation import audit_group, messages, preflight, setup, unseal
from app.commands.keys import keys_group
from app.commands.run import run
from app.commands.story import faults, story
from core import logs
from core.errors import CloudFilmError
from crypto.errors import CryptoError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """CloudFilm 云胶片: medical images kept for decades, open on a phone in a second."""


for command in (
    setup,
    demo,
    story,
    faults,
    run,
    messages,
    preflight,
    audit_group,
    hl7_group,
    crypto_group,
    unseal,
    keys_group,
    *files.COMMANDS,
    bench,
    check,
):
    cli.add_command(command)
hl7_group.add_command(crash_test)
for command in hl7_store.COMMANDS:
    hl7_group.add_command(command)
for command in key_accounts.COMMANDS:
    keys_group.add_command(command)


def main() -> None:
    """Run the command line; known errors end with status 1 and their message."""
    # Before anything logs: structlog's own way to show an exception would print local variables, and names with them.
    logs.configure("WARNING", "command")
    try:
        cli()
    except (CloudFilmError, CryptoError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
