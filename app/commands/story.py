"""`./cloudfilm story` and `./cloudfilm faults`: one exam's life, whole, shuffled, doubled, or under fire."""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pydicom

from app.site import Site
from app.story.cast import story_cast
from app.story.play import Story
from app.story.rows import Rows, differences, digest, end_state
from app.story.scene import environment, prepare
from core import failpoints
from core.errors import CloudFilmError
from simulators.modality import dicom_files

Tell = Callable[[str, dict[str, Any]], None]


@click.command()
@click.option("--dicom", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option(
    "--shuffle", type=int, help="Permute the arrival of order, images, fee and report by this seed."
)
@click.option("--twice", is_flag=True, help="Deliver everything twice.")
def story(dicom: Path, as_json: bool, shuffle: int | None, twice: bool) -> None:
    """Play the life of one exam over real sockets and print the evidence of each step.

    With --shuffle or --twice the plain story is played first, and both must end with the same rows.
    """
    tell: Tell = (lambda _name, _evidence: None) if as_json else _print_step
    try:
        result, rows = play_once(dicom, tell, shuffle=shuffle, repeat=2 if twice else 1)
        if shuffle is not None or twice:
            _, plain = play_once(dicom, lambda _name, _evidence: None)
            result["different_rows"] = differences(plain, rows)
            result["ok"] = not result["different_rows"]
        result["rows_sm3"] = digest(rows)
    except CloudFilmError as error:
        result = {"ok": False, "error": str(error)}
    click.echo(
        json.dumps(result, ensure_ascii=False, indent=1)
        if as_json
        else f"ok: {result['ok']} {result.get('error', '')}"
    )
    sys.exit(0 if result["ok"] else 1)


@click.command()
@click.option("--dicom", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--only", multiple=True, help="Only these failpoints.")
@click.option("--passes", default=3, show_default=True, help="At most this many passes of each failpoint.")
def faults(dicom: Path, only: tuple[str, ...], passes: int) -> None:
    """Kill a process at every named failpoint; the story must end the same each time."""
    _, plain = play_once(dicom, lambda _name, _evidence: None)
    broken = 0
    for name in only or failpoints.NAMES:
        for count in range(1, passes + 1):
            try:
                result, rows = play_once(dicom, lambda _name, _evidence: None, fail=f"{name}:{count}")
                text = "; ".join(differences(plain, rows)) or "same end"
            except CloudFilmError as error:
                result, text = {"fired": True}, f"BROKEN {error}"
            broken += text != "same end"
            click.echo(f"{name}:{count}  {'killed' if result['fired'] else 'untouched'}  {text}")
            if not result["fired"]:
                break
    sys.exit(1 if broken else 0)


def play_once(
    dicom: Path, tell: Tell, *, shuffle: int | None = None, repeat: int = 1, fail: str = ""
) -> tuple[dict[str, Any], Rows]:
    """One story in a throw-away installation; evidence and end rows."""
    with tempfile.TemporaryDirectory(prefix="cloudfilm-story-") as folder:
        home = Path(folder)
        environ = environment(home)
        settings, secret, password = prepare(environ)
        with Site(home, environ, fail) as site:
            played = Story(
                settings=settings,
                cast=story_cast(_modality(dicom)),
                dicom=dicom,
                kiosk_secret=secret,
                doctor_password=password,
                repeat=repeat,
                heal=site.heal,
                tell=tell,
            )
            try:
                result = played.play(shuffle)
            except CloudFilmError as error:
                raise CloudFilmError(f"{error}\n{site.last_log_lines()}") from error
            result["fired"] = (home / "failpoint.fired").exists()
            return result, end_state()


def _modality(dicom: Path) -> str:
    files = dicom_files(dicom)
    if not files:
        return "OT"
    header = pydicom.dcmread(files[0], stop_before_pixels=True, specific_tags=["Modality"])
    return str(header.get("Modality", "") or "OT")


def _print_step(name: str, evidence: dict[str, Any]) -> None:
    click.echo(f"{name:>10}  {json.dumps(evidence, ensure_ascii=False)}")
