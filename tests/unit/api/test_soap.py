"""The web service of a hospital platform: envelopes in, the inbox, answers in the language of the message."""

import hashlib
import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import peewee
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from lxml import etree
from werkzeug.test import TestResponse

from access import hospital_peers
from api import body_limit
from api.application import create_app
from api.hip import views
from core.config import Settings
from core.errors import Misconfigured
from core.models import InboundMessage
from crypto.keyring import Keyring
from hl7_engine.framing import wrap
from tests.unit.api import makers
from tests.unit.hl7_engine import samples, v3_samples

pytestmark = pytest.mark.requirement("P2", "P6")

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
ER7 = (
    "MSH|^~\\&|HIS|SZSRMYY|CLOUDFILM||20261124101530||ADT^A04|M1|P|2.5.1||||||UNICODE UTF-8\r"
    "PID|1||0001234567^^^HIS^PI||张^珅東||19850615|M\r"
)
JSON = json.dumps(
    {"action": "CancelOrder", "id": "J1", "data": {"accession_number": "", "placer_order_number": "SQ1"}}
)


def envelope(
    message: str,
    action: str | None = "CheckAppInfoAdd",
    *,
    soap: str = SOAP_11,
    operation: str = "HIPMessageServer",
    ns: str = "urn:hl7-org:v3",
) -> str:
    told = f"<action>{action}</action>" if action is not None else ""
    return (
        f'<s:Envelope xmlns:s="{soap}"><s:Header/><s:Body><{operation} xmlns="{ns}">{told}'
        f"<message>{escape(message)}</message></{operation}></s:Body></s:Envelope>"
    )


def post(
    browser: FlaskClient, body: str | bytes, kind: str = "text/xml; charset=utf-8", **more: Any
) -> TestResponse:
    return browser.post("/ws/hip", data=body, content_type=kind, **more)


def result_of(answer: TestResponse) -> str:
    """The text of the call's result; asserts that it is one."""
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body = etree.fromstring(answer.data)[0]
    assert etree.QName(body[0]).localname.endswith("Response")
    return body[0][0].text or ""


def fault_of(answer: TestResponse) -> tuple[str, str]:
    """Whose fault, and what is said."""
    fault = etree.fromstring(answer.data)[0][0]
    assert etree.QName(fault).localname == "Fault"
    texts = [part.text or "" for part in fault.iter() if len(part) == 0]
    return texts[0], texts[-1]


def ack_of(text: str) -> tuple[str, str, str]:
    """typeCode, the message that is meant, and the text of an MCCI acknowledgement."""
    ack = etree.fromstring(text)
    assert etree.QName(ack).localname == "MCCI_IN000002UV01"
    return tuple(  # type: ignore[return-value]
        ack.xpath(f"string(//*[local-name()='{name}']/{path})")
        for name, path in (
            ("acknowledgement", "@typeCode"),
            ("targetMessage", "*/@extension"),
            ("acknowledgementDetail", "*/@value"),
        )
    )


@pytest.mark.parametrize(
    ("soap", "kind", "media_type"),
    [
        (SOAP_11, "text/xml", "text/xml"),
        (SOAP_12, 'application/soap+xml; charset=utf-8; action="x"', "application/soap+xml"),
    ],
)
def test_both_soaps(browser: FlaskClient, soap: str, kind: str, media_type: str) -> None:
    answer = post(browser, envelope(v3_samples.application().decode(), soap=soap), kind)
    assert answer.mimetype == media_type
    assert etree.QName(etree.fromstring(answer.data)).namespace == soap
    assert ack_of(result_of(answer)) == ("AA", "MSG-0001", "接收成功")
    row = InboundMessage.get()
    assert (row.channel, row.format, row.state, row.control_id, row.message_type, row.address, row.peer) == (
        "soap",
        "v3",
        "received",
        "MSG-0001",
        "CheckAppInfoAdd",
        "127.0.0.1",
        "127.0.0.1",
    )


def test_the_same_message_again_is_known(browser: FlaskClient) -> None:
    for text in ("接收成功", "此前已接收"):
        assert ack_of(result_of(post(browser, envelope(v3_samples.application().decode()))))[2] == text
    assert InboundMessage.select().count() == 1


@pytest.mark.parametrize("operation", ["HIPMessageServer", "Call", "invoke"])
@pytest.mark.parametrize("ns", ["urn:hl7-org:v3", "http://vendor.example/", ""])
def test_operations_of_any_namespace(browser: FlaskClient, operation: str, ns: str) -> None:
    answer = post(browser, envelope(JSON, operation=operation, ns=ns))
    assert json.loads(result_of(answer)) == {"code": 0, "message": "接收成功", "id": InboundMessage.get().id}
    response = etree.fromstring(answer.data)[0][0]
    assert (etree.QName(response).localname, etree.QName(response).namespace or "") == (
        f"{operation}Response",
        ns,
    )


def test_arguments_by_name_or_by_place(browser: FlaskClient) -> None:
    message = escape(v3_samples.application().decode())
    bodies = [
        f"<message>{message}</message><action>A1</action>",
        f"<in0>A1</in0><in1>{message}</in1>",
        f"<Action>A1</Action><Message>{message}</Message>",
        f"<FuncCode>A1</FuncCode><user>u</user><input>{message}</input>",
    ]
    for body in bodies:
        text = f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body><Call>{body}</Call></e:Body></e:Envelope>'
        result_of(post(browser, text))
        row = InboundMessage.get()
        assert (row.message_type, row.format) == ("A1", "v3")
        row.delete_instance()


def test_a_single_argument_is_the_message(browser: FlaskClient) -> None:
    assert ack_of(result_of(post(browser, envelope(v3_samples.application().decode(), None))))[0] == "AA"
    assert InboundMessage.get().message_type == "POOR_IN200901UV"


def test_xml_that_was_not_escaped(browser: FlaskClient) -> None:
    inner = v3_samples.application().decode().partition("?>")[2]
    text = envelope("HERE").replace("HERE", inner)
    assert ack_of(result_of(post(browser, text)))[:2] == ("AA", "MSG-0001")


def test_hl7_v2_with_its_line_ends(browser: FlaskClient) -> None:
    text = envelope("HERE").replace("HERE", escape(ER7).replace("\r", "&#13;"))
    ack = result_of(post(browser, text))
    assert "\rMSA|AA|M1" in ack.replace("\n", "\r")
    row = InboundMessage.get()
    assert (row.format, row.peer, row.control_id) == ("er7", "HIS|SZSRMYY", "M1")
    assert row.body == ER7.strip().encode()


def test_hl7_v2_is_kept_in_the_characters_that_it_declares(browser: FlaskClient) -> None:
    declared = ER7.replace("UNICODE UTF-8", "GB 18030-2000")
    ack = result_of(post(browser, envelope(declared)))
    assert "GB 18030-2000" in ack
    assert InboundMessage.get().body.decode("gb18030").splitlines() == declared.strip().splitlines()


def test_hl7_v2_that_wants_no_answer_gets_an_empty_one(browser: FlaskClient) -> None:
    silent = ER7.replace("2.5.1||||||", "2.5.1|||NE|NE||")
    assert result_of(post(browser, envelope(silent))) == ""
    assert InboundMessage.select().count() == 1


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (v3_samples.application(), "v3"),
        (JSON.encode(), "json"),
        (ER7.replace("UNICODE UTF-8", "GB 18030-2000").encode("gb18030"), "er7"),
    ],
)
def test_base64_is_answered_as_base64(browser: FlaskClient, content: bytes, form: str) -> None:
    wrapped = b64encode(content).decode()
    result = result_of(post(browser, envelope(wrapped[:60] + "\n" + wrapped[60:])))
    row = InboundMessage.get()
    assert (row.format, row.state, row.body) == (form, "received", content)
    answer = b64decode(result)
    if form == "v3":
        assert ack_of(answer.decode())[0] == "AA"
    elif form == "json":
        assert json.loads(answer)["code"] == 0
    else:
        assert b"MSA|AA|M1" in answer
        assert "GB 18030-2000" in answer.decode("gb18030")


def test_the_block_of_mllp_in_base64_is_taken_off(browser: FlaskClient) -> None:
    result = result_of(post(browser, envelope(b64encode(wrap(ER7.encode())).decode())))
    assert b"MSA|AA|M1" in b64decode(result)
    assert InboundMessage.get().body == ER7.encode()


@pytest.mark.parametrize("action", ["张三 330683198506151230", "A" * 33, "a:b", '{"patient":1}'])
def test_an_action_that_is_no_name_is_not_kept(browser: FlaskClient, action: str) -> None:
    result_of(post(browser, envelope(v3_samples.application().decode(), action)))
    assert InboundMessage.get().message_type == "POOR_IN200901UV"


def test_characters_of_gbk_however_they_are_declared(browser: FlaskClient) -> None:
    for prolog, kind in (
        ('<?xml version="1.0" encoding="GBK"?>', "text/xml"),
        ('<?xml version="1.0" encoding="gb2312"?>', "text/xml; charset=gb2312"),
        ("", "text/xml; charset=GBK"),
        ("", "text/xml"),
    ):
        content = v3_samples.application().decode().partition("?>")[2]
        text = prolog + envelope('<?xml version="1.0" encoding="GBK"?>' + content)
        assert ack_of(result_of(post(browser, text.encode("gb18030"), kind)))[0] == "AA"
        row = InboundMessage.get()
        assert v3_samples.NAME in row.body.decode("utf-8")
        row.delete_instance()


def test_what_is_broken_is_refused_with_its_reason_and_kept(browser: FlaskClient) -> None:
    code, target, text = ack_of(result_of(post(browser, envelope("<a><b></a>"))))
    assert (code, target) == ("AE", "")
    assert "broken in line 1" in text
    told = json.loads(result_of(post(browser, envelope('{"action": '))))
    assert (told["code"], told["message"][:7]) == (1, "no JSON")
    assert "MSA|AR" in result_of(post(browser, envelope("neither this nor that")))
    assert [row.state for row in InboundMessage.select()] == ["refused"] * 3


def test_an_inner_dtd_is_refused_too(browser: FlaskClient) -> None:
    code, _, text = ack_of(result_of(post(browser, envelope('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'))))
    assert code == "AE"
    assert "DTD" in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + envelope("&b;"), "DTD"),
        ("MSH|^~\\&|", "no XML"),
        ("", "no XML"),
        ("<a/>", "no SOAP"),
        (envelope("x", soap="urn:other"), "no SOAP"),
        (f'<e:Envelope xmlns:e="{SOAP_11}"/>', "none of HIPMessageServer, Call, invoke"),
        (envelope("x", operation="DropTables"), "none of HIPMessageServer"),
        (f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body><Call/></e:Body></e:Envelope>', "no argument"),
    ],
)
def test_what_is_no_call_is_a_fault_of_the_caller(browser: FlaskClient, body: str, said: str) -> None:
    answer = post(browser, body)
    assert answer.status_code == 400
    who, text = fault_of(answer)
    assert who == "soap:Client"
    assert said in text
    assert InboundMessage.select().count() == 0


def test_faults_of_soap_12(browser: FlaskClient) -> None:
    answer = post(browser, envelope("x", soap=SOAP_12, operation="No"), "application/soap+xml")
    assert (answer.status_code, answer.mimetype) == (400, "application/soap+xml")
    assert fault_of(answer)[0] == "soap:Sender"
    assert etree.QName(etree.fromstring(answer.data)).namespace == SOAP_12


def test_too_large_is_said_in_a_fault(browser: FlaskClient) -> None:
    answer = post(browser, b"x" * (body_limit.MESSAGE_BYTES + 1))
    assert answer.status_code == 413
    assert "33 MB" in fault_of(answer)[1]


def test_more_than_the_usual_limit_is_taken(browser: FlaskClient) -> None:
    pdf = b64encode(samples.PDF * 2000).decode()
    report = ER7.replace("ADT^A04", "ORU^R01") + f"OBX|1|ED|ZMF||^^PDF^Base64^{pdf}|\r"
    assert len(report) > 2 * body_limit.USUAL_BYTES
    assert "MSA|AA" in result_of(post(browser, envelope(report)))


@pytest.mark.parametrize(("error", "status"), [(peewee.OperationalError, 503), (peewee.IntegrityError, 500)])
def test_what_cannot_be_stored_is_not_acknowledged(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int
) -> None:
    def accept(*_: Any) -> None:
        raise error("disk I/O error at 张珅東")

    monkeypatch.setattr(views.inbox, "accept", accept)
    for message in (ER7, JSON, v3_samples.application().decode()):
        answer = post(browser, envelope(message))
        assert answer.status_code == status
        assert fault_of(answer) == ("soap:Server", "the message could not be stored just now: send it again")
        assert ("Retry-After" in answer.headers) is (status == 503)


def test_the_wsdl_lists_the_operations(settings: Settings, keyring: Keyring, memory_database: object) -> None:
    platform = makers.platform(
        Settings(home=settings.home, soap_operations="HIPMessageServer, YSFRK"), keyring
    )
    answer = create_app(platform).test_client().get("/ws/hip?wsdl")
    assert answer.mimetype == "text/xml"
    document = etree.fromstring(answer.data)
    names = {"w": "http://schemas.xmlsoap.org/wsdl/"}
    assert document.xpath("w:portType/w:operation/@name", namespaces=names) == ["HIPMessageServer", "YSFRK"]
    assert document.xpath("//@location") == ["http://localhost/ws/hip"] * 2


def test_operations_that_are_no_names_stop_the_start(settings: Settings, keyring: Keyring) -> None:
    for told in ("", "a b", "<x/>", "1st"):
        with pytest.raises(Misconfigured, match="CLOUDFILM_SOAP_OPERATIONS"):
            create_app(makers.platform(Settings(home=settings.home, soap_operations=told), keyring))


@pytest.mark.requirement("K5")
def test_other_addresses_get_nothing(browser: FlaskClient) -> None:
    for answer in (
        browser.get("/ws/hip", environ_overrides={"REMOTE_ADDR": "10.9.9.9"}),
        post(browser, envelope(ER7), environ_overrides={"REMOTE_ADDR": "10.9.9.9"}),
    ):
        assert answer.status_code == 403
        assert "CLOUDFILM_HTTP_PEERS" in fault_of(answer)[1]
    assert InboundMessage.select().count() == 0


@pytest.mark.requirement("K5")
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_behind_a_proxy_that_was_not_declared_addresses_prove_nothing(
    browser: FlaskClient, settings: Settings, keyring: Keyring, header: str
) -> None:
    answer = post(browser, envelope(ER7), headers={header: "10.9.9.9"})
    assert answer.status_code == 403
    assert "CLOUDFILM_TRUSTED_PROXIES" in fault_of(answer)[1]
    declared = create_app(
        makers.platform(Settings(home=settings.home, trusted_proxies=1), keyring)
    ).test_client()
    assert post(declared, envelope(ER7), headers={"X-Forwarded-For": "10.9.9.9"}).status_code == 403
    assert post(declared, envelope(ER7), headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200


@pytest.mark.requirement("K5")
@pytest.mark.parametrize("header", ["Origin", "Sec-Fetch-Site"])
def test_a_page_in_a_browser_of_the_hospital_gets_nothing(browser: FlaskClient, header: str) -> None:
    answer = post(browser, envelope(ER7), "text/plain", headers={header: "https://evil.example"})
    assert answer.status_code == 403
    assert InboundMessage.select().count() == 0


@pytest.fixture
def guarded(settings: Settings, keyring: Keyring, memory_database: object, tmp_path: Path) -> APIFlask:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"HIS-TOKEN": hashlib.sha256(b"t" * 32).hexdigest()}), encoding="utf-8")
    peers = hospital_peers.load("127.0.0.1", str(path))
    return create_app(makers.platform(settings, keyring, hospital_peers=peers))


@pytest.mark.requirement("K5")
def test_a_token_is_asked_for_and_names_the_sender(guarded: APIFlask) -> None:
    browser = guarded.test_client()
    refused = post(browser, envelope(JSON))
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    assert post(browser, envelope(JSON), headers={"X-CloudFilm-Token": "wrong"}).status_code == 401
    assert browser.get("/ws/hip?wsdl").status_code == 401
    assert InboundMessage.select().count() == 0
    result_of(post(browser, envelope(JSON), headers={"X-CloudFilm-Token": "t" * 32}))
    result_of(post(browser, envelope(JSON), auth=("any", "t" * 32)))
    (row,) = InboundMessage.select()
    assert (row.peer, row.control_id, row.message_type) == ("HIS-TOKEN", "J1", "CancelOrder")
