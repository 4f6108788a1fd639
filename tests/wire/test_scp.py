"""The real SCP on a free port, against our modality and dcmtk's storescu: durable first, then success."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import UID, ImplicitVRLittleEndian
from pynetdicom import AE

from core import failpoints
from core.commands import ReceiveInstance
from core.errors import Conflict
from crypto.sm3 import sm3
from imaging import scp
from imaging.errors import SpoolFull
from imaging.pack.entry_writer import meta_end
from imaging.spool import Spool
from simulators.modality import SendOutcome, send_files
from tests.unit.imaging import samples

pytestmark = pytest.mark.requirement("S1", "D3")

STORESCU = shutil.which("storescu")
VERIFICATION = UID("1.2.840.10008.1.1")
PRIVATE_CLASS = UID("1.2.826.0.1.3680043.8.498.77.1")


@dataclass
class Archive:
    """The SCP and what it told us."""

    root: Path
    port: int = 0
    received: list[ReceiveInstance] = field(default_factory=list)
    was_durable: list[bool] = field(default_factory=list)
    problems: list[tuple[str, ...]] = field(default_factory=list)
    refuse_with: Exception | None = None

    def receive(self, command: ReceiveInstance) -> None:
        content = (self.root / command.spool_name).read_bytes()
        self.was_durable.append(sm3(content).hex() == command.file_sm3)
        if self.refuse_with is not None:
            raise self.refuse_with
        self.received.append(command)

    def problem(self, *facts: str) -> None:
        self.problems.append(facts)

    def send(self, *paths: Path, calling_ae: str = "CT1", called_ae: str = "CLOUDFILM") -> list[SendOutcome]:
        return send_files(paths, "127.0.0.1", self.port, called_ae, calling_ae)

    def dataset_of(self, command: ReceiveInstance) -> bytes:
        content = (self.root / command.spool_name).read_bytes()
        return content[meta_end(content) :]


@pytest.fixture
def archives(tmp_path: Path) -> Iterator[Callable[[str], Archive]]:
    servers = []

    def start(peers: str) -> Archive:
        archive = Archive(tmp_path / "spool")
        server = scp.serve(
            "127.0.0.1:0", "CLOUDFILM", peers, Spool(archive.root), archive.receive, archive.problem
        )
        servers.append(server)
        archive.port = server.server_address[1]
        return archive

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def archive(archives: Callable[[str], Archive]) -> Archive:
    return archives("")


def files_of(directory: Path, files: dict[str, bytes]) -> list[Path]:
    return [source.path for source in samples.written(directory, files)]


def kinds() -> dict[str, bytes]:
    private = samples.header("private", SOPClassUID=PRIVATE_CLASS, Modality="OT")
    return {
        "explicit": samples.image("explicit", samples.grey(64, 64, "uint16")),
        "implicit": samples.image("implicit", samples.grey(33, 35, "uint8"), ImplicitVRLittleEndian),
        "jpeg": samples.jpeg("jpeg", frames=2),
        "report": samples.report("report"),
        "private": samples.part10(private),
    }


def dataset_bytes(content: bytes) -> bytes:
    return content[meta_end(content) :]


def test_every_kind_is_stored_as_it_was_sent(archive: Archive, tmp_path: Path) -> None:
    outcomes = archive.send(*files_of(tmp_path / "out", kinds()))
    assert {outcome.status for outcome in outcomes} == {0}
    stored = {command.sop_uid: archive.dataset_of(command) for command in archive.received}
    assert stored == {str(samples.uid_of(name)): dataset_bytes(content) for name, content in kinds().items()}
    assert archive.was_durable == [True] * len(kinds())
    assert archive.problems == []


def test_the_command_says_what_the_header_says(archive: Archive, tmp_path: Path) -> None:
    archive.send(*files_of(tmp_path / "out", {"jpeg": samples.jpeg("jpeg")}))
    (command,) = archive.received
    assert (command.calling_ae, command.modality, command.patient_id) == ("CT1", "CT", "P-1")
    assert (command.patient_name, command.transfer_syntax_uid) == (samples.MARKER, "1.2.840.10008.1.2.4.50")
    assert command.study_uid == samples.uid_of("study")
    # What lies in the spool is a whole Part-10 file.
    assert pydicom.dcmread(archive.root / command.spool_name).SOPInstanceUID == samples.uid_of("jpeg")


@pytest.mark.skipif(STORESCU is None, reason="dcmtk is not installed")
def test_dcmtk_stores_the_same_bytes(archive: Archive, tmp_path: Path) -> None:
    content = kinds()
    paths = files_of(tmp_path / "out", {name: content[name] for name in ("explicit", "report")})
    done = subprocess.run(
        [str(STORESCU), "-xe", "-aec", "CLOUDFILM", "-aet", "DCMTK", "127.0.0.1", str(archive.port), *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert {command.calling_ae for command in archive.received} == {"DCMTK"}
    got = {
        command.sop_uid: pydicom.dcmread(archive.root / command.spool_name) for command in archive.received
    }
    for path in paths:
        sent = pydicom.dcmread(path)
        assert got[sent.SOPInstanceUID] == sent


def test_success_only_after_the_bytes_are_synced(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    for name in ("fdatasync", "fsync"):
        real = getattr(os, name)

        def spy(handle: int, name: str = name, real: Callable[[int], None] = real) -> None:
            order.append(name)
            real(handle)

        monkeypatch.setattr(os, name, spy)
    monkeypatch.setattr(failpoints, "passing", order.append)
    (outcome,) = archive.send(*files_of(tmp_path / "out", {"report": samples.report("report")}))
    assert outcome.status == 0
    assert order == ["fdatasync", "fsync", "dicom.after_spool", "dicom.before_success"]


def test_a_repeat_is_success_under_the_same_name(archive: Archive, tmp_path: Path) -> None:
    paths = files_of(tmp_path / "out", {"report": samples.report("report")})
    assert [archive.send(*paths)[0].status for _ in range(2)] == [0, 0]
    first, second = archive.received
    assert first == second
    assert [path.name for path in archive.root.iterdir() if path.is_file()] == [first.spool_name]


def test_other_bytes_under_a_known_uid_are_kept_for_a_person(archive: Archive, tmp_path: Path) -> None:
    archive.refuse_with = Conflict("known with other bytes")
    (outcome,) = archive.send(*files_of(tmp_path / "out", {"report": samples.report("report")}))
    assert outcome.status == 0
    ((source, kept, calling, why, reference),) = archive.problems
    assert (source, calling, why, reference) == ("dicom", "CT1", "known with other bytes", kept)
    assert dataset_bytes((archive.root / kept).read_bytes()) == dataset_bytes(samples.report("report"))


def unparsable() -> bytes:
    """A sender can read its UIDs, but the study has none."""
    dataset = samples.header("broken")
    del dataset.StudyInstanceUID
    return samples.part10(dataset)


def test_unparsable_is_refused_with_a_comment_and_kept(archive: Archive, tmp_path: Path) -> None:
    content = unparsable()
    broken, good = archive.send(
        *files_of(tmp_path / "out", {"broken": content, "good": samples.report("good")})
    )
    assert (broken.status, good.status) == (scp.CANNOT_UNDERSTAND, 0)
    assert "StudyInstanceUID" in broken.comment
    assert samples.MARKER not in broken.comment
    ((source, kept, calling, why, _),) = archive.problems
    assert (source, calling) == ("dicom", "CT1")
    assert "StudyInstanceUID" in why
    assert dataset_bytes((archive.root / kept).read_bytes()) == dataset_bytes(content)
    assert [command.sop_uid for command in archive.received] == [str(samples.uid_of("good"))]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SpoolFull("disk is full"), scp.OUT_OF_RESOURCES),
        (RuntimeError("database is locked"), scp.PROCESSING_FAILURE),
    ],
)
def test_a_failure_of_ours_is_no_success_and_the_next_try_works(
    archive: Archive, tmp_path: Path, error: Exception, status: int
) -> None:
    paths = files_of(tmp_path / "out", {"report": samples.report("report")})
    archive.refuse_with = error
    (outcome,) = archive.send(*paths)
    assert outcome.status == status
    assert "again" in outcome.comment
    assert "locked" not in outcome.comment
    archive.refuse_with = None
    assert archive.send(*paths)[0].status == 0
    assert len(archive.received) == 1


def test_only_named_peers_and_only_our_title(archives: Callable[[str], Archive], tmp_path: Path) -> None:
    archive = archives("CT1@127.0.0.1, MR1@127.0.0.2")
    paths = files_of(tmp_path / "out", {"report": samples.report("report")})
    assert archive.send(*paths, calling_ae="OTHER")[0].status is None
    assert archive.send(*paths, calling_ae="MR1")[0].status is None
    assert archive.send(*paths, called_ae="SOMEONE")[0].status is None
    assert archive.received == []
    assert archive.send(*paths, calling_ae="CT1")[0].status == 0


def test_echo(archive: Archive) -> None:
    ae = AE(ae_title="CT1")
    ae.add_requested_context(VERIFICATION)
    association = ae.associate("127.0.0.1", archive.port, ae_title="CLOUDFILM")
    assert association.send_c_echo().Status == 0
    association.release()


@pytest.mark.requirement("K5")
def test_noise_on_the_port_harms_nobody(archive: Archive, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", archive.port), timeout=10) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
    paths = files_of(tmp_path / "out", {"report": samples.report("report")})
    assert archive.send(*paths)[0].status == 0
