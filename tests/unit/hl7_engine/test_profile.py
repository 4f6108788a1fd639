"""Dialects are tables: what a hospital writes differently is said in TOML, and mistakes in it are told by name."""

from pathlib import Path

import pytest

from core.commands import PlaceOrder, RegisterPatient
from core.errors import Misconfigured
from hl7_engine import profile, site
from hl7_engine.charset import GB18030
from hl7_engine.reading import adt, order
from hl7_engine.trial import described, try_message
from tests.unit.hl7_engine import v3_samples
from tests.unit.hl7_engine.samples import FILM, with_segments

pytestmark = pytest.mark.requirement("P2", "P6")

# As a public sample of a RIS of the v2.3 years has it (research/hl7.md §3.1), with another person in it.
DRAGONRIS = (
    "PID|1|1001|||张三丰^zhangsanfeng||1977-01-01|男|||||13800138000||||||33068319770101123X",
    "PV1|1|住院",
)
COUNTY_ORDER = (
    "PID|1||7^^^HIS||zhangsanfeng^张三丰||1977/01/01|女||||||||||A9|33068319770101123X",
    "ORC|NW|SQ1|||||||2026-11-24 12:00:00|||||||||||20.00^1",
    "OBR|1|SQ1|CT1^^R1|210300001^胸部CT||||||||放射科",
    f"FT1|1|FY1||2026-11-24||1|{FILM}|||1|20.00",
)


def test_shipped_profiles_are_complete() -> None:
    names = profile.shipped()
    assert names == ["county_his", "dragonris_23", "standard_251"]
    standard = profile.load("standard_251")
    for name in names:
        loaded = profile.load(name)
        assert (loaded.name, set(loaded.fields), set(loaded.codes)) == (
            name,
            set(standard.fields),
            set(standard.codes),
        )
        assert loaded.description
        assert loaded.writes == GB18030


def test_ris_of_the_23_years() -> None:
    (command,) = adt.read(with_segments("ADT^A04", *DRAGONRIS, profile="dragonris_23"))
    assert isinstance(command, RegisterPatient)
    patient = command.patient
    assert (patient.name, patient.sex, patient.birth_date) == ("张三丰", "M", "1977-01-01")
    assert (patient.id_number, patient.phone) == ("33068319770101123X", "13800138000")
    assert patient.identifiers == (("HIS", "1001"),)


def test_county_his_says_its_choice_of_film_in_the_order() -> None:
    (command,) = order.read(with_segments("ORM^O01", *COUNTY_ORDER, profile="county_his"))
    assert isinstance(command, PlaceOrder)
    assert (command.accession_number, command.department) == ("CT1", "放射科")
    assert (command.patient.name, command.patient.sex) == ("张三丰", "F")
    (line,) = command.fee_lines
    assert (line.fee_line_id, line.amount_fen, line.collect_on_behalf) == ("FY1", 2000, True)
    refused = (*COUNTY_ORDER[:1], COUNTY_ORDER[1].replace("^1", "^0"), *COUNTY_ORDER[2:])
    (command,) = order.read(with_segments("ORM^O01", *refused, profile="county_his"))
    assert isinstance(command, PlaceOrder)
    assert not command.fee_lines[0].collect_on_behalf


def written(directory: Path, text: str) -> str:
    path = directory / "ours.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_site_writes_its_own_profile(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'extends = "county_his"\n[fields]\nmodality = ["OBR-47.1"]\n[codes.modality]\n"核磁" = "MR"\n',
    )
    loaded = profile.load(path)
    assert loaded.name == "ours"
    assert [str(place) for place in loaded.fields["modality"]] == ["OBR-47.1"]
    assert loaded.meaning("modality", "核磁") == "MR"
    assert loaded.meaning("sex", "男") == "M"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "say what it extends"),
        ('extends = "nothing"', "no such file; shipped with the program are county_his"),
        ('extends = "standard_251"\nflavour = 1', "unknown keys flavour"),
        ('extends = "standard_251"\n[fields]\ncolour = ["PID-1"]', r"\[fields\] has no colour"),
        ('extends = "standard_251"\n[fields]\nname = "PID-5"', "name is a list of places"),
        ('extends = "standard_251"\n[fields]\nname = ["PID5"]', "'PID5' is no place"),
        ('extends = "standard_251"\nack = "loud"', "ack is 'loud'"),
        ('extends = "standard_251"\nwrites = "EBCDIC"', "writes is 'EBCDIC'"),
        ("extends =", "profile"),
    ],
)
def test_mistakes_are_told_by_name(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason):
        profile.load(written(tmp_path, text))


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(f'extends = "{path}"', encoding="utf-8")
    with pytest.raises(Misconfigured, match="in a circle"):
        profile.load(str(path))


SITE = """
application = "YJP"
facility = "YYX"
[[peer]]
name = "HIS"
sender = "HIS|SZSRMYY"
profile = "county_his"
send_to = "10.1.2.3:6661"
receives = ["payment", "film_link"]
silent_minutes = 60
[[peer]]
name = "others"
sender = "*"
[[connector]]
kind = "folder"
name = "in"
"""


def test_site_knows_its_peers(tmp_path: Path) -> None:
    found = site.load(written(tmp_path, SITE), film_item_code="F")
    assert (found.application, found.facility, found.film_item_code) == ("YJP", "YYX", "F")
    assert found.peer_of("HIS|SZSRMYY").profile.name == "county_his"
    assert found.peer_of("RIS").name == "others"
    assert [peer.name for peer in found.receivers("film_link")] == ["HIS"]
    assert found.receivers("order_answer") == []
    assert found.connectors == ({"kind": "folder", "name": "in"},)


def test_site_without_a_file_has_the_his_of_the_settings() -> None:
    assert site.load("").peers == ()
    found = site.load("", his_address="10.0.0.1:2575")
    assert [peer.send_to for peer in found.receivers("payment")] == ["10.0.0.1:2575"]
    assert found.peer_of("anybody").profile.name == "standard_251"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[peer]]\nsender = "A"', "every .* needs a name"),
        ('[[peer]]\nname = "A"\n[[peer]]\nname = "A"', "two peers have the name A"),
        (
            '[[peer]]\nname = "A"\nsender = "X"\n[[peer]]\nname = "B"\nsender = "X"',
            "two peers have the sender X",
        ),
        ('[[peer]]\nname = "A"\nport = 1', "peer A: unknown port"),
        ('[[peer]]\nname = "A"\nreceives = ["all"]', "receives: unknown all"),
        ("colour = 1", "unknown colour"),
        ("[[peer", "CLOUDFILM_HL7_SITE"),
    ],
)
def test_mistakes_in_the_site_file(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(Misconfigured, match=reason):
        site.load(written(tmp_path, text))


def raw(*segments: str) -> bytes:
    return "\r".join(["MSH|^~\\&|HIS|A|B|C|20261124120000||ORM^O01|M1|P|2.3", *segments]).encode("gb18030")


def test_trial_shows_what_would_happen_and_what_was_not_read() -> None:
    trial = try_message(raw(*COUNTY_ORDER, "NTE|1|L|备注"), profile.load("county_his"), FILM)
    assert (trial.outcome, trial.message_type, trial.charset) == ("handled", "ORM^O01", "gb18030")
    assert {"PID-18", "NTE-2", "NTE-3"} <= set(trial.unread)
    assert "PID-19" not in trial.unread
    told = "\n".join(described(trial.commands[0]))
    assert "accession_number: CT1" in told
    assert "name: 张*丰" in told
    assert "33068319770101123X" not in told
    assert "33068319770101123X" in "\n".join(described(trial.commands[0], plain=True))


def test_trial_of_the_wrong_dialect_says_what_is_missing() -> None:
    trial = try_message(raw(*COUNTY_ORDER), profile.load("standard_251"), FILM)
    assert trial.outcome == "parked"
    assert "FT1-6 is '1': add it to [codes.fee_type]" in trial.reason
    assert any("PID-19" in field for field in trial.unread)


def test_trial_notes_what_was_read_with_doubt() -> None:
    trial = try_message(
        raw("PID|1||7||x||someday|男", "ORC|NW|S1", "OBR|1"), profile.load("standard_251"), FILM
    )
    assert trial.notes == (
        "sex '男' has no meaning: add it to [codes.sex]",
        "PID-7.1: no date that the profile's time_formats can read",
    )


def test_trial_of_what_is_no_message() -> None:
    assert try_message(b"HELLO", profile.load("standard_251"), FILM).outcome == "refused"


def test_trial_reads_xml_and_json_too() -> None:
    xml = v3_samples.application()
    trial = try_message(xml, profile.load("standard_251"), FILM)
    assert (trial.outcome, trial.message_type, [type(told) for told in trial.commands]) == (
        "handled",
        "XML",
        [PlaceOrder],
    )
    trial = try_message(b'{"action": "CancelOrder"}', profile.load("standard_251"), FILM)
    assert (trial.outcome, trial.message_type) == ("parked", "JSON")
    assert trial.reason
