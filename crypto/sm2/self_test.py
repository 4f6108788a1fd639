"""Known answers and consistency of an SM2 engine (GM/T 0028: self-tests at start and for new pairs)."""

from collections.abc import Callable, Sequence

from crypto.errors import SelfTestFailed
from crypto.provider import KeyPair, Sm2Engine
from crypto.sm2 import curve

# GB/T 32918.5-2017 (GM/T 0003.5-2012), appendices A and C: key, signature of "message digest", "encryption standard".
_PAIR = KeyPair(
    bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"),
    bytes.fromhex(
        "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
        "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    ),
)
_MESSAGE = b"message digest"
_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
_PLAINTEXT = b"encryption standard"
_CIPHERTEXT = bytes.fromhex(
    "04ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)
# The nonce of both appendices: its multiple of the base point is C1.
_SCALAR = bytes.fromhex("59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21")


def check_sm2(engine: Sm2Engine) -> None:
    """Published answers, refusals, lanes, and pairs of its own making. Raises `SelfTestFailed`."""
    expect = _expecter(engine.name)
    expect("public key (GB/T 32918.5 A)", engine.public_keys([_PAIR.private]) == [_PAIR.public])
    expect(
        "verification (GB/T 32918.5 A)",
        engine.verify_many([_PAIR.public], [_MESSAGE], [_SIGNATURE]) == [True],
    )
    expect("decryption (GB/T 32918.5 C)", engine.decrypt_many([_PAIR], [_CIPHERTEXT]) == [_PLAINTEXT])
    altered = [_flipped(_SIGNATURE, 31), _flipped(_SIGNATURE, 63), bytes(64)]
    expect(
        "refusal of altered signatures",
        engine.verify_many([_PAIR.public] * 3, [_MESSAGE] * 3, altered) == [False] * 3,
    )
    broken = [_flipped(_CIPHERTEXT, place) for place in (63, 95, 96)]
    expect("refusal of altered ciphertexts", engine.decrypt_many([_PAIR] * 3, broken) == [None] * 3)
    pairs = engine.generate_many(engine.lanes + 1)
    expect("new pairs", len({pair.private for pair in pairs}) == engine.lanes + 1)
    check_pairs(engine, [*pairs, _PAIR])


def check_pairs(engine: Sm2Engine, pairs: Sequence[KeyPair]) -> None:
    """The halves of each pair belong together and every item keeps to its lane. Raises `SelfTestFailed`."""
    expect = _expecter(engine.name)
    publics = [pair.public for pair in pairs]
    messages = [b"%d" % index * (index + 1) for index in range(len(pairs))]
    for pair in pairs:
        expect("new pairs", curve.is_private(pair.private) and curve.is_point(pair.public))
    signatures = engine.sign_many(pairs, messages)
    expect("signing with new pairs", engine.verify_many(publics, messages, signatures) == [True] * len(pairs))
    expect("fresh nonces", len({signature[:32] for signature in signatures}) == len(pairs))
    # A length of its own for every lane, and none so short that its key stream may be zero.
    plaintexts = [b"16 bytes or more" + message for message in messages]
    ciphertexts = engine.encrypt_many(publics, plaintexts)
    expect("encrypting to new pairs", engine.decrypt_many(pairs, ciphertexts) == plaintexts)
    if len(pairs) > 1:
        moved = [*messages[1:], messages[0]]
        expect(
            "refusal of another's message",
            engine.verify_many(publics, moved, signatures) == [False] * len(pairs),
        )


def cross_check_sm2(engine: Sm2Engine, other: Sm2Engine) -> None:
    """Each accepts what the other made, and the same public halves. Raises `SelfTestFailed`, naming both."""
    expect = _expecter(f"{engine.name} (against {other.name})")
    pairs = engine.generate_many(2)
    publics, messages = [pair.public for pair in pairs], [b"one", b"the other message"]
    expect("public keys", other.public_keys([pair.private for pair in pairs]) == publics)
    plaintexts = [b"sixteen bytes   ", b"and one byte more"]
    for maker, judge in ((engine, other), (other, engine)):
        signatures = maker.sign_many(pairs, messages)
        expect("signatures", judge.verify_many(publics, messages, signatures) == [True, True])
        altered = [_flipped(signature, 40) for signature in signatures]
        expect("altered signatures", judge.verify_many(publics, messages, altered) == [False, False])
        ciphertexts = maker.encrypt_many(publics, plaintexts)
        expect("ciphertexts", judge.decrypt_many(pairs, ciphertexts) == plaintexts)


def check_points(name: str, multiply: Callable[[bytes, bytes], bytes]) -> None:
    """Multiples of the base point and of another. Raises `SelfTestFailed`."""
    expect = _expecter(name)
    expect("a multiple of G (GB/T 32918.5 C)", multiply(_SCALAR, curve.G) == _CIPHERTEXT[:64])
    expect(
        "a multiple of a point", multiply(_PAIR.private, _CIPHERTEXT[:64]) == multiply(_SCALAR, _PAIR.public)
    )


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _expecter(name: str) -> Callable[[str, bool], None]:
    def expect(what: str, holds: bool) -> None:
        if not holds:
            raise SelfTestFailed(
                f"crypto engine {name}: SM2, {what}: a wrong answer on this machine; do not use it"
            )

    return expect
