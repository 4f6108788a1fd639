"""The system's OpenSSL: nothing it gave is kept, whatever happens; without it, a clear word."""

import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from crypto.errors import EngineUnavailable
from crypto.provider import KeyPair
from crypto.providers import openssl_library
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.sm2 import curve

pytestmark = pytest.mark.requirement("H2", "H2.4")


class Counted:
    """A library that counts what it gave (a pointer) and what it got back."""

    FREES = ("EVP_PKEY_CTX_free", "EVP_PKEY_free", "EC_POINT_clear_free", "BN_clear_free")
    GIVES = ("EVP_PKEY_CTX_new_from_name", "EVP_PKEY_CTX_new_from_pkey", "EC_POINT_new", "BN_secure_new")

    def __init__(self, library: Any, fails: str = "") -> None:
        self._library, self._fails = library, fails
        self.given, self.freed, self.wiped = 0, 0, 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self._library, name)

        def call(*arguments: Any) -> Any:
            if name == self._fails:
                return 0
            result = function(*arguments)
            self.given += name in self.GIVES
            if name == "EVP_PKEY_fromdata":
                self.given += result == 1
            if name in self.FREES:
                self.freed += bool(getattr(arguments[0], "value", arguments[0]))
            self.wiped += name == "OPENSSL_cleanse"
            return result

        return call


@pytest.fixture
def engine() -> OpenSslSm2:
    return OpenSslSm2(secrets.token_bytes)


def counted(engine: OpenSslSm2, fails: str = "") -> Counted:
    library = Counted(engine._openssl._lib, fails)
    engine._openssl._lib = library  # type: ignore[assignment]
    return library


def test_everything_given_is_freed_after_success_and_refusal(engine: OpenSslSm2) -> None:
    pair = engine.generate_many(1)[0]
    library = counted(engine)
    signature = engine.sign_many([pair], [b"m"])[0]
    engine.verify_many([pair.public] * 2, [b"m", b"other"], [signature] * 2)
    sealed = engine.encrypt_many([pair.public], [b"sixteen bytes..."])[0]
    engine.decrypt_many([pair] * 2, [sealed, sealed[:-1] + b"\0\0"])
    engine.multiply(pair.private, curve.G)
    engine.public_keys([pair.private])
    assert library.given == library.freed > 10
    # Key bytes at each use of a pair, results at each transformation, points.
    assert library.wiped >= 8


@pytest.mark.parametrize(
    "fails",
    [
        "EVP_PKEY_fromdata_init",
        "EVP_PKEY_fromdata",
        "EVP_PKEY_sign_init",
        "EVP_PKEY_sign",
        "EC_POINT_mul",
        "EC_POINT_point2oct",
        "EC_POINT_oct2point",
        "EVP_PKEY_encrypt",
    ],
)
def test_everything_is_freed_when_a_call_fails(engine: OpenSslSm2, fails: str) -> None:
    pair = engine.generate_many(1)[0]
    library = counted(engine, fails)
    refused = Counter[str]()
    calls: list[Callable[[], object]] = [
        lambda: engine.sign_many([pair], [b"m"]),
        lambda: engine.encrypt_many([pair.public], [b"sixteen bytes..."]),
        lambda: engine.multiply(pair.private, curve.G),
        lambda: engine.public_keys([pair.private]),
    ]
    for call in calls:
        try:
            call()
        except EngineUnavailable as reason:
            refused[str(reason)] += 1
            assert pair.private.hex() not in str(reason)
    assert refused
    assert library.given == library.freed


def test_a_machine_without_openssl_3_is_told_what_to_install() -> None:
    with pytest.raises(EngineUnavailable, match="install the system's libssl3"):
        OpenSslSm2(secrets.token_bytes, libraries=["libcrypto.so.0"])


def test_a_library_without_the_functions_of_openssl_3_is_passed_over() -> None:
    libraries = ["libc.so.6", *openssl_library.LIBRARIES]
    engine = OpenSslSm2(secrets.token_bytes, libraries)
    assert len(engine.generate_many(1)) == 1
    with pytest.raises(EngineUnavailable):
        OpenSslSm2(secrets.token_bytes, ["libc.so.6"])


def test_openssl_built_without_sm2_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    load = openssl_library._load
    without = lambda names: Counted(load(names), fails="EVP_PKEY_CTX_new_from_name")  # noqa: E731
    monkeypatch.setattr(openssl_library, "_load", without)
    with pytest.raises(EngineUnavailable, match="built without SM2"):
        OpenSslSm2(secrets.token_bytes)


def test_keys_come_from_the_given_generator() -> None:
    engine = OpenSslSm2(lambda size: b"\x07" * size)
    assert engine.generate_many(2) == [KeyPair(b"\x07" * 32, engine.public_keys([b"\x07" * 32])[0])] * 2


def test_a_key_with_leading_zeros_keeps_them(engine: OpenSslSm2) -> None:
    private = bytes(30) + b"\x01\x02"
    pair = KeyPair(private, engine.public_keys([private])[0])
    signatures = engine.sign_many([pair], [b"m"])
    assert engine.verify_many([pair.public], [b"m"], signatures) == [True]
