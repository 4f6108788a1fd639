"""Random primes, many at a time: a sieve in numpy, a Fermat test that an engine may do in lanes, a final proof by GMP.

A search starts at a random odd number whose two highest bits are set and takes the first prime after it; each prime has a
start of its own, for primes near to each other would betray one another. Integers of Python cannot be wiped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Protocol

import gmpy2
import numpy as np
from numpy.typing import NDArray

from crypto.provider import RandomBytes

# Dividing further costs more than the tests it saves. Below 2^13, so that the sums below are exact in a double.
_SIEVE_LIMIT = 1 << 13
_LIMB = 2  # bytes
# 64 limbs of 16 bits by residues of 13 bits: sums below 2^35.
_MOST_BITS = 1024
# Odd numbers looked at from one start, by bits of the prime: the next prime is nearer than that 99 times in 100.
_WINDOWS = {512: 1024, 1024: 2048}
_SEARCHES_AT_ONCE = 64
# GMP: 24 for the test of Baillie, Pomerance, Selfridge and Wagstaff (no composite is known to pass it), 2 more are rounds
# of Miller and Rabin with other bases.
_PROOF = 26

BITS = tuple(_WINDOWS)


class FermatTester(Protocol):
    """Tells most composites from primes. `batch`: how many numbers cost what one costs."""

    name: str
    batch: int

    def passes_many(self, candidates: Sequence[int]) -> list[bool]:
        """Whether 2^(c-1) is 1 modulo each c; candidates are odd, all of one size of `BITS`, `batch` at the most."""
        ...


class GmpFermat:
    """One at a time by GMP, on any machine."""

    name = "gmp"
    batch = 1

    def passes_many(self, candidates: Sequence[int]) -> list[bool]:
        """As of the port."""
        return [gmpy2.powmod(2, candidate - 1, candidate) == 1 for candidate in candidates]


@dataclass
class _Search:
    """Numbers after one start that no small prime divides, in order."""

    left: Iterator[int]
    found: int | None = None


class PrimeFinder:
    """`apart_from`: p - 1 shares no factor with it, as an RSA key of that public exponent needs."""

    def __init__(self, random: RandomBytes, fermat: FermatTester, apart_from: int) -> None:
        self._random, self._fermat, self._apart_from = random, fermat, apart_from

    def find(self, bits: int, count: int) -> list[int]:
        """`count` primes of just `bits` bits (512 or 1024), the two highest of which are set."""
        primes: list[int] = []
        while len(primes) < count:
            primes += self._find(bits, min(count - len(primes), _SEARCHES_AT_ONCE))
        return primes

    def _find(self, bits: int, count: int) -> list[int]:
        searches = [_Search(left) for left in self._starts(bits, count)]
        while open_ones := [search for search in searches if search.found is None]:
            taken: list[tuple[_Search, int]] = []
            # Few searches take several numbers each, so that no lane is idle.
            each = max(1, self._fermat.batch // len(open_ones))
            for search in open_ones[: self._fermat.batch]:
                numbers = [number for number, _ in zip(search.left, range(each), strict=False)]
                if not numbers:
                    [search.left] = self._starts(bits, 1)
                taken += [(search, number) for number in numbers]
            passed = self._fermat.passes_many([number for _, number in taken]) if taken else []
            for (search, number), passes in zip(taken, passed, strict=True):
                if passes and search.found is None and self._is_wanted(number):
                    search.found = number
        return [search.found for search in searches if search.found is not None]

    def _is_wanted(self, number: int) -> bool:
        return gcd(number - 1, self._apart_from) == 1 and bool(gmpy2.is_prime(number, _PROOF))

    def _starts(self, bits: int, count: int) -> list[Iterator[int]]:
        size = bits // 8
        drawn = np.frombuffer(self._random(size * count), np.uint8).reshape(count, size).copy()
        drawn[:, 0] |= 0xC0
        drawn[:, -1] |= 1
        window = _WINDOWS[bits]
        return [
            _numbers(int.from_bytes(row.tobytes(), "big"), np.flatnonzero(free), bits)
            for row, free in zip(drawn, _sieved(drawn, window), strict=True)
        ]


def _numbers(start: int, places: NDArray[np.int64], bits: int) -> Iterator[int]:
    return (number for place in places.tolist() if (number := start + 2 * place).bit_length() == bits)


def _sieved(starts: NDArray[np.uint8], window: int) -> Iterator[NDArray[np.bool_]]:
    """For each row, big-endian and odd: which of start, start + 2, … have no divisor among the small primes."""
    limbs = starts.view(">u2").astype(np.float64)
    residues = _remainders(limbs @ _POWERS[-limbs.shape[1] :])
    # start + 2j = 0 modulo p: j = -start / 2.
    first = _remainders((_PRIMES - residues) * _HALVES).astype(np.int64)
    within = int(np.searchsorted(_PRIMES, window))
    steps = _PRIMES[:within].astype(np.int64).tolist()
    for places in first:
        free = np.ones(window, np.bool_)
        for place, step in zip(places[:within].tolist(), steps, strict=True):
            free[place::step] = False
        rare = places[within:]
        free[rare[rare < window]] = False
        yield free


def _remainders(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Modulo the small primes, for whole numbers below 2^35: a quotient that is not whole is further from the next whole
    number (2^-13) than it is from its double (2^-18). The operator % takes fifty times as long.
    """
    remainders: NDArray[np.float64] = numbers - np.floor(numbers / _PRIMES) * _PRIMES
    return remainders


def _small_primes() -> NDArray[np.float64]:
    """The odd ones below the limit."""
    free = np.ones(_SIEVE_LIMIT, np.bool_)
    free[:2] = False
    for number in range(2, int(_SIEVE_LIMIT**0.5) + 1):
        if free[number]:
            free[number * number :: number] = False
    return np.flatnonzero(free)[1:].astype(np.float64)


def _powers() -> NDArray[np.float64]:
    """A row for each limb, the lowest last: 65536^k modulo each small prime."""
    rows = [np.ones_like(_PRIMES)]
    for _ in range(_MOST_BITS // (8 * _LIMB) - 1):
        rows.append(rows[-1] * 65536 % _PRIMES)
    return np.array(rows[::-1])


_PRIMES = _small_primes()
_HALVES = (_PRIMES + 1) / 2
_POWERS = _powers()
