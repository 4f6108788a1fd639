"""RSA keys: sizes, strength of the primes, the form that others read, marks, and the search with and without lanes."""

import os
import random
from collections.abc import Callable, Sequence
from math import lcm

import gmpy2
import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from crypto.errors import InputRefused
from crypto.primes import GmpFermat, PrimeFinder, _sieved
from crypto.rsa_keys import EXPONENT, RsaKeyGenerator

pytestmark = pytest.mark.requirement("H2")


class SixteenAtOnce(GmpFermat):
    """Counts what it is asked, and takes as many as an engine with lanes does."""

    batch = 16

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def passes_many(self, candidates: Sequence[int]) -> list[bool]:
        self.sizes.append(len(candidates))
        assert len(candidates) <= self.batch
        return super().passes_many(candidates)


def seeded(seed: int) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


@pytest.mark.parametrize(("bits", "is_weak"), [(1024, True), (2048, False)])
@pytest.mark.parametrize("fermat", [GmpFermat, SixteenAtOnce])
def test_keys_are_read_and_work_elsewhere(bits: int, is_weak: bool, fermat: type[GmpFermat]) -> None:
    for key in RsaKeyGenerator(os.urandom, fermat()).generate(bits, 3):
        assert (key.bits, key.is_weak) == (bits, is_weak)
        read = load_der_private_key(key.pkcs8, None)
        assert isinstance(read, rsa.RSAPrivateKey)
        assert read.key_size == bits
        signature = read.sign(b"film", padding.PKCS1v15(), hashes.SHA256())
        read.public_key().verify(signature, b"film", padding.PKCS1v15(), hashes.SHA256())


def test_private_exponents_are_below_the_least_common_multiple() -> None:
    """FIPS 186-5, A.1.1; modulo (p - 1)(q - 1) half of them would be above it."""
    for key in RsaKeyGenerator(seeded(2)).generate(1024, 12):
        read = load_der_private_key(key.pkcs8, None)
        assert isinstance(read, rsa.RSAPrivateKey)
        numbers = read.private_numbers()
        assert 2**512 < numbers.d < lcm(numbers.p - 1, numbers.q - 1)


def test_numbers_of_a_key_fit_together() -> None:
    [key] = RsaKeyGenerator(seeded(1)).generate(1024)
    read = load_der_private_key(key.pkcs8, None)
    assert isinstance(read, rsa.RSAPrivateKey)
    numbers = read.private_numbers()
    p, q, d = numbers.p, numbers.q, numbers.d
    assert p > q
    assert numbers.public_numbers.n == p * q
    assert numbers.public_numbers.e == EXPONENT
    assert d * EXPONENT % lcm(p - 1, q - 1) == 1
    assert (numbers.dmp1, numbers.dmq1, numbers.iqmp) == (d % (p - 1), d % (q - 1), pow(q, -1, p))
    assert (p - q).bit_length() > 412


@pytest.mark.parametrize("bits", [0, 512, 1023, 3072])
def test_other_sizes_are_refused(bits: int) -> None:
    with pytest.raises(InputRefused, match="1024 or 2048"):
        RsaKeyGenerator(os.urandom).generate(bits)


def test_a_key_does_not_show_itself() -> None:
    [key] = RsaKeyGenerator(os.urandom).generate(1024)
    assert repr(key) == "RsaKey(bits=1024)"


@pytest.mark.parametrize("bits", [512, 1024])
def test_primes_have_their_size_and_starts_of_their_own(bits: int) -> None:
    primes = PrimeFinder(os.urandom, GmpFermat(), EXPONENT).find(bits, 6)
    assert all(gmpy2.is_prime(prime, 40) and prime >> (bits - 2) == 3 for prime in primes)
    assert all((prime - 1) % EXPONENT for prime in primes)
    highest = {prime >> 64 for prime in primes}
    assert len(highest) == 6


def test_a_prime_that_shares_a_factor_with_the_exponent_is_passed_over() -> None:
    """With 3 as exponent half of all primes will not do."""
    assert all(prime % 3 == 2 for prime in PrimeFinder(seeded(2), GmpFermat(), 3).find(512, 8))


def test_lanes_are_full_even_for_one_prime() -> None:
    fermat = SixteenAtOnce()
    PrimeFinder(os.urandom, fermat, EXPONENT).find(512, 1)
    assert set(fermat.sizes[:-1]) <= {16}


def test_a_tester_that_lets_composites_through_is_not_believed() -> None:
    class Credulous(GmpFermat):
        def passes_many(self, candidates: Sequence[int]) -> list[bool]:
            return [True] * len(candidates)

    assert all(gmpy2.is_prime(prime) for prime in PrimeFinder(seeded(3), Credulous(), EXPONENT).find(512, 3))


@pytest.mark.parametrize("size", [64, 128])
def test_the_sieve_strikes_out_just_the_multiples_of_small_primes(size: int) -> None:
    draw = random.Random(size)
    starts = np.frombuffer(draw.randbytes(4 * size), np.uint8).reshape(4, size).copy()
    starts[:, -1] |= 1
    starts[0] = 255  # all ones: the largest sums
    product = gmpy2.primorial(2**13 - 1)
    for row, free in zip(starts, _sieved(starts, 700), strict=True):
        start = int.from_bytes(row.tobytes(), "big")
        expected = [gmpy2.gcd(start + 2 * place, product) == 1 for place in range(700)]
        assert free.tolist() == expected


def test_a_start_whose_successors_are_too_long_is_left() -> None:
    """After 2^512 - 1 there is no number of 512 bits; the next start serves."""
    drawn = [b"\xff" * 64, seeded(4)(64)]
    [prime] = PrimeFinder(lambda size: drawn.pop(0), GmpFermat(), EXPONENT).find(512, 1)
    assert prime.bit_length() == 512
    assert not drawn
