"""The lines of the notice for the crypto server: what is done, how much of it is asked for, and what we aim at."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.crypto_rates import Work
from crypto.provider import BATCH

MESSAGE_SIZE, PLAINTEXT_SIZE = 64, 16
CHUNK = 64 * 1024
# Enough for lanes to be full and tables to cost little; engines without lanes do the same work one by one.
LANES_BATCH, SINGLE_BATCH = 256, 8
_KEY = bytes(range(16))


@dataclass(frozen=True)
class Line:
    """`notice`: what the notice asks for, None where it asks for nothing; `goal`: ours, on two cores with AVX-512 IFMA.

    `service`: which engine of `crypto.selection.Engines` does it, by `method`; or `rsa`, or `files`.
    """

    name: str
    unit: str
    notice: float | None
    goal: float | None
    service: str
    method: str
    work: Callable[[Any], Work]


def _batch(engine: Any) -> int:
    return LANES_BATCH if engine.lanes > 1 else SINGLE_BATCH


def _size(engine: Any) -> tuple[int, int]:
    """How many chunks of how many bytes. Those that do a tenth of a megabyte a second get little."""
    return (1, 1024) if engine.name.startswith("gmssl") else (BATCH, CHUNK)


def _generate(engine: Any) -> Work:
    count = _batch(engine)
    return lambda: len(engine.generate_many(count))


def _sign(engine: Any) -> Work:
    pairs = engine.generate_many(_batch(engine))
    messages = [os.urandom(MESSAGE_SIZE) for _ in pairs]
    return lambda: len(engine.sign_many(pairs, messages))


def _verify(engine: Any) -> Work:
    pairs = engine.generate_many(_batch(engine))
    messages = [os.urandom(MESSAGE_SIZE) for _ in pairs]
    publics = [pair.public for pair in pairs]
    signatures = engine.sign_many(pairs, messages)

    def work() -> float:
        verdicts = engine.verify_many(publics, messages, signatures)
        if not all(verdicts):
            raise RuntimeError(f"{engine.name} refuses its own signatures")
        return len(verdicts)

    return work


def _encrypt(engine: Any) -> Work:
    publics = [pair.public for pair in engine.generate_many(_batch(engine))]
    plaintexts = [os.urandom(PLAINTEXT_SIZE) for _ in publics]
    return lambda: len(engine.encrypt_many(publics, plaintexts))


def _decrypt(engine: Any) -> Work:
    pairs = engine.generate_many(_batch(engine))
    plaintexts = [os.urandom(PLAINTEXT_SIZE) for _ in pairs]
    ciphertexts = engine.encrypt_many([pair.public for pair in pairs], plaintexts)

    def work() -> float:
        if engine.decrypt_many(pairs, ciphertexts) != plaintexts:
            raise RuntimeError(f"{engine.name} does not decrypt what it encrypted")
        return len(plaintexts)

    return work


def _gcm(engine: Any) -> Work:
    count, size = _size(engine)
    nonces = [number.to_bytes(12, "big") for number in range(count)]
    chunks = [os.urandom(size) for _ in nonces]

    def work() -> float:
        engine.seal_many(_KEY, nonces, b"header", chunks)
        return count * size * 8 / 1e6

    return work


def _ctr(engine: Any) -> Work:
    count, size = _size(engine)
    data = os.urandom(count * size)

    def work() -> float:
        engine.ctr(_KEY, _KEY, data)
        return len(data) * 8 / 1e6

    return work


def _sm3(engine: Any) -> Work:
    count, size = _size(engine)
    messages = [os.urandom(size) for _ in range(count)]

    def work() -> float:
        engine.digest_many(messages)
        return count * size / 1e6

    return work


def _rsa(bits: int, generator: Any) -> Work:
    # Searches that share lanes and sieves cost less each.
    count = 8 if generator.is_in_lanes else 1
    return lambda: len(generator.generate(bits, count))


LINES = (
    Line("sm2_keygen_per_s", "1/s", 90_000, 135_000, "sm2", "generate_many", _generate),
    Line("sm2_sign_per_s", "1/s", 94_000, 141_000, "sm2", "sign_many", _sign),
    Line("sm2_verify_per_s", "1/s", 52_000, 78_000, "sm2", "verify_many", _verify),
    Line("sm2_encrypt_per_s", "1/s", 20_000, 30_000, "sm2", "encrypt_many", _encrypt),
    Line("sm2_decrypt_per_s", "1/s", 20_000, 30_000, "sm2", "decrypt_many", _decrypt),
    Line("sm4_gcm_mbit_per_s", "Mbit/s", 750, 8_000, "sm4", "seal_many", _gcm),
    Line("sm4_ctr_mbit_per_s", "Mbit/s", 750, None, "modes", "ctr", _ctr),
    Line("sm3_mb_per_s", "MB/s", None, None, "sm3", "digest_many", _sm3),
    Line("rsa1024_keygen_per_s", "1/s", 650, 975, "rsa", "generate", partial(_rsa, 1024)),
    Line("rsa2048_keygen_per_s", "1/s", 50, 75, "rsa", "generate", partial(_rsa, 2048)),
)
