"""SM2 keys and signatures (GB/T 32918.1, 32918.2) in eight lanes."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from crypto.errors import InputRefused, KeyRefused
from crypto.provider import USER_ID, KeyPair, RandomBytes
from crypto.providers.mbx.buffers import Bytes, joined, matrix, row_addresses, rows, turned, wiped
from crypto.providers.mbx.library import LANES_8, Library, require_all
from crypto.providers.mbx.sm2_lanes import (
    SCALAR,
    filled,
    in_range,
    lane_order,
    padded_rows,
    random_scalars,
    run,
)
from crypto.sm2.curve import POINT_SIZE, N, P, is_point
from crypto.sm2.identity import MOST_IDENTITY

# The library's status for r, s or r + k of zero: another nonce must be drawn. One try in 2^254 meets that.
_DRAW_AGAIN = 8
_MOST_TRIES = 8

# Public keys are not secret, and the same signers come again and again: the library does not look at the curve.
_is_known_point = lru_cache(maxsize=4096)(is_point)


class Sm2Signatures:
    """Key pairs, signatures and their verification."""

    def __init__(self, library: Library, random: RandomBytes) -> None:
        self._calls = library.sm2
        self._random = random

    def generate_many(self, count: int) -> list[KeyPair]:
        """New random pairs."""
        if not count:
            return []
        privates = random_scalars(self._random, count, N - 2)
        with wiped(privates):
            publics = self.multiples(privates)
            return [
                KeyPair(private.tobytes(), public.tobytes())
                for private, public in zip(privates, publics, strict=True)
            ]

    def public_keys(self, privates: Sequence[bytes]) -> list[bytes]:
        """The public halves. Raises `KeyRefused`."""
        if not privates:
            return []
        scalars = private_rows(privates).copy()
        with wiped(scalars):
            return [public.tobytes() for public in self.multiples(scalars)]

    def multiples(self, scalars: Bytes) -> Bytes:
        """kG for rows k in [1, n-1]: rows x ‖ y."""
        count = len(scalars)
        words = turned(scalars)
        x, y = rows(filled(count), SCALAR), rows(filled(count), SCALAR)
        with wiped(words):
            tables = [row_addresses(x), row_addresses(y), None, padded_rows(words), None]
            for code in run(self._calls["ecpublic_key"], tables, count):
                require_all(int(code), "a public key of SM2")
        return np.hstack([x[:count, ::-1], y[:count, ::-1]])

    def sign_many(
        self, pairs: Sequence[KeyPair], messages: Sequence[bytes], user_id: bytes = USER_ID
    ) -> list[bytes]:
        """r ‖ s over SM3(Z_A ‖ message). Raises `KeyRefused`."""
        check_user_id(user_id)
        if len(pairs) != len(messages):
            raise InputRefused("signing takes one message for each pair")
        privates = private_rows([pair.private for pair in pairs]) if pairs else rows(0, SCALAR)
        publics = point_rows([pair.public for pair in pairs])
        signatures = [b""] * len(pairs)
        waiting = np.arange(len(pairs))
        for _ in range(_MOST_TRIES):
            if not len(waiting):
                return signatures
            codes, made = self._sign(
                privates[waiting], publics[waiting], [messages[place] for place in waiting.tolist()], user_id
            )
            for place, code, signature in zip(waiting, codes, made, strict=True):
                if code not in (0, _DRAW_AGAIN):
                    raise KeyRefused(f"pair {place} of the batch cannot sign: its public half is no point")
                signatures[place] = signature.tobytes()
            waiting = waiting[codes == _DRAW_AGAIN]
        raise KeyRefused(
            "a signature came out as zero again and again: the key or the random source is broken"
        )

    def _sign(
        self, privates: Bytes, publics: Bytes, messages: Sequence[bytes], user_id: bytes
    ) -> tuple[Bytes, Bytes]:
        """Statuses and signatures, each with a nonce of its own."""
        whole, places, lengths = joined(messages)
        order = lane_order(lengths)
        # The lanes that are left over have nonces of their own too.
        nonces = random_scalars(self._random, len(order), N - 1)
        nonce_words, private_words = turned(nonces), turned(privates)
        identity, identities, identity_lengths = joined([user_id] * LANES_8)
        x, y = turned(publics[:, :SCALAR]), turned(publics[:, SCALAR:])
        made = rows(len(order), 2 * SCALAR)
        r = row_addresses(made)
        with wiped(nonces, nonce_words, private_words):
            codes = run(
                self._calls["ecdsa_sign"],
                [
                    *(r, r + np.uint64(SCALAR), identities, identity_lengths, places[order], lengths[order]),
                    row_addresses(nonce_words),
                    *(row_addresses(words)[order] for words in (private_words, x, y)),
                    *(None, None),
                ],
                len(order),
            )
        del identity, whole
        signatures, statuses = rows(len(privates), 2 * SCALAR), np.zeros(len(privates), np.uint8)
        # Of a message that is in several lanes the first counts: the last that is written.
        signatures[order[::-1]], statuses[order[::-1]] = made[::-1], codes[::-1]
        return statuses, signatures

    def verify_many(
        self,
        publics: Sequence[bytes],
        messages: Sequence[bytes],
        signatures: Sequence[bytes],
        user_id: bytes = USER_ID,
    ) -> list[bool]:
        """Whether each is genuine; malformed ones are not. A bad lane takes zeros, which the library refuses."""
        check_user_id(user_id)
        if not len(publics) == len(messages) == len(signatures):
            raise InputRefused("verifying takes one key and one message for each signature")
        if not publics:
            return []
        formed = [
            _is_known_point(public) and len(signature) == 2 * SCALAR
            for public, signature in zip(publics, signatures, strict=True)
        ]
        keys = matrix(
            [one if good else bytes(POINT_SIZE) for one, good in zip(publics, formed, strict=True)],
            POINT_SIZE,
        )
        signs = matrix(
            [one if good else bytes(2 * SCALAR) for one, good in zip(signatures, formed, strict=True)],
            2 * SCALAR,
        )
        identity, identities, identity_lengths = joined([user_id] * LANES_8)
        whole, places, lengths = joined(messages)
        x, y = turned(keys[:, :SCALAR]), turned(keys[:, SCALAR:])
        order = lane_order(lengths)
        r = row_addresses(signs)[order]
        codes = run(
            self._calls["ecdsa_verify"],
            [
                *(r, r + np.uint64(SCALAR), identities, identity_lengths, places[order], lengths[order]),
                *(row_addresses(x)[order], row_addresses(y)[order], None, None),
            ],
            len(order),
        )
        del identity, whole
        statuses = np.zeros(len(publics), np.uint8)
        statuses[order[::-1]] = codes[::-1]
        return [good and not code for good, code in zip(formed, statuses.tolist(), strict=True)]


def check_user_id(user_id: bytes) -> None:
    """Raises `InputRefused`."""
    if len(user_id) > MOST_IDENTITY:
        raise InputRefused(f"an SM2 user id has {MOST_IDENTITY} bytes at most, not {len(user_id)}")


def private_rows(privates: Sequence[bytes]) -> Bytes:
    """Rows of 32 bytes, all in [1, n-2]. Raises `KeyRefused`, which names the place and not the key."""
    for place, private in enumerate(privates):
        if len(private) != SCALAR:
            raise KeyRefused(f"private key {place} of the batch is not {SCALAR} bytes long")
    scalars = matrix(privates, SCALAR)
    outside = np.flatnonzero(~in_range(scalars, 1, N - 2))
    if len(outside):
        raise KeyRefused(f"private key {outside[0]} of the batch is not in [1, n-2]: it is no SM2 key")
    return scalars


def point_rows(publics: Sequence[bytes]) -> Bytes:
    """Rows of 64 bytes with coordinates below p; that they lie on the curve the calls find out. Raises `KeyRefused`."""
    for place, public in enumerate(publics):
        if len(public) != POINT_SIZE:
            raise KeyRefused(f"public key {place} of the batch is not {POINT_SIZE} bytes long")
    points = matrix(publics, POINT_SIZE)
    inside = in_range(points[:, :SCALAR], 0, P - 1) & in_range(points[:, SCALAR:], 0, P - 1)
    if not inside.all():
        raise KeyRefused(f"public key {np.flatnonzero(~inside)[0]} of the batch is no point of the curve")
    return points
