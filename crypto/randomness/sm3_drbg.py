"""The deterministic generator SM3_RNG of GM/T 0105-2021 appendix B: Hash_DRBG of SP 800-90A §10.1.1 over SM3.

State: V and C of 55 bytes and a counter. Two places where the two standards differ: a reseed hashes 0x01 ‖ entropy ‖ V
(GM/T 0105; SP 800-90A puts V first), and GM/T 0105 gives one digest a request where SP 800-90A goes on with V + 1; the
first 32 bytes are the same. Pure: no clock, no source, no lock; `drbg` has them.
"""

from crypto.errors import SelfTestFailed
from crypto.sm3 import DIGEST_SIZE, sm3

SEED_SIZE = 55
_MODULUS = 1 << 8 * SEED_SIZE
# What HASH-DRBG with SM3 of OpenSSL 3.0.19 answers to two requests of 32 bytes under the seed of `run_known_answer`.
_KNOWN_ANSWER = (
    "87104c386b86c6c4a8c6836c5c451dadd6be6166f3d04764d2b82b0a1715888d"
    "329204a73e37cfca07bc14785b5b1aa4123f1cf360e42d342bfb32130974505d"
)
_SEED_BITS = (8 * SEED_SIZE).to_bytes(4, "big")


class Sm3Drbg:
    """One generator. Outputs before a reseed tell nothing about those after it, and later states nothing about earlier."""

    def __init__(self, entropy: bytes, nonce: bytes, label: bytes = b"") -> None:
        """`entropy`: at least 256 bits of it. `nonce`: never the same twice. `label`: what the generator is for."""
        self._v = self._c = 0
        self._counter = 1
        self._take(_derive(entropy + nonce + label))

    @property
    def requests(self) -> int:
        """How many were answered since the last seed."""
        return self._counter - 1

    def reseed(self, entropy: bytes) -> None:
        """Mix new entropy into the state."""
        self._take(_derive(b"\x01" + entropy + self._v.to_bytes(SEED_SIZE, "big")))

    def generate(self, count: int) -> bytes:
        """The next `count` bytes."""
        output = b"".join(
            sm3(((self._v + block) % _MODULUS).to_bytes(SEED_SIZE, "big"))
            for block in range(-(-count // DIGEST_SIZE))
        )
        step = int.from_bytes(sm3(b"\x03" + self._v.to_bytes(SEED_SIZE, "big")), "big")
        self._v = (self._v + step + self._c + self._counter) % _MODULUS
        self._counter += 1
        return output[:count]

    def _take(self, seed: bytes) -> None:
        self._v = int.from_bytes(seed, "big")
        self._c = int.from_bytes(_derive(b"\x00" + seed), "big")
        self._counter = 1


def run_known_answer() -> None:
    """Raises `SelfTestFailed` when the generator does not answer as OpenSSL's does (SP 800-90A §11.3: tested at start)."""
    drbg = Sm3Drbg(bytes(range(64)), bytes(range(64, 80)), b"CloudFilm")
    if (drbg.generate(DIGEST_SIZE) + drbg.generate(DIGEST_SIZE)).hex() != _KNOWN_ANSWER:
        raise SelfTestFailed(
            "the random number generator over SM3 gives a wrong answer on this machine; reinstall the packages of "
            "requirements.txt"
        )


def _derive(data: bytes) -> bytes:
    """SM3_df: 55 bytes from any number (GM/T 0105-2021 appendix B, SP 800-90A §10.3.1)."""
    return b"".join(sm3(bytes([block]) + _SEED_BITS + data) for block in (1, 2))[:SEED_SIZE]
