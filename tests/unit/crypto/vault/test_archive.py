"""The archive of keys as a file: what was written comes back; cut, altered, re-signed and foreign ones are refused."""

import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.errors import CryptoError, SealBroken, ShareRefused, SignatureRefused
from crypto.vault.archive import MAGIC, Opened, read_body, verify, verify_key, write_body, write_end
from crypto.vault.manifest import Manifest, fingerprint
from tests.unit.crypto.sealed_samples import PROVIDER, content
from tests.unit.crypto.service.toy_engines import ToySm2, toy_pair

pytestmark = pytest.mark.requirement("H2.6")

KEY = bytes(range(16))
PAIR = toy_pair(7)
SM2 = ToySm2("toy", 1)
CONTENT = content(200_000)


def no_progress(done: int, total: int) -> None:
    assert 0 <= done <= total


def make(path: Path, source: io.BufferedIOBase | io.BytesIO, length: int) -> Manifest:
    with path.open("wb") as sink:
        body = write_body(sink, source, length, KEY, PROVIDER)
        manifest = Manifest(
            archive_id=body.archive_id.hex(),
            vault_id="3b",
            made_at="2026-11-24T20:00:00+00:00",
            schema_version=1,
            counts={"keys": 3},
            key_ids_sm3="ab" * 32,
            body_size=body.size,
            body_sm3=body.digest.hex(),
            key_commitment=body.commitment.hex(),
            share_set="AB12",
            shares_needed=3,
            shares_made=5,
            signer=PAIR.public.hex(),
        )
        write_end(sink, manifest, lambda message: SM2.sign_many([PAIR], [message])[0])
    return manifest


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("archive") / "keys.cfkeys"
    make(path, io.BytesIO(CONTENT), len(CONTENT))
    return path.read_bytes()


def put(directory: Path, data: bytes) -> Path:
    path = directory / "altered.cfkeys"
    path.write_bytes(data)
    return path


def test_what_was_written_comes_back_and_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "keys.cfkeys"
    manifest = make(path, io.BytesIO(CONTENT), len(CONTENT))
    opened = verify(path, SM2, no_progress)
    assert opened.manifest == manifest
    assert b"".join(read_body(opened, KEY, PROVIDER)) == CONTENT
    assert path.read_bytes().startswith(MAGIC)
    assert CONTENT[:64] not in path.read_bytes()
    assert manifest.signer_fingerprint == fingerprint(PAIR.public)


def test_another_key_gives_nothing(tmp_path: Path, archive: bytes) -> None:
    opened = verify(put(tmp_path, archive), SM2, no_progress)
    wrong = bytes(16)
    with pytest.raises(ShareRefused, match="needs set AB12"):
        verify_key(opened, wrong)
    with pytest.raises(ShareRefused):
        next(read_body(opened, wrong, PROVIDER))


def test_every_flipped_byte_is_noticed_without_any_key(tmp_path: Path, archive: bytes) -> None:
    places = {*range(120), *range(120, len(archive), 1801), *range(len(archive) - 1400, len(archive), 3)}
    for place in places:
        flipped = bytearray(archive)
        flipped[place] ^= 1
        with pytest.raises((SealBroken, SignatureRefused)):
            verify(put(tmp_path, bytes(flipped)), SM2, no_progress)


@pytest.mark.parametrize("kept", [0, 1, 8, 100, 65_536, 150_000, -1000, -76, -12, -1])
def test_a_cut_archive_is_refused(tmp_path: Path, archive: bytes, kept: int) -> None:
    with pytest.raises(SealBroken):
        verify(put(tmp_path, archive[:kept]), SM2, no_progress)


def test_something_behind_or_in_between_is_refused(tmp_path: Path, archive: bytes) -> None:
    for altered in (
        archive + b"\0",
        archive[:5000] + b"\0" + archive[5000:],
        archive + archive,
        b"\0" + archive,
    ):
        with pytest.raises(SealBroken):
            verify(put(tmp_path, altered), SM2, no_progress)


def resigned(archive: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    """The archive with an altered manifest, rightly signed: what the owner of another signing key could make."""
    length = int.from_bytes(archive[-12:-8], "big")
    start = len(archive) - 12 - 64 - length
    content = json.loads(archive[start : start + length])
    change(content)
    packed = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    signature = SM2.sign_many([PAIR], [packed])[0]
    return archive[:start] + packed + signature + len(packed).to_bytes(4, "big") + MAGIC


@pytest.mark.parametrize(
    "change",
    [
        {"format": "cloudfilm-key-backup-9"},
        {"body_size": 1},
        {"body_sm3": "00" * 32},
        {"key_commitment": "00"},
        {"counts": {"keys": -1}},
        {"counts": [1]},
        {"counts": {"keys": True}},
        {"signer": "zz" * 64},
        {"more": 1},
        {"vault_id": None},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused_though_signed(
    tmp_path: Path, archive: bytes, change: dict[str, object]
) -> None:
    with pytest.raises(SealBroken):
        verify(put(tmp_path, resigned(archive, lambda content: content.update(change))), SM2, no_progress)


def test_a_new_manifest_needs_a_new_signer(tmp_path: Path, archive: bytes) -> None:
    """Whoever signs anew must name another key, whose fingerprint is not the one on the paper."""
    manifest = verify(put(tmp_path, archive), SM2, no_progress).manifest
    other = replace(manifest, signer=toy_pair(8).public.hex())
    forged = resigned(archive, lambda content: content.update(signer=other.signer))
    with pytest.raises(SignatureRefused, match="not signed by the key"):
        verify(put(tmp_path, forged), SM2, no_progress)
    assert other.signer_fingerprint != manifest.signer_fingerprint


def test_a_body_altered_after_the_check_is_noticed_before_it_is_released(
    tmp_path: Path, archive: bytes
) -> None:
    opened = verify(put(tmp_path, archive), SM2, no_progress)
    altered = bytearray(archive)
    altered[100_000] ^= 1
    opened.path.write_bytes(bytes(altered))
    with pytest.raises(CryptoError):
        b"".join(read_body(opened, KEY, PROVIDER))


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    size = 24 * 1024 * 1024
    path = tmp_path / "big.cfkeys"
    source = tmp_path / "plain"
    source.write_bytes(bytes(size))
    tracemalloc.start()
    with source.open("rb") as file:
        make(path, file, size)
    opened: Opened = verify(path, SM2, no_progress)
    assert sum(len(piece) for piece in read_body(opened, KEY, PROVIDER)) == size
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 2
