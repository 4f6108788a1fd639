"""The object store is away for a while: images stay viewable from the front disk, the upload heals by itself."""

from pathlib import Path

import pytest
import requests

from app.site import Site
from app.story.cast import story_cast
from app.story.person import Person
from app.story.play import Story
from app.story.proof import first_frame_identical
from app.story.scene import DOCTOR, environment, prepare
from core import db
from core.models import Exam, OutboxEvent, Pack
from simulators.modality import dicom_files
from simulators.phantom import generate


@pytest.mark.requirement("C1", "F5", "P3")
def test_images_stay_viewable_while_the_store_is_away_and_the_upload_heals(tmp_path: Path) -> None:
    study = tmp_path / "phantom"
    for path in generate(study)[2:-1]:
        path.unlink()
    environ = environment(tmp_path / "home")
    settings, secret, password = prepare(environ)
    seen: list[bool] = []

    def switch(state: str) -> None:
        requests.post(f"{settings.oss_endpoint}/_sim/down?{state}", timeout=5).raise_for_status()

    def look() -> None:
        """Once every pack waits for the store: a doctor opens the film, then the store comes back."""
        site.heal()
        with db.connection():
            tried = OutboxEvent.select().where(
                OutboxEvent.kind == "upload_pack", OutboxEvent.last_error != ""
            )
            if seen or tried.count() < 2 or Pack.select().where(Pack.state == "stored").exists():
                return
            exam_id = Exam.get().id
        doctor = Person(settings.public_url)
        doctor.sign_in_staff(DOCTOR, password)
        manifest = doctor.get_json(f"/api/v1/exams/{exam_id}/film")["manifest"]
        seen.append(first_frame_identical(doctor, manifest, dicom_files(study)))
        switch("off")

    with Site(tmp_path / "home", environ) as site:
        switch("on")
        story = Story(settings, story_cast("CT"), study, secret, password, heal=look)
        told = story.play(None)
    assert seen == [True]
    assert told["rebuilt_identical"] == 3
