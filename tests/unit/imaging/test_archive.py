"""From received files to a sealed pack: proven first, dark outside, open again with the right key only."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from crypto.errors import CryptoError
from crypto.keyring import Keyring
from crypto.provider import Provider
from crypto.sealed_object import ClassKeys, SealedReader
from crypto.sm3 import sm3
from imaging import archive as archive_module
from imaging import codecs
from imaging.archive import ArchivedPack, make_pack
from imaging.errors import NotIdentical
from imaging.film_series import frames_of
from imaging.pack.source import PackSource
from imaging.sealing import open_pack, pixel_key_of
from tests.unit.imaging import dicom_files
from tests.unit.imaging.dicom_files import NAME, slope

OWNER = "dicom-pack"


@pytest.fixture
def sources(tmp_path: Path) -> list[PackSource]:
    made = []
    for number in (1, 2, 3):
        content = dicom_files.file(slope(100, 90, number), number)
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(content)
        made.append(PackSource(path, f"1.2.{number}", sm3(content).hex(), number))
    return made


def archived(sources: list[PackSource], folder: Path, keyring: Keyring, provider: Provider) -> ArchivedPack:
    for name in ("work", "packs"):
        (folder / name).mkdir(exist_ok=True)
    return make_pack(sources, folder / "work", folder / "packs", keyring, provider, OWNER)


def row(made: ArchivedPack) -> SimpleNamespace:
    """What the database keeps."""
    return SimpleNamespace(**vars(made.sealed))


@pytest.mark.requirement("H2", "S1", "C1")
def test_a_series_becomes_one_dark_object(
    sources: list[PackSource], tmp_path: Path, keyring: Keyring, provider: Provider
) -> None:
    made = archived(sources, tmp_path, keyring, provider)
    sealed = made.path.read_bytes()
    assert made.path.parent == tmp_path / "packs"
    assert (made.proven, len(sealed)) == (3, made.sealed.sealed_length)
    assert sm3(sealed).hex() == made.sealed.sealed_sm3
    assert sealed.startswith(made.sealed.header)
    assert NAME.encode() not in sealed and b"DICM" not in sealed
    reader = open_pack(lambda start, end: sealed[start:end], row(made), keyring, provider, OWNER)
    plain = reader.read(0, made.sealed.plain_length)
    assert plain == (tmp_path / "work" / "pack.zip").read_bytes()
    assert NAME.encode() in plain


@pytest.mark.requirement("H2", "K5", "K2")
def test_the_pixel_key_opens_every_frame_and_no_name(
    sources: list[PackSource], tmp_path: Path, keyring: Keyring, provider: Provider
) -> None:
    made = archived(sources, tmp_path, keyring, provider)
    sealed = made.path.read_bytes()
    key = pixel_key_of(row(made), keyring, OWNER)
    reader = SealedReader(lambda start, end: sealed[start:end], ClassKeys(pixel=key, head=None), provider)
    view = json.loads(gzip.decompress(made.view))
    frames = frames_of(view)
    assert (len(frames), view["documents"]) == (3, [])
    for number, frame in enumerate(frames, start=1):
        codestream = reader.read(frame["offset"], frame["offset"] + frame["length"])
        assert (codecs.decode(codestream, frame) == slope(100, 90, number)).all()
    with pytest.raises(CryptoError):
        reader.read(0, 100)


@pytest.mark.requirement("H2")
def test_the_keys_of_another_owner_or_header_do_not_fit(
    sources: list[PackSource], tmp_path: Path, keyring: Keyring, provider: Provider
) -> None:
    made = archived(sources, tmp_path, keyring, provider)
    with pytest.raises(CryptoError):
        pixel_key_of(row(made), keyring, "someone else")
    swapped = row(made)
    swapped.header = swapped.header[:-1] + b"\x01"
    with pytest.raises(CryptoError):
        pixel_key_of(swapped, keyring, OWNER)


@pytest.mark.requirement("S1")
def test_nothing_is_sealed_that_cannot_be_rebuilt(
    sources: list[PackSource], tmp_path: Path, keyring: Keyring, provider: Provider
) -> None:
    wrong = PackSource(sources[1].path, sources[1].sop_uid, "0" * 64, 2)
    with pytest.raises(NotIdentical, match="the received one stays"):
        archived([sources[0], wrong], tmp_path, keyring, provider)
    assert list((tmp_path / "packs").iterdir()) == []
    assert not (tmp_path / "work" / "pack.cfs").exists()


def test_the_pack_is_durable_before_it_is_told(
    sources: list[PackSource],
    tmp_path: Path,
    keyring: Keyring,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    synced: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(
        archive_module,
        "fsync_directory",
        lambda path: synced.append((path, [item.name for item in path.iterdir()])),
    )
    made = archived(sources, tmp_path, keyring, provider)
    assert synced == [(tmp_path / "packs", [made.path.name])]
