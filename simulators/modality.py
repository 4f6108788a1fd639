"""A modality: sends DICOM files byte-untouched by C-STORE and repeats what was not stored, as scanners do."""

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ImplicitVRLittleEndian
from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

# PS3.8 §9.3.2: presentation context ids are odd numbers of one byte.
CONTEXTS_PER_ASSOCIATION = 128


@dataclass(frozen=True)
class SendOutcome:
    """What became of one file: DICOM status (None: no answer) and the peer's comment."""

    path: Path
    sop_uid: str
    status: int | None
    comment: str = ""


def dicom_files(directory: Path) -> list[Path]:
    """Every Part-10 file below `directory` except DICOMDIRs, in the order of names."""
    found = []
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.name.startswith("DICOMDIR"):
            with path.open("rb") as file:
                if file.read(132)[128:] == b"DICM":
                    found.append(path)
    return found


def send_files(
    paths: Sequence[Path], host: str, port: int, called_ae: str, calling_ae: str = "MODALITY"
) -> list[SendOutcome]:
    """Send every file; one association per 128 kinds of object. A file that is no DICOM is answered with None."""
    _config.STORE_SEND_CHUNKED_DATASET = True
    outcomes: list[SendOutcome] = []
    kinds: dict[Path, tuple[str, str, str]] = {}
    for path in paths:
        try:
            header = pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"]
            )
            syntax = str(header.file_meta.get("TransferSyntaxUID") or ImplicitVRLittleEndian)
            # What the file meta says is what travels in the request, even where the data set says otherwise.
            sop_class = header.file_meta.get("MediaStorageSOPClassUID") or header.SOPClassUID
            kinds[path] = (str(sop_class), syntax, str(header.SOPInstanceUID))
        except (InvalidDicomError, AttributeError, RecursionError) as error:
            outcomes.append(SendOutcome(path, "", None, f"not sent: {type(error).__name__}"))
    contexts = sorted({kind[:2] for kind in kinds.values()})
    for at in range(0, len(contexts), CONTEXTS_PER_ASSOCIATION):
        chosen = set(contexts[at : at + CONTEXTS_PER_ASSOCIATION])
        batch = [path for path, kind in kinds.items() if kind[:2] in chosen]
        outcomes += _send(batch, kinds, sorted(chosen), (host, port), called_ae, calling_ae)
    return outcomes


def _send(
    batch: list[Path],
    kinds: dict[Path, tuple[str, str, str]],
    contexts: list[tuple[str, str]],
    address: tuple[str, int],
    called_ae: str,
    calling_ae: str,
) -> list[SendOutcome]:
    ae = AE(ae_title=calling_ae)
    wanted = [build_context(sop_class, syntax) for sop_class, syntax in contexts]
    association = ae.associate(*address, contexts=wanted, ae_title=called_ae)
    outcomes = []
    for path in batch:
        uid = kinds[path][2]
        if not association.is_established:
            outcomes.append(SendOutcome(path, uid, None, "no association"))
            continue
        try:
            answer = _send_one(association, path, kinds[path])
            comment = str(answer.get("ErrorComment", ""))
            outcomes.append(SendOutcome(path, uid, answer.get("Status"), comment))
        except (ValueError, RuntimeError, AttributeError) as error:
            outcomes.append(SendOutcome(path, uid, None, f"{type(error).__name__}: {error}"))
    if association.is_established:
        association.release()
    return outcomes


def _send_one(association: Association, path: Path, kind: tuple[str, str, str]) -> pydicom.Dataset:
    """Send the file; one whose file meta is incomplete is sent from a copy that has it, the data set untouched."""
    meta = pydicom.filereader.read_file_meta_info(path)
    if (
        "MediaStorageSOPInstanceUID" in meta
        and "MediaStorageSOPClassUID" in meta
        and "TransferSyntaxUID" in meta
    ):
        return association.send_c_store(path)
    content = path.read_bytes()
    file = io.BytesIO(content)
    pydicom.filereader.read_preamble(file, False)
    pydicom.filereader._read_file_meta_info(file)
    whole = pydicom.dataset.FileMetaDataset()
    whole.MediaStorageSOPClassUID, whole.TransferSyntaxUID, whole.MediaStorageSOPInstanceUID = map(UID, kind)
    with tempfile.NamedTemporaryFile(suffix=".dcm") as copy:
        copy.write(b"\0" * 128 + b"DICM")
        pydicom.filewriter.write_file_meta_info(copy, whole, enforce_standard=True)
        copy.write(content[file.tell() :])
        copy.flush()
        return association.send_c_store(Path(copy.name))
