"""A real small file of each of the 19 kinds, made by a library that knows the format where there is one.

By library: png, bmp, jpg (pillow), jpg2000 (imagecodecs), DICOM (pydicom), NIFTI 1 and 2 and ANALYZE (nibabel), MINC 1,
MINC 2 and PAR/REC (examples that nibabel carries), MINC 2 (SimpleITK), NRRD (pynrrd). By hand, after their standards: pdf,
avi, wma, SCP-ECG, HL7 aECG, GDF; the last three were read back once by ecgdatakit 2.0.3 and mne 1.13.2, which are too large
to test with.
"""

import binascii
import io
import shutil
import struct
from pathlib import Path

import imagecodecs
import nibabel
import nrrd
import numpy as np
import pydicom
import SimpleITK
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from crypto.files.kinds import Kind

VOLUME = np.arange(6 * 5 * 4, dtype=np.int16).reshape(6, 5, 4)
NIBABEL_EXAMPLES = Path(nibabel.__file__).parent / "tests" / "data"

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
AECG = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- made for a test -->
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <id root="1.2.3"/><code code="93000" codeSystem="2.16.840.1.113883.6.12"/>
 <effectiveTime><low value="20260101080000"/><high value="20260101080010"/></effectiveTime>
 <component><series><id root="1.2.4"/><code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/>
  <effectiveTime><low value="20260101080000"/><high value="20260101080010"/></effectiveTime>
  <component><sequenceSet>
   <component><sequence><code code="TIME_ABSOLUTE" codeSystem="2.16.840.1.113883.5.4"/>
    <value xsi:type="GLIST_TS"><head value="20260101080000"/><increment value="0.01" unit="s"/></value>
   </sequence></component>
   <component><sequence><code code="MDC_ECG_LEAD_I" codeSystem="2.16.840.1.113883.6.24"/>
    <value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/><scale value="5" unit="uV"/><digits>1 2 3 4</digits></value>
   </sequence></component>
  </sequenceSet></component></series></component>
</AnnotatedECG>"""


def avi() -> bytes:
    """RIFF AVI: the main header and an empty `movi`."""
    header = b"avih" + struct.pack("<I14I", 56, 40000, 0, 0, 0, 0, 0, 0, 0, 16, 16, 0, 0, 0, 0)
    lists = [b"hdrl" + header, b"movi"]
    body = b"AVI " + b"".join(b"LIST" + struct.pack("<I", len(part)) + part for part in lists)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def asf(*stream_types: str) -> bytes:
    """ASF: a header object with one stream properties object for each type."""
    streams = b"".join(
        bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
        + struct.pack("<Q", 78)
        + bytes.fromhex(kind)
        + bytes(38)
        for kind in stream_types
    )
    size = 30 + len(streams)
    return (
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
        + struct.pack("<QIBB", size, len(stream_types), 1, 2)
        + streams
    )


ASF_AUDIO = "409e69f84d5bcf11a8fd00805f5c442b"
ASF_VIDEO = "c0ef19bc4d5bcf11a8fd00805f5c442b"


def scp_ecg(name: bytes = b"SCPECG") -> bytes:
    """SCP-ECG with sections 0, 1 (empty patient), 3 (one lead) and 6 (100 samples as 16 bits)."""
    samples = np.arange(100, dtype="<i2").tobytes()
    sections = {
        1: b"\xff\0\0",
        3: bytes([1, 0x04]) + struct.pack("<IIB", 1, 100, 1),
        6: struct.pack("<HHBBH", 1000, 2000, 0, 0, len(samples)) + samples,
    }
    sections = {number: body + bytes(len(body) & 1) for number, body in sections.items()}
    place, pointers = 6 + 16 + 12 * 10 + 1, []
    for number in range(12):
        length = 16 + len(sections.get(number, b"")) if number in sections else 0
        pointers.append((number, 136, 7) if number == 0 else (number, length, place if length else 0))
        place += length
    bodies = {0: b"".join(struct.pack("<HII", *pointer) for pointer in pointers), **sections}
    whole = b"".join(_scp_section(number, body, name) for number, body in bodies.items())
    rest = struct.pack("<I", 6 + len(whole)) + whole
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def _scp_section(number: int, body: bytes, name: bytes) -> bytes:
    rest = struct.pack("<HIBB6s", number, 16 + len(body), 20, 20, name if number == 0 else b"") + body
    return struct.pack("<H", binascii.crc_hqx(rest, 0xFFFF)) + rest


def gdf() -> bytes:
    """GDF 2.20: one channel of 100 samples of 16 bits, one record of a second."""
    fixed = bytearray(256)
    fixed[0:8] = b"GDF 2.20"
    struct.pack_into("<H", fixed, 184, 2)
    struct.pack_into("<qIIH", fixed, 236, 1, 1, 1, 1)
    channel = bytearray(256)
    channel[0:3] = b"ECG"
    struct.pack_into("<H4d", channel, 102, 4275, -1000.0, 1000.0, -1000.0, 1000.0)
    struct.pack_into("<II", channel, 216, 100, 3)
    return bytes(fixed + channel) + np.arange(100, dtype="<i2").tobytes()


def write_samples(folder: Path) -> dict[Path, Kind]:
    """All of them in `folder`."""
    made: dict[Path, Kind] = {}

    def put(name: str, kind: Kind, content: bytes | None = None) -> Path:
        path = folder / name
        made[path] = kind
        if content is not None:
            path.write_bytes(content)
        return path

    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    put("notes.txt", Kind.TXT, "胸部 CT\n".encode("gb18030"))
    put(
        "order.xml",
        Kind.XML,
        '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>'.encode("utf-16"),
    )
    put("plain.xml", Kind.XML, b"<!DOCTYPE a [<!ENTITY b 'c>'>]>\n<a/>")
    put("result.json", Kind.JSON, b'\xef\xbb\xbf {"a": 1}')
    for name, kind in (("a.png", Kind.PNG), ("a.bmp", Kind.BMP), ("a.jpg", Kind.JPG)):
        Image.fromarray(grey).save(put(name, kind))
    put("a.jp2", Kind.JPG2000, imagecodecs.jpeg2k_encode(grey))
    put("a.j2k", Kind.JPG2000, imagecodecs.jpeg2k_encode(grey, codecformat="j2k"))
    put("a.pdf", Kind.PDF, PDF)
    put("a.avi", Kind.AVI, avi())
    put("a.wma", Kind.WMA, asf(ASF_AUDIO))
    put("IM0001", Kind.DICOM, dicom())
    put("old.dcm", Kind.DICOM, dicom()[132:])
    _write_volumes(put)
    put("a.scp", Kind.SCP_ECG, scp_ecg())
    put("old.scp", Kind.SCP_ECG, scp_ecg(name=bytes(6)))
    put("ecg.xml", Kind.HL7_AECG, AECG)
    put("a.gdf", Kind.GDF, gdf())
    return made


def _write_volumes(put) -> None:  # type: ignore[no-untyped-def]
    for name, image in (
        ("one.nii", nibabel.Nifti1Image),
        ("one.nii.gz", nibabel.Nifti1Image),
        ("two.nii", nibabel.Nifti2Image),
        ("pair.hdr", nibabel.Nifti1Pair),
        ("pair2.hdr", nibabel.Nifti2Pair),
    ):
        nibabel.save(image(VOLUME, np.eye(4)), put(name, Kind.NIFTI))
    put("pair.img", Kind.NIFTI)
    put("pair2.img", Kind.NIFTI)
    nibabel.save(nibabel.AnalyzeImage(VOLUME, np.eye(4)), put("brain.hdr", Kind.ANALYZE))
    put("brain.img", Kind.ANALYZE)
    nrrd.write(str(put("a.nrrd", Kind.NRRD)), VOLUME)
    nrrd.write(str(put("detached.nhdr", Kind.NRRD)), VOLUME)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOLUME), str(put("itk.mnc", Kind.MINC)))
    for name in ("tiny.mnc", "small.mnc", "minc1_4d.mnc", "minc2_4d.mnc", "minc2-4d-d.mnc"):
        shutil.copy(NIBABEL_EXAMPLES / name, put(name, Kind.MINC))
    for name in ("phantom_EPI_asc_CLEAR_2_1", "phantom_varscale"):
        for suffix in (".PAR", ".REC"):
            shutil.copy(NIBABEL_EXAMPLES / (name + suffix), put(name + suffix, Kind.PAR_REC))
    for name in ("T1.PAR", "DTIv40.PAR"):
        shutil.copy(NIBABEL_EXAMPLES / name, put(name, Kind.PAR_REC))


def dicom() -> bytes:
    """A Part-10 file with its preamble."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = "1.2.3"
    dataset.PatientID = "T1"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    sink = io.BytesIO()
    pydicom.dcmwrite(sink, dataset, enforce_file_format=True)
    return sink.getvalue()
