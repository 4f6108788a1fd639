"""What the engine says in English an operator reads in Chinese, with what to do."""

import re

import pytest

from api.pages import alarm_words, message_words
from core.models import Alarm, InboundMessage
from hl7_engine import inbox, message_store, watch
from hl7_engine.drain import REUSED_CONTROL_ID
from hl7_engine.framing import Damage
from hl7_engine.incoming import Incoming
from hl7_engine.router import standard_router

pytestmark = pytest.mark.requirement("S3", "S5")

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("text", "why", "place"),
    [
        ("OBR-22.1 is '昨天下午': a time is YYYYMMDDHHMMSS", "OBR-22（报告时间）的时间无法识别。", "OBR-22"),
        ("MSH-10, the control id, is missing", "缺少必填字段 MSH-10（消息编号）。", "MSH-10"),
        ("PID-3 has no patient number", "缺少必填字段 PID-3（患者编号）。", "PID-3"),
        (
            "FT1-11 is '2O.00': an amount is yuan with at most two decimals",
            "FT1-11（金额）的金额格式不对",
            "FT1-11",
        ),
        ("data.patient is missing", "缺少 data.patient。", ""),
        ("the message has no OBR segment", "缺少 OBR 段。", ""),
        ("KeyError: a fault of this program; see its log, then replay the message", "程序处理时出错。", ""),
        ("something new", "something new", ""),
    ],
)
def test_reason_names_the_field_by_its_chinese_name(text: str, why: str, place: str) -> None:
    found = message_words.reason(text, "parked")
    assert found is not None
    assert found.why.startswith(why)
    assert found.place == place
    assert CHINESE.search(found.advice)


@pytest.mark.usefixtures("memory_database")
def test_every_refusal_at_the_door_has_words() -> None:
    texts = [damage.value for damage in Damage]
    for content in (
        b"hello",
        b"MSH|^~\\&|A\x00B",
        b"MSH|^~\\&|A|B|C|D|1||ADT^A04||P|2.5",
        b"MSH|^~\\&|\xff\xff\x81",
    ):
        (receipt,) = inbox.accept([Incoming(content, "10.0.0.1")])
        texts.append(receipt.reason)
    for text in texts:
        found = message_words.reason(text, "refused")
        assert found is not None and CHINESE.search(found.why), text


def test_every_state_type_and_alarm_has_words() -> None:
    assert set(message_words.STATES) == set(message_store.STATES)
    for kind in (*watch.WATCHED, REUSED_CONTROL_ID):
        assert kind in alarm_words.KINDS
    without = [kind for kind in standard_router().types if not message_words.type_words(kind)]
    assert without == []
    assert message_words.type_words("VXU^V04") == ""


def test_effects_are_told_once() -> None:
    row = InboundMessage(outcome="PlaceOrder, PlaceOrder, SettleFee, Unheard")
    assert message_words.effects(row) == ["新增或变更检查申请", "记录收费", "Unheard"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Rejected: HIS answered AE to CF1: no such fee", "HIS 拒收（AE）：no such fee"),
        ("Rejected: HIS answered AR to CF1: without a reason", "HIS 拒收（AR）：未说明原因"),
        ("Unavailable: connection refused", "暂时联系不上对方，会自动重试。connection refused"),
        ("ZeroDivisionError", "ZeroDivisionError"),
    ],
)
def test_refusal_of_a_peer_is_told(text: str, said: str) -> None:
    assert message_words.refusal(text) == said


def test_alarm_of_the_engine_is_told_in_chinese_and_others_as_they_are() -> None:
    text = "RIS|A gave the control id R7 to two different messages; both were taken"
    assert alarm_words.text_of(Alarm(subject="RIS|A", text=text)) == "RIS|A 的编号 R7 用在两条不同的消息上"
    assert alarm_words.text_of(Alarm(subject="x", text="connector x: away")) == "connector x: away"
    assert alarm_words.words_of("never heard of").title == "异常"
