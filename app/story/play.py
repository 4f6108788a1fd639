"""The story itself: deliveries by their peers, then what patient and doctor see, then the proofs.

Peers repeat what is not acknowledged, as real ones do: HIS and RIS resend, the modality sends failed files again, the
kiosk repeats under the same key, people press again.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom
import requests

from app.story.cast import Cast
from app.story.pdf import report_pdf
from app.story.person import Person
from app.story.proof import first_frame_identical, rebuilt_identical
from app.story.scene import DOCTOR, KIOSK
from core import audit, db
from core.config import Settings, host_and_port
from core.errors import CloudFilmError
from core.models import Exam, InboundMessage, OutboxEvent
from simulators import his_messages as say
from simulators.his import HisSimulator
from simulators.kiosk import Kiosk, KioskRefused
from simulators.modality import dicom_files, send_files

PATIENCE_SECONDS = 180
POLL_SECONDS = 0.1
STARTED = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)


class StoryBroken(CloudFilmError):
    """A step did not end as it must; the message names the step."""


@dataclass
class Story:
    """One play. `heal` is called while waiting, so that a fault run can restart what was killed."""

    settings: Settings
    cast: Cast
    dicom: Path
    kiosk_secret: str
    doctor_password: str
    repeat: int = 1
    heal: Callable[[], object] = lambda: None
    tell: Callable[[str, dict[str, Any]], None] = lambda _name, _evidence: None
    steps: list[dict[str, Any]] = field(default_factory=list)

    def play(self, shuffle: int | None) -> dict[str, Any]:
        """All steps; returns the evidence. Raises `StoryBroken`."""
        self._files = dicom_files(self.dicom)
        if not self._files:
            raise StoryBroken(f"{self.dicom} has no DICOM files")
        self._studies = tuple(sorted({str(_header(path).StudyInstanceUID) for path in self._files}))
        self._his = HisSimulator(
            self.settings.home_path / "his-client", host_and_port(self.settings.mllp_bind)
        )
        self._person = Person(self.settings.public_url)
        self._step("register", self._register)
        self._step("follow", self._follow)
        deliveries = [
            ("order", self._order),
            ("images", self._images),
            ("fee", self._fee),
            ("report", self._report),
        ]
        if shuffle is not None:
            random.Random(shuffle).shuffle(deliveries)  # noqa: S311 — a reproducible order, no secret
        for number, (name, deliver) in enumerate(deliveries, start=1):
            self._step(name, deliver)
            self._settle_down()
            self._require_published(number == len(deliveries), name)
        self._step("told", self._told)
        self._step("patient", self._patient)
        self._step("doctor", self._doctor)
        rebuilt = self._step("rebuild", lambda: rebuilt_identical(self.settings, self._files))
        self._step("audit", self._audit)
        return {
            "ok": True,
            "rebuilt_identical": rebuilt["rebuilt_identical"],
            "first_frame_identical": self._first_frame,
            "steps": self.steps,
        }

    def _step(self, name: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        began = time.monotonic()
        try:
            evidence = act()
        except (requests.RequestException, LookupError) as error:
            raise StoryBroken(f"{name}: {type(error).__name__}: {error}") from error
        self.heal()
        self.steps.append({"step": name, "seconds": round(time.monotonic() - began, 2), "evidence": evidence})
        self.tell(name, evidence)
        return evidence

    def _register(self) -> dict[str, Any]:
        acks = self._send(say.adt_a04(self.cast.patient, self._envelope("ST0001")))
        self._settle_down()
        return {"message": "ADT^A04", "charset": "GB18030", "acks": acks}

    def _follow(self) -> dict[str, Any]:
        self._person.sign_in_by_code(self.cast.patient.phone, self.settings.sms_endpoint)
        consent = self._person.ask("GET", "/wechat/bind", allow_redirects=False).headers["Location"]
        told = self._person.ask(
            "POST", consent, data={"nickname": "云胶片用户", "openid": "o-story-follower"}
        )
        told.raise_for_status()
        page = self._person.ask("GET", "/account")
        return {"signed_in": page.ok, "bound": "o-story-follower"}

    def _order(self) -> dict[str, Any]:
        acks = self._send(say.omg_o19(self.cast.patient, self._exam(), self._envelope("ST0002")))
        return {"message": "OMG^O19", "fee": "FT1 代收", "amount_fen": self.cast.amount_fen, "acks": acks}

    def _images(self) -> dict[str, Any]:
        host, port = host_and_port(self.settings.scp_bind)
        stored = 0
        for _ in range(self.repeat):
            waiting = list(self._files)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while waiting:
                done = send_files(waiting, host, port, self.settings.scp_ae_title)
                waiting = [outcome.path for outcome in done if outcome.status != 0]
                stored = max(stored, len(self._files) - len(waiting))
                self.heal()
                if waiting and time.monotonic() > deadline:
                    comments = {outcome.comment for outcome in done if outcome.status != 0}
                    raise StoryBroken(f"images: {len(waiting)} files were not stored: {comments}")
        acks = self._send(
            say.orm_complete(self.cast.patient, self._exam(), self._studies, self._envelope("ST0003"))
        )
        return {
            "sent": len(self._files),
            "stored": stored,
            "studies": len(self._studies),
            "complete_acks": acks,
        }

    def _fee(self) -> dict[str, Any]:
        states = []
        for _ in range(self.repeat):
            with Kiosk(self.settings.public_url, KIOSK, self.kiosk_secret) as kiosk:
                states.append(self._pay(kiosk))
        return {"channel": "kiosk", "key": self.cast.payment_key, "answers": states}

    def _pay(self, kiosk: Kiosk) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                cast = self.cast
                told = kiosk.settle(cast.fee_line_id, cast.amount_fen, cast.payment_key, paid_at=STARTED)
                return str(told["state"])
            except (requests.RequestException, KioskRefused) as error:
                is_final = isinstance(error, KioskRefused) and error.status < 500
                if is_final or time.monotonic() > deadline:
                    raise StoryBroken(f"fee: {error}") from error
                self.heal()
                time.sleep(POLL_SECONDS)

    def _report(self) -> dict[str, Any]:
        facts = say.ReportFacts(
            findings=self.cast.findings,
            impression=self.cast.impression,
            reporter="赵",
            approver="王",
            pdf=report_pdf(),
            study_uids=self._studies,
        )
        acks = self._send(say.oru_r01(self.cast.patient, self._exam(), facts, self._envelope("ST0004")))
        return {"message": "ORU^R01", "status": "F", "pdf_bytes": len(report_pdf()), "acks": acks}

    def _told(self) -> dict[str, Any]:
        phone = self.cast.patient.phone
        sms = self._person.get_json(f"{self.settings.sms_endpoint}/inbox.json?phone={phone}")["messages"]
        films = [message for message in sms if message["template"] == self.settings.sms_film_template]
        chat = self._person.get_json(self.settings.wechat_api.rstrip("/") + "/_sim/messages")
        cards = chat["messages"] if isinstance(chat, dict) else chat
        payments = HisSimulator(self.settings.home_path / "world" / "his", ("127.0.0.1", 1)).received()
        if not films or not cards or len(payments) != 1:
            raise StoryBroken(
                f"told: {len(films)} SMS, {len(cards)} WeChat messages, {len(payments)} DFT^P03 at the HIS"
            )
        return {"sms": films[-1]["text"], "wechat": len(cards), "his_booked": payments}

    def _patient(self) -> dict[str, Any]:
        person = Person(self.settings.public_url)
        person.sign_in_by_code(self.cast.patient.phone, self.settings.sms_endpoint)
        exams = person.get_json("/api/v1/exams")["exams"]
        times = [exam["exam_at"] for exam in exams]
        exam_id = exams[0]["exam_id"]
        detail = person.get_json(f"/api/v1/exams/{exam_id}")
        document = person.ask("GET", f"/exams/{exam_id}/report.pdf")
        page = person.ask("GET", f"/exams/{exam_id}/film")
        manifest = person.get_json(f"/api/v1/exams/{exam_id}/film")["manifest"]
        self._first_frame = first_frame_identical(person, manifest, self._files)
        evidence = {
            "exams": len(exams),
            "in_time_order": times == sorted(times, reverse=True),
            "state": exams[0]["state"],
            "impression": detail["report"]["impression"] == self.cast.impression,
            "pdf": document.content == report_pdf(),
            "film_page": page.status_code,
            "series": len(manifest["series"]),
            "frames": sum(series["count"] for series in manifest["series"]),
            "documents": len(manifest["documents"]),
            "first_frame_identical": self._first_frame,
        }
        if (
            not all(evidence[name] for name in ("in_time_order", "impression", "pdf"))
            or page.status_code != 200
        ):
            raise StoryBroken(f"patient: {evidence}")
        return evidence

    def _doctor(self) -> dict[str, Any]:
        if not self.doctor_password:
            return {"skipped": "the doctor's password is known only when the account is made"}
        person = Person(self.settings.public_url)
        person.sign_in_staff(DOCTOR, self.doctor_password)
        found: dict[str, bool] = {}
        for word in (self.cast.patient.name, self.cast.patient.id_number, self.cast.accession_number):
            page = person.submit("/staff/exams", "/staff/exams", {"q": word})
            found[("name", "id_number", "accession")[len(found)]] = self.cast.accession_number in page.text
        if not all(found.values()):
            raise StoryBroken(f"doctor: {found}")
        return {"found_by": found}

    def _audit(self) -> dict[str, Any]:
        from core.models import AuditEvent

        with db.connection():
            length = audit.verify()
            actions = sorted({event.action for event in AuditEvent.select(AuditEvent.action)})
        missing = {"sign_in", "list_history", "open_exam", "open_film", "read_report"} - set(actions)
        if missing:
            raise StoryBroken(f"audit: no record of {sorted(missing)}")
        return {"chain": length, "actions": actions}

    def _send(self, raw: bytes) -> list[str]:
        acks = []
        for _ in range(self.repeat):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                self.heal()
                try:
                    ack = self._his.send(raw, patience=2)
                    break
                except Exception:
                    if time.monotonic() > deadline:
                        raise
            if ack.code != "CA":
                raise StoryBroken(f"{ack.control_id} was answered {ack.code}: {ack.text}")
            acks.append(ack.code)
        return acks

    def _settle_down(self) -> None:
        """Until inbox and outbox have nothing left to do."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.heal()
            with db.connection():
                waiting = [
                    f"{row.kind}: {row.last_error}"
                    for row in OutboxEvent.select().where(OutboxEvent.state == "pending")
                ]
                received = InboundMessage.select(InboundMessage.message_type, InboundMessage.error)
                waiting += [
                    f"{row.message_type}: {row.error}"
                    for row in received.where(InboundMessage.state == "received")
                ]
                parked = [row.last_error for row in OutboxEvent.select().where(OutboxEvent.state == "parked")]
            if parked:
                raise StoryBroken(f"work was parked: {parked}")
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise StoryBroken(f"work does not end: {waiting[:5]}")
            time.sleep(POLL_SECONDS)

    def _require_published(self, is_due: bool, after: str) -> None:
        with db.connection():
            published = Exam.select().where(Exam.published_at.is_null(False)).count()
        if published != int(is_due):
            raise StoryBroken(f"after {after}: {published} exams are published, {int(is_due)} expected")

    def _exam(self) -> say.ExamFacts:
        cast = self.cast
        return say.ExamFacts(
            accession_number=cast.accession_number,
            placer_order_number=cast.placer_order_number,
            item_code=cast.item_code,
            item_name=cast.item_name,
            modality=cast.modality,
            fee_line_id=cast.fee_line_id,
            amount_fen=cast.amount_fen,
        )

    def _envelope(self, control_id: str) -> say.Envelope:
        return say.Envelope(control_id, STARTED)


def _header(path: Path) -> pydicom.Dataset:
    return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
