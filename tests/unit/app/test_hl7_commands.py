"""`./cloudfilm hl7 …`: what an engineer sees who connects a hospital."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.commands.hl7 import hl7_group
from app.commands.hl7_replay import replay_files
from simulators.his_messages import adt_a04, dft_cg, omg_o19, oru_r01
from tests.unit.hl7_engine.samples import EXAM, PATIENT, REPORT, envelope

pytestmark = [pytest.mark.requirement("P2", "P6"), pytest.mark.usefixtures("memory_database")]

ORDER = omg_o19(PATIENT, EXAM, envelope("M2"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(hl7_group, [str(argument) for argument in arguments], catch_exceptions=False)


def test_trial_shows_commands_masked_and_what_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "order.hl7"
    path.write_bytes(ORDER.replace(b"\r", b"\n"))
    found = run("try-profile", "standard_251", path)
    assert found.exit_code == 0
    assert "order.hl7: OMG^O19 M2 (gb18030)" in found.output
    assert "accession_number: CT1" in found.output
    assert "not read: PV1-3" in found.output
    assert PATIENT.phone not in found.output
    assert PATIENT.phone in run("try-profile", "standard_251", path, "--plain").output


def test_trial_goes_through_directories_and_batches(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "batch.hl7").write_bytes(b"BHS|^~\\&|HIS\r" + ORDER + b"HELLO\r" + ORDER + b"BTS|2\r")
    (tmp_path / "in" / "index.tsv").write_text("no message", encoding="utf-8")
    (tmp_path / "in" / "bad.hl7").write_text("HELLO", encoding="utf-8")
    output = run("try-profile", "standard_251", tmp_path).output
    assert "batch.hl7[1]" in output and "batch.hl7[2]" in output
    assert "index.tsv" not in output
    assert "handled 2, refused 1" in output


def test_unknown_profile_is_told(tmp_path: Path) -> None:
    path = tmp_path / "order.hl7"
    path.write_bytes(ORDER)
    found = CliRunner().invoke(hl7_group, ["try-profile", "nobodys", str(path)])
    assert "profile nobodys: no such file" in str(found.exception)


def test_replay_runs_the_whole_engine_and_says_why(tmp_path: Path) -> None:
    messages = [
        ("adt", adt_a04(PATIENT, envelope("M1"))),
        ("order", ORDER),
        ("again", ORDER),
        ("paid", dft_cg(PATIENT, EXAM, "JS1", envelope("M3"))),
        ("report", oru_r01(PATIENT, EXAM, REPORT, envelope("M4"))),
        ("vaccine", ORDER.replace(b"OMG^O19^OMG_O19", b"VXU^V04").replace(b"|M2|", b"|M5|")),
        ("noise", b"HELLO"),
    ]
    summary = replay_files(tmp_path, messages)
    assert summary.outcomes == {"handled": 4, "repeated": 1, "parked": 1, "refused": 1}
    assert summary.crashes == 0
    told = "\n".join(summary.lines())
    assert "7 messages" in told
    assert "its message type is not read here: docs/hl7-interface.md lists those that are   (vaccine)" in told
    assert "does not begin with an MSH segment   (noise)" in told


def test_validation_is_strict_and_names_the_place(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.hl7", tmp_path / "bad.hl7"
    good.write_bytes(adt_a04(PATIENT, envelope("M1", "utf-8")).replace(b"PV1|1|O|FSK", b"PV1|1|O|FSK"))
    bad.write_bytes(b"MSH|^~\\&|A|B|C|D|20261124||ADT^A04^ADT_A01|M1|P|2.5.1\rPID|1||7||X\r")
    assert "good.hl7: valid" in run("validate", good).output
    found = run("validate", bad)
    assert found.exit_code == 1
    assert "bad.hl7: ValidationError: Missing required child" in found.output
