"""An engine that is wrong in any of the ways we can think of does not pass the start."""

from collections.abc import Sequence

import pytest

from crypto.errors import SelfTestFailed
from crypto.providers.portable import PortableProvider
from crypto.self_test import run_self_test

pytestmark = pytest.mark.requirement("H2", "H2.4")


class WrongCipher(PortableProvider):
    name = "wrong-cipher"

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        return super().seal(key[::-1], nonce, aad, plaintext)


class NoTagCheck(PortableProvider):
    name = "no-tag-check"

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        ciphertext = super().seal(key, nonce, aad, sealed[:-16])
        return ciphertext[:-16]


class WrongPlaintext(PortableProvider):
    name = "wrong-plaintext"

    def open(self, key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
        return bytes(len(super().open(key, nonce, aad, sealed)))


class SwappedLanes(PortableProvider):
    name = "swapped-lanes"

    def seal_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        return super().seal_many(key, nonces, aad, chunks)[::-1]


class LostLane(PortableProvider):
    name = "lost-lane"

    def open_many(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        return super().open_many(key, nonces, aad, chunks)[:16]


@pytest.mark.parametrize(
    ("engine", "what"),
    [
        (WrongCipher(), "sealing with SM4-GCM"),
        (NoTagCheck(), "refusal"),
        (WrongPlaintext(), "opening with SM4-GCM"),
        (SwappedLanes(), "sealing in batches"),
        (LostLane(), "opening in batches"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_wrong_engine_is_named_and_refused(engine: PortableProvider, what: str) -> None:
    with pytest.raises(SelfTestFailed, match=rf"{engine.name}: {what}"):
        run_self_test(engine)


def test_a_wrong_digest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crypto.self_test.sm3", lambda data: bytes(32))
    with pytest.raises(SelfTestFailed, match="SM3"):
        run_self_test(PortableProvider())
