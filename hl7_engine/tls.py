"""TLS for MLLP, in and out: 1.2 or newer, and a certificate is always verified where one is asked for."""

import ssl
from pathlib import Path

from core.errors import Misconfigured


def server_context(certificate: str, key: str, client_ca: str) -> ssl.SSLContext | None:
    """How we show who we are; with `client_ca`, peers must show a certificate of it. All are paths of PEM files.

    None when TLS is not configured. Raises `Misconfigured` naming the setting.
    """
    if not certificate:
        if key or client_ca:
            raise Misconfigured("CLOUDFILM_MLLP_TLS_CERT is empty, but another setting of MLLP's TLS is not")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _require_readable("CLOUDFILM_MLLP_TLS_CERT", certificate)
    if key:
        _require_readable("CLOUDFILM_MLLP_TLS_KEY", key)
    try:
        context.load_cert_chain(certificate, key or None)
    except ssl.SSLError as error:
        raise Misconfigured(
            f"CLOUDFILM_MLLP_TLS_CERT, CLOUDFILM_MLLP_TLS_KEY: no certificate with its key: {error}"
        ) from None
    if client_ca:
        _trust(context, client_ca, "CLOUDFILM_MLLP_TLS_CLIENT_CA")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(ca: str = "", certificate: str = "", key: str = "") -> ssl.SSLContext:
    """How we verify a peer: by `ca`, or by what the machine trusts; `certificate` is ours, if it asks for one.

    The name or address that we connect to must be in the peer's certificate. Raises `Misconfigured`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca:
        _trust(context, ca, "tls_ca")
    else:
        context.load_default_certs()
    if certificate:
        try:
            context.load_cert_chain(certificate, key or None)
        except OSError as error:
            raise Misconfigured(f"our certificate for HL7 peers, {certificate}: {error}") from None
    return context


def _trust(context: ssl.SSLContext, ca: str, setting: str) -> None:
    _require_readable(setting, ca)
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError as error:
        raise Misconfigured(f"{setting}: {ca} holds no certificates: {error}") from None


def _require_readable(setting: str, path: str) -> None:
    try:
        Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(f"{setting}: cannot read {path}: {error.strerror}") from None
