"""SM4-GCM in 16 lanes (RFC 8998; NIST SP 800-38D): one chunk a lane, all under one key and one additional text."""

import ctypes
import hmac
from collections.abc import Callable, Sequence

import numpy as np

from crypto.errors import SealBroken
from crypto.provider import KEY_SIZE, NONCE_SIZE, TAG_SIZE
from crypto.providers.mbx.buffers import LONGEST, address_of, new_bytes, row_addresses, rows, wipe
from crypto.providers.mbx.library import LANES_16, Library, require_all

# The context is opaque and about 5 KiB long; the library wants it at a multiple of 64.
_CONTEXT_SIZE, _ALIGNMENT = 16 * 1024, 64

_Pointers = ctypes.c_void_p * LANES_16
_Ints = ctypes.c_int * LANES_16
Step = Callable[[object, object, object, int], int]


class Sm4Gcm:
    """Seals and opens batches; the context, which holds the key, is wiped after each."""

    def __init__(self, library: Library) -> None:
        self._calls = library.gcm

    def seal_batch(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes], prefix: bytes = b""
    ) -> list[bytes]:
        """prefix ‖ ciphertext ‖ tag of 1 to 16 chunks."""
        lengths = [len(chunk) for chunk in chunks]
        made = [new_bytes(len(prefix) + length + TAG_SIZE) for length in lengths]
        for _, place in made:
            ctypes.memmove(place, prefix, len(prefix))
        targets = [place + len(prefix) for _, place in made]
        sources = [address_of(chunk) for chunk in chunks]
        tags = self._run("encrypt", key, nonces, aad, sources, targets, lengths)
        for target, length, tag in zip(targets, lengths, tags, strict=True):
            ctypes.memmove(target + length, tag, TAG_SIZE)
        return [sealed for sealed, _ in made]

    def open_batch(
        self, key: bytes, nonces: Sequence[bytes], aad: bytes, chunks: Sequence[bytes]
    ) -> list[bytes]:
        """The plaintexts of 1 to 16 sealed chunks. Raises `SealBroken`, with what was decrypted wiped."""
        lengths = [len(chunk) - TAG_SIZE for chunk in chunks]
        if min(lengths) < 0:
            raise SealBroken("sealed bytes are shorter than their tag: they were cut")
        # One byte more than none, so that the bytes are not the shared empty ones.
        made = [new_bytes(max(length, 1)) for length in lengths]
        targets = [place for _, place in made]
        sources = [address_of(chunk) for chunk in chunks]
        tags = self._run("decrypt", key, nonces, aad, sources, targets, lengths)
        given = [bytes(chunk[-TAG_SIZE:]) for chunk in chunks]
        genuine = [hmac.compare_digest(one, other) for one, other in zip(tags, given, strict=True)]
        if not all(genuine):
            for target, length in zip(targets, lengths, strict=True):
                wipe(target, length)
            raise SealBroken("the tag of sealed bytes does not match: altered, moved, or another key")
        return [plain if length else b"" for (plain, _), length in zip(made, lengths, strict=True)]

    def _run(
        self,
        step: str,
        key: bytes,
        nonces: Sequence[bytes],
        aad: bytes,
        sources: list[int],
        targets: list[int],
        lengths: list[int],
    ) -> list[bytes]:
        """Encrypt or decrypt, and the tags. Lanes without a chunk take the first nonce and no data."""
        _check(key, nonces, lengths)
        spare = LANES_16 - len(sources)
        room = np.zeros(_CONTEXT_SIZE + _ALIGNMENT, np.uint8)
        context = room.ctypes.data + (-room.ctypes.data) % _ALIGNMENT
        tags = rows(LANES_16, TAG_SIZE)
        nonce_places = [address_of(nonce) for nonce in nonces]
        try:
            require_all(
                self._calls["init"](
                    _Pointers(*[address_of(key)] * LANES_16),
                    _Pointers(*nonce_places, *[nonce_places[0]] * spare),
                    _Ints(*[NONCE_SIZE] * LANES_16),
                    context,
                ),
                "the start of SM4-GCM",
            )
            require_all(
                self._calls["update_aad"](
                    _Pointers(*[address_of(aad)] * LANES_16), _Ints(*[len(aad)] * LANES_16), context
                ),
                "the additional text of SM4-GCM",
            )
            require_all(
                self._calls[step](
                    _Pointers(*targets, *[targets[0]] * spare),
                    _Pointers(*sources, *[sources[0]] * spare),
                    _Ints(*lengths, *[0] * spare),
                    context,
                ),
                f"SM4-GCM, {step}",
            )
            places = row_addresses(tags)
            require_all(
                self._calls["get_tag"](places.ctypes.data, _Ints(*[TAG_SIZE] * LANES_16), context),
                "the tag of SM4-GCM",
            )
        finally:
            room.fill(0)
        return [tag.tobytes() for tag in tags[: len(sources)]]


def _check(key: bytes, nonces: Sequence[bytes], lengths: list[int]) -> None:
    if len(key) != KEY_SIZE or any(len(nonce) != NONCE_SIZE for nonce in nonces):
        raise ValueError(f"SM4-GCM takes a key of {KEY_SIZE} bytes and nonces of {NONCE_SIZE}")
    if not len(nonces) == len(lengths) <= LANES_16:
        raise ValueError("SM4-GCM takes one nonce for each chunk")
    if max(lengths) > LONGEST:
        raise ValueError("a chunk of SM4-GCM has 2 GiB at most")
