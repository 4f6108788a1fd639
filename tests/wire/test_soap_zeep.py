"""Another maker's SOAP client at the real web service: zeep calls every operation over both ports; then the hostile."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from lxml import etree
from requests.auth import HTTPBasicAuth
from werkzeug.serving import WSGIRequestHandler, make_server
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport

from api.application import create_app
from core.bus import MemoryBus
from core.commands import CancelOrder, PlaceOrder, RegisterPatient
from core.config import Settings
from core.models import InboundMessage
from crypto.keyring import Keyring
from hl7_engine.drain import Drain
from hl7_engine.site import STANDARD_SITE
from tests.unit.api import makers
from tests.unit.api.test_soap import ER7, SOAP_11, SOAP_12, ack_of, envelope
from tests.unit.hl7_engine import v3_samples

pytestmark = [pytest.mark.requirement("P2", "P6"), pytest.mark.usefixtures("database")]

OPERATIONS = ("HIPMessageServer", "Call", "invoke")
PORTS = ("HIPServiceSoap", "HIPServiceSoap12")
CANCEL = json.dumps(
    {
        "action": "CancelOrder",
        "data": {
            "accession_number": "",
            "placer_order_number": "SQ1",
            "said_at": "2026-11-24T10:00:00+08:00",
        },
    },
    ensure_ascii=False,
)
LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def url(settings: Settings, keyring: Keyring, database: object) -> Iterator[str]:
    """The web service, on a real socket."""
    app = create_app(makers.platform(settings, keyring))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ws/hip"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def service(url: str, port: str) -> Any:
    return Client(f"{url}?wsdl").bind("HIPService", port)


@pytest.mark.parametrize("port", PORTS)
def test_every_operation_with_every_payload_takes_effect(url: str, port: str) -> None:
    called = service(url, port)
    for operation in OPERATIONS:
        InboundMessage.delete().execute()
        application = v3_samples.application().decode()
        assert ack_of(called[operation](action="CheckAppInfoAdd", message=application))[0] == "AA"
        assert json.loads(called[operation](action="", message=CANCEL))["code"] == 0
        assert "MSA|AA|M1" in called[operation](action="ADT", message=ER7)
        bus = MemoryBus()
        Drain(bus, STANDARD_SITE, lambda *_: None).run_once()
        assert [type(command) for command in bus.submitted] == [PlaceOrder, CancelOrder, RegisterPatient]
        (_, _, registered) = bus.submitted
        assert isinstance(registered, RegisterPatient)
        assert registered.patient.name == "张珅東"


@pytest.mark.parametrize("port", PORTS)
def test_carriage_returns_inside_the_string_survive(url: str, port: str) -> None:
    service(url, port).HIPMessageServer(action="", message=ER7)
    row = InboundMessage.get()
    assert row.body == ER7.strip().encode()
    assert row.body.count(b"\r") == 1


@pytest.mark.parametrize("port", PORTS)
def test_base64_of_gb18030(url: str, port: str) -> None:
    content = ER7.replace("UNICODE UTF-8", "GB 18030-2000")
    answer = service(url, port).Call(action="", message=v3_samples.base64(content, "gb18030"))
    assert not answer.startswith("MSH")
    assert InboundMessage.get().body == content.encode("gb18030")


@pytest.mark.parametrize("port", PORTS)
def test_refusals_and_faults_reach_the_client(url: str, port: str) -> None:
    called = service(url, port)
    assert ack_of(called.Call(action="CheckAppInfoAdd", message="<a><b></a>"))[0] == "AE"
    assert "MSA|AR" in called.Call(action="", message="nothing known")
    with pytest.raises(Fault, match="no argument"):
        called.invoke()


@pytest.mark.parametrize(
    ("prolog", "kind"),
    [
        ('<?xml version="1.0" encoding="GBK"?>', "text/xml"),
        ('<?xml version="1.0" encoding="GB18030"?>', 'application/soap+xml; charset=gb18030; action="x"'),
        ("", "text/xml; charset=GBK"),
        ("", "text/xml;charset=gb2312"),
        ("", "text/xml; charset=utf-8"),
    ],
)
def test_raw_bodies_of_gbk(url: str, prolog: str, kind: str) -> None:
    soap = SOAP_12 if "soap+xml" in kind else SOAP_11
    body = prolog + envelope(v3_samples.application().decode(), soap=soap)
    answer = requests.post(url, data=body.encode("gb18030"), headers={"Content-Type": kind}, timeout=30)
    assert answer.status_code == 200
    assert v3_samples.NAME in InboundMessage.get().body.decode()


def test_nothing_is_fetched_for_an_external_entity(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/secret"
        for declaration in (
            f'<!DOCTYPE a [<!ENTITY x SYSTEM "{address}">]>',
            f'<!DOCTYPE a SYSTEM "{address}">',
            f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{address}"> %x;]>',
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        ):
            outer = declaration + envelope("HERE").replace("HERE", "&x;")
            answer = requests.post(url, data=outer, headers={"Content-Type": "text/xml"}, timeout=30)
            assert (answer.status_code, "DTD" in answer.text) == (400, True)
            inner = requests.post(url, data=envelope(declaration + "<a>&x;</a>"), timeout=30)
            assert (inner.status_code, "DTD" in inner.text) == (200, True)
        with pytest.raises(BlockingIOError):
            trap.accept()
    assert {row.state for row in InboundMessage.select()} == {"refused"}


def test_a_billion_laughs_are_not_told(url: str) -> None:
    answer = requests.post(url, data=LAUGHS + envelope("HERE").replace("HERE", "&j;"), timeout=30)
    assert (answer.status_code, "DTD" in answer.text) == (400, True)
    attribute = LAUGHS + envelope("x").replace("<s:Header/>", '<s:Header a="&j;"/>')
    assert requests.post(url, data=attribute, timeout=30).status_code == 400


@pytest.mark.parametrize("is_chunked", [False, True])
def test_forty_megabytes_are_refused_and_the_caller_hears_it(url: str, is_chunked: bool) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    pieces = (b"x" * 1024 * 1024 for _ in range(40))
    headers = {"Content-Type": "text/xml"}
    if not is_chunked:
        headers["Content-Length"] = str(40 * 2**20)
    connection.request("POST", parts.path, body=pieces, headers=headers, encode_chunked=is_chunked)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status == 413
    assert etree.fromstring(content) is not None
    assert InboundMessage.select().count() == 0


def test_eight_megabytes_of_pdf_are_taken(url: str) -> None:
    pdf = v3_samples.b64encode(b"%PDF-1.4\n" + b"\x00\x07" * 4 * 2**20).decode()
    body = f'<component><nonXMLBody><text mediaType="application/pdf">{pdf}</text></nonXMLBody></component>'
    content = v3_samples.registered(v3_samples.base64(v3_samples.document(body=body))).decode()
    answer = requests.post(url, data=envelope(content, "DocumentRegister").encode(), timeout=120)
    assert answer.status_code == 200
    bus = MemoryBus()
    Drain(bus, STANDARD_SITE, lambda *_: None).run_once()
    (report,) = bus.submitted
    assert len(report.document) == 9 + 8 * 2**20  # type: ignore[attr-defined]


def test_zeep_with_a_password(url: str) -> None:
    session = requests.Session()
    session.auth = HTTPBasicAuth("his", "not needed here")
    client = Client(f"{url}?wsdl", transport=Transport(session=session))
    assert "MSA|AA" in client.service.HIPMessageServer(action="", message=ER7)
