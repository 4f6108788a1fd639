"""When a modality or PACS delivers an instance, then it is recorded, joined, and will be archived (P1, D2).

Called after the file is durable in the spool and before the sender hears success (decision 2).
"""

from datetime import timedelta

from core import db, outbox
from core.clock import now
from core.commands import ReceiveInstance
from core.errors import Conflict
from core.models import Instance, Series, Study
from workflow.archive_study import archive_key
from workflow.join_study import join_study


def receive_instance(command: ReceiveInstance, quiet_seconds: int) -> None:
    """Record one instance. The same bytes again change nothing; other bytes under a known UID raise `Conflict`."""
    with db.transaction():
        known = Instance.get_or_none(Instance.sop_uid == command.sop_uid)
        if known is not None:
            _require_same(known, command)
            return
        series = _series(command)
        Instance.create(
            sop_uid=command.sop_uid,
            series=series,
            sop_class_uid=command.sop_class_uid,
            transfer_syntax_uid=command.transfer_syntax_uid,
            number=command.instance_number,
            byte_size=command.byte_size,
            dataset_sm3=command.dataset_sm3,
            file_sm3=command.file_sm3,
            spool_name=command.spool_name,
        )
        due = now() + timedelta(seconds=quiet_seconds)
        outbox.record("archive_series", archive_key(series), {"series_id": series.id}, not_before=due)


def _series(command: ReceiveInstance) -> Series:
    moment = now()
    Study.insert(
        study_uid=command.study_uid,
        accession_number=command.accession_number,
        patient_id=command.patient_id,
        patient_name=command.patient_name,
        description=command.study_description,
        study_date=command.study_date,
        last_received_at=moment,
    ).on_conflict_ignore().execute()
    study = Study.get(Study.study_uid == command.study_uid)
    join_study(study)
    Study.update(last_received_at=moment).where(Study.id == study.id).execute()
    Series.insert(
        series_uid=command.series_uid,
        study=study,
        modality=command.modality,
        number=command.series_number,
        description=command.series_description,
        last_received_at=moment,
    ).on_conflict_ignore().execute()
    series = Series.get(Series.series_uid == command.series_uid)
    if series.study_id != study.id:
        raise Conflict(f"series {command.series_uid} came with two studies; the second is kept aside")
    db.lock(series)
    Series.update(last_received_at=moment).where(Series.id == series.id).execute()
    return series


def _require_same(known: Instance, command: ReceiveInstance) -> None:
    if known.dataset_sm3 != command.dataset_sm3:
        raise Conflict(
            f"instance {command.sop_uid} is known with other bytes; the first is kept, this one set aside"
        )
