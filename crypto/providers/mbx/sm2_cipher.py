"""SM2 encryption (GB/T 32918.4-2016 §6, §7) on points in eight lanes and SM3 in sixteen."""

import hmac
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crypto.errors import EngineUnavailable, InputRefused, KeyRefused
from crypto.provider import KeyPair, RandomBytes
from crypto.providers.mbx.buffers import Bytes, matrix, row_addresses, rows, turned, wiped
from crypto.providers.mbx.library import Library
from crypto.providers.mbx.sm2 import Sm2Signatures, point_rows, private_rows
from crypto.providers.mbx.sm2_lanes import SCALAR, filled, in_range, padded_rows, random_scalars, run
from crypto.providers.mbx.sm2_point import integers, second_coordinates
from crypto.providers.mbx.sm3 import Sm3
from crypto.sm2.curve import POINT_SIZE, G, N, P
from crypto.sm3 import DIGEST_SIZE

OVERHEAD = POINT_SIZE + DIGEST_SIZE
# A key stream of zeros is drawn again; for one byte that happens once in 256 tries, 64 times never.
_MOST_TRIES = 64


class Sm2Cipher:
    """Encrypts to points and decrypts; C1 ‖ C3 ‖ C2."""

    def __init__(self, library: Library, keys: Sm2Signatures, sm3: Sm3, random: RandomBytes) -> None:
        self._ecdh = library.sm2["ecdh"]
        self._keys, self._sm3, self._random = keys, sm3, random

    def encrypt_many(self, publics: Sequence[bytes], plaintexts: Sequence[bytes]) -> list[bytes]:
        """One ciphertext each. Raises `KeyRefused` for a public key off the curve."""
        if len(publics) != len(plaintexts) or not all(plaintexts):
            raise InputRefused("SM2 encryption takes one plaintext of 1 byte or more for each public key")
        points = point_rows(publics)
        done: list[bytes | None] = [None] * len(publics)
        for _ in range(_MOST_TRIES):
            waiting = [place for place, ciphertext in enumerate(done) if ciphertext is None]
            if not waiting:
                return [ciphertext for ciphertext in done if ciphertext is not None]
            made = self._encrypt(points[waiting], [plaintexts[place] for place in waiting])
            for place, ciphertext in zip(waiting, made, strict=True):
                done[place] = ciphertext
        raise EngineUnavailable("the random source gives the same number again and again: it is broken")

    def decrypt_many(self, pairs: Sequence[KeyPair], ciphertexts: Sequence[bytes]) -> list[bytes | None]:
        """The plaintexts; None where a ciphertext is malformed or its C3 does not match. Raises `KeyRefused`."""
        if len(pairs) != len(ciphertexts):
            raise InputRefused("SM2 decryption takes one ciphertext for each pair")
        if not pairs:
            return []
        scalars = private_rows([pair.private for pair in pairs]).copy()
        formed = [len(ciphertext) > OVERHEAD for ciphertext in ciphertexts]
        firsts = [
            ciphertext[:POINT_SIZE] if good else G
            for ciphertext, good in zip(ciphertexts, formed, strict=True)
        ]
        points = matrix(firsts, POINT_SIZE)
        inside = in_range(points[:, :SCALAR], 0, P - 1) & in_range(points[:, SCALAR:], 0, P - 1)
        with wiped(scalars):
            shared, on_curve = self._shared_points(scalars, points)
        usable = np.flatnonzero(inside & on_curve & np.array(formed))
        result: list[bytes | None] = [None] * len(pairs)
        with wiped(shared):
            opened = self._open(shared[usable], [ciphertexts[place] for place in usable.tolist()])
        for place, plaintext in zip(usable.tolist(), opened, strict=True):
            result[place] = plaintext
        return result

    def _encrypt(self, points: Bytes, plaintexts: list[bytes]) -> list[bytes | None]:
        """None where the key stream came out as zeros, so that another nonce is needed."""
        nonces = random_scalars(self._random, len(points), N - 2)
        with wiped(nonces):
            firsts = self._keys.multiples(nonces)
            shared, on_curve = self._shared_points(nonces, points)
        if not on_curve.all():
            raise KeyRefused(
                f"public key {np.flatnonzero(~on_curve)[0]} of the batch is no point of the curve"
            )
        with wiped(shared):
            masked, empty = self._masked(shared, plaintexts)
            tags = self._tags(shared, plaintexts)
        return [
            None if nothing else first.tobytes() + tag + second
            for first, tag, second, nothing in zip(firsts, tags, masked, empty, strict=True)
        ]

    def _open(self, shared: Bytes, ciphertexts: list[bytes]) -> list[bytes | None]:
        if not ciphertexts:
            return []
        plaintexts, empty = self._masked(shared, [ciphertext[OVERHEAD:] for ciphertext in ciphertexts])
        tags = self._tags(shared, plaintexts)
        given = [ciphertext[POINT_SIZE:OVERHEAD] for ciphertext in ciphertexts]
        return [
            plaintext if hmac.compare_digest(tag, other) and not nothing else None
            for plaintext, tag, other, nothing in zip(plaintexts, tags, given, empty, strict=True)
        ]

    def _shared_points(self, scalars: Bytes, points: Bytes) -> tuple[Bytes, NDArray[np.bool_]]:
        """kP for rows k in [1, n-2] and P: rows x ‖ y, and whether P lies on the curve; where not, the row is zeros."""
        multiples, codes = self._first_coordinates(scalars, points)
        after = _plus_one(scalars)
        with wiped(after):
            following, _ = self._first_coordinates(after, points)
        on_curve = codes == 0
        good = np.flatnonzero(on_curve)
        shared = rows(len(points), POINT_SIZE)
        with wiped(multiples, following):
            places = list(zip(integers(points[good, :SCALAR]), integers(points[good, SCALAR:]), strict=True))
            ys = second_coordinates(places, multiples[good], following[good])
            shared[good, :SCALAR] = multiples[good]
            shared[good, SCALAR:] = matrix(ys, SCALAR)
        return shared, on_curve

    def _first_coordinates(self, scalars: Bytes, points: Bytes) -> tuple[Bytes, NDArray[np.uint8]]:
        """x of kP, and the statuses."""
        words = turned(scalars)
        x, y = turned(points[:, :SCALAR]), turned(points[:, SCALAR:])
        shared = rows(filled(len(points)), SCALAR)
        with wiped(words):
            tables = [row_addresses(shared), padded_rows(words), padded_rows(x), padded_rows(y), None, None]
            codes = run(self._ecdh, tables, len(points))
        return shared[: len(points)], codes

    def _masked(self, shared: Bytes, texts: list[bytes]) -> tuple[list[bytes], list[bool]]:
        """Each text with the key stream of its point laid over it, and whether that stream is all zeros."""
        lengths = np.array([len(text) for text in texts])
        blocks = -(-lengths // DIGEST_SIZE)
        ends = np.cumsum(lengths)
        counters = np.arange(blocks.sum()) - np.repeat(np.cumsum(blocks) - blocks, blocks)
        asked = rows(len(counters), POINT_SIZE + 4)
        with wiped(asked):
            asked[:, :POINT_SIZE] = np.repeat(shared, blocks, axis=0)
            asked[:, POINT_SIZE:] = (counters + 1).astype(">u4").view(np.uint8).reshape(-1, 4)
            digests = self._sm3.digest_rows(asked)
        within = (
            counters[:, None] * DIGEST_SIZE + np.arange(DIGEST_SIZE) < np.repeat(lengths, blocks)[:, None]
        )
        stream = digests[within]
        with wiped(digests, stream):
            empty = np.bitwise_or.reduceat(stream, ends - lengths) == 0
            masked = (stream ^ np.frombuffer(b"".join(texts), np.uint8)).tobytes()
        cut = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
        return [masked[start:end] for start, end in cut], empty.tolist()

    def _tags(self, shared: Bytes, plaintexts: Sequence[bytes]) -> list[bytes]:
        """C3 = SM3(x2 ‖ M ‖ y2)."""
        whole = shared.tobytes()
        starts = range(0, len(whole), POINT_SIZE)
        return self._sm3.digest_many(
            [
                whole[at : at + SCALAR] + text + whole[at + SCALAR : at + POINT_SIZE]
                for at, text in zip(starts, plaintexts, strict=True)
            ]
        )


def _plus_one(scalars: Bytes) -> Bytes:
    """Rows read big-endian and counted up; none of them is all ones."""
    words = turned(scalars).view("<u8")
    carry = np.ones(len(words), np.bool_)
    for place in range(words.shape[1]):
        words[:, place] += carry
        carry &= words[:, place] == 0
    return turned(words.view(np.uint8))
