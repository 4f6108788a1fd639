"""`./cloudfilm demo`: the whole installation with its simulated surroundings on this machine, staying up."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from app.installation import add_staff
from app.site import ROOT, Site
from app.story.cast import story_cast
from app.story.person import Person
from app.story.play import Story
from app.story.rows import end_state
from app.story.scene import DOCTOR, environment, prepare
from core import config
from core.config import foreign_environment
from core.errors import CloudFilmError
from simulators.phantom import generate

OPERATOR = "operator"
# Fixed, so that a second start has the same pages; the demo keeps its data.
PORTS = [8100, 8101, 2575, 11112, 8110, 8111, 8112, 8113]


@click.command()
@click.option(
    "--dicom", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Real files instead."
)
@click.option("--home", type=click.Path(path_type=Path), default=Path("var/demo"), show_default=True)
def demo(dicom: Path | None, home: Path) -> None:
    """Start everything, play the story once, print the pages to open. Ctrl-C ends all of it."""
    home = home.resolve()
    environ = _environment(home)
    settings, secret, password = prepare(environ)
    password = _keep_password(home, DOCTOR, password)
    operator_password = _keep_password(home, OPERATOR, add_staff(OPERATOR, "值班运维", "operator") or "")
    if dicom is None:
        dicom = home / "phantom"
        generate(dicom)
    site = Site(home, environ)
    with _supervised(home, environ):
        site.wait_ready()
        if not end_state()["exams"]:
            click.echo("playing the story of one exam …")
            told = Story(settings, story_cast("CT"), dicom, secret, password, tell=_tell).play(None)
            click.echo(
                f"{told['rebuilt_identical']} files rebuilt identical, first frame identical: "
                f"{told['first_frame_identical']}"
            )
        _print_pages(settings, password, operator_password)
        signal.pause()


class _supervised:  # noqa: N801 — reads as a word in `with _supervised(…)`
    """honcho with Procfile.demo as a process group of its own; gone when the block ends, however it ends."""

    def __init__(self, home: Path, environ: dict[str, str]) -> None:
        log = home / "log"
        log.mkdir(parents=True, exist_ok=True)
        self._log = (log / "demo.log").open("ab")
        self._environ = {**foreign_environment(), **environ}

    def __enter__(self) -> None:
        signal.signal(signal.SIGTERM, _interrupted)
        signal.signal(signal.SIGINT, _interrupted)
        honcho = Path(sys.executable).with_name("honcho")
        self._honcho = subprocess.Popen(
            [str(honcho), "-f", "Procfile.demo", "start"],
            cwd=ROOT,
            env=self._environ,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self._honcho.terminate()
        try:
            self._honcho.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(self._honcho.pid, signal.SIGKILL)
        self._log.close()
        return kind is _Ended


class _Ended(Exception):
    """Ctrl-C or SIGTERM."""


def _interrupted(*_: object) -> None:
    raise _Ended


def _environment(home: Path) -> dict[str, str]:
    kept = home / "demo.json"
    if kept.exists():
        told: dict[str, str] = json.loads(kept.read_text(encoding="utf-8"))
        return told
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    environ = environment(home, PORTS)
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(environ, indent=1), encoding="utf-8")
    return environ


def _keep_password(home: Path, username: str, password: str) -> str:
    """The passwords of the demo are shown again at the next start; real ones never lie in a file."""
    kept = home / "keys" / f"demo-{username}.txt"
    if password:
        kept.touch(mode=0o600)
        kept.write_text(password, encoding="utf-8")
    if not kept.exists():
        raise CloudFilmError(f"{kept} is gone: delete {home} to begin the demo anew")
    return kept.read_text(encoding="utf-8")


def _tell(name: str, _evidence: dict[str, object]) -> None:
    click.echo(f"  ✓ {name}")


def _print_pages(settings: config.Settings, password: str, operator_password: str) -> None:
    phone = story_cast("CT").patient.phone
    person = Person(settings.public_url)
    time.sleep(1)  # one code a second is the demo gateway's limit
    before = len(person.codes(settings.sms_endpoint, phone))
    person.ask("POST", "/api/v1/otp", json={"phone": phone})
    code = person.wait_code(settings.sms_endpoint, phone, before)
    click.echo(
        f"""
  患者（手机）    {settings.public_url}/            手机号 {phone}   验证码 {code}
  医生            {settings.public_url}/staff/login  用户名 {DOCTOR}   密码 {password}
  运维            {settings.public_url}/staff/login  用户名 {OPERATOR}   密码 {operator_password}
  模拟短信收件箱  {settings.sms_endpoint}/inbox?phone={phone}
  模拟微信聊天    {settings.wechat_api}chat
  数据            {settings.home_path}    日志 {settings.home_path}/log

  Ctrl-C ends everything."""
    )
