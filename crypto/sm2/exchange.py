"""Key exchange with confirmation (GB/T 32918.3-2016 §6.1): two sides with SM2 pairs agree on a key over an open line.

    initiator                                      responder
    KeyExchange(…, is_initiator=True)
    sends `ephemeral.public`                  →    KeyExchange(…, is_initiator=False)
                                                   agree(R_A, length): has a code and, unconfirmed, the key
    agree(R_B, length)                        ←    sends `ephemeral.public` and `code` (S_B)
    confirm(S_B) gives the key; sends S_A     →    confirm(S_A) gives the key

The key is given out after the peer's code was right: then the peer has the same key, and the private half of its public key.
"""

import hmac
from dataclasses import dataclass
from typing import Protocol

from crypto.errors import KeyRefused, SignatureRefused
from crypto.provider import USER_ID, KeyPair
from crypto.sm2 import curve
from crypto.sm2.identity import z_a
from crypto.sm3 import kdf, sm3

# w of §6.1: half the bits of n, less one.
_HALF_BITS = 127
_RESPONDER_CODE, _INITIATOR_CODE = b"\x02", b"\x03"


class Points(Protocol):
    """What an engine must do for this."""

    name: str

    def multiply(self, scalar: bytes, point: bytes) -> bytes:
        """scalar · point, 64 bytes. Raises `KeyRefused` for what is no point."""
        ...


@dataclass(frozen=True)
class Peer:
    """The other side as it is known before: its public key, vouched for by someone, and its identity."""

    public: bytes
    user_id: bytes = USER_ID


class Agreement:
    """A key that the peer has not confirmed yet. `code` goes to the peer."""

    def __init__(self, key: bytes, code: bytes, expected: bytes) -> None:
        self.code = code
        self._key, self._expected = key, expected

    def confirm(self, peer_code: bytes) -> bytes:
        """The key. Raises `SignatureRefused` when the peer has another one: someone stood between, or a key is wrong."""
        if not hmac.compare_digest(peer_code, self._expected):
            raise SignatureRefused("the peer of a key exchange did not confirm the same key; begin anew")
        return self._key


class KeyExchange:
    """One run of one side. `ephemeral` is a new pair for this run; a second `agree` is refused."""

    def __init__(
        self,
        points: Points,
        own: KeyPair,
        ephemeral: KeyPair,
        peer: Peer,
        *,
        is_initiator: bool,
        user_id: bytes = USER_ID,
    ) -> None:
        """Raises `KeyRefused` for keys out of range or off the curve, `InputRefused` for an identity that is too long."""
        for pair in (own, ephemeral):
            curve.check_private(pair.private)
            curve.check_public(pair.public)
        curve.check_public(peer.public)
        self._points, self._own, self._ephemeral, self._peer = points, own, ephemeral, peer
        self._is_initiator = is_initiator
        self._identities = self._ordered(z_a(own.public, user_id), z_a(peer.public, peer.user_id))
        self._is_spent = False

    def agree(self, peer_ephemeral: bytes, length: int) -> Agreement:
        """A key of `length` bytes with what the peer sent. Raises `KeyRefused` when that is no point or leads to none."""
        curve.check_public(peer_ephemeral)
        if self._is_spent:
            raise KeyRefused("the ephemeral pair of a key exchange serves once; begin anew")
        self._is_spent = True
        shared = self._shared_point(peer_ephemeral)
        x, y = shared[: curve.SCALAR_SIZE], shared[curve.SCALAR_SIZE :]
        sent = self._ordered(self._ephemeral.public, peer_ephemeral)
        inner = sm3(x, self._identities, sent)
        codes = [sm3(tag, y, inner) for tag in (_INITIATOR_CODE, _RESPONDER_CODE)]
        code, expected = codes if self._is_initiator else codes[::-1]
        return Agreement(kdf(shared, self._identities, length), code, expected)

    def _shared_point(self, peer_ephemeral: bytes) -> bytes:
        """t · (P + x̄ · R) with t = d + x̄ · r (steps A4 to A7, B3 to B6; the cofactor is 1)."""
        private, ephemeral = (int.from_bytes(pair.private, "big") for pair in (self._own, self._ephemeral))
        t = (private + _half(self._ephemeral.public) * ephemeral) % curve.N
        weighted = self._points.multiply(_scalar(_half(peer_ephemeral)), peer_ephemeral)
        total = curve.add(self._peer.public, weighted)
        if total is None or t == 0:
            raise KeyRefused(
                "a key exchange led to the point at infinity: the peer's keys are made up; refuse it"
            )
        return self._points.multiply(_scalar(t), total)

    def _ordered(self, own: bytes, peer: bytes) -> bytes:
        """The initiator's first."""
        return own + peer if self._is_initiator else peer + own


def _half(public: bytes) -> int:
    """x̄ = 2^w + (x mod 2^w)."""
    x, _ = curve.point(public)
    return (1 << _HALF_BITS) + x % (1 << _HALF_BITS)


def _scalar(value: int) -> bytes:
    return value.to_bytes(curve.SCALAR_SIZE, "big")
