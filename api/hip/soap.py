"""SOAP 1.1 and 1.2 envelopes with a string in and a string out, as hospital platforms call each other.

Read by hand and not by a library: operations differ by site in name, namespace and names of arguments, and nothing else in
them matters. Operation and arguments are matched by local name and by their order.
"""

import re
from dataclasses import dataclass
from enum import Enum

from lxml import etree

from api.body_limit import MESSAGE_BYTES
from core.errors import Refused
from hl7_engine.errors import Unreadable
from hl7_engine.v3 import tree
from hl7_engine.v3.tree import Node

_ACTION = "action"
_MESSAGE = "message"
# Control characters, which XML cannot hold.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Version(Enum):
    """The two SOAPs, by the namespace of their envelope."""

    SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
    SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"

    @property
    def media_type(self) -> str:
        """Content-Type of an answer."""
        kind = "text/xml" if self is Version.SOAP_11 else "application/soap+xml"
        return f"{kind}; charset=utf-8"


class NotSoap(Refused):
    """The request is no call that is answered here. `version` is its SOAP as far as it can be told."""

    def __init__(self, text: str, version: Version = Version.SOAP_11) -> None:
        super().__init__(text)
        self.version = version


@dataclass(frozen=True)
class Call:
    """One call. `message` is what its last argument holds; `namespace` that of the operation, perhaps none."""

    version: Version
    operation: str
    namespace: str
    action: str
    message: str


def open_call(content: bytes, declared_charset: str | None, operations: tuple[str, ...]) -> Call:
    """The call in a request's body. Raises `NotSoap` saying what is wrong."""
    try:
        envelope = tree.parse(content, declared_charset, MESSAGE_BYTES)
    except Unreadable as error:
        raise NotSoap(str(error), _version_in(content)) from None
    version = next((known for known in Version if known.value == envelope.namespace), None)
    if envelope.name != "Envelope" or version is None:
        raise NotSoap("no SOAP 1.1 or 1.2 envelope")
    called = next(iter(envelope.at("Body").children), Node(None))
    if called.name not in operations:
        raise NotSoap(f"the operation is none of {', '.join(operations)}", version)
    arguments = called.children
    if not arguments:
        raise NotSoap(f"{called.name} has no argument", version)
    return Call(version, called.name, called.namespace, *_read(arguments))


def answer(call: Call, result: str) -> bytes:
    """The envelope with the result of a call."""
    envelope, body = _envelope(call.version)
    of_call = f"{{{call.namespace}}}" if call.namespace else ""
    namespaces = {None: call.namespace} if call.namespace else None
    response = etree.SubElement(body, f"{of_call}{call.operation}Response", nsmap=namespaces)
    etree.SubElement(response, f"{of_call}{call.operation}Result").text = _writable(result)
    return _bytes(envelope)


def fault(version: Version, text: str, *, is_callers: bool) -> bytes:
    """The envelope that says what went wrong, and whether the caller or we have to do something."""
    envelope, body = _envelope(version)
    soap = f"{{{version.value}}}"
    failure = etree.SubElement(body, f"{soap}Fault")
    if version is Version.SOAP_11:
        etree.SubElement(failure, "faultcode").text = "soap:Client" if is_callers else "soap:Server"
        etree.SubElement(failure, "faultstring").text = _writable(text)
    else:
        code = etree.SubElement(failure, f"{soap}Code")
        etree.SubElement(code, f"{soap}Value").text = "soap:Sender" if is_callers else "soap:Receiver"
        reason = etree.SubElement(etree.SubElement(failure, f"{soap}Reason"), f"{soap}Text")
        reason.set(_XML_LANG, "en")
        reason.text = _writable(text)
    return _bytes(envelope)


def _read(arguments: list[Node]) -> tuple[str, str]:
    """Action and message: by name, else the first and the last; a single one is the message."""
    named = {argument.name.lower(): argument for argument in arguments}
    message = named.get(_MESSAGE, arguments[-1])
    action = named.get(_ACTION, arguments[0])
    return "" if action is message else action.text, _content(message)


def _content(argument: Node) -> str:
    """Its text; or the XML that a sender put there without escaping it."""
    children = argument.children
    return children[0].to_xml() if children else argument.text


def _version_in(content: bytes) -> Version:
    return Version.SOAP_12 if Version.SOAP_12.value.encode() in content[:4096] else Version.SOAP_11


def _envelope(version: Version) -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{version.value}}}Envelope", nsmap={"soap": version.value})
    return envelope, etree.SubElement(envelope, f"{{{version.value}}}Body")


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("?", text)


def _bytes(envelope: etree._Element) -> bytes:
    return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))
