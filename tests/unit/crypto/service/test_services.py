"""The services for whoever has keys in hand: which engine is asked, what is refused, what verification raises."""

import hashlib
import hmac
import os
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key

from crypto.errors import CryptoError, EncodingRefused, InputRefused, SealBroken, SignatureRefused
from crypto.inputs import InputLimits
from crypto.provider import KeyPair
from crypto.services import CryptoServices
from crypto.sm2.exchange import Peer
from crypto.sm3 import hmac_sm3, sm3
from tests.unit.crypto.service.toy_engines import ToyEngines, real_engines, toy_pair

pytestmark = pytest.mark.requirement("H2.2")

KEY = bytes(range(16))
PAIRS = [toy_pair(number) for number in range(1, 4)]
MESSAGES = [b"one", b"", b"three"]


@pytest.fixture
def engines() -> ToyEngines:
    return ToyEngines()


@pytest.fixture
def services(engines: ToyEngines) -> CryptoServices:
    return CryptoServices(engines, os.urandom)


def test_one_item_goes_to_the_single_engine_and_two_to_the_lanes(
    services: CryptoServices, engines: ToyEngines
) -> None:
    signature = services.sign(PAIRS[0], b"one")
    services.verify(PAIRS[0].public, b"one", signature)
    assert services.decrypt(PAIRS[0], services.encrypt(PAIRS[0].public, b"text")) == b"text"
    services.generate()
    single = [("sign", 1), ("verify", 1), ("encrypt", 1), ("decrypt", 1), ("generate", 1)]
    assert (engines.sm2_single.calls, engines.sm2.calls) == (single, [])
    services.sign_many(PAIRS[:2], MESSAGES[:2])
    services.generate_many(2)
    assert (engines.sm2_single.calls, engines.sm2.calls) == (single, [("sign", 2), ("generate", 2)])


def test_verification_raises_with_the_index_of_the_first_that_is_false(services: CryptoServices) -> None:
    publics = [pair.public for pair in PAIRS]
    signatures = services.sign_many(PAIRS, MESSAGES)
    services.verify_many(publics, MESSAGES, signatures)
    forged = [signatures[0], signatures[2], signatures[1]]
    with pytest.raises(SignatureRefused) as refused:
        services.verify_many(publics, MESSAGES, forged)
    assert refused.value.index == 1
    with pytest.raises(SignatureRefused):
        services.verify(publics[0], b"another", signatures[0])
    with pytest.raises(SignatureRefused):
        services.verify(publics[0], b"one", signatures[0], b"somebody else")


def test_a_batch_with_one_broken_ciphertext_releases_nothing(services: CryptoServices) -> None:
    ciphertexts = services.encrypt_many([pair.public for pair in PAIRS], [b"a", b"b", b"c"])
    assert services.decrypt_many(PAIRS, ciphertexts) == [b"a", b"b", b"c"]
    ciphertexts[1] = ciphertexts[1][:-1] + b"x"
    with pytest.raises(SealBroken, match="item 1"):
        services.decrypt_many(PAIRS, ciphertexts)


def test_codes_of_a_batch_equal_those_one_by_one(services: CryptoServices, engines: ToyEngines) -> None:
    for key in (b"", b"short", bytes(64), bytes(65), bytes(1024)):
        assert services.mac_many(key, MESSAGES) == [hmac_sm3(key, message) for message in MESSAGES]
    assert engines.sm3.calls == 10
    services.verify_mac(KEY, b"one", services.mac(KEY, b"one"))
    for wrong in (bytes(32), b"", services.mac(KEY, b"two")):
        with pytest.raises(SignatureRefused):
            services.verify_mac(KEY, b"one", wrong)


@pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="this OpenSSL has no SM3")
def test_codes_equal_those_of_the_standard_library(services: CryptoServices) -> None:
    assert services.mac(KEY, b"one") == hmac.new(KEY, b"one", "sm3").digest()


def test_what_sm4_sealed_it_opens(services: CryptoServices) -> None:
    sealed = services.gcm_seal_many(KEY, MESSAGES, b"about")
    assert services.gcm_open_many(KEY, sealed, b"about") == MESSAGES
    assert services.gcm_open(KEY, services.gcm_seal(KEY, b"one")) == b"one"
    assert services.ctr_decrypt(KEY, services.ctr_encrypt(KEY, b"odd length")) == b"odd length"
    assert services.cbc_decrypt(KEY, services.cbc_encrypt(KEY, bytes(48))) == bytes(48)
    assert len({*services.gcm_seal_many(KEY, [b"same"] * 5), services.gcm_seal(KEY, b"same")}) == 6
    assert services.ctr_encrypt(KEY, b"same") != services.ctr_encrypt(KEY, b"same")
    for broken in (sealed[0][:-1], b"", bytes(28), sealed[1]):
        with pytest.raises(SealBroken):
            services.gcm_open_many(KEY, [sealed[0], broken], b"other")


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda s: s.sign_many(PAIRS, MESSAGES[:2]), InputRefused),
        (lambda s: s.sign_many([], []), InputRefused),
        (lambda s: s.sign_many(PAIRS * 4, MESSAGES * 4), InputRefused),
        (lambda s: s.sign(PAIRS[0], bytes(2000)), InputRefused),
        (lambda s: s.sign(PAIRS[0], b"", bytes(8192)), InputRefused),
        (lambda s: s.sign(KeyPair(bytes(31), bytes(64)), b""), EncodingRefused),
        (lambda s: s.sign(KeyPair(bytes(32), bytes(65)), b""), EncodingRefused),
        (lambda s: s.verify_many([bytes(64)] * 2, [b""] * 2, [bytes(64)]), InputRefused),
        (lambda s: s.encrypt(bytes(65), b"x"), EncodingRefused),
        (lambda s: s.encrypt(bytes(64), b""), InputRefused),
        (lambda s: s.encrypt(bytes(64), bytes(101)), InputRefused),
        (lambda s: s.decrypt(PAIRS[0], bytes(96)), EncodingRefused),
        (lambda s: s.generate_many(0), InputRefused),
        (lambda s: s.generate_many(21), InputRefused),
        (lambda s: s.gcm_seal(bytes(15), b"x"), EncodingRefused),
        (lambda s: s.gcm_seal(bytes(16), bytes(2000)), InputRefused),
        (lambda s: s.gcm_seal(bytes(16), b"", bytes(65 << 10)), InputRefused),
        (lambda s: s.ctr_decrypt(bytes(16), bytes(15)), EncodingRefused),
        (lambda s: s.cbc_encrypt(bytes(16), bytes(17)), InputRefused),
        (lambda s: s.cbc_decrypt(bytes(16), bytes(16)), InputRefused),
        (lambda s: s.derive(KEY, b"use", 0), InputRefused),
        (lambda s: s.derive(KEY, b"use", 4097), InputRefused),
        (lambda s: s.mac(bytes(1025), b""), InputRefused),
        (lambda s: s.digest_many([b"x"] * 11), InputRefused),
    ],
)
def test_inputs_are_checked_before_an_engine_is_asked(
    engines: ToyEngines, call: Callable[[CryptoServices], object], error: type[CryptoError]
) -> None:
    limits = InputLimits(items=10, total_bytes=1999, sm2_plaintext_bytes=100, pairs=20)
    with pytest.raises(error):
        call(CryptoServices(engines, os.urandom, limits))
    assert (engines.sm2.calls, engines.sm2_single.calls, engines.sm3.calls) == ([], [], 0)


def test_rsa_keys_of_1024_bits_are_marked_weak(services: CryptoServices) -> None:
    [weak] = services.generate_rsa(1024)
    [strong] = services.generate_rsa(2048)
    assert (weak.is_weak, strong.is_weak) == (True, False)
    sizes = [load_der_private_key(one.pkcs8, None).key_size for one in (weak, strong)]
    assert sizes == [1024, 2048]
    for bits, count in ((512, 1), (4096, 1), (1024, 0), (1024, 17)):
        with pytest.raises(InputRefused):
            services.generate_rsa(bits, count)


def test_two_sides_of_a_key_exchange_come_to_one_key() -> None:
    services = CryptoServices(real_engines(), os.urandom)
    alice, bob = services.generate_many(2)
    first = services.begin_exchange(alice, Peer(bob.public, b"bob"), is_initiator=True, user_id=b"alice")
    second = services.begin_exchange(bob, Peer(alice.public, b"alice"), is_initiator=False, user_id=b"bob")
    answered, begun = second.run.agree(first.public, 48), first.run.agree(second.public, 48)
    assert begun.confirm(answered.code) == answered.confirm(begun.code)
    with pytest.raises(SignatureRefused):
        begun.confirm(begun.code)
    with pytest.raises(EncodingRefused):
        services.begin_exchange(alice, Peer(bytes(63)), is_initiator=True)


def test_the_services_do_with_real_engines_what_they_promise() -> None:
    services = CryptoServices(real_engines(), os.urandom)
    pairs = services.generate_many(3)
    publics = [pair.public for pair in pairs]
    services.verify_many(publics, MESSAGES, services.sign_many(pairs, MESSAGES))
    assert services.decrypt_many(pairs, services.encrypt_many(publics, [b"a", b"bb", b"c" * 99])) == [
        b"a",
        b"bb",
        b"c" * 99,
    ]
    assert services.digest_many(MESSAGES) == [sm3(message) for message in MESSAGES]
    assert services.decrypt(pairs[0], services.encrypt(publics[0], b"one")) == b"one"
    services.verify(publics[1], b"one", services.sign(pairs[1], b"one", b"me"), b"me")
