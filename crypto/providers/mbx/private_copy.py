"""A private copy of the multi-buffer library that the loader accepts without Intel's compiler runtime.

It lies in the installation's own directory, named by the SHA-256 of what it was made from and of itself: a new wheel
makes a new copy, a damaged copy is not loaded, and several processes may make it at once.
"""

import hashlib
import os
import stat
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import NamedTemporaryFile

from crypto.errors import EngineUnavailable
from crypto.providers.mbx.elf import needed, without_needed

PACKAGE, VERSION = "ipp-crypto", "2026.2.0"
# Of Intel's compiler; the library binds no symbol of them (`readelf -V`: it needs versions of libc and libcrypto only).
UNUSED = frozenset({"libsvml.so", "libirng.so", "libimf.so", "libintlc.so.5"})
_PREFIX = "libcrypto_mb-"


def installed_library(name: str) -> Path:
    """Where the wheel put the library whose file name begins with `name`. Raises `EngineUnavailable`.

    The version is pinned: 2026.0.1 refuses genuine SM2 signatures (intel/cryptography-primitives, issue 104).
    """
    try:
        package = distribution(PACKAGE)
    except PackageNotFoundError:
        raise EngineUnavailable(f"package {PACKAGE} is not installed: only Linux on x86-64 has it") from None
    if package.version != VERSION:
        raise EngineUnavailable(f"package {PACKAGE} is {package.version}: install {VERSION}, the one tested")
    found = [Path(str(file.locate())) for file in package.files or () if file.name.startswith(name)]
    whole = [file.resolve() for file in found if file.is_file() and not file.is_symlink()]
    if not whole:
        raise EngineUnavailable(f"package {PACKAGE} lacks {name}: reinstall it")
    return whole[0]


def private_copy(library_dir: Path) -> Path:
    """The copy in `library_dir`, made if it is missing or damaged. Raises `EngineUnavailable`.

    A directory that others may write to is refused, for what lies in it is loaded into this process.
    """
    source = installed_library("libcrypto_mb.so").read_bytes()
    try:
        library_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private(library_dir)
        origin = _digest(source)
        for copy in library_dir.glob(f"{_PREFIX}{origin}-*.so"):
            if copy.name == _file_name(origin, copy.read_bytes()):
                return copy
        return _make(library_dir, origin, without_needed(source, UNUSED))
    except OSError as failed:
        raise EngineUnavailable(
            f"the private copy of libcrypto_mb cannot be kept in {library_dir}: {failed.strerror}"
        ) from failed


def _make(library_dir: Path, origin: str, patched: bytes) -> Path:
    if UNUSED & set(needed(patched)):
        raise EngineUnavailable("the copy of libcrypto_mb still asks for the compiler's libraries")
    target = library_dir / _file_name(origin, patched)
    with NamedTemporaryFile(dir=library_dir, prefix=".copy-", delete=False) as file:
        try:
            file.write(patched)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(target)
        except OSError:
            Path(file.name).unlink()
            raise
    return target


def _require_private(directory: Path) -> None:
    state = directory.stat()
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or state.st_uid not in (os.geteuid(), 0):
        raise EngineUnavailable(f"others may write to {directory}: give it mode 700 and this user as owner")


def _file_name(origin: str, patched: bytes) -> str:
    return f"{_PREFIX}{origin}-{_digest(patched)}.so"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
