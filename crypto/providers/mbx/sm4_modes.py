"""SM4 in CTR and CBC (GB/T 17964-2021) in 16 lanes. One long stream is cut into 16 pieces where the mode allows it."""

import ctypes
from collections.abc import Sequence

import numpy as np

from crypto.provider import KEY_SIZE
from crypto.providers.mbx.buffers import LONGEST, address_of, new_bytes
from crypto.providers.mbx.library import LANES_16, Library, require_all

BLOCK = 16
_SCHEDULE_SIZE = 32 * LANES_16 * 4  # 32 round keys of 4 bytes for each lane
_COUNTER_SPACE = 1 << 128

_Pointers = ctypes.c_void_p * LANES_16
_Ints = ctypes.c_int * LANES_16


class Sm4Modes:
    """Keys are laid out for each call and wiped after it."""

    def __init__(self, library: Library) -> None:
        self._calls = library.sm4

    def ctr(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt: counter iv, iv + 1, … modulo 2^128. A piece of the stream starts at its own counter."""
        _check([key], [iv])
        if not data:
            return b""
        result, target = new_bytes(len(data))
        first = int.from_bytes(iv, "big")
        starts, lengths = _pieces(len(data))
        counters = bytearray(
            b"".join(((first + start // BLOCK) % _COUNTER_SPACE).to_bytes(BLOCK, "big") for start in starts)
        )
        source, place = address_of(data), address_of(counters)
        self._run(
            "encrypt_ctr128",
            [key] * len(starts),
            [place + BLOCK * number for number in range(len(starts))],
            [source + start for start in starts],
            [target + start for start in starts],
            lengths,
        )
        return result

    def cbc_encrypt_many(
        self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]
    ) -> list[bytes]:
        """A chunk a lane, each by its own key and iv. Raises `ValueError` when a chunk is no whole blocks."""
        _check(keys, ivs)
        if not len(keys) == len(ivs) == len(chunks):
            raise ValueError("SM4-CBC takes one key and one iv for each chunk")
        for chunk in chunks:
            _check_blocks(len(chunk))
        sealed: list[bytes] = []
        for first in range(0, len(chunks), LANES_16):
            batch = slice(first, first + LANES_16)
            sealed += self._cbc_batch(keys[batch], ivs[batch], chunks[batch])
        return sealed

    def cbc_decrypt(self, key: bytes, iv: bytes, data: bytes) -> bytes:
        """The plaintext, padding included: each piece follows the last block of the piece before it."""
        _check([key], [iv])
        _check_blocks(len(data))
        if not data:
            return b""
        result, target = new_bytes(len(data))
        source = address_of(data)
        starts, lengths = _pieces(len(data))
        self._run(
            "decrypt_cbc",
            [key] * len(starts),
            [source + start - BLOCK if start else address_of(iv) for start in starts],
            [source + start for start in starts],
            [target + start for start in starts],
            lengths,
        )
        return result

    def _cbc_batch(self, keys: Sequence[bytes], ivs: Sequence[bytes], chunks: Sequence[bytes]) -> list[bytes]:
        made = [new_bytes(max(len(chunk), 1)) for chunk in chunks]
        self._run(
            "encrypt_cbc",
            keys,
            [address_of(iv) for iv in ivs],
            [address_of(chunk) for chunk in chunks],
            [place for _, place in made],
            [len(chunk) for chunk in chunks],
        )
        return [sealed if chunk else b"" for (sealed, _), chunk in zip(made, chunks, strict=True)]

    def _run(
        self,
        step: str,
        keys: Sequence[bytes],
        ivs: list[int],
        sources: list[int],
        targets: list[int],
        lengths: list[int],
    ) -> None:
        """Lanes left over have the first key, iv and place, and no data."""
        spare = LANES_16 - len(sources)
        schedule = np.zeros(_SCHEDULE_SIZE, np.uint8)
        try:
            places = [address_of(key) for key in keys]
            require_all(
                self._calls["set_key"](schedule.ctypes.data, _Pointers(*places, *[places[0]] * spare)),
                "laying out SM4 keys",
            )
            require_all(
                self._calls[step](
                    _Pointers(*targets, *[targets[0]] * spare),
                    _Pointers(*sources, *[sources[0]] * spare),
                    _Ints(*lengths, *[0] * spare),
                    schedule.ctypes.data,
                    _Pointers(*ivs, *[ivs[0]] * spare),
                ),
                f"SM4, {step}",
            )
        finally:
            schedule.fill(0)


def _pieces(size: int) -> tuple[list[int], list[int]]:
    """Starts and lengths of up to 16 pieces of whole blocks; only the last may end inside a block."""
    blocks = -(-size // BLOCK)
    step = -(-blocks // LANES_16) * BLOCK
    starts = list(range(0, size, step))
    return starts, [min(step, size - start) for start in starts]


def _check(keys: Sequence[bytes], ivs: Sequence[bytes]) -> None:
    if any(len(key) != KEY_SIZE for key in keys) or any(len(iv) != BLOCK for iv in ivs):
        raise ValueError(f"SM4 takes keys of {KEY_SIZE} bytes and initial values of {BLOCK}")


def _check_blocks(size: int) -> None:
    if size % BLOCK or size > LONGEST:
        raise ValueError(
            f"SM4-CBC without padding takes whole blocks of {BLOCK} bytes, 2 GiB at most, not {size}"
        )
