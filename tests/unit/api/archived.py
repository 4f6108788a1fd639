"""Exams whose images really lie in sealed packs: files through the spool and the archive, without sockets."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core.config import Settings
from core.models import Exam, Instance, Series, Study
from crypto.keyring import Keyring
from crypto.providers.portable import PortableProvider
from imaging.instance_reader import read_header, to_command
from imaging.spool import Spool
from tests.unit.api import makers
from workflow.archive_study import archive_series
from workflow.context import Platform


def platform(settings: Settings, keyring: Keyring, **parts: Any) -> Platform:
    """A platform that can archive and read again; nothing is uploaded."""
    quick = replace(settings, series_quiet_seconds=0)
    usual = {"spool": Spool(settings.spool_path), "provider": PortableProvider(), "store": None}
    return makers.platform(quick, keyring, **(usual | parts))


def archive(platform: Platform, exam: Exam, files: Iterable[bytes]) -> None:
    """Store `files` (Part 10, of one series each study names) and pack them for `exam`."""
    touched: dict[int, None] = {}
    for content in files:
        header = read_header(content)
        meta_end = 144 + int.from_bytes(content[140:144], "little")
        spooled = platform.spool.store(str(header.SOPInstanceUID), content[:meta_end], content[meta_end:])
        told = to_command(header, spooled, "TEST")
        study, _ = Study.get_or_create(
            study_uid=told.study_uid, defaults={"exam": exam, "last_received_at": makers.MORNING}
        )
        series, _ = Series.get_or_create(
            series_uid=told.series_uid,
            defaults={
                "study": study,
                "modality": told.modality,
                "number": told.series_number,
                "description": told.series_description,
                "last_received_at": makers.MORNING,
            },
        )
        Instance.create(
            sop_uid=told.sop_uid,
            series=series,
            sop_class_uid=told.sop_class_uid,
            transfer_syntax_uid=told.transfer_syntax_uid,
            number=told.instance_number,
            byte_size=told.byte_size,
            dataset_sm3=told.dataset_sm3,
            file_sm3=told.file_sm3,
            spool_name=told.spool_name,
        )
        touched[series.id] = None
    for series_id in touched:
        archive_series(platform, series_id)
