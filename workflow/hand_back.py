"""When data is handed back, then a sealed pack becomes a plain ZIP of standard DICOM that any tool reads (S4)."""

import os
from pathlib import Path

from core.models import Pack
from imaging.sealing import open_pack
from workflow.archive_study import KIND
from workflow.context import Platform
from workflow.read_pack import range_reader


def unseal_pack(platform: Platform, pack: Pack, target: Path) -> None:
    """Write the opened pack to `target`, whole or not at all. Raises crypto.errors.SealBroken on any altered byte."""
    reader = open_pack(range_reader(platform, pack), pack, platform.keyring, platform.provider, KIND)
    temporary = target.with_suffix(".part")
    with temporary.open("wb") as sink:
        for block in reader.stream_all():
            sink.write(block)
        sink.flush()
        os.fsync(sink.fileno())
    temporary.replace(target)
