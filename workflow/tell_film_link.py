"""When an exam is published, then HIS and RIS are told where its film is, for their doctors to open (F6)."""

from functools import partial

from core import problems
from core.db import transaction
from core.models import Exam
from hl7_engine import outgoing
from hl7_engine.errors import Unwritable
from hl7_engine.site import FILM_LINK
from hl7_engine.writing import film_link
from hl7_engine.writing.envelope import Envelope
from hl7_engine.writing.film_link import FilmLinkFacts
from workflow.context import Platform


def tell_film_link(platform: Platform, exam_id: int) -> None:
    """Owe each receiver one ORU^R01 with the address of the exam's page; again changes nothing."""
    exam = Exam.get_by_id(exam_id)
    key = f"film_link:{exam_id}"
    for peer in platform.site.receivers(FILM_LINK):
        envelope = Envelope.of(platform.site, peer)
        with transaction():
            try:
                facts = FilmLinkFacts.of(exam, platform.settings.public_url)
                outgoing.queue(
                    peer.name,
                    key,
                    "ORU^R01",
                    partial(film_link.build, facts, envelope=envelope),
                    stream_key=exam.placer_order_number or exam.accession_number,
                )
            except Unwritable as error:
                problems.note("his", key, f"{peer.name} was not told: {error}", peer=peer.name)
