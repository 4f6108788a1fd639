"""The sealed format under Hypothesis: any range equals the slice; any flip, swap, cut, header edit or mix-up is refused."""

import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.class_keys import ClassKeys, class_keys
from crypto.errors import CryptoError, KeyRefused, SealBroken
from crypto.files.envelope import key_path, pack_key_file, read_key_file
from crypto.files.sealed_file import SealedFile
from crypto.sealed_header import HEADER_SIZE, SealedHeader
from crypto.sealed_object import SealedReader, seal
from tests.unit.crypto.files.file_samples import CHUNK, PROVIDER, content, files, keyring, unheard

pytestmark = pytest.mark.requirement("H2", "H2.9", "C1")

PLAIN = content(5 * CHUNK + 1234)
QUICK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
Change = Callable[[bytearray], None]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SealedFile:
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "a.bin").write_bytes(PLAIN)
    return files().seal(folder / "a.bin", folder / "a.cfs", "a.bin", unheard)


def refuses(sample: SealedFile, folder: Path, body: bytes | None = None, key: bytes | None = None) -> None:
    """Opening and verifying raise, and nothing is left where it should have been opened to."""
    path = folder / "b.cfs"
    path.write_bytes(sample.path.read_bytes() if body is None else body)
    key_path(path).write_bytes(key_path(sample.path).read_bytes() if key is None else key)
    with pytest.raises(CryptoError):
        files().verify(path, unheard)
    with pytest.raises(CryptoError):
        files().open(path, folder / "back", unheard)
    assert not (folder / "back").exists()


def reader(sample: SealedFile, keys: ClassKeys | None = None) -> SealedReader:
    body = sample.path.read_bytes()
    if keys is None:
        return files().reader(lambda start, end: body[start:end], sample.envelope)
    return SealedReader(lambda start, end: body[start:end], keys, PROVIDER)


@QUICK
@given(st.integers(0, len(PLAIN)), st.integers(0, len(PLAIN)))
def test_any_range_equals_the_slice(sample: SealedFile, one: int, two: int) -> None:
    start, end = sorted((one, two))
    assert reader(sample).read(start, end) == PLAIN[start:end]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 3 * 4096 + 5), st.integers(12, 16), st.data())
def test_any_length_and_chunk_size(length: int, chunk_log2: int, data: st.DataObject) -> None:
    plain = PLAIN[:length]
    header, sink = SealedHeader.new(length, chunk_log2, has_class_map=False), io.BytesIO()
    seal(io.BytesIO(plain), sink, header, bytes(16), PROVIDER)
    body = sink.getvalue()
    opened = SealedReader(
        lambda start, end: body[start:end], class_keys(bytes(16), header.object_id), PROVIDER
    )
    start = data.draw(st.integers(0, length))
    end = data.draw(st.integers(start, length))
    assert opened.read(start, end) == plain[start:end]
    assert b"".join(opened.stream_all()) == plain


@QUICK
@given(st.integers(0, len(PLAIN) - 1 + 64 + 6 * 16), st.integers(0, 7))
def test_any_flipped_bit_is_refused(sample: SealedFile, tmp_path: Path, at: int, bit: int) -> None:
    body = bytearray(sample.path.read_bytes())
    body[at % len(body)] ^= 1 << bit
    refuses(sample, tmp_path, body)


@QUICK
@given(st.integers(0, HEADER_SIZE - 1), st.integers(1, 255))
def test_any_edit_of_the_header_is_refused(sample: SealedFile, tmp_path: Path, at: int, value: int) -> None:
    body = bytearray(sample.path.read_bytes())
    body[at] ^= value
    refuses(sample, tmp_path, body)


@QUICK
@given(st.integers(1, len(PLAIN) + 64))
def test_any_cut_and_any_addition_is_refused(sample: SealedFile, tmp_path: Path, length: int) -> None:
    body = sample.path.read_bytes()
    refuses(sample, tmp_path, body[:-length])
    refuses(sample, tmp_path, body + bytes(min(length, 70_000)))


@QUICK
@given(st.permutations(range(5)).filter(lambda order: order != list(range(5))))
def test_chunks_in_another_order_are_refused(sample: SealedFile, tmp_path: Path, order: list[int]) -> None:
    body = sample.path.read_bytes()
    header = SealedHeader.parse(body[:HEADER_SIZE])
    chunks = [body[slice(*header.chunks_at(index, index + 1))] for index in order]
    refuses(sample, tmp_path, body[:HEADER_SIZE] + b"".join(chunks) + body[header.chunks_at(5, 6)[0] :])


def test_a_shorter_object_under_a_header_to_match_is_refused(sample: SealedFile, tmp_path: Path) -> None:
    body = sample.path.read_bytes()
    header = dataclasses.replace(SealedHeader.parse(body[:HEADER_SIZE]), plain_length=2 * CHUNK)
    refuses(sample, tmp_path, header.pack() + body[HEADER_SIZE : header.sealed_length])


def test_body_and_key_of_two_files_are_refused(sample: SealedFile, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(PLAIN)
    other = files().seal(tmp_path / "other", tmp_path / "other.cfs", "other", unheard)
    refuses(sample, tmp_path, key=key_path(other.path).read_bytes())
    envelope = dataclasses.replace(other.envelope, object_id=sample.envelope.object_id)
    refuses(sample, tmp_path, key=pack_key_file(envelope))


def test_a_key_file_without_its_commitment_is_refused(sample: SealedFile, tmp_path: Path) -> None:
    refuses(sample, tmp_path, key=pack_key_file(dataclasses.replace(sample.envelope, commitment=bytes(32))))


def test_another_kind_or_name_is_refused(sample: SealedFile, tmp_path: Path) -> None:
    refuses(sample, tmp_path, key=pack_key_file(dataclasses.replace(sample.envelope, kind="png")))
    about = bytearray(sample.envelope.about)
    about[20] ^= 1
    refuses(sample, tmp_path, key=pack_key_file(dataclasses.replace(sample.envelope, about=bytes(about))))
    refuses(sample, tmp_path, key=pack_key_file(dataclasses.replace(sample.envelope, about=b"")))


def test_the_pixel_key_opens_nothing_of_a_file(sample: SealedFile) -> None:
    dek = sample.envelope.unwrap(SealedHeader.parse(sample.path.read_bytes()[:HEADER_SIZE]), keyring())  # type: ignore[arg-type]
    keys = class_keys(dek, sample.envelope.object_id)
    assert keys.head is not None
    with pytest.raises(KeyRefused):
        reader(sample, ClassKeys(head=None, pixel=keys.pixel)).read(0, 1)
    with pytest.raises(SealBroken):
        reader(sample, ClassKeys(head=keys.pixel, pixel=keys.pixel)).read(0, 1)


@QUICK
@given(st.integers(0, 2**31), st.binary(min_size=1, max_size=4))
def test_any_damage_to_the_key_file_is_refused_or_changes_nothing(
    sample: SealedFile, tmp_path: Path, at: int, junk: bytes
) -> None:
    key = bytearray(key_path(sample.path).read_bytes())
    at %= len(key)
    key[at : at + len(junk)] = junk
    (tmp_path / "a.key").write_bytes(key)
    try:
        harmless = read_key_file(tmp_path / "a.key") == sample.envelope
    except KeyRefused:
        harmless = False
    if not harmless:
        refuses(sample, tmp_path, key=bytes(key))


@pytest.mark.parametrize(
    "key", [b"", b"[]", b"[" * 10_000, b'{"format": 1}', json.dumps({"a": "b" * 20_000}).encode()]
)
def test_what_is_no_key_file_is_refused(sample: SealedFile, tmp_path: Path, key: bytes) -> None:
    refuses(sample, tmp_path, key=key)
    key_path(tmp_path / "b.cfs").unlink()
    with pytest.raises(KeyRefused, match="without its key"):
        files().verify(tmp_path / "b.cfs", unheard)
