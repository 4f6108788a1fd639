"""SM4 modes and SM3 of every engine against the published vectors that the package `cryptography-vectors` carries.

Their origins: draft-ribose-cfrg-sm4-10, RFC 8998, GB/T 32905-2016 and the tests of the Linux kernel.
"""

import secrets
from collections.abc import Callable
from pathlib import Path

import cryptography_vectors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import EngineUnavailable
from crypto.providers.gmssl_reference import GmsslReferenceProvider
from crypto.providers.ippcp import IppcpEngine
from crypto.providers.mbx.engine import MbxEngine
from crypto.providers.openssl_sm2 import OpenSslSm2
from crypto.providers.portable import PortableProvider
from crypto.providers.sdf import SdfDevice
from crypto.providers.sdf_engine import SdfEngine
from crypto.self_test import check_modes, check_sm3, run_self_test
from tests.fixtures.sdf_card import PASSWORDS, SLOT, soft_card

pytestmark = pytest.mark.requirement("H2", "H2.4")

VECTORS = Path(cryptography_vectors.__file__).parent
ENGINES: dict[str, Callable[[Path], object]] = {
    "mbx": lambda directory: MbxEngine.load(directory / "engines", secrets.token_bytes),
    "ippcp": lambda _: IppcpEngine.load(secrets.token_bytes),
    "sdf": lambda _: SdfEngine(SdfDevice(soft_card(), PASSWORDS), SLOT, OpenSslSm2(secrets.token_bytes)),
    "portable": lambda _: PortableProvider(),
    "gmssl-reference": lambda _: GmsslReferenceProvider(),
}
# The reference takes a millisecond for each block.
LONGEST = {"gmssl-reference": 300}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> object:
    try:
        return ENGINES[request.param](tmp_path_factory.mktemp("engine"))
    except EngineUnavailable as reason:
        pytest.skip(str(reason))


def vectors(name: str) -> list[dict[str, bytes]]:
    """The rows of a file of `NAME = hex` lines; COUNT or Len begins a row."""
    rows: list[dict[str, bytes]] = []
    for line in (VECTORS / name).read_text(encoding="ascii").splitlines():
        field, equals, value = (part.strip() for part in line.partition("="))
        if not equals or line.startswith("#"):
            continue
        if field in ("COUNT", "Len"):
            rows.append({field: value.encode()})
        else:
            rows[-1][field] = bytes.fromhex(value)
    return rows


def offers(engine: object, method: str) -> None:
    if not hasattr(engine, method):
        pytest.skip(f"{engine.name} does not offer {method}")  # type: ignore[attr-defined]


def test_cbc(engine: PortableProvider) -> None:
    rows = vectors("ciphers/SM4/draft-ribose-cfrg-sm4-10-cbc.txt")
    assert len(rows) == 2
    keys, ivs = [row["KEY"] for row in rows], [row["IV"] for row in rows]
    plains, sealed = [row["PLAINTEXT"] for row in rows], [row["CIPHERTEXT"] for row in rows]
    assert engine.cbc_encrypt_many(keys, ivs, plains) == sealed
    for key, iv, one, plain in zip(keys, ivs, sealed, plains, strict=True):
        assert engine.cbc_decrypt(key, iv, one) == plain


def test_ctr(engine: PortableProvider) -> None:
    rows = vectors("ciphers/SM4/draft-ribose-cfrg-sm4-10-ctr.txt")
    assert len(rows) == 2
    for row in rows:
        assert engine.ctr(row["KEY"], row["IV"], row["PLAINTEXT"]) == row["CIPHERTEXT"]
        assert engine.ctr(row["KEY"], row["IV"], row["CIPHERTEXT"]) == row["PLAINTEXT"]


def test_gcm(engine: PortableProvider) -> None:
    offers(engine, "seal")
    rows = vectors("ciphers/SM4/rfc8998.txt")
    assert rows
    for row in rows:
        sealed = row["CIPHERTEXT"] + row["TAG"]
        assert engine.seal(row["KEY"], row["IV"], row["AAD"], row["PLAINTEXT"]) == sealed
        assert engine.open(row["KEY"], row["IV"], row["AAD"], sealed) == row["PLAINTEXT"]


def test_sm3(engine: PortableProvider) -> None:
    offers(engine, "digest_many")
    most = LONGEST.get(engine.name, 1 << 20)
    rows = [row for row in vectors("hashes/SM3/oscca.txt") if int(row["Len"]) <= 8 * most]
    assert len(rows) >= 4
    messages = [row["Msg"][: int(row["Len"]) // 8] for row in rows]
    assert engine.digest_many(messages) == [row["MD"] for row in rows]


def test_self_tests_pass(engine: PortableProvider) -> None:
    check_modes(engine)
    if hasattr(engine, "digest_many"):
        check_sm3(engine)
    if hasattr(engine, "seal"):
        run_self_test(engine)


@pytest.mark.parametrize("size", [1, 15, 17, 31])
def test_cbc_takes_whole_blocks_only(engine: PortableProvider, size: int) -> None:
    with pytest.raises(ValueError, match=r"block|length"):
        engine.cbc_encrypt_many([bytes(16)], [bytes(16)], [bytes(size)])
    with pytest.raises(ValueError, match=r"block|length"):
        engine.cbc_decrypt(bytes(16), bytes(16), bytes(size))


def test_nothing_becomes_nothing(engine: PortableProvider) -> None:
    assert engine.ctr(bytes(16), bytes(16), b"") == b""
    assert engine.cbc_encrypt_many([], [], []) == []


@settings(deadline=None, max_examples=15)
@given(
    st.binary(min_size=16, max_size=16),
    st.one_of(st.binary(min_size=16, max_size=16), st.just(b"\xff" * 16), st.just(b"\xff" * 15 + b"\xfe")),
    st.lists(st.binary(max_size=70), min_size=1, max_size=20),
)
def test_agrees_with_the_portable_engine(
    engine: PortableProvider, key: bytes, iv: bytes, contents: list[bytes]
) -> None:
    portable = PortableProvider()
    assert engine.ctr(key, iv, contents[0]) == portable.ctr(key, iv, contents[0])
    whole = [content[: len(content) // 16 * 16] or bytes(16) for content in contents]
    keys, ivs = [key] * len(whole), [iv] * len(whole)
    sealed = engine.cbc_encrypt_many(keys, ivs, whole)
    assert sealed == portable.cbc_encrypt_many(keys, ivs, whole)
    assert engine.cbc_decrypt(key, iv, sealed[-1]) == whole[-1]
    if hasattr(engine, "digest_many"):
        assert engine.digest_many(contents) == portable.digest_many(contents)
