"""What a backup archive says about itself, in clear and signed: which vault, how many keys of which kind, which shares.

Canonical JSON: keys sorted, no spaces, ASCII. The signature is over exactly these bytes.
"""

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from crypto.errors import SealBroken
from crypto.sm3 import sm3

FORMAT = "cloudfilm-key-backup-1"
_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True)
class Manifest:
    """One archive. Digests are SM3, hex; `counts` has rows by table of the database inside."""

    archive_id: str
    vault_id: str
    made_at: str
    schema_version: int
    counts: dict[str, int]
    key_ids_sm3: str
    body_size: int
    body_sm3: str
    key_commitment: str
    share_set: str
    shares_needed: int
    shares_made: int
    signer: str

    def pack(self) -> bytes:
        """The bytes that are signed."""
        content = {"format": FORMAT, **asdict(self)}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Manifest":
        """Read what `pack` wrote. Raises `SealBroken` for anything else."""
        try:
            content = json.loads(data)
        except ValueError:
            raise SealBroken("the archive's manifest is not readable: it was altered or cut") from None
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise SealBroken(
                f"the archive is not of this format ({FORMAT}); restore with the version that made it"
            )
        if set(content) != {field.name for field in fields(cls)} or not _is_sound(content):
            raise SealBroken("the archive's manifest lacks entries or has strange ones: it was altered")
        return cls(**content)

    @property
    def signer_fingerprint(self) -> str:
        """What people compare with the paper of the ceremony: the first 16 hex digits of the signer's key, in fours."""
        return fingerprint(bytes.fromhex(self.signer))


def fingerprint(public: bytes) -> str:
    """The first 64 bits of SM3 of a public key, `3f2a-…`: enough to tell signers apart on paper."""
    digits = sm3(public).hex()[:16]
    return "-".join(digits[start : start + 4] for start in range(0, 16, 4))


def _is_sound(content: dict[str, Any]) -> bool:
    numbers = [content[name] for name in ("schema_version", "body_size", "shares_needed", "shares_made")]
    counts = content["counts"]
    if not isinstance(counts, dict):
        return False
    digests = [content[name] for name in ("key_ids_sm3", "body_sm3", "key_commitment")]
    return (
        all(type(number) is int and number >= 0 for number in [*numbers, *counts.values()])
        and all(_is_hex(digest, 64) for digest in digests)
        and _is_hex(content["signer"], 128)
        and _is_hex(content["archive_id"], 32)
        and all(isinstance(content[name], str) for name in ("vault_id", "made_at", "share_set"))
    )


def _is_hex(value: object, length: int) -> bool:
    return isinstance(value, str) and len(value) == length and bool(_HEX.match(value))
