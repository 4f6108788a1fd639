"""The frozen example of format CFS1, which the browser's tests read too; the code must never differ from it.

After a deliberate change of the format, `python -m tests.unit.crypto.test_sealed_vectors` writes it anew.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from crypto.sealed_object import ClassKeys, SealedHeader, SealedReader, class_keys, key_commitment
from crypto.sm3 import kdf, sm3
from tests.unit.crypto.sealed_samples import CHUNK, PROVIDER, make

pytestmark = pytest.mark.requirement("H2", "C1")

VECTORS = Path(__file__).parents[2] / "vectors" / "sealed_vectors.json"

DEK = bytes.fromhex("0123456789abcdeffedcba9876543210")
HEADER = SealedHeader(
    object_id=bytes.fromhex("00112233445566778899aabbccddeeff"),
    nonce_prefix=bytes.fromhex("a1a2a3a4a5a6a7"),
    plain_length=2 * CHUNK + 100,
    chunk_log2=12,
    has_class_map=True,
)
PIXEL_RUNS = [(1, 3)]
PLAIN = kdf(b"sealed vectors", b"", HEADER.plain_length)

RFC_8998_A1 = {
    "origin": "RFC 8998, appendix A.1",
    "key": "0123456789abcdeffedcba9876543210",
    "nonce": "00001234567800000000abcd",
    "aad": "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "plain": "".join(digit * 16 for digit in "abcdefea"),
    "sealed": (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
        "83de3541e4c2b58177e065a9bf7b62ec"
    ),
}


def document() -> dict[str, Any]:
    """The whole file; all bytes in hex, all spans half open."""
    sample = make(PLAIN, PIXEL_RUNS, dek=DEK, header=HEADER)
    keys = class_keys(DEK, HEADER.object_id)
    assert keys.head is not None
    return {
        "sm4_gcm": RFC_8998_A1,
        "sm3": {"origin": "GB/T 32905-2016, A.1", "message": b"abc".hex(), "digest": sm3(b"abc").hex()},
        "sealed_object": {
            "origin": "made by tests/unit/crypto/test_sealed_vectors.py",
            "dek": DEK.hex(),
            "k_head": keys.head.hex(),
            "k_pixel": keys.pixel.hex(),
            "object_id": HEADER.object_id.hex(),
            "nonce_prefix": HEADER.nonce_prefix.hex(),
            "chunk_log2": HEADER.chunk_log2,
            "plain_length": HEADER.plain_length,
            "header": HEADER.pack().hex(),
            "aad": HEADER.aad.hex(),
            "key_commitment": key_commitment(DEK, HEADER.pack()).hex(),
            "pixel_runs": PIXEL_RUNS,
            "class_map_span": HEADER.class_map_span,
            "chunks": [
                {
                    "class": "pixel" if index in range(*PIXEL_RUNS[0]) else "head",
                    "nonce": HEADER.nonce(index).hex(),
                    "span": HEADER.chunks_at(index, index + 1),
                }
                for index in range(HEADER.chunk_count)
            ],
            "plain": PLAIN.hex(),
            "sealed": sample.sealed.hex(),
        },
    }


def text() -> str:
    return json.dumps(document(), indent=1) + "\n"


def test_the_file_is_what_the_code_makes() -> None:
    assert VECTORS.read_text() == text()


def test_the_file_opens_with_the_keys_in_it() -> None:
    frozen = json.loads(VECTORS.read_text())["sealed_object"]
    sealed, plain = bytes.fromhex(frozen["sealed"]), bytes.fromhex(frozen["plain"])

    def reader(keys: ClassKeys) -> SealedReader:
        return SealedReader(lambda start, end: sealed[start:end], keys, PROVIDER)

    pixel = bytes.fromhex(frozen["k_pixel"])
    assert reader(ClassKeys(bytes.fromhex(frozen["k_head"]), pixel)).read(0, len(plain)) == plain
    assert reader(ClassKeys(None, pixel)).read(CHUNK, len(plain)) == plain[CHUNK:]


if __name__ == "__main__":
    VECTORS.write_text(text())
