"""Known answers at start: an engine that does not give them is not used (GM/T 0028, power-on self-test).

SM4 and SM3 here, SM2 in `sm2.self_test`. A cross-check compares two engines on inputs that no standard lists.
"""

from crypto.errors import SealBroken, SelfTestFailed
from crypto.provider import BATCH, Provider, Sm3Lanes, Sm4Modes
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

# draft-ribose-cfrg-sm4-10, appendices A.2.2.1 (CBC) and A.2.5.1 (CTR): both under the key of RFC 8998.
_IV = bytes(range(16))
_CBC_PLAIN = bytes.fromhex("aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffffaaaaaaaabbbbbbbb")
_CBC_SEALED = bytes.fromhex("78ebb11cc40b0a48312aaeb2040244cb4cb7016951909226979b0d15dc6a8f6d")
_CTR_PLAIN = bytes.fromhex("".join(digit * 16 for digit in "abcdefab"))
_CTR_SEALED = bytes.fromhex(
    "ac3236cb970cc20791364c395a1342d1a3cbc1878c6f30cd074cce385cdd70c7"
    "f234bc0e24c11980fd1286310ce37b926e02fcd0faa0baf38b2933851d824514"
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


def check_modes(engine: Sm4Modes) -> None:
    """SM4 in CTR and CBC against published answers, batches and borders. Raises `SelfTestFailed`."""
    what = "SM4-CTR (draft-ribose-cfrg-sm4-10)"
    _expect(engine, what, engine.ctr(_GCM_KEY, _IV, _CTR_PLAIN) == _CTR_SEALED)
    _expect(engine, "the middle of SM4-CTR", engine.ctr(_GCM_KEY, _IV, _CTR_SEALED[:37]) == _CTR_PLAIN[:37])
    # The counter is all 16 bytes: after the last value comes zero.
    last = b"\xff" * 16
    split = engine.ctr(_GCM_KEY, last, _CTR_PLAIN[:16]) + engine.ctr(_GCM_KEY, bytes(16), _CTR_PLAIN[16:])
    _expect(engine, "the counter's end", engine.ctr(_GCM_KEY, last, _CTR_PLAIN) == split)
    keys = [_GCM_KEY] * (BATCH + 1)
    what = "SM4-CBC (draft-ribose-cfrg-sm4-10)"
    sealed = engine.cbc_encrypt_many(keys, [_IV] * (BATCH + 1), [_CBC_PLAIN] * (BATCH + 1))
    _expect(engine, what, sealed == [_CBC_SEALED] * (BATCH + 1))
    _expect(engine, what, engine.cbc_decrypt(_GCM_KEY, _IV, _CBC_SEALED) == _CBC_PLAIN)


def check_sm3(engine: Sm3Lanes) -> None:
    """SM3 against published answers, in more lanes than a batch has. Raises `SelfTestFailed`."""
    messages = [message for message, _ in _SM3_ANSWERS] * BATCH
    answers = [bytes.fromhex(answer) for _, answer in _SM3_ANSWERS] * BATCH
    _expect(engine, "SM3 (GB/T 32905)", engine.digest_many(messages) == answers)


def cross_check_gcm(engine: Provider, other: Provider) -> None:
    """The same sealed bytes for lengths around blocks, and each opens the other's. Raises `SelfTestFailed`."""
    chunks = _chunks()
    nonces = [sm3(chunk)[:12] for chunk in chunks]
    sealed = engine.seal_many(_GCM_KEY, nonces, _GCM_AAD, chunks)
    what = f"SM4-GCM compared with {other.name}"
    _expect(engine, what, sealed == other.seal_many(_GCM_KEY, nonces, _GCM_AAD, chunks))
    _expect(engine, what, engine.open_many(_GCM_KEY, nonces, _GCM_AAD, sealed) == chunks)


def cross_check_modes(engine: Sm4Modes, other: Sm4Modes) -> None:
    """The same bytes in CTR and CBC. Raises `SelfTestFailed`."""
    chunks = _chunks()
    ctr, cbc = f"SM4-CTR compared with {other.name}", f"SM4-CBC compared with {other.name}"
    for chunk in chunks:
        _expect(engine, ctr, engine.ctr(_GCM_KEY, _IV, chunk) == other.ctr(_GCM_KEY, _IV, chunk))
    whole = [chunk[: len(chunk) // 16 * 16] for chunk in chunks if len(chunk) >= 16]
    keys, ivs = [sm3(chunk)[:16] for chunk in whole], [sm3(chunk)[16:] for chunk in whole]
    sealed = engine.cbc_encrypt_many(keys, ivs, whole)
    _expect(engine, cbc, sealed == other.cbc_encrypt_many(keys, ivs, whole))
    for key, iv, one, chunk in zip(keys, ivs, sealed, whole, strict=True):
        _expect(engine, cbc, engine.cbc_decrypt(key, iv, one) == chunk)


def cross_check_sm3(engine: Sm3Lanes, other: Sm3Lanes) -> None:
    """The same digests for lengths around blocks. Raises `SelfTestFailed`."""
    messages = _chunks()
    what = f"SM3 compared with {other.name}"
    _expect(engine, what, engine.digest_many(messages) == other.digest_many(messages))


def _chunks() -> list[bytes]:
    """Contents of differing lengths around blocks of 16 and 64 bytes, more than a batch."""
    lengths = (1, 15, 16, 17, 31, 33, 47, 55, 56, 63, 64, 65, 100, 119, 120, 127, 128, 129)
    return [kdf(b"cross-check", bytes([length]), length) for length in lengths]


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


def _expect(engine: Provider | Sm4Modes | Sm3Lanes, what: str, holds: bool) -> None:
    if not holds:
        raise SelfTestFailed(
            f"crypto engine {engine.name}: {what} gives a wrong answer on this machine; do not use it, "
            "reinstall the packages of requirements.txt and run the self-test again"
        )
