"""A vendor's card by GM/T 0018: its slots, its random numbers, its envelopes, and what is said when it fails."""

import ctypes
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crypto.errors import EncodingRefused, EngineUnavailable, KeyRefused
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.providers.sdf import SdfDevice
from crypto.providers.sdf_engine import SdfEngine
from crypto.providers.sdf_library import Refused, cipher_from_sdf, cipher_to_sdf, public_from_sdf
from crypto.self_test import check_modes, cross_check_modes
from crypto.sm2 import curve
from crypto.sm2.identity import message_digest
from crypto.unsealing import DeviceSlot
from tests.fixtures.sdf_card import PASSWORDS, SLOT, soft_card

pytestmark = pytest.mark.requirement("H2", "H2.4")

EMPTY_SLOT = 2
# What a card answers (GM/T 0018-2012, appendix A).
HARDWARE, PARTIAL = 0x01000004, 0x01000009
OPENSSL = OpenSslSm2(secrets.token_bytes)


class Card:
    """The device as tests see it: what it has open, and how to break it."""

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        # Other tests of the same process have devices of their own.
        self._before = int(self._library.SDFTEST_open())

    def breaks(self, function: str, code: int) -> None:
        self._library.SDFTEST_fail(function.encode(), code)

    @property
    def open_things(self) -> int:
        return int(self._library.SDFTEST_open()) - self._before


@pytest.fixture
def card() -> Iterator[Card]:
    try:
        card = Card(soft_card())
    except EngineUnavailable as reason:
        pytest.skip(str(reason))
    yield card
    card.breaks("", 0)


@pytest.fixture
def device(card: Card) -> Iterator[SdfDevice]:
    device = SdfDevice(soft_card(), PASSWORDS)
    yield device
    card.breaks("", 0)
    device.close()
    assert card.open_things == 0


def test_a_device_says_its_name(device: SdfDevice) -> None:
    assert device.name == "soft-sdf 0001"


def test_its_random_numbers_come_in_any_length(device: SdfDevice) -> None:
    assert [len(device.random_bytes(count)) for count in (0, 1, 55, 4096)] == [0, 1, 55, 4096]
    assert len({device.random_bytes(16) for _ in range(50)}) == 50


def test_a_slot_signs_and_others_verify(device: SdfDevice) -> None:
    signature = device.sign(SLOT, b"archive", b"front machine")
    public = device.sign_key(SLOT)
    assert OPENSSL.verify_many([public], [b"archive"], [signature], b"front machine") == [True]
    assert device.verify(public, message_digest(public, b"archive", b"front machine"), signature)
    assert not device.verify(public, message_digest(public, b"another", b"front machine"), signature)
    assert not device.verify(public, message_digest(public, b"archive"), signature)
    assert not device.verify(bytes(64), message_digest(public, b"archive"), signature)
    assert not device.verify(public, message_digest(public, b"archive"), bytes(64))


def test_a_slot_has_two_pairs(device: SdfDevice) -> None:
    assert device.sign_key(SLOT) != device.encryption_key(SLOT)


def test_sm4_inside_the_device_is_sm4(device: SdfDevice) -> None:
    key, iv, data = secrets.token_bytes(16), secrets.token_bytes(16), secrets.token_bytes(16 * 1024 + 4096)
    wrapped = OPENSSL.encrypt_many([device.encryption_key(SLOT)], [key])[0]
    with device.data_key(SLOT, wrapped) as inside:
        sealed = inside.cbc_encrypt(iv, data)
        assert inside.cbc_decrypt(iv, sealed) == data
    # Longer than one call takes: the chain goes on over the border.
    assert sealed == PortableProvider().cbc_encrypt_many([key], [iv], [data])[0]


def test_an_envelope_opens_in_its_slot_alone(device: SdfDevice) -> None:
    key = secrets.token_bytes(16)
    envelope = device.envelope(SLOT, key)
    assert key not in envelope
    assert device.open_envelope(SLOT, envelope) == key
    assert device.envelope(SLOT, key) != envelope
    with pytest.raises(KeyRefused, match=f"slot {EMPTY_SLOT}: there is no key"):
        device.open_envelope(EMPTY_SLOT, envelope)


def test_any_altered_byte_of_an_envelope_is_refused(device: SdfDevice) -> None:
    envelope = device.envelope(SLOT, bytes(range(16)))
    for place in range(len(envelope)):
        altered = envelope[:place] + bytes([envelope[place] ^ 0x10]) + envelope[place + 1 :]
        with pytest.raises(KeyRefused):
            device.open_envelope(SLOT, altered)
    for broken in (b"", envelope[:-1], envelope[:-16], envelope[:112], envelope + bytes(16)):
        with pytest.raises(KeyRefused):
            device.open_envelope(SLOT, broken)


def test_the_system_key_comes_back_from_the_device(device: SdfDevice, tmp_path: Path) -> None:
    key = secrets.token_bytes(16)
    slot = DeviceSlot.create(device, SLOT, tmp_path / "system.key", key)
    assert slot.system_key() == key


def test_an_empty_slot_is_named(device: SdfDevice) -> None:
    calls: list[Callable[[], object]] = [
        lambda: device.sign(EMPTY_SLOT, b"m"),
        lambda: device.sign_key(EMPTY_SLOT),
        lambda: device.encryption_key(EMPTY_SLOT),
        lambda: device.envelope(EMPTY_SLOT, bytes(16)),
    ]
    for call in calls:
        with pytest.raises(
            KeyRefused, match=r"soft-sdf 0001, slot 2: there is no key in this slot \(0x01000008\)"
        ):
            call()


@pytest.mark.parametrize("passwords", [{}, {1: b"wrong-secret"}])
def test_a_wrong_password_is_said_and_never_shown(card: Card, passwords: dict[int, bytes]) -> None:
    device = SdfDevice(soft_card(), passwords)
    with pytest.raises(KeyRefused, match="give the slot's password") as refused:
        device.sign(SLOT, b"m")
    assert "wrong-secret" not in str(refused.value)
    device.close()


def test_the_right_to_a_private_key_is_given_back(device: SdfDevice) -> None:
    device.sign(SLOT, b"m")
    with device.session() as session, pytest.raises(Refused, match="no right"):
        device.library.call(
            "InternalSign_ECC", session, SLOT, bytes(32), 32, ctypes.create_string_buffer(128)
        )


@pytest.mark.parametrize(
    "function",
    [
        "OpenSession",
        "GenerateRandom",
        "InternalSign_ECC",
        "ExternalVerify_ECC",
        "ExternalEncrypt_ECC",
        "Encrypt",
    ],
)
def test_broken_hardware_is_no_answer(card: Card, device: SdfDevice, function: str) -> None:
    public = device.sign_key(SLOT)
    signature = device.sign(SLOT, b"m")
    digest = message_digest(public, b"m")
    calls: dict[str, Callable[[], object]] = {
        "OpenSession": lambda: SdfDevice(soft_card(), {}),
        "GenerateRandom": lambda: device.random_bytes(16),
        "InternalSign_ECC": lambda: device.sign(SLOT, b"m"),
        "ExternalVerify_ECC": lambda: device.verify(public, digest, signature),
        "ExternalEncrypt_ECC": lambda: device.encrypt(public, b"sixteen bytes..."),
        "Encrypt": lambda: device.envelope(SLOT, bytes(16)),
    }
    before = card.open_things
    card.breaks(function, HARDWARE)
    with pytest.raises(EngineUnavailable, match="the hardware does not answer"):
        calls[function]()
    card.breaks("", 0)
    # The session that failed was closed, and the device goes on with another.
    assert card.open_things <= before
    assert device.verify(public, digest, signature)


def test_a_device_that_does_not_open(card: Card) -> None:
    for code in (HARDWARE, PARTIAL):
        card.breaks("OpenDevice", code)
        with pytest.raises(EngineUnavailable):
            SdfDevice(soft_card(), {})
    assert card.open_things == 0


def test_no_library_and_wrong_libraries(card: Card, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="does not load"):
        SdfDevice(str(tmp_path / "libsdf.so"), {})
    with pytest.raises(EngineUnavailable, match="lacks SDF_Decrypt of GM/T 0018"):
        SdfDevice(soft_card("-DWITHOUT_DECRYPT"), {})


def test_a_card_of_2012_serves_by_its_slots_and_not_as_engine(card: Card) -> None:
    device = SdfDevice(soft_card("-DWITHOUT_EXTERNAL"), PASSWORDS)
    assert len(device.sign(SLOT, b"m")) == 64
    with pytest.raises(EngineUnavailable, match="use its slots"):
        SdfEngine(device, SLOT, OPENSSL)
    device.close()


def test_after_closing_nothing_is_called(card: Card) -> None:
    device = SdfDevice(soft_card(), PASSWORDS)
    device.close()
    device.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        device.random_bytes(1)


def test_threads_have_sessions_of_their_own(device: SdfDevice) -> None:
    def work(number: int) -> bool:
        message = b"%d" % number
        public = device.sign_key(SLOT)
        return OPENSSL.verify_many([public], [message], [device.sign(SLOT, message)]) == [True]

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(40)))


def test_as_engine_its_modes_agree(device: SdfDevice) -> None:
    engine = SdfEngine(device, SLOT, OPENSSL)
    check_modes(engine)
    cross_check_modes(engine, PortableProvider())


def test_as_engine_what_the_card_refuses_is_unavailable(card: Card, device: SdfDevice) -> None:
    engine = SdfEngine(device, SLOT, OPENSSL)
    pair = engine.generate_many(1)[0]
    card.breaks("ExternalSign_ECC", PARTIAL)
    with pytest.raises(EngineUnavailable, match="not supported") as refused:
        engine.sign_many([pair], [b"m"])
    assert pair.private.hex() not in str(refused.value)


def test_numbers_wider_than_sm2_and_lengths_that_lie_are_refused() -> None:
    with pytest.raises(EncodingRefused, match="256 bits"):
        public_from_sdf(b"\0\1\0\0" + b"\1" * 128)
    sealed = bytearray(cipher_to_sdf(curve.G + bytes(32) + b"text"))
    assert cipher_from_sdf(bytes(sealed)) == curve.G + bytes(32) + b"text"
    with pytest.raises(EncodingRefused, match="4 bytes for 5"):
        cipher_from_sdf(bytes(sealed) + b"!")
