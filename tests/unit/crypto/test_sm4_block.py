"""Both libraries under the engines know SM4: GB/T 32907-2016, appendix A."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gmssl.sm4 import SM4_DECRYPT, SM4_ENCRYPT, CryptSM4

pytestmark = pytest.mark.requirement("H2", "H2.4")

KEY = PLAIN = bytes.fromhex("0123456789abcdeffedcba9876543210")
ONCE = "681edf34d206965e86b3e94f536e4246"
MILLION_TIMES = "595298c7c6fd271f0402f804c33d3f66"


def test_cryptography_gives_example_1() -> None:
    cipher = Cipher(algorithms.SM4(KEY), modes.ECB())
    assert cipher.encryptor().update(PLAIN).hex() == ONCE
    assert cipher.decryptor().update(bytes.fromhex(ONCE)) == PLAIN


def test_cryptography_gives_example_2_a_million_times_over() -> None:
    encrypt = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor().update
    block = PLAIN
    for _ in range(1_000_000):
        block = encrypt(block)
    assert block.hex() == MILLION_TIMES


@pytest.mark.parametrize(
    ("mode", "given", "answer"), [(SM4_ENCRYPT, PLAIN.hex(), ONCE), (SM4_DECRYPT, ONCE, PLAIN.hex())]
)
def test_gmssl_gives_example_1(mode: int, given: str, answer: str) -> None:
    sm4 = CryptSM4()
    sm4.set_key(KEY, mode)
    assert bytes(sm4.one_round(sm4.sk, list(bytes.fromhex(given)))).hex() == answer
