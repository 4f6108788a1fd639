"""An installation of its own for a measurement: real processes, real disk, the defaults that a hospital gets."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.child import Child, free_port
from core.config import foreign_environment

_FSYNC_SECONDS = 0.3


@contextmanager
def installed(database_url: str = "") -> Iterator[dict[str, str]]:
    """The environment of a new installation, set up in a directory that goes afterwards."""
    # Under the working directory: a temporary directory may be memory, and then nothing is durable.
    Path("var").mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir="var") as home:
        environment = foreign_environment() | {
            "CLOUDFILM_HOME": home,
            "CLOUDFILM_LOG_LEVEL": "WARNING",
            "CLOUDFILM_DATABASE_URL": database_url,
        }
        subprocess.run([sys.executable, "-m", "app", "setup"], env=environment, check=True, stdout=sys.stderr)
        yield environment


@contextmanager
def receiving(name: str, database_url: str = "") -> Iterator[Child]:
    """`./cloudfilm run mllp` on a new installation."""
    port = free_port()
    with installed(database_url) as environment:
        environment["CLOUDFILM_MLLP_BIND"] = f"127.0.0.1:{port}"
        with Child(name, ["app", "run", "mllp"], port, environment) as child:
            yield child


def disk_writes_per_second() -> float:
    """What the disk itself does: 1.4 kB written and fdatasync'ed, one after the other."""
    with (
        TemporaryDirectory(prefix="bench-", dir="var") as home,
        (Path(home) / "file").open("wb", buffering=0) as file,
    ):
        written, begin = 0, time.perf_counter()
        while time.perf_counter() < begin + _FSYNC_SECONDS:
            file.write(b"x" * 1400)
            os.fdatasync(file.fileno())
            written += 1
        return written / (time.perf_counter() - begin)
