"""Operators: find a message, read it on record, replay or correct it with a reason, send a parked one again, see alarms."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core import alarms, clock
from core.db import database
from core.models import AuditEvent, InboundMessage, OutboxEvent
from hl7_engine import inbox, message_store
from hl7_engine.incoming import Incoming
from simulators.his_messages import adt_a04
from tests.unit.api import makers
from tests.unit.api.html import Page, page_of
from tests.unit.hl7_engine.samples import PATIENT, envelope
from tests.unit.hl7_engine.stored import inbound, owed

pytestmark = pytest.mark.requirement("S3", "S5", "F10", "K5")

RAW = adt_a04(PATIENT, envelope())
IMG = "<img src=x onerror=alert(1)>"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def token(browser: FlaskClient) -> str:
    return makers.sign_in_staff(browser, "operator").visitor.csrf_token


def accepted(raw: bytes = RAW) -> int:
    (receipt,) = inbox.accept([Incoming(raw, "10.0.0.5")])
    assert receipt.message_id is not None
    return receipt.message_id


def parked(**columns: object) -> InboundMessage:
    return inbound(body=RAW, charset="gb18030", state="parked", error="OBR-22 is 'x': a time is Y", **columns)


def rows_of(page: Page) -> list[int]:
    return [
        int(link.rpartition("/")[2])
        for link in page.links()
        if link.startswith("/staff/messages/") and link[-1].isdigit()
    ]


def record(action: str) -> list[AuditEvent]:
    return list(AuditEvent.select().where(AuditEvent.action == action))


def find(browser: FlaskClient, token: str, **form: object) -> Page:
    return page_of(browser.post("/staff/messages", data={"csrf_token": token, **form}))


def test_operator_begins_at_the_messages(browser: FlaskClient, token: str) -> None:
    assert browser.get("/").location == "/staff/messages"
    assert browser.get("/staff/login").location == "/staff/messages"
    assert browser.get("/staff/login?next=/staff/alarms").location == "/staff/alarms"
    page = page_of(browser.get("/staff/messages"))
    assert "还没有消息" in page.text
    assert {"/staff/messages", "/staff/messages/outgoing", "/staff/alarms"} <= set(page.links())


def test_doctors_page_has_no_way_to_the_messages(browser: FlaskClient) -> None:
    makers.sign_in_staff(browser)
    assert "/staff/messages" not in page_of(browser.get("/staff/exams")).links()


def test_list_shows_newest_first_masked_and_is_on_record(browser: FlaskClient, token: str) -> None:
    first = inbound(patient_number="330683198506151230", outcome="RegisterPatient")
    second = parked()
    page = page_of(browser.get("/staff/messages"))
    assert rows_of(page) == [second.id, first.id]
    assert "330683198506151230" not in page.text and "330***********1230" in page.text
    assert "OBR-22（报告时间）的时间无法识别" in page.text
    assert "登记或更新患者" in page.text
    (event,) = record("search_messages")
    assert (event.subject, event.actor) == ("messages", "staff:1")


def test_each_filter_finds_its_messages(browser: FlaskClient, token: str) -> None:
    at = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
    old = inbound(created_at=at - timedelta(days=2))
    wanted = parked(created_at=at, accession_number="CT1", channel="soap", message_type="OMG^O19", peer="X|Y")
    inbound(created_at=at + timedelta(days=2))
    for form in (
        {"number": " CT1 "},
        {"state": "problem"},
        {"channel": "soap"},
        {"message_type": "OMG"},
        {"peer": "X|Y"},
        {"since": "2026-11-24T09:30", "until": "2026-11-24T09:31"},
        {"text": "330683198506151230"},
    ):
        assert rows_of(find(browser, token, **form)) == [wanted.id], form
    assert old.id in rows_of(find(browser, token, state="nonsense", since="yesterday"))


def test_what_was_looked_for_is_in_no_address_and_in_no_record(browser: FlaskClient, token: str) -> None:
    accepted()
    page = find(browser, token, text="张珅東")
    assert "已逐条查找 1 条正文" in page.text
    assert all("珅" not in str(attributes.get("href", "")) for _, attributes in page.elements)
    assert not [event for event in AuditEvent.select() if "珅" in event.detail]


def test_pages_go_on_by_a_button_of_the_form(
    browser: FlaskClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [inbound().id for _ in range(5)]
    monkeypatch.setattr(message_store.search, "__kwdefaults__", {"before": 0, "limit": 3})
    first = page_of(browser.get("/staff/messages"))
    assert rows_of(first) == ids[:1:-1]
    (button,) = [one for one in first.all("button") if one.get("name") == "before"]
    assert button["form"] == "message-search"
    assert rows_of(find(browser, token, before=button["value"])) == ids[1::-1]


def test_htmx_gets_the_rows_or_the_overview_alone(browser: FlaskClient, token: str) -> None:
    inbound()
    answer = browser.post("/staff/messages", data={"csrf_token": token}, headers=HTMX)
    assert not page_of(answer).all("html") and rows_of(page_of(answer))
    alarms.begin("peer_silent", "HIS", "HIS 已超过 60 分钟没有发来消息")
    overview = page_of(browser.get("/staff/messages/overview", headers=HTMX))
    assert not overview.all("html")
    assert "对方没有消息 · HIS" in overview.text
    assert "HIS|SZSRMYY" in page_of(browser.get("/staff/messages")).text


def test_message_is_laid_open_with_why_and_what_to_do_on_record(browser: FlaskClient, token: str) -> None:
    exam = makers.exam("CT1", item_name="胸部CT平扫")
    row = parked(accession_number=exam.accession_number)
    page = page_of(browser.get(f"/staff/messages/{row.id}"))
    for told in (
        "门诊登记",
        "PID",
        "姓名",
        "珅東",
        "需要人工",
        "修改后重发",
        "胸部CT平扫",
        PATIENT.id_number,
    ):
        assert told in page.text, told
    (event,) = record("read_message")
    assert (event.subject, event.actor) == (f"message:{row.id}", "staff:1")
    again = page_of(browser.get(f"/staff/messages/{row.id}"))
    assert "医生甲 查看内容" in again.text


def test_body_that_cannot_be_opened_says_so(browser: FlaskClient, token: str) -> None:
    row = inbound()
    database.execute_sql("UPDATE inbound_message SET body = ? WHERE id = ?", (b"not sealed", row.id))
    for path in (f"/staff/messages/{row.id}", f"/staff/messages/{row.id}/edit"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "内容无法解密" in page_of(answer).text


def test_missing_message_is_not_found(browser: FlaskClient, token: str) -> None:
    assert browser.get("/staff/messages/99").status_code == 404
    assert (
        browser.post("/staff/messages/99/replay", data={"csrf_token": token, "reason": "x"}).status_code
        == 404
    )


def test_replay_needs_a_reason_and_the_forms_token(browser: FlaskClient, token: str) -> None:
    row = parked()
    path = f"/staff/messages/{row.id}/replay"
    assert browser.post(path, data={"reason": "x"}).status_code == 403
    refused = browser.post(path, data={"csrf_token": token, "reason": " "})
    assert refused.status_code == 422
    assert "请填写原因" in page_of(refused).text
    assert InboundMessage.get_by_id(row.id).state == "parked"
    done = browser.post(path, data={"csrf_token": token, "reason": "字典已补"})
    assert done.status_code == 303
    page = page_of(browser.get(done.location))
    assert "已放回队列" in page.text and "重放：字典已补" in page.text
    assert InboundMessage.get_by_id(row.id).state == "received"
    twice = browser.post(path, data={"csrf_token": token, "reason": "字典已补"})
    assert twice.status_code == 409
    assert "正在等待处理" in page_of(twice).text


def test_corrected_message_is_a_new_one(browser: FlaskClient, token: str) -> None:
    message_id = accepted()
    path = f"/staff/messages/{message_id}/edit"
    form = {one["name"]: one["value"] for one in page_of(browser.get(path)).all("input") if "value" in one}
    assert form["field:PID-8"] == "M"
    unchanged = browser.post(path, data={**form, "reason": "why"})
    assert unchanged.status_code == 422
    assert "没有改动" in page_of(unchanged).text
    changed = {**form, "field:PID-8": "F", "new-path-0": "PID-30", "new-value-0": "N", "reason": "性别填错"}
    done = browser.post(path, data=changed)
    assert done.status_code == 303
    new = InboundMessage.get(InboundMessage.origin_id == message_id)
    assert done.location == f"/staff/messages/{new.id}?done=resent"
    assert b"|F|" in new.body and new.body.count(b"|N\r") == 1
    assert InboundMessage.get_by_id(message_id).body == RAW
    page = page_of(browser.get(f"/staff/messages/{message_id}"))
    assert f"→ 消息 {new.id}" in page.text
    assert f"/staff/messages/{message_id}" in page_of(browser.get(done.location)).links()


def test_correction_that_is_no_place_or_has_no_reason_is_told_and_keeps_what_was_typed(
    browser: FlaskClient, token: str
) -> None:
    message_id = accepted()
    path = f"/staff/messages/{message_id}/edit"
    answer = browser.post(path, data={"csrf_token": token, "field:PID-8": "F", "reason": ""})
    assert answer.status_code == 422
    assert page_of(answer).field("field:PID-8") == "F"
    wrong = {"csrf_token": token, "new-path-0": "性别", "new-value-0": "F", "reason": "why"}
    assert "不是字段位置" in page_of(browser.post(path, data=wrong)).text
    missing = {**wrong, "new-path-0": "ZZZ-1"}
    assert browser.post(path, data=missing).status_code == 422
    assert InboundMessage.select().count() == 1


def test_what_is_no_hl7_is_corrected_as_text(browser: FlaskClient, token: str) -> None:
    message_id = accepted(RAW.replace(b"MSH", b"MXX"))
    path = f"/staff/messages/{message_id}/edit"
    assert page_of(browser.get(path)).all("textarea")[0]["name"] == "text"
    text = RAW.decode("gb18030").replace("\r", "\r\n")
    done = browser.post(path, data={"csrf_token": token, "text": text, "reason": "补上消息头"})
    assert done.status_code == 303 and done.location.endswith("done=resent")
    spoilt = browser.post(path, data={"csrf_token": token, "text": "HELLO", "reason": "试试"})
    page = page_of(browser.get(spoilt.location))
    assert "修改后的消息仍被拒收" in page.text and "没有 HL7 消息头" in page.text


def test_parked_debt_is_sent_again_with_a_reason(browser: FlaskClient, token: str) -> None:
    assert "还没有外发消息" in page_of(browser.get("/staff/messages/outgoing")).text
    row = owed(work="parked", error="Rejected: HIS answered AE to CF1: 无此收费单")
    owed(state="sent", sent_at=clock.now(), ack_code="AA")
    page = page_of(browser.get("/staff/messages/outgoing?state=parked"))
    assert "HIS 拒收（AE）：无此收费单" in page.text and "已送达" in page.text
    path = f"/staff/messages/outgoing/{row.id}/resend"
    assert browser.post(path, data={"reason": "x"}).status_code == 403
    assert browser.post(path, data={"csrf_token": token, "reason": ""}).status_code == 422
    done = browser.post(path, data={"csrf_token": token, "reason": "HIS 已修复"})
    assert (done.status_code, done.location) == (303, f"/staff/messages/outgoing?done={row.id}")
    assert OutboxEvent.get(OutboxEvent.key == row.key).state == "pending"
    assert browser.post(path, data={"csrf_token": token, "reason": "x"}).status_code == 409
    assert record("resend_outgoing")


def test_outgoing_filters_ignore_nonsense(browser: FlaskClient, token: str) -> None:
    owed()
    assert browser.get("/staff/messages/outgoing?state=%00&before=-1&peer=HIS&done=x").status_code == 200
    assert "没有这样的外发消息" in page_of(browser.get("/staff/messages/outgoing?peer=nobody")).text


def test_alarms_of_now_and_before(browser: FlaskClient, token: str) -> None:
    assert "一切正常" in page_of(browser.get("/staff/alarms")).text
    alarms.begin("message_backlog", "inbox", "有 1,001 条消息等待处理")
    alarms.begin("outgoing_late", "HIS", "HIS 有 2 条外发消息未送达")
    alarms.end("outgoing_late", "HIS")
    page = page_of(browser.get("/staff/alarms"))
    assert "收到的消息积压 · 收件队列" in page.text and "有 1,001 条消息等待处理" in page.text
    assert "外发消息未送达" in page.text and "已结束" in page.text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="<>\"'&/=!-[]{}() scriptonerrorimgx\u2028\u202e", min_size=1, max_size=60))
@example(IMG)
@example("</script><script>alert(1)</script><!--")
@example("\" autofocus onfocus='alert(1)' x=\"")
def test_hostile_text_changes_no_element_of_any_page(browser: FlaskClient, token: str, text: str) -> None:
    def skeletons(word: str) -> list[object]:
        InboundMessage.delete().execute()
        # Without HL7's own separators, which make more parts.
        inner = re.sub(r"[&|^~\\\\]", "", word) or "x"
        body = f"MSH|^~\\&|A\rPID|1||7||{inner}\rZZZ|{inner}\r".encode()
        common = {"state": "parked", "error": word, "peer": word, "control_id": word, "outcome": word}
        row = inbound(body=body, message_type=word[:32], address=word, **common)
        other = inbound(body=b"{" + word.encode(), format="json", **common)
        paths = ["", f"/{row.id}", f"/{row.id}/edit", f"/{other.id}", f"/{other.id}/edit"]
        AuditEvent.delete().execute()
        return [page_of(browser.get(f"/staff/messages{path}")).skeleton for path in paths]

    assert skeletons(text) == skeletons("x")


def test_text_of_a_message_is_shown_as_it_is(browser: FlaskClient, token: str) -> None:
    row = inbound(body=f"MSH|^~\\&|A\rPID|1||7||{IMG}\r".encode(), state="parked", error=IMG)
    assert page_of(browser.get(f"/staff/messages/{row.id}")).text.count(IMG) == 2
    assert IMG in page_of(browser.get("/staff/messages")).text
