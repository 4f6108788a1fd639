"""The 19 kinds of data are recognised by what is in them; hostile content is a label, never an error or a long wait."""

import gzip
import random
import struct
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.files.kinds import HEAD, Content, Evidence, Kind, Label, extension
from crypto.files.path_content import path_content
from crypto.files.placing import open_regular
from crypto.files.recognise import recognise
from tests.unit.crypto.files.kind_samples import ASF_AUDIO, ASF_VIDEO, PDF, asf, write_samples

pytestmark = pytest.mark.requirement("H2.9")

OTHER = Label(Kind.OTHER, Evidence.NONE)


def label_of(path: Path) -> Label:
    with open_regular(path) as descriptor:
        return recognise(path_content(path, descriptor))


def memory(name: str, data: bytes, beside: Content | None = None) -> Content:
    return Content(name, len(data), lambda start, end: data[start:end], lambda suffix, limit: beside)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Kind]:
    return write_samples(tmp_path_factory.mktemp("kinds"))


def test_every_kind_of_the_notice_is_recognised(samples: dict[Path, Kind]) -> None:
    found = {path: label_of(path).kind for path in samples}
    assert found == samples
    assert set(found.values()) == set(Kind) - {Kind.OTHER}


def test_signatures_need_no_extension(samples: dict[Path, Kind], tmp_path: Path) -> None:
    for path, kind in samples.items():
        if label_of(path).evidence == Evidence.SIGNATURE and path.name != "plain.xml":
            renamed = tmp_path / f"{path.stem}-without"
            renamed.write_bytes(path.read_bytes())
            assert label_of(renamed).kind == kind, path.name


def test_a_misleading_extension_is_not_believed(samples: dict[Path, Kind], tmp_path: Path) -> None:
    by_name = {path.name: path.read_bytes() for path in samples}
    for name, content, kind in (
        ("really-png.jpg", by_name["a.png"], Kind.PNG),
        ("nothing.png", b"no picture", Kind.OTHER),
        ("nothing.dcm", b"no picture" * 40, Kind.OTHER),
        ("nothing.nii", bytes(400), Kind.OTHER),
        ("nothing.scp", bytes(400), Kind.OTHER),
        ("binary.txt", b"a\0b", Kind.OTHER),
        ("prose.json", b"hello", Kind.OTHER),
        ("late.txt", b" " * 10 + PDF, Kind.TXT),
        ("late.pdf", b" " * 10 + PDF, Kind.PDF),
        ("film.wma", asf(ASF_AUDIO, ASF_VIDEO), Kind.OTHER),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert label_of(path).kind == kind, name


def test_pixels_of_a_pair_need_the_header_beside_them(samples: dict[Path, Kind], tmp_path: Path) -> None:
    for name in ("brain.img", "pair.img", "phantom_varscale.REC"):
        (path,) = (path for path in samples if path.name == name)
        alone = tmp_path / name
        alone.write_bytes(path.read_bytes())
        assert label_of(alone) == OTHER


@pytest.mark.parametrize("suffix", [".img", ".REC"])
def test_pixels_that_do_not_fit_their_header_are_not_believed(
    samples: dict[Path, Kind], suffix: str, tmp_path: Path
) -> None:
    stem, header = {".img": ("brain", ".hdr"), ".REC": ("phantom_varscale", ".PAR")}[suffix]
    folder = next(iter(samples)).parent
    (tmp_path / (stem + header)).write_bytes((folder / (stem + header)).read_bytes())
    (tmp_path / (stem + suffix)).write_bytes((folder / (stem + suffix)).read_bytes()[:-1])
    assert label_of(tmp_path / (stem + suffix)) == OTHER


def test_version_3_of_par_names_the_size_above_its_table() -> None:
    par = (
        b"# === DATA DESCRIPTION FILE ===\n.    Image pixel size [8 or 16 bits]    :   16\n"
        b".    Recon resolution (x, y)            :   4   3\n#  sl ec\n  1 1\n  2 1\n"
    )
    assert recognise(memory("a.rec", bytes(2 * 4 * 3 * 2), memory("a.par", par))).kind == Kind.PAR_REC
    assert recognise(memory("a.rec", bytes(2 * 4 * 3), memory("a.par", par))) == OTHER


def test_a_packed_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(struct.pack("<i", 348)) + bytes(50_000_000))
    assert recognise(memory("bomb.nii.gz", bomb)) == OTHER


@pytest.mark.parametrize(
    "text",
    [
        b"<!--" * 20_000,
        b"<?a?>" * 12_000,
        b"<!DOCTYPE a [" + b"<!ENTITY b '&c;&c;'>" * 3_000,
        b"<" * 60_000,
        b"<a:" + b"b:" * 30_000,
        b" " * HEAD,
    ],
)
def test_endless_xml_is_scanned_once(text: bytes) -> None:
    assert recognise(memory("a.xml", text)).kind in (Kind.XML, Kind.OTHER)


def test_no_more_is_read_than_promised() -> None:
    read: Counter[str] = Counter()

    def count(start: int, end: int) -> bytes:
        read["bytes"] += end - start
        return bytes(end - start)

    recognise(Content("a.img", 2**40, count, lambda suffix, limit: None))
    assert read["bytes"] <= HEAD


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["a.img", "a.rec", "a.hdr", "a.txt", "a.xml", "a", "a.dcm", "a.nii.gz"]),
    st.binary(max_size=700),
    st.binary(max_size=700),
)
def test_any_bytes_give_a_label(name: str, data: bytes, beside: bytes) -> None:
    assert isinstance(recognise(memory(name, data, memory("b", beside))), Label)


def test_damaged_samples_give_a_label(samples: dict[Path, Kind]) -> None:
    """Every sample cut anywhere in its first bytes, and with bytes exchanged: the length fields are lies then."""
    dice = random.Random(5)
    for path in samples:
        content = path.read_bytes()
        for _ in range(20):
            damaged = bytearray(content[: dice.randrange(len(content) + 1)])
            for _ in range(min(len(damaged), 6)):
                damaged[dice.randrange(min(len(damaged), 600))] = dice.choice((0, 0x7F, 0x80, 0xFF))
            data = bytes(damaged)
            for name in (path.name, "a.img", "a.rec"):
                assert isinstance(recognise(memory(name, data, memory("b", data))), Label)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A.NII.GZ", ".nii.gz"),
        ("a.tar.gz", ".gz"),
        ("IM0001", ""),
        (".hidden", ""),
        ("a.b.hdr", ".hdr"),
        ("a.", "."),
    ],
)
def test_extensions(name: str, expected: str) -> None:
    assert extension(name) == expected
