"""Fermat tests for the search for RSA primes, sixteen at a time, by the library's RSA operation.

It is a private RSA operation by the Chinese remainder theorem with two candidates in the place of p and q, their
predecessors as exponents, 1 as the inverse of q, and the message 2. The answer is v = m2 + q·((m1 - m2) mod p) with
m1 = 2^(p-1) mod p and m2 = 2^(q-1) mod q, from which both come back: m2 = v mod q, m1 = ((v - m2) / q + m2) mod p.
The library's exponentiation proper does not take 512 bits.
"""

from collections.abc import Sequence

import numpy as np

from crypto.errors import EngineUnavailable
from crypto.providers.mbx.buffers import Bytes, row_addresses, rows, wiped
from crypto.providers.mbx.library import LANES_8, Functions, require_all

_BASE = 2
# Two candidates a lane; what is missing to sixteen is made up of the last.
BATCH = 2 * LANES_8


class MbxFermat:
    """`FermatTester` of `crypto.primes` for candidates of 512 and 1024 bits."""

    name = "mbx"
    batch = BATCH

    def __init__(self, functions: Functions) -> None:
        self._method = functions.function("mbx_RSA_private_crt_Method", "i", "p")
        self._size = functions.function("mbx_RSA_Method_BufSize", "p", "i")
        self._call = functions.function("mbx_rsa_private_crt_mb8", "pppppppipp", "4")

    def passes_many(self, candidates: Sequence[int]) -> list[bool]:
        """Whether 2^(c-1) = 1 modulo each; 1 to 16 odd numbers of one size. Raises `EngineUnavailable`."""
        count = len(candidates)
        numbers = [*candidates, *[candidates[-1]] * (BATCH - count)]
        bits = numbers[0].bit_length()
        answers = self._operate(numbers[:LANES_8], numbers[LANES_8:], bits)
        firsts, seconds = [], []
        for p, q, answer in zip(numbers[:LANES_8], numbers[LANES_8:], answers, strict=True):
            second = answer % q
            seconds.append(second == 1)
            firsts.append(((answer - second) // q + second) % p == 1)
        return (firsts + seconds)[:count]

    def _operate(self, ps: list[int], qs: list[int], bits: int) -> list[int]:
        modulus_bits = 2 * bits
        method = self._method(modulus_bits)
        if not method:
            raise EngineUnavailable(f"the multi-buffer library has no RSA of {modulus_bits} bits")
        scratch = np.zeros(self._size(method) + 64, np.uint8)
        message = rows(LANES_8, modulus_bits // 8)
        message[:, -1] = _BASE
        answers = rows(LANES_8, modulus_bits // 8)
        parts = [
            _words(numbers, bits)
            for numbers in (ps, qs, [p - 1 for p in ps], [q - 1 for q in qs], [1] * LANES_8)
        ]
        tables = [row_addresses(array) for array in (message, answers, *parts)]
        with wiped(scratch, answers, *parts):
            status = self._call(
                *[table.ctypes.data for table in tables],
                modulus_bits,
                method,
                scratch.ctypes.data + (-scratch.ctypes.data) % 64,
            )
            require_all(status, "the RSA operation that tests for primes")
            return [int.from_bytes(answer.tobytes(), "big") for answer in answers]


def _words(numbers: list[int], bits: int) -> Bytes:
    """Rows of little-endian words."""
    whole = b"".join(number.to_bytes(bits // 8, "little") for number in numbers)
    return np.frombuffer(whole, np.uint8).reshape(len(numbers), bits // 8).copy()
