"""From the header of a data set to the command that records it: right names, short texts, and no trust."""

import struct
import time

import pytest

from imaging.errors import NotDicom
from imaging.header_text import read_text
from imaging.instance_reader import read_header, to_command
from imaging.spool import Spooled
from tests.shared_data import shared_dir
from tests.unit.imaging import dicom_files
from tests.unit.imaging.dicom_files import ROOT, dataset, element, part10

SPOOLED = Spooled("name.dcm", 1234, "d" * 64, "f" * 64)


@pytest.mark.requirement("P1", "D2")
def test_the_command_tells_where_the_instance_belongs() -> None:
    header = read_header(dicom_files.file(StudyDescription="CHEST", SeriesDescription="LUNG 1.0"))
    command = to_command(header, SPOOLED, "CT1")
    assert (command.study_uid, command.series_uid, command.sop_uid) == (
        f"{ROOT}.1",
        f"{ROOT}.2",
        f"{ROOT}.3.1",
    )
    assert (command.accession_number, command.patient_id, command.modality) == ("ACC-1", "P-1", "CT")
    assert (command.study_description, command.series_description) == ("CHEST", "LUNG 1.0")
    assert (command.series_number, command.instance_number, command.study_date) == (2, 1, "20261124")
    assert (command.spool_name, command.byte_size, command.calling_ae) == ("name.dcm", 1234, "CT1")
    assert (command.dataset_sm3, command.file_sm3) == ("d" * 64, "f" * 64)


def named(raw: bytes, charset: bytes | None) -> bytes:
    """A file whose PatientName is exactly `raw`."""
    file = part10(dataset())
    at = file.index(element(0x0010, 0x0010, "PN", dicom_files.NAME.encode()))
    name = element(0x0010, 0x0010, "PN", raw + b" " * (len(raw) % 2))
    file = file[:at] + name + file[at + 8 + len(dicom_files.NAME) :]
    if charset is not None:
        data = file.index(struct.pack("<HH", 0x0008, 0x0016) + b"UI")
        file = file[:data] + element(0x0008, 0x0005, "CS", charset + b" " * (len(charset) % 2)) + file[data:]
    return file


@pytest.mark.requirement("F2", "F3")
@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        (b"GB18030", "张^珅東".encode("gb18030"), "张^珅東"),
        (b"GBK", "珅東".encode("gbk"), "珅東"),
        (b"ISO_IR 192", "ZHANG^SHENDONG=张^珅東".encode(), "ZHANG^SHENDONG=张^珅東"),
        (
            b"\\ISO 2022 IR 58",
            b"Li^Na=\x1b$)A" + "李".encode("gb2312") + b"^\x1b$)A" + "娜".encode("gb2312"),
            "Li^Na=李^娜",
        ),
        (None, "珅東".encode("gbk"), "珅東"),
        (None, "珅東".encode(), "珅東"),
        (None, b"ZHANG^SHENDONG", "ZHANG^SHENDONG"),
        (b"ISO_IR 100", "珅東".encode("gbk"), "珅東"),
        (b"ISO_IR 100", "刘^洋".encode("gb18030"), "刘^洋"),
        (b"ISO_IR 100", "MÜLLER^JÖRG".encode("latin-1"), "MÜLLER^JÖRG"),
        (b"ISO_IR 6", "张".encode("gb18030"), "张"),
        (b"NO_SUCH SET", b"ZHANG", "ZHANG"),
        (b"GB18030", b"\xff\xff\xff", "\ufffd\ufffd\ufffd"),
        (b"ISO_IR 192", b"A\x00B\x1bC  ", "ABC"),
    ],
)
def test_names_are_read_as_they_were_written(charset: bytes | None, raw: bytes, text: str) -> None:
    assert read_text(read_header(named(raw, charset)), "PatientName") == text


def test_descriptions_without_a_character_set_are_read_too() -> None:
    file = named(b"X", None)
    data = file.index(struct.pack("<HH", 0x0010, 0x0010) + b"PN")
    wanted = "颅脑平扫".encode("gb18030")
    file = file[:data] + element(0x0008, 0x1030, "LO", wanted) + file[data:]
    assert to_command(read_header(file), SPOOLED, "CT1").study_description == "颅脑平扫"


def test_texts_are_cut_to_their_columns_and_odd_numbers_are_none() -> None:
    made = dataset(PatientName="A" * 300, StudyDescription="B" * 300)
    file = part10(made).replace(element(0x0020, 0x0013, "IS", b"1 "), element(0x0020, 0x0013, "IS", b"1x"))
    command = to_command(read_header(file), SPOOLED, "CT1")
    assert (len(command.patient_name), len(command.study_description)) == (200, 128)
    assert command.instance_number is None


@pytest.mark.parametrize(
    "uid", ["", "../../etc/passwd", "1.2/3", "1.2\\1.3", "1.2 3", "1" * 65, "1.2.\x003", ".hidden", "珅"]
)
def test_a_uid_that_is_none_is_refused(uid: str) -> None:
    good = f"{ROOT}.1".encode()
    good += b"\0" * (len(good) % 2)
    bad = uid.encode()
    bad += b"\0" * (len(bad) % 2)
    file = part10(dataset()).replace(element(0x0020, 0x000D, "UI", good), element(0x0020, 0x000D, "UI", bad))
    with pytest.raises(NotDicom, match="StudyInstanceUID"):
        read_header(file)


HOSTILE = {
    "nothing": b"",
    "no DICM": b"\0" * 200,
    "preamble only": b"\0" * 128 + b"DICM",
    "300 nested sequences": part10(dataset()) + dicom_files.nested(300),
    "20,000 nested sequences": part10(dataset()) + dicom_files.nested(20_000),
    "a length beyond the end": part10(dataset())[:-30]
    + struct.pack("<HH2sHI", 0x10, 0x20, b"OB", 0, 0xFFFFFFF0),
    "cut in the meta": part10(dataset())[:150],
    "cut before the UIDs": part10(dataset())[:400],
    "an unknown VR": part10(dataset()).replace(b"UI", b"\x01\x02"),
    "numbers of odd length": part10(dataset(Rows=1)).replace(
        element(0x0028, 0x0010, "US", b"\1\0"), element(0x0028, 0x0010, "US", b"\1\0\0")
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_bytes_are_refused_or_read_and_soon(what: str) -> None:
    begun = time.monotonic()
    try:
        to_command(read_header(HOSTILE[what]), SPOOLED, "X")
    except NotDicom as error:
        assert str(error)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    "what", ["nothing", "no DICM", "preamble only", "300 nested sequences", "cut in the meta"]
)
def test_what_is_no_data_set_is_refused(what: str) -> None:
    with pytest.raises(NotDicom):
        read_header(HOSTILE[what])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("crafted_gb18030", "李^娜"),
        ("crafted_gb18030_nocaret", "诸葛亮"),
        ("crafted_gbk_isoir100", "刘^洋"),
        ("crafted_gbk_nocharset", "陈^静"),
        ("crafted_gbk_term", "王^小明"),
        ("crafted_ir58", "Zhao^Lei=赵^磊"),
        ("crafted_utf8", "Zhang^SanFeng=张^三丰"),
        ("chrI2", "Hong^Gildong=洪^吉洞=홍^길동"),
    ],
)
def test_names_in_sample_files(name: str, text: str) -> None:
    file = shared_dir("data", "dicom", "charset_cn", f"{name}.dcm")
    assert read_text(read_header(file.read_bytes()), "PatientName") == text
