"""Each defect of the package `gmssl` is shown as it is there, and shown to be cured here."""

import random
import secrets

import pytest
from gmssl.sm2 import CryptSM2

from crypto.errors import KeyRefused, SourceFailed
from crypto.provider import KeyPair
from crypto.providers.gmssl_sm2 import GmsslSm2
from crypto.sm2 import curve

pytestmark = pytest.mark.requirement("H2", "H2.4")

ENGINE = GmsslSm2(secrets.token_bytes)
PAIR = ENGINE.generate_many(1)[0]


def theirs(pair: KeyPair) -> CryptSM2:
    engine = CryptSM2(pair.private.hex(), "", mode=1)
    engine.public_key = pair.public.hex()
    return engine


def test_their_nonces_repeat_with_pythons_random_state_and_ours_do_not() -> None:
    def repeated(sign: object) -> bool:
        made = []
        for _ in range(2):
            random.seed(1)
            made.append(sign())  # type: ignore[operator]
        return made[0] == made[1]

    assert repeated(lambda: theirs(PAIR).sign_with_sm3(b"m"))
    assert repeated(lambda: theirs(PAIR).encrypt(b"sixteen bytes..."))
    assert not repeated(lambda: ENGINE.sign_many([PAIR], [b"m"]))
    assert not repeated(lambda: ENGINE.encrypt_many([PAIR.public], [b"sixteen bytes..."]))


def test_they_release_altered_plaintext_and_we_do_not() -> None:
    sealed = ENGINE.encrypt_many([PAIR.public], [b"sixteen bytes..."])[0]
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert theirs(PAIR).decrypt(altered) == b"sixteen bytes../"
    assert ENGINE.decrypt_many([PAIR, PAIR], [sealed, altered]) == [b"sixteen bytes...", None]


def test_they_eat_leading_digits_of_keys_and_we_do_not() -> None:
    # Found by counting up: the first private key whose public half begins with 04.
    pair = next(
        KeyPair(private, public)
        for private in (number.to_bytes(32, "big") for number in range(1, 2000))
        if (public := ENGINE.public_keys([private])[0])[0] == 0x04
    )
    assert len(CryptSM2(pair.private.hex(), pair.public.hex()).public_key) < 128
    signatures = ENGINE.sign_many([pair], [b"m"])
    assert ENGINE.verify_many([pair.public], [b"m"], signatures) == [True]
    assert ENGINE.decrypt_many([pair], ENGINE.encrypt_many([pair.public], [b"sixteen bytes..."])) == [
        b"sixteen bytes..."
    ]


def test_they_encrypt_to_what_is_no_key_and_we_do_not() -> None:
    off_curve = PAIR.public[:-1] + bytes([PAIR.public[-1] ^ 1])
    assert theirs(KeyPair(PAIR.private, off_curve)).encrypt(b"sixteen bytes...")
    with pytest.raises(KeyRefused):
        ENGINE.encrypt_many([off_curve], [b"sixteen bytes..."])


def test_a_generator_that_repeats_what_gives_no_key_stream_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crypto.providers.gmssl_sm2._key_stream", lambda shared, size: bytes(size))
    with pytest.raises(SourceFailed, match="key stream"):
        ENGINE.encrypt_many([PAIR.public], [b"m"])
    sealed = curve.G + bytes(32) + b"m"
    assert ENGINE.decrypt_many([PAIR], [sealed]) == [None]
