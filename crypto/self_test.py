"""Known answers at start: an engine that does not give them is not used (GM/T 0028, power-on self-test)."""

from crypto.errors import SealBroken, SelfTestFailed
from crypto.provider import BATCH, Provider
from crypto.sm3 import hmac_sm3, kdf, sm3

# GB/T 32905-2016, appendix A, examples 1 and 2.
_SM3_ANSWERS = (
    (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
    (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
)

# RFC 8998, appendix A.1: SM4-GCM.
_GCM_KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
_GCM_NONCE = bytes.fromhex("00001234567800000000abcd")
_GCM_AAD = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
_GCM_PLAIN = bytes.fromhex("".join(digit * 16 for digit in "abcdefea"))
_GCM_SEALED = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)


def run_self_test(provider: Provider) -> None:
    """Check SM3 and `provider` against published answers, in milliseconds. Raises `SelfTestFailed`."""
    for message, answer in _SM3_ANSWERS:
        _expect(provider, "SM3 (GB/T 32905)", sm3(message).hex() == answer)
    _expect(provider, "SM3-KDF (GB/T 32918.4)", kdf(b"ab", b"c", 32) == sm3(b"abc" + bytes([0, 0, 0, 1])))
    _expect(
        provider, "HMAC-SM3 (RFC 2104)", hmac_sm3(_GCM_KEY, b"abc") == _hmac_by_definition(_GCM_KEY, b"abc")
    )
    _expect(
        provider,
        "sealing with SM4-GCM (RFC 8998 A.1)",
        provider.seal(_GCM_KEY, _GCM_NONCE, _GCM_AAD, _GCM_PLAIN) == _GCM_SEALED,
    )
    _expect(
        provider,
        "opening with SM4-GCM (RFC 8998 A.1)",
        provider.open(_GCM_KEY, _GCM_NONCE, _GCM_AAD, _GCM_SEALED) == _GCM_PLAIN,
    )
    _expect(
        provider,
        "refusal of altered bytes",
        _refuses(provider, _GCM_SEALED[:-1] + bytes([_GCM_SEALED[-1] ^ 1])),
    )
    _check_batches(provider)


def _check_batches(provider: Provider) -> None:
    """One more than a batch, of differing lengths, must equal the single calls: lanes fail here first."""
    nonces = [bytes(11) + bytes([lane]) for lane in range(BATCH + 1)]
    chunks = [_GCM_PLAIN[: 3 * lane] for lane in range(BATCH + 1)]
    sealed = [
        provider.seal(_GCM_KEY, nonce, _GCM_AAD, chunk) for nonce, chunk in zip(nonces, chunks, strict=True)
    ]
    _expect(provider, "sealing in batches", provider.seal_many(_GCM_KEY, nonces, _GCM_AAD, chunks) == sealed)
    _expect(provider, "opening in batches", provider.open_many(_GCM_KEY, nonces, _GCM_AAD, sealed) == chunks)


def _hmac_by_definition(key: bytes, data: bytes) -> bytes:
    padded = key.ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in padded) + data)
    return sm3(bytes(byte ^ 0x5C for byte in padded) + inner)


def _refuses(provider: Provider, sealed: bytes) -> bool:
    try:
        provider.open(_GCM_KEY, _GCM_NONCE, _GCM_AAD, sealed)
    except SealBroken:
        return True
    return False


def _expect(provider: Provider, what: str, holds: bool) -> None:
    if not holds:
        raise SelfTestFailed(
            f"crypto engine {provider.name}: {what} gives a wrong answer on this machine; do not use it, "
            "reinstall the packages of requirements.txt and run the self-test again"
        )
