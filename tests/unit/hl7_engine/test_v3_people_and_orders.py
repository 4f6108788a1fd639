"""Patients and applications of the national platform become the commands that HL7 v2 gives."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.commands import CancelOrder, FeeLine, MergePatients, PatientFacts, PlaceOrder, RegisterPatient
from hl7_engine import profile as profiles
from hl7_engine import v3
from hl7_engine.errors import Unreadable, Unsupported
from hl7_engine.profile import Profile
from tests.unit.hl7_engine import v3_samples as samples

pytestmark = pytest.mark.requirement("P2", "P6")

SAID_AT = datetime(2026, 11, 24, 2, 15, 30, tzinfo=UTC)
PATIENT = PatientFacts(
    identifiers=(("HIS", "0001234567"),),
    name=samples.NAME,
    id_number=samples.ID_NUMBER,
    phone="13800138000",
    sex="M",
    birth_date="1985-06-15",
)
FILM = FeeLine(
    fee_line_id="FY0002",
    placer_order_number="SQ1",
    item_code="YYX0001",
    amount_fen=2000,
    collect_on_behalf=True,
    choice="charge",
)


@pytest.mark.parametrize("patient", [samples.patient_by_items(), samples.patient_plain()])
@pytest.mark.parametrize(
    ("action", "root"),
    [
        ("PatientInfoRegister", "PRPA_IN201311UV02"),
        ("PatientInfoUpdate", "PRPA_IN201314UV02"),
        ("EncounterCardInfoAdd", "PRPA_IN201311UV02"),
        ("OutPatientInfoAdd", "PRPA_IN400001UV"),
        ("InPatientInfoAdd", "PRPA_IN400001UV"),
        ("", "PRPA_IN201311UV02"),
    ],
)
def test_patients_are_registered_however_they_are_written(patient: str, action: str, root: str) -> None:
    assert v3.read(action, samples.registration(patient, root)) == [RegisterPatient(PATIENT, SAID_AT)]


def test_names_with_trap_bytes_come_through_gb18030() -> None:
    content = samples.registration(samples.patient_by_items()).decode().replace("utf-8", "GBK")
    (command,) = v3.read("PatientInfoRegister", content.encode("gb18030"))
    assert isinstance(command, RegisterPatient)
    assert command.patient == PATIENT


@pytest.mark.parametrize("nothing", ["", "-", "000000", "NA", "/", "无", "null"])
def test_what_forms_put_for_nothing_is_nobodys_number(nothing: str) -> None:
    content = samples.registration(samples.patient_by_items(nothing))
    (command,) = v3.read("PatientInfoRegister", content)
    assert isinstance(command, RegisterPatient)
    assert command.patient.identifiers == ()
    without = content.replace(samples.ID_NUMBER.encode(), nothing.encode())
    with pytest.raises(Unreadable, match="number of the patient"):
        v3.read("PatientInfoRegister", without)


def test_numbers_are_never_cut() -> None:
    with pytest.raises(Unreadable, match="64") as refused:
        v3.read("PatientInfoRegister", samples.registration(samples.patient_by_items("7" * 65)))
    assert "7" * 9 not in str(refused.value)


def test_two_records_are_merged() -> None:
    assert v3.read("PatientInfoMerge", samples.merge()) == [
        MergePatients(PATIENT, (("HIS", "0009999999"),), SAID_AT)
    ]
    for survivor, retired, missing in (("0001", "", "given up"), ("-", "0009", "remains")):
        with pytest.raises(Unreadable, match=missing):
            v3.read("PatientInfoMerge", samples.merge(survivor, retired))


def test_the_same_number_in_two_domains_is_two_people(tmp_path: Path) -> None:
    def told(domain: str, profile: Profile | None = None) -> tuple[tuple[str, str], ...]:
        content = samples.registration(samples.patient_by_items(domain=domain))
        (command,) = v3.read("PatientInfoRegister", content, profile)
        assert isinstance(command, RegisterPatient)
        return command.patient.identifiers

    assert [told("01"), told("02")] == [(("HIS/01", "0001234567"),), (("HIS/02", "0001234567"),)]
    path = tmp_path / "ours.toml"
    path.write_text('extends = "standard_251"\n[codes.v3_domain]\n"01" = "HIS"\n', encoding="utf-8")
    assert told("01", profiles.load(str(path))) == PATIENT.identifiers


def test_a_merge_stays_in_its_domain() -> None:
    (command,) = v3.read("PatientInfoMerge", samples.merge(domain="02"))
    assert isinstance(command, MergePatients)
    assert command.survivor.identifiers == (("HIS/02", "0001234567"),)
    assert command.retired == (("HIS/02", "0009999999"),)


@pytest.mark.parametrize(
    ("action", "root"),
    [("CheckAppInfoAdd", "POOR_IN200901UV"), ("CheckAppInfoUpdate", "POOR_IN200902UV")],
)
def test_an_application_is_an_order_with_its_film_fee(action: str, root: str) -> None:
    assert v3.read(action, samples.application(root)) == [
        PlaceOrder(
            accession_number="",
            placer_order_number="SQ1",
            patient=PATIENT,
            item_code="210300001",
            item_name="胸部CT平扫",
            modality="CT",
            department="心内科门诊",
            visit_number="LS20261124001",
            patient_class="P",
            ordered_at=datetime(2026, 11, 24, 2, 15, tzinfo=UTC),
            fee_lines=(FILM,),
        )
    ]


def _order(content: bytes) -> PlaceOrder:
    (command,) = v3.read("CheckAppInfoAdd", content)
    assert isinstance(command, PlaceOrder)
    return command


def test_several_items_are_one_exam() -> None:
    second = samples.EXAM_ITEM.replace("210300001", "210300002").replace("胸部CT平扫", "腹部CT平扫")
    order = _order(samples.application(items=samples.EXAM_ITEM + second + samples.FILM_ITEM))
    assert (order.item_code, order.item_name) == ("210300001", "胸部CT平扫；腹部CT平扫")
    assert order.fee_lines == (FILM,)


def test_an_accession_number_has_its_place() -> None:
    number = (
        '<item root="2.16.156.10011.1.24" extension="SQ1"/><item root="ACCESSION_NUMBER" extension="CT1"/>'
    )
    order = _order(samples.application(number=number))
    assert (order.accession_number, order.placer_order_number) == ("CT1", "SQ1")


def test_the_film_may_be_a_bill_of_the_exam() -> None:
    bills = """<bill><id value="FY0001"/><code value="210300001"/><price value="180"/></bill>
    <bill><id extension="FY0002"/><code code="YYX0001"/><price>20</price></bill>"""
    items = samples.EXAM_ITEM.replace("<code code", bills + "<code code")
    assert _order(samples.application(items=items)).fee_lines == (FILM,)


def test_the_film_without_a_bill_number_is_named_by_its_order_id() -> None:
    order = _order(samples.application(items=samples.FILM_ITEM.replace("FY0002", "")))
    assert [line.fee_line_id for line in order.fee_lines] == ["YZ002"]
    assert order.item_code == ""


@pytest.mark.parametrize(
    ("price", "amount_fen", "choice"),
    [("0", 0, "included"), ("20.05", 2005, "charge"), ("20.000", 2000, "charge")],
)
def test_prices_are_yuan(price: str, amount_fen: int, choice: str) -> None:
    (line,) = _order(samples.application(items=samples.FILM_ITEM.replace("20.00", price))).fee_lines
    assert (line.amount_fen, line.choice) == (amount_fen, choice)


@pytest.mark.parametrize("price", ["", "20.005", "-20", "二十", "1e2", "20,00"])
def test_senseless_prices_are_refused(price: str) -> None:
    with pytest.raises(Unreadable, match="bill/price"):
        _order(samples.application(items=samples.FILM_ITEM.replace("20.00", price)))


def test_another_hospitals_film_code_is_told() -> None:
    content = samples.application(items=samples.EXAM_ITEM + samples.FILM_ITEM.replace("YYX0001", "JP77"))
    assert _order(content).fee_lines == ()
    (order,) = v3.read("CheckAppInfoAdd", content, film_item_code="JP77")
    assert isinstance(order, PlaceOrder)
    assert [line.fee_line_id for line in order.fee_lines] == ["FY0002"]


@pytest.mark.parametrize(
    ("status", "event"),
    [
        ('<statusCode code="cancelled"/>', "POOR_TE200902UV"),
        ('<statusCode code="nullified"/>', ""),
        ('<statusCode code="9" displayName="已作废"/>', ""),
        ('<statusCode code="9"><displayName value="撤销"/></statusCode>', ""),
        ("<statusCode/>", "delete"),
    ],
)
def test_an_application_is_cancelled_by_its_status(status: str, event: str) -> None:
    content = samples.application("POOR_IN200902UV", status=status, event=event)
    assert v3.read("CheckAppInfoUpdate", content) == [CancelOrder("", "SQ1", SAID_AT)]


def test_a_status_without_meaning_is_for_a_person() -> None:
    with pytest.raises(Unsupported, match="v3_order_status"):
        v3.read("CheckAppInfoUpdate", samples.application(status='<statusCode code="47"/>'))


def test_an_application_without_number_joins_nothing() -> None:
    with pytest.raises(Unreadable, match="电子申请单编号"):
        v3.read("CheckAppInfoAdd", samples.application(number='<item root="1.2" extension="SQ1"/>'))


def test_times_of_databases_are_read() -> None:
    content = samples.application().replace(b"20261124101500", b"2026-11-24 10:15:00")
    assert _order(content).ordered_at == datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
    with pytest.raises(Unreadable, match="author/time"):
        _order(samples.application().replace(b"20261124101500", b"20261324101500"))
