"""`./cloudfilm check`: format, lint, types, layers, structure tests. Needs requirements-dev.txt."""

import subprocess
import sys
from pathlib import Path

import click

BIN = Path(sys.executable).parent
STEPS: tuple[tuple[str, list[str]], ...] = (
    ("format", [str(BIN / "ruff"), "format", "--check", "."]),
    ("lint", [str(BIN / "ruff"), "check", "."]),
    ("types", [str(BIN / "mypy")]),
    ("layers", [str(BIN / "lint-imports")]),
    ("structure", [str(BIN / "pytest"), "-q", "tests/structure"]),
    ("pages", ["npm", "--prefix", "web", "run", "--silent", "check"]),
)


@click.command()
def check() -> None:
    """Check form, types, layers and structure of the code."""
    failed = []
    for name, command in STEPS:
        click.echo(f"── {name}")
        if subprocess.run(command, check=False).returncode != 0:
            failed.append(name)
    if failed:
        click.echo(f"check failed: {', '.join(failed)}", err=True)
        sys.exit(1)
    click.echo("check passed")
