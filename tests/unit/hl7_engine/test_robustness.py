"""The robustness list of what messages hold (research/hl7.md §6, "content"): each with its answer and its state.

The rows about frames are in tests/wire/test_mllp_*.py, those about order and money in tests/unit/workflow.
"""

from base64 import b64encode, encodebytes

import pytest

from core.bus import MemoryBus
from core.commands import DeliverReport, PlaceOrder, RegisterPatient
from core.models import InboundMessage
from hl7_engine import acknowledge, batch, inbox
from hl7_engine.drain import Drain
from hl7_engine.framing import Damage
from hl7_engine.incoming import Incoming
from hl7_engine.site import STANDARD_SITE

pytestmark = [pytest.mark.requirement("P2", "P6"), pytest.mark.usefixtures("memory_database")]

# In GB18030 their bytes are `¬|` and the like: what distinguishes them from units such as µg is their meaning only.
ALSO_LATIN = ("瑋璡", "玘")
NAMES = ("张珅東", "瑋璡", "玘", "欧阳娜娜", "𠮷野")


def message(
    *segments: str,
    kind: str = "ADT^A04^ADT_A01",
    version: str = "2.5.1",
    encoding: str = "^~\\&",
    declared: str = "",
) -> str:
    header = f"MSH|{encoding}|HIS|A|CLOUDFILM|B|20261124120000||{kind}|M1|P|{version}||||||{declared}"
    return "\r".join([header, *segments]) + "\r"


def patient(name: str = "张三丰") -> str:
    return f"PID|1||7^^^HIS^PI||{name}"


def run(raw: bytes | str) -> tuple[str, str, list[object]]:
    """(answer, state, commands) of one message all the way."""
    content = raw.encode() if isinstance(raw, str) else raw
    (receipt,) = inbox.accept([Incoming(content, "10.0.0.5")])
    bus = MemoryBus()
    Drain(bus, STANDARD_SITE, lambda *_: None).run_once()
    row = InboundMessage.select().order_by(InboundMessage.id.desc()).get()
    return acknowledge.parse(receipt.answer).code, row.state, bus.submitted


def registered(raw: bytes | str) -> str:
    """The name that was registered."""
    answer, state, commands = run(raw)
    assert (answer, state) == ("AA", "handled")
    (command,) = commands
    assert isinstance(command, RegisterPatient)
    return command.patient.name


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (b"", "AR"),
        (b"PID|1||7", "AR"),
        (b"MSH", "AR"),
        (b"MSH|^~\\&", "AE"),
        (b"MSH|^~\\&|HIS|A|B|C|2026||ADT^A04", "AE"),
        (b"MSH ^~\\& HIS", "AR"),
        (b"\xff\xfeM\x00S\x00H\x00", "AE"),
    ],
    ids=["empty", "no MSH", "only MSH", "short MSH", "no control id", "blank separator", "UTF-16"],
)
def test_what_is_no_message_is_refused_and_kept(raw: bytes, answer: str) -> None:
    assert run(raw) == (answer, "refused", [])


@pytest.mark.parametrize("encoding", ["^~\\", "^~", "^~\\&#", "^~\\&"])
def test_encoding_characters(encoding: str) -> None:
    assert registered(message(patient(), encoding=encoding)) == "张三丰"


def test_other_separators() -> None:
    raw = "MSH!@*%$!HIS!A!B!C!20261124120000!!ADT@A04!M1!P!2.3\rPID!1!!7@@@HIS@PI!!张@珅東"
    assert registered(raw) == "张珅東"


@pytest.mark.parametrize(
    "version", ["", "2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.6", "2.7", "2.8.1", "2.5.1^CHN"]
)
def test_versions(version: str) -> None:
    assert registered(message(patient(), version=version)) == "张三丰"


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("ADT^A04", "handled"),
        ("ADT^A04^ADT_A01", "handled"),
        ("ADT", "parked"),
        ("ACK^A01^ACK", "ignored"),
        ("ACK", "ignored"),
        ("ZZZ^Z01", "parked"),
    ],
)
def test_message_types(kind: str, state: str) -> None:
    answer, found, _ = run(message(patient(), kind=kind))
    assert (answer, found) == ("AA", state)


@pytest.mark.parametrize(
    "lines",
    [
        "PID|1||7^^^HIS^PI||张三丰\r\rPV1|1|O",
        "PID|1||7^^^HIS^PI||张三丰\rZPI|1|自定义|^^&&~~\rZZZ",
        "PID|1||7^^^HIS^PI||张三丰\r   \rOBX|1|TX|GDT||第一行\n第二行",
        "PID|1||7^^^HIS^PI||张三丰|||||||||||||||||||||||||||||||||||||||||||",
    ],
    ids=["blank line", "Z segments", "naked line break", "too many fields"],
)
def test_segments_that_nobody_asked_for(lines: str) -> None:
    assert registered(message(*lines.split("\r"))) == "张三丰"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r"])
@pytest.mark.parametrize("begin", ["", "\ufeff", "\r\n", " "])
def test_line_ends_and_beginnings(begin: str, end: str) -> None:
    assert registered(begin + message(patient()).replace("\r", end)) == "张三丰"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "declared",
    ["", "GB18030", "GB 18030-2000", "GBK", "GB2312", "UNICODE UTF-8", "ASCII", "8859/1", "EBCDIC"],
)
@pytest.mark.parametrize("coded", ["utf-8", "gb18030"])
def test_character_sets_told_untold_and_lied_about(name: str, declared: str, coded: str) -> None:
    is_also_latin = (declared, coded) == ("8859/1", "gb18030") and name in ALSO_LATIN
    read = name.encode(coded).decode("latin-1") if is_also_latin else name
    if is_also_latin:
        # What is declared is believed where nothing speaks against it; `|` and `^` then separate.
        read = read.split("|")[0].split("^")[0]
    assert registered(message(patient(name), declared=declared).encode(coded)) == read


def test_big5_when_it_is_declared() -> None:
    assert registered(message(patient("張瑋"), declared="BIG-5").encode("big5")) == "張瑋"


@pytest.mark.parametrize(
    "spoiled", [b"\xff\xff", b"\xed\xa0\x80\xff", b"\x81"], ids=["bytes", "surrogate", "half a pair"]
)
def test_characters_that_are_none(spoiled: bytes) -> None:
    raw = message(patient("X")).encode().replace(b"X", b"X" + spoiled + b"\xff\x20")
    answer, state, commands = run(raw)
    assert (answer, state, commands) == ("AE", "refused", [])
    assert InboundMessage.get().body == raw


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("第一行\\.br\\第二行", "第一行\n第二行"),
        ("第一行\\X0D\\第二行", "第一行\n第二行"),
        ("\\H\\重要\\N\\", "重要"),
        ("\\XE5BCA0\\", "张"),
        ("\\X00\\x", "\\X00\\x"),
        ("一\\", "一\\"),
        ("C:\\temp\\", "C:\\temp\\"),
        ("约3~5mm", "约3~5mm"),
    ],
)
def test_escapes_in_a_report(told: str, read: str) -> None:
    report = message(
        patient(), "OBR|1|SQ1||1" + "|" * 21 + "F", f"OBX|1|TX|GDT^检查所见||{told}||||||F", kind="ORU^R01"
    )
    _, state, (command,) = run(report)
    assert state == "handled"
    assert isinstance(command, DeliverReport)
    assert command.findings == read


def test_null_and_empty_never_erase() -> None:
    _, _, (command,) = run(message('PID|1||7^^^HIS^PI||""||""|""|||||""'))
    assert isinstance(command, RegisterPatient)
    facts = command.patient
    assert (facts.name, facts.birth_date, facts.sex, facts.phone, facts.id_number) == ("", "", "U", "", "")


def test_document_of_eight_megabytes() -> None:
    pdf = b"%PDF-1.4\n" + bytes(6_000_000)
    document = f"OBX|1|ED|ZMF^PDF||RIS^AP^PDF^Base64^{b64encode(pdf).decode()}||||||F"
    _, state, (command,) = run(message(patient(), "OBR|1|SQ1||1" + "|" * 21 + "F", document, kind="ORU^R01"))
    assert state == "handled"
    assert isinstance(command, DeliverReport)
    assert command.document == pdf


def test_bad_message_in_the_middle_of_a_batch() -> None:
    first, last = (message(patient()).replace("|M1|", f"|{number}|") for number in ("M1", "M3"))
    content = f"FHS|^~\\&|HIS\rBHS|^~\\&|HIS\r{first}MSH|^~\\&|HIS|A\r{last}BTS|3\rFTS|1\r".encode()
    receipts = inbox.accept([Incoming(part, "10.0.0.5") for part in batch.split(content)])
    assert [receipt.state for receipt in receipts] == ["stored", "refused", "stored"]
    bus = MemoryBus()
    Drain(bus, STANDARD_SITE, lambda *_: None).run_once()
    assert len(bus.submitted) == 2


@pytest.mark.parametrize(
    "hostile", ["'); DROP TABLE exam;--", "<script>alert(1)</script>", "${jndi:x}", "%s%s%n", "\u202eabc"]
)
def test_hostile_text_is_text(hostile: str) -> None:
    assert registered(message(patient(hostile))) == hostile
    order = message(
        patient(), "ORC|NW|SQ1", f"OBR|1|SQ1||1^{hostile}".replace("&", "\\T\\"), kind="OMG^O19"
    ).replace("|M1|", "|M2|")
    _, _, (command,) = run(order)
    assert isinstance(command, PlaceOrder)
    assert command.item_name == hostile


def test_many_and_long_segments_have_limits() -> None:
    answer, state, _ = run(message(*["NTE|1"] * 10_001))
    assert (answer, state) == ("AE", "refused")
    assert registered(message(patient(), "NTE|1||" + "长" * 200_000).replace("|M1|", "|M2|")) == "张三丰"


def test_two_messages_in_one_block_are_refused_not_mixed() -> None:
    """Their framing bytes were lost between them: read as one, the second report would be the first patient's."""
    both = message(patient("甲")) + message(patient("乙")).replace("|M1|", "|M2|")
    assert run(both) == ("AR", "refused", [])
    assert run(message(patient("甲")) + "\x1cMSH|^~\\&|HIS|A") == ("AR", "refused", [])
    assert registered(
        message(patient("MSH|x".replace("|", "\\F\\")), "NTE|1||see MSH|9").replace("|M1|", "|M3|")
    )


def test_what_was_refused_and_comes_again_readable_is_handled() -> None:
    """Without MSH-7 the refused row and the accepted one had one fingerprint: acknowledged, and lost."""
    content = message(patient()).replace("20261124120000", "").encode()
    (refused,) = inbox.accept([Incoming(content, "10.0.0.5", damage=Damage.NO_END)])
    assert refused.state == "refused"
    assert registered(content) == "张三丰"


def test_document_in_many_lines() -> None:
    """MIME breaks Base64 after 76 characters; joined line by line, 8 MB took minutes in the one storing thread."""
    pdf = b"%PDF-1.4\n" + bytes(3_000_000)
    told = encodebytes(pdf).decode().replace("\n", "\r\n")
    document = f"OBX|1|ED|ZMF^PDF||RIS^AP^PDF^Base64^{told}||||||F"
    _, state, (command,) = run(message(patient(), "OBR|1|SQ1||1" + "|" * 21 + "F", document, kind="ORU^R01"))
    assert state == "handled"
    assert isinstance(command, DeliverReport)
    assert command.document == pdf


def test_field_of_many_repetitions() -> None:
    numbers = "~".join(f"{number}^^^HIS^PI" for number in range(10_000))
    assert registered(message(f"PID|1||{numbers}||张三丰")) == "张三丰"


@pytest.mark.parametrize("moment", ["张三丰 李四", "0001-01-01 00:00:00", "00010101000000"])
def test_wrong_value_is_told_without_a_name(moment: str) -> None:
    order = message(patient(), f"ORC|NW|SQ1|||||||{moment}", "OBR|1|SQ1||1", kind="OMG^O19")
    assert run(order)[1] == "parked"
    error = InboundMessage.get().error
    assert "ORC-9.1 is" in error
    assert "张三丰" not in error


def test_identity_number_under_any_type_is_not_kept_in_the_clear() -> None:
    number = "11010519491231002X"
    _, _, (command,) = run(message(f"PID|1||{number}^^^GA^IDCard~7^^^HIS^PI||张三丰"))
    assert isinstance(command, RegisterPatient)
    assert command.patient.identifiers == (("HIS", "7"),)
    assert InboundMessage.get().patient_number == "7"
