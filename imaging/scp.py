"""The DICOM Storage SCP (PS3.4 Annex B) with verification: bytes to the spool, row to the database, then success.

The data set is kept exactly as it was sent; only its header is parsed. Every storage SOP class is taken, also private
and unknown ones, in every transfer syntax but few: 398 kB of a deflated one grew to 770 MB in a parser.
"""

import io
import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import Verification
from pynetdicom.transport import ThreadedAssociationServer

from core import failpoints
from core.commands import ReceiveInstance
from core.config import host_and_port
from core.errors import CloudFilmError, Conflict, Misconfigured
from core.logs import get_logger
from imaging.errors import NotDicom, SpoolFull
from imaging.instance_reader import read_header, to_command
from imaging.spool import Spool

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND, PROCESSING_FAILURE = 0x0000, 0xA700, 0xC000, 0x0110
COMMENT_MAX = 64
MAX_PDU = 256 * 1024
IDLE_SECONDS = 120
IMPLEMENTATION_UID = "1.2.826.0.1.3680043.8.498.20261124.1"
IMPLEMENTATION_NAME = "CLOUDFILM_01"
# Deflated (a small stream grows without bound), and JPIP Referenced (the pixels stay at the sender): PS3.5 §A.5 to A.8.
REFUSED_SYNTAXES = frozenset(
    {
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.4.94",
        "1.2.840.10008.1.2.4.95",
        "1.2.840.10008.1.2.4.204",
        "1.2.840.10008.1.2.4.205",
    }
)
# An association costs two threads; a hospital's modalities and PACS stay far below.
MAX_ASSOCIATIONS = 64

Receive = Callable[[ReceiveInstance], None]
Problem = Callable[[str, str, str, str, str], None]
_log = get_logger("imaging")


def serve(
    bind: str, ae_title: str, peers: str, spool: Spool, receive: Receive, problem: Problem
) -> ThreadedAssociationServer:
    """Start the SCP in threads. `peers`: `AE@ip,AE@ip`, empty for any. `receive` must commit before it returns.
    Raises `Misconfigured` for peers or a bind that cannot be read."""
    _config.UNRESTRICTED_STORAGE_SERVICE = True
    ae = AE(ae_title=ae_title)
    ae.maximum_pdu_size = MAX_PDU
    ae.network_timeout = IDLE_SECONDS
    ae.require_called_aet = True
    ae.maximum_associations = MAX_ASSOCIATIONS
    ae.add_supported_context(Verification, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
    allowed = _allowed(peers)
    handlers = [
        (evt.EVT_CONN_OPEN, _no_delay),
        (evt.EVT_REQUESTED, lambda event: _on_request(event, allowed)),
        (evt.EVT_C_ECHO, lambda _event: SUCCESS),
        (evt.EVT_C_STORE, lambda event: _store(event, spool, receive, problem)),
    ]
    server = ae.start_server(host_and_port(bind), block=False, evt_handlers=handlers)
    assert isinstance(server, ThreadedAssociationServer)  # noqa: S101 — block=False gives this type
    return server


def _store(event: Any, spool: Spool, receive: Receive, problem: Problem) -> Any:
    peer = event.assoc.requestor
    calling = str(peer.ae_title).strip()
    dataset = event.encoded_dataset(include_meta=False)
    meta = _file_meta(event)
    try:
        header = read_header(meta + dataset)
        if str(header.SOPInstanceUID) != str(event.request.AffectedSOPInstanceUID):
            raise NotDicom("the SOP Instance UID of the request is not that of the data set")
        spooled = spool.store(str(header.SOPInstanceUID), meta, dataset)
        failpoints.passing("dicom.after_spool")
        try:
            receive(to_command(header, spooled, calling))
        except Conflict as error:
            kept = spool.set_aside(spooled.name)
            problem("dicom", kept, calling, str(error), kept)
        failpoints.passing("dicom.before_success")
        return SUCCESS
    except NotDicom as error:
        kept = spool.quarantine(meta + dataset)
        problem("dicom", kept, calling, str(error), kept)
        return _failure(CANNOT_UNDERSTAND, str(error))
    except SpoolFull as error:
        _log.error("spool_full", why=str(error))
        return _failure(OUT_OF_RESOURCES, "no space, send again later")
    except CloudFilmError as error:
        _log.error("store_refused", why=str(error))
        return _failure(PROCESSING_FAILURE, str(error))
    except Exception:
        # pynetdicom would answer 0xC211 and keep the reason to itself; the sender must try again.
        _log.exception("store_failed")
        return _failure(PROCESSING_FAILURE, "not stored, send again")


def _failure(status: int, comment: str) -> Any:
    answer = Dataset()
    answer.Status = status
    answer.ErrorComment = comment.encode("ascii", "replace").decode()[:COMMENT_MAX]
    return answer


def _file_meta(event: Any) -> bytes:
    """Preamble and file meta information (PS3.10 §7.1) of the instance as it came."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = event.request.AffectedSOPClassUID
    meta.MediaStorageSOPInstanceUID = event.request.AffectedSOPInstanceUID
    meta.TransferSyntaxUID = event.context.transfer_syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_NAME
    buffer = io.BytesIO()
    write_file_meta_info(buffer, meta)
    return b"\x00" * 128 + b"DICM" + buffer.getvalue()


def _no_delay(event: Any) -> None:
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _allowed(peers: str) -> set[tuple[str, str]]:
    pairs = set()
    for item in filter(None, (part.strip() for part in peers.split(","))):
        title, _, address = item.partition("@")
        try:
            pairs.add((title.strip(), str(ipaddress.ip_address(address.strip()))))
        except ValueError:
            raise Misconfigured(
                f"CLOUDFILM_SCP_PEERS: {item!r} is not AE@ip, as in CT1@192.168.1.20"
            ) from None
    return pairs


def _on_request(event: Any, allowed: set[tuple[str, str]]) -> None:
    """Before negotiation: who may call, then in which transfer syntax of those offered."""
    _require_allowed(event, allowed)
    for context in event.assoc.requestor.primitive.presentation_context_definition_list:
        offered = context.transfer_syntax
        context.transfer_syntax = _preferred(offered)
        if not context.transfer_syntax:
            # In unrestricted mode pynetdicom accepts the first syntax of whatever looks like storage. As a verification
            # context this one is negotiated as usual and rejected: transfer syntaxes not supported (PS3.8 §9.3.3.2).
            context.abstract_syntax = Verification
            context.transfer_syntax = offered


def _preferred(offered: list[UID]) -> list[UID]:
    """What the sender prefers, without the refused; explicit instead of implicit, since it keeps the VR of private data."""
    usable = [uid for uid in offered if uid not in REFUSED_SYNTAXES]
    if usable and usable[0] == ImplicitVRLittleEndian and ExplicitVRLittleEndian in usable:
        return [ExplicitVRLittleEndian, *(uid for uid in usable if uid != ExplicitVRLittleEndian)]
    return usable


def _require_allowed(event: Any, allowed: set[tuple[str, str]]) -> None:
    requestor = event.assoc.requestor
    # `requestor.ae_title` is filled in only after this event; the request itself has the title.
    title, address = str(requestor.primitive.calling_ae_title).strip(), str(requestor.address)
    if allowed and (title, address) not in allowed:
        _log.warning("association_refused", ae_title=title, address=address)
        # PS3.8 §9.3.4: rejected permanent, by the service user, calling AE title not recognised.
        event.assoc.acse.send_reject(0x01, 0x01, 0x03)
        event.assoc.kill()
