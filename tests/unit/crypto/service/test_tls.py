"""The service's own certificate: for loopback, kept while it lasts, made anew before it ends."""

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from crypto.service import tls

pytestmark = pytest.mark.requirement("H2.1")

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_it_is_made_once_with_a_private_key_and_renewed_before_it_ends(tmp_path: Path) -> None:
    certificate, key = tls.certificate_in(tmp_path / "run", lambda: NOW)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    first = certificate.read_bytes()
    assert tls.certificate_in(tmp_path / "run", lambda: NOW + timedelta(days=700)) == (certificate, key)
    assert certificate.read_bytes() == first
    tls.certificate_in(tmp_path / "run", lambda: NOW + timedelta(days=800))
    assert certificate.read_bytes() != first
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_it_names_this_machine_alone(tmp_path: Path) -> None:
    certificate, _ = tls.certificate_in(tmp_path, lambda: NOW)
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]


def test_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    certificate, key = tls.certificate_in(tmp_path, lambda: NOW)
    certificate.write_text("damaged")
    assert tls.certificate_in(tmp_path, lambda: NOW) == (certificate, key)
    tls.server_context(certificate, key, None)
