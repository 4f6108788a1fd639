"""The WSDL of the web service: every configured operation over SOAP 1.1 and 1.2, document/literal wrapped."""

import re
from collections.abc import Iterable
from functools import lru_cache

from lxml import etree
from lxml.builder import ElementMaker

from core.errors import Misconfigured

NAMESPACE = "urn:hl7-org:v3"
_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SCHEMA = "http://www.w3.org/2001/XMLSchema"
_SOAP_11 = "http://schemas.xmlsoap.org/wsdl/soap/"
_SOAP_12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
_ARGUMENTS = ("action", "message")
# An XML name that needs no escaping in any client's language.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

_wsdl = ElementMaker(
    namespace=_WSDL,
    nsmap={"wsdl": _WSDL, "soap": _SOAP_11, "soap12": _SOAP_12, "xsd": _SCHEMA, "tns": NAMESPACE},
)
_xsd = ElementMaker(namespace=_SCHEMA)


@lru_cache(maxsize=8)
def names_in(setting: str) -> tuple[str, ...]:
    """The operations of CLOUDFILM_SOAP_OPERATIONS. Raises `Misconfigured` naming the one that is wrong."""
    names = tuple(dict.fromkeys(filter(None, (part.strip() for part in setting.split(",")))))
    wrong = [name for name in names if not _NAME.fullmatch(name)]
    if wrong or not names:
        told = repr(wrong[0]) if wrong else "empty"
        raise Misconfigured(f"CLOUDFILM_SOAP_OPERATIONS: {told} is no name of an operation")
    return names


def describe(operations: Iterable[str], address: str) -> bytes:
    """The WSDL for a service at `address`."""
    names = tuple(operations)
    document = _wsdl.definitions(
        _wsdl.types(_schema(names)),
        *(message for name in names for message in _messages(name)),
        _wsdl.portType(*(_operation(name) for name in names), name="HIPService"),
        _binding("HIPServiceSoap", _SOAP_11, names),
        _binding("HIPServiceSoap12", _SOAP_12, names),
        _wsdl.service(
            _port("HIPServiceSoap", _SOAP_11, address),
            _port("HIPServiceSoap12", _SOAP_12, address),
            name="HIPService",
        ),
        name="HIPService",
        targetNamespace=NAMESPACE,
    )
    return bytes(etree.tostring(document, xml_declaration=True, encoding="utf-8", pretty_print=True))


def _schema(names: tuple[str, ...]) -> etree._Element:
    elements = []
    for name in names:
        elements.append(_element(name, _ARGUMENTS))
        elements.append(_element(f"{name}Response", (f"{name}Result",)))
    return _xsd.schema(*elements, targetNamespace=NAMESPACE, elementFormDefault="qualified")


def _element(name: str, parts: tuple[str, ...]) -> etree._Element:
    texts = [_xsd.element(name=part, type="xsd:string", minOccurs="0") for part in parts]
    return _xsd.element(_xsd.complexType(_xsd.sequence(*texts)), name=name)


def _messages(name: str) -> list[etree._Element]:
    return [
        _wsdl.message(_wsdl.part(name="parameters", element=f"tns:{element}"), name=f"{name}{way}")
        for element, way in ((name, "In"), (f"{name}Response", "Out"))
    ]


def _operation(name: str) -> etree._Element:
    return _wsdl.operation(
        _wsdl.input(message=f"tns:{name}In"), _wsdl.output(message=f"tns:{name}Out"), name=name
    )


def _binding(name: str, soap: str, operations: tuple[str, ...]) -> etree._Element:
    of_soap = ElementMaker(namespace=soap)
    bound = [
        _wsdl.operation(
            of_soap.operation(soapAction=f"{NAMESPACE}/{operation}", style="document"),
            _wsdl.input(of_soap.body(use="literal")),
            _wsdl.output(of_soap.body(use="literal")),
            name=operation,
        )
        for operation in operations
    ]
    return _wsdl.binding(of_soap.binding(transport=_TRANSPORT), *bound, name=name, type="tns:HIPService")


def _port(binding: str, soap: str, address: str) -> etree._Element:
    located = ElementMaker(namespace=soap).address(location=address)
    return _wsdl.port(located, name=binding, binding=f"tns:{binding}")
