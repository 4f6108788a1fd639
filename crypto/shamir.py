"""A key split among people: any M of N shares give it back, fewer say nothing about it (Shamir 1979, over GF(2^128)).

The arithmetic is `Cryptodome.Protocol.SecretSharing.Shamir`, whose secrets have exactly 16 bytes: one SM4 key. By itself
it notices no wrong share: any values give *some* key. So each share says which set it is of, and ends with a checksum, and
whoever rebuilds the key compares it with a commitment that was stored at the splitting.

A share is 30 bytes: format and purpose (1), M (1), index (1), set id (5), value (16), SM3 checksum (6). As text it is twelve
groups of five signs, `2K7QD-0M9T4-…`: four signs of 5 bits in Crockford's alphabet (no I, L, O, U; case is free, O is
read as 0, I and L as 1) and a check sign, so that a typing error is found in its group and not only in its share.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from Cryptodome.Protocol.SecretSharing import Shamir

from crypto.errors import ShareRefused
from crypto.provider import KEY_SIZE
from crypto.sm3 import sm3

MAX_SHARES = 16
SET_ID_SIZE = 5
_FORMAT = 1
_CHECKSUM_SIZE = 6
_BODY_SIZE = 3 + SET_ID_SIZE + KEY_SIZE
_SIZE = _BODY_SIZE + _CHECKSUM_SIZE
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {sign: value for value, sign in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_GROUP = 4
GROUPS = _SIZE * 8 // 5 // _GROUP


class Purpose(IntEnum):
    """What the split key opens, so that shares of one ceremony are not taken for those of another."""

    SYSTEM_KEY = 1
    BACKUP_KEY = 2

    @property
    def words(self) -> str:
        """As people call it."""
        return {Purpose.SYSTEM_KEY: "the system key", Purpose.BACKUP_KEY: "a backup key"}[self]


@dataclass(frozen=True)
class Share:
    """One person's part: the point (`index`, `value`) on the polynomial of degree `threshold` - 1."""

    purpose: Purpose
    set_id: bytes
    threshold: int
    index: int
    value: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Twelve groups of five signs, with hyphens."""
        body = self._body()
        number = int.from_bytes(body + _checksum(body), "big")
        values = [number >> shift & 31 for shift in range(_SIZE * 8 - 5, -1, -5)]
        groups = [values[start : start + _GROUP] for start in range(0, len(values), _GROUP)]
        return "-".join(
            "".join(_ALPHABET[value] for value in [*group, _check_sign(place, group)])
            for place, group in enumerate(groups)
        )

    @property
    def set_name(self) -> str:
        """The set id for people: eight signs, the same on every share of a ceremony."""
        number = int.from_bytes(self.set_id, "big")
        return "".join(_ALPHABET[number >> shift & 31] for shift in range(SET_ID_SIZE * 8 - 5, -1, -5))

    def _body(self) -> bytes:
        head = bytes([_FORMAT << 4 | self.purpose, self.threshold, self.index])
        return head + self.set_id + self.value


def split(key: bytes, threshold: int, total: int, purpose: Purpose) -> list[Share]:
    """`total` shares of a 16-byte key, any `threshold` of which give it back; a new set id each time.

    Raises `ShareRefused` for numbers that make no sense: 2 ≤ threshold ≤ total ≤ 16.
    """
    if not 2 <= threshold <= total <= MAX_SHARES:
        raise ShareRefused(
            f"{threshold} of {total} shares: use 2 of 2 up to {MAX_SHARES} of {MAX_SHARES}; "
            "one share alone would be the key itself"
        )
    if len(key) != KEY_SIZE:
        raise ShareRefused(f"a key that is split has {KEY_SIZE} bytes, not {len(key)}")
    set_id = secrets.token_bytes(SET_ID_SIZE)
    points = Shamir.split(threshold, total, bytes(key), ssss=False)
    return [Share(purpose, set_id, threshold, index, value) for index, value in points]


def parse(text: str, called: str = "the share") -> Share:
    """Read a typed share; `called` names it in errors. Raises `ShareRefused` saying which group is mistyped.

    Spaces, hyphens and case are free.
    """
    values = _values(text, called)
    groups = [values[start : start + _GROUP + 1] for start in range(0, len(values), _GROUP + 1)]
    wrong = [place + 1 for place, group in enumerate(groups) if group[-1] != _check_sign(place, group[:-1])]
    if wrong:
        raise ShareRefused(f"{called}: mistyped in {_groups(wrong)} of {GROUPS}; compare with the paper")
    number = 0
    for group in groups:
        for value in group[:-1]:
            number = number << 5 | value
    raw = number.to_bytes(_SIZE, "big")
    body, checksum = raw[:_BODY_SIZE], raw[_BODY_SIZE:]
    if not hmac.compare_digest(checksum, _checksum(body)):
        raise ShareRefused(f"{called}: its checksum does not match; compare every group with the paper")
    return _from_body(body, called)


def combine(shares: Sequence[Share], purpose: Purpose) -> bytes:
    """The key of 16 bytes. Compare it with its commitment: altered shares with right checksums give a wrong key.

    Raises `ShareRefused`: another purpose, shares of different sets, one share twice, or too few.
    """
    if not shares:
        raise ShareRefused(f"no share of {purpose.words} was given")
    first = shares[0]
    for place, share in enumerate(shares, start=1):
        check_fits(shares[: place - 1], share, purpose, f"share {place}")
    if len(shares) < first.threshold:
        raise ShareRefused(
            f"{len(shares)} of {first.threshold} shares were given: {first.threshold - len(shares)} more are needed"
        )
    points = [(share.index, share.value) for share in shares[: first.threshold]]
    return bytes(Shamir.combine(points, ssss=False))


def check_fits(others: Sequence[Share], share: Share, purpose: Purpose, called: str) -> None:
    """Whether `share` goes with `others` for `purpose`. Raises `ShareRefused` saying why not."""
    if share.purpose is not purpose:
        raise ShareRefused(
            f"{called}: it is a share of {share.purpose.words}, but {purpose.words} is asked for"
        )
    if any(other.set_id != share.set_id or other.threshold != share.threshold for other in others):
        raise ShareRefused(f"{called}: it is of another set than the first; use shares of one ceremony")
    if any(other.index == share.index for other in others):
        raise ShareRefused(
            f"{called}: share number {share.index} was given already; another holder's is needed"
        )


def _from_body(body: bytes, called: str) -> Share:
    head, threshold, index = body[:3]
    if head >> 4 != _FORMAT or head & 15 not in set(Purpose):
        raise ShareRefused(f"{called}: it is of a later version of CloudFilm; restore with that one")
    if not (2 <= threshold <= MAX_SHARES and 1 <= index <= MAX_SHARES):
        raise ShareRefused(f"{called}: it says number {index} and {threshold} needed, which cannot be")
    return Share(Purpose(head & 15), body[3 : 3 + SET_ID_SIZE], threshold, index, body[3 + SET_ID_SIZE :])


def _values(text: str, called: str) -> list[int]:
    signs = [sign for sign in text.upper() if not (sign.isspace() or sign in "-–—")]
    unknown = [place // (_GROUP + 1) + 1 for place, sign in enumerate(signs) if sign not in _VALUES]
    if unknown:
        raise ShareRefused(f"{called}: a sign that no share has, in {_groups(unknown)} of {GROUPS}")
    expected = GROUPS * (_GROUP + 1)
    if len(signs) != expected:
        raise ShareRefused(f"{called}: {len(signs)} signs were typed, a share has {expected}")
    return [_VALUES[sign] for sign in signs]


def _groups(places: Sequence[int]) -> str:
    distinct = sorted(set(places))
    return f"group{'s' if len(distinct) > 1 else ''} {', '.join(map(str, distinct))}"


def _check_sign(place: int, values: Sequence[int]) -> int:
    """Sum of α^(i+1)·value over GF(2^5) and the place: one wrong sign, two exchanged signs or groups never pass."""
    total = place
    for value in reversed(values):
        total = _times_alpha(total ^ value)
    return total


def _times_alpha(value: int) -> int:
    """Multiply by α in GF(2^5) = GF(2)[x] / (x^5 + x^2 + 1)."""
    doubled = value << 1
    return doubled ^ 0b100101 if doubled & 32 else doubled


def _checksum(body: bytes) -> bytes:
    return sm3(b"cloudfilm share", body)[:_CHECKSUM_SIZE]
