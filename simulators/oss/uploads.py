"""Multipart uploads on disk: `uploads/<upload id>/upload.json`, and a file per part, its ETag in the name."""

import hashlib
import json
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from simulators.oss.errors import OssError, no_such_upload
from simulators.oss.objects import Description, Spooled, read_blocks
from simulators.statefiles import write_atomically

SMALLEST_PART = 100 * 1024
MOST_PARTS = 10_000


@dataclass(frozen=True)
class Part:
    """One received part. `etag` is the MD5 in upper-case hexadecimal."""

    number: int
    etag: str
    size: int
    path: Path


@dataclass(frozen=True)
class Upload:
    """One upload under way; `begun_at` in seconds since 1970."""

    upload_id: str
    key: str
    begun_at: float


class Uploads:
    """The multipart uploads that are under way."""

    def __init__(self, root: Path) -> None:
        self._root = root / "uploads"
        self._root.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()

    def begin(self, bucket: str, key: str, description: Description) -> str:
        """Open an upload and return its id."""
        upload_id = secrets.token_hex(16).upper()
        directory = self._root / upload_id
        directory.mkdir()
        record = {"bucket": bucket, "key": key, "description": asdict(description)}
        write_atomically(directory / "upload.json", json.dumps(record, ensure_ascii=False).encode())
        return upload_id

    def under_way(self, bucket: str) -> list[Upload]:
        """The uploads that were neither completed nor aborted, by key and then by id."""
        found = []
        for path in self._root.glob("*/upload.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["bucket"] == bucket:
                found.append(Upload(path.parent.name, record["key"], path.stat().st_mtime))
        return sorted(found, key=lambda upload: (upload.key, upload.upload_id))

    def directory(self, upload_id: str, bucket: str, key: str) -> Path:
        """Where its parts lie. Raises `OssError` 404 unless the upload is open for this object."""
        self.description(upload_id, bucket, key)
        return self._root / upload_id

    def description(self, upload_id: str, bucket: str, key: str) -> Description:
        """What was said when the upload began. Raises `OssError` 404."""
        path = self._root / upload_id / "upload.json"
        if not upload_id.isalnum() or not path.exists():
            raise no_such_upload(upload_id)
        record = json.loads(path.read_text(encoding="utf-8"))
        if (record["bucket"], record["key"]) != (bucket, key):
            raise no_such_upload(upload_id)
        return Description(**record["description"])

    def keep_part(self, upload_id: str, number: int, spooled: Spooled) -> Part:
        """Keep a part that lies in the upload's directory; the same number again replaces it."""
        etag = spooled.md5.hex().upper()
        with self._lock:
            before = [part for part in self._parts(upload_id) if part.number == number]
            path = spooled.path.replace(spooled.path.with_name(f"{number:05d}-{etag}-{spooled.size}.part"))
            for old in before:
                if old.path != path:
                    old.path.unlink()
        return Part(number, etag, spooled.size, path)

    def parts(self, upload_id: str) -> list[Part]:
        """The received parts in the order of their numbers."""
        with self._lock:
            return self._parts(upload_id)

    def choose(self, upload_id: str, wanted: list[tuple[int, str]]) -> list[Part]:
        """The parts that the client lists as (number, etag). Raises `OssError` 400."""
        if not wanted:
            raise OssError(400, "MalformedXML", "The list of parts is empty.")
        numbers = [number for number, _ in wanted]
        if numbers != sorted(set(numbers)):
            raise OssError(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
        have = {part.number: part for part in self.parts(upload_id)}
        chosen = []
        for number, etag in wanted:
            part = have.get(number)
            if part is None or part.etag != etag.strip('"').upper():
                raise OssError(
                    400,
                    "InvalidPart",
                    "One or more of the specified parts could not be found.",
                    PartNumber=str(number),
                )
            chosen.append(part)
        for part in chosen[:-1]:
            if part.size < SMALLEST_PART:
                raise OssError(
                    400,
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size.",
                    PartNumber=str(part.number),
                )
        return chosen

    def close(self, upload_id: str) -> None:
        """Forget the upload and its parts."""
        shutil.rmtree(self._root / upload_id, ignore_errors=True)

    def _parts(self, upload_id: str) -> list[Part]:
        found = []
        for path in sorted((self._root / upload_id).glob("*.part")):
            number, etag, size = path.stem.split("-")
            found.append(Part(int(number), etag, int(size), path))
        return found


def joined(parts: Iterable[Part]) -> Iterator[bytes]:
    """The bytes of all parts, one after the other."""
    for part in parts:
        with part.path.open("rb") as file:
            yield from read_blocks(file, part.size)


def etag_of(parts: list[Part]) -> str:
    """The ETag of a multipart object: a digest over the parts, a dash, and how many they are."""
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False)
    return f"{digest.hexdigest().upper()}-{len(parts)}"
