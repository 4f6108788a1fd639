"""`./cloudfilm bench AREA`: how fast, measured beside others in the same run. Needs requirements-dev.txt."""

import subprocess
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, required=True, metavar="AREA [--json] [--only NAME]")
def bench(arguments: tuple[str, ...]) -> None:
    """Measure one area (crypto, hl7, viewer) and print its figures."""
    sys.exit(subprocess.run([sys.executable, "-m", "bench", *arguments], check=False).returncode)
