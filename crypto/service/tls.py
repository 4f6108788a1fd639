"""The service's own certificate for this machine's loopback, and what TLS asks of callers."""

import os
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.errors import KeyRefused

_LOOPBACK = ("127.0.0.1", "::1")
_VALID = timedelta(days=825)
_RENEW_BEFORE = timedelta(days=60)
_BACKDATED = timedelta(hours=1)


def certificate_in(directory: Path, now: Callable[[], datetime]) -> tuple[Path, Path]:
    """The certificate (clients trust exactly it) and its key, mode 0600; made anew when missing or soon to end."""
    certificate, key = directory / "crypto-certificate.pem", directory / "crypto-key.pem"
    if not key.exists() or not _lasts(certificate, now()):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(certificate, key, now())
    return certificate, key


def server_context(certificate: Path, key: Path, client_authorities: Path | None) -> ssl.SSLContext:
    """TLS 1.3. A caller may show a certificate that `client_authorities` (PEM) issued or are. Raises `KeyRefused`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    if client_authorities is not None:
        try:
            context.load_verify_locations(client_authorities)
        except OSError:
            raise KeyRefused(f"{client_authorities}: it holds no certificates (PEM) of callers") from None
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client_context(trusted: Path) -> ssl.SSLContext:
    """Trusts the service's certificate and nobody else's."""
    context = ssl.create_default_context(cafile=trusted)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def _lasts(certificate: Path, now: datetime) -> bool:
    try:
        read = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return False
    return read.not_valid_after_utc - _RENEW_BEFORE > now


def _make(certificate: Path, key: Path, now: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CloudFilm crypto service")])
    places = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(one)) for one in _LOOPBACK)]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
        # It is its own authority, and of nobody else.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    _write(
        key,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        0o600,
    )
    _write(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
