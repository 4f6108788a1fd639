"""When a series is quiet or its study is declared complete, then it becomes one sealed pack; when the pack is verified
in the store, then the received files are deleted (S1, H2, C1, D3; docs/sealed-pack.md)."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from core import db, failpoints, outbox
from core.clock import now
from core.errors import NotYet
from core.models import ExamStudy, Instance, Pack, PackView, Series, Study
from imaging.archive import ArchivedPack, make_pack
from imaging.pack.source import PackSource
from imaging.upload import upload_and_verify
from workflow.context import Platform
from workflow.join_study import join_study
from workflow.publish_exam import publish_if_complete

KIND = "dicom-pack"


def archive_key(series: Series) -> str:
    """One piece of work per series and generation: the number of packs that it already has."""
    return f"{series.id}:{Pack.select().where(Pack.series == series).count()}"


def archive_series(platform: Platform, series_id: int) -> None:
    """Pack, prove, seal and record what the series has received since its last pack. Raises `NotYet` until it is due."""
    series = Series.get_by_id(series_id)
    _require_due(series, platform.settings.series_quiet_seconds)
    waiting = list(Instance.select().where(Instance.series == series, Instance.pack.is_null()))
    if not waiting:
        return
    generation = Pack.select().where(Pack.series == series).count()
    sources = [_source(platform, instance) for instance in sorted(waiting, key=_order)]
    platform.settings.packs_path.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=platform.settings.packs_path, prefix="building-") as workdir:
        made = make_pack(
            sources,
            Path(workdir),
            platform.settings.packs_path,
            platform.keyring,
            platform.provider,
            owner=KIND,
            with_lossy=platform.settings.lossy_copy,
        )
    failpoints.passing("archive.after_pack")
    try:
        _record(series, generation, made, [instance.id for instance in waiting])
    except BaseException:
        made.path.unlink(missing_ok=True)
        raise


def upload_pack(platform: Platform, pack_id: int) -> None:
    """Bring one pack into the store, read it back, and only then let the spool go (decision 2)."""
    pack = Pack.get_by_id(pack_id)
    if pack.state != "stored":
        failpoints.passing("upload.before_put")
        path = platform.settings.packs_path / pack.local_path
        upload_and_verify(platform.store, pack.store_key, path, pack.sealed_sm3, _object_metadata(pack))
        failpoints.passing("upload.after_put")
        with db.transaction():
            # Who joins this study meanwhile has committed before us, or will see that the pack is stored.
            db.lock(pack.series.study)
            Pack.update(state="stored", stored_at=now()).where(Pack.id == pack.id).execute()
    _join_and_publish(pack.series.study_id)
    failpoints.passing("upload.before_spool_emptied")
    _empty_spool(platform, pack)


def _join_and_publish(study_id: int) -> None:
    """In a transaction of its own, for the exam is locked before the study; after a crash it runs again.

    The join is tried once more, since study and exam that came at the same moment did not see each other.
    """
    with db.transaction():
        exam = join_study(Study.get_by_id(study_id))
        if exam is not None:
            publish_if_complete(exam)


def _require_due(series: Series, quiet_seconds: int) -> None:
    completed = ExamStudy.get_or_none(ExamStudy.study_uid == series.study.study_uid)
    if completed and completed.completed_at and completed.completed_at >= series.last_received_at:
        return
    due = series.last_received_at + timedelta(seconds=quiet_seconds)
    if now() < due:
        raise NotYet(due, f"series {series.id} may still be receiving")


def _order(instance: Instance) -> tuple[int, str]:
    return (instance.number if instance.number is not None else 2**31, instance.sop_uid)


def _source(platform: Platform, instance: Instance) -> PackSource:
    return PackSource(
        path=platform.spool.path(instance.spool_name),
        sop_uid=instance.sop_uid,
        file_sm3=instance.file_sm3,
        number=instance.number,
    )


def _record(series: Series, generation: int, made: ArchivedPack, instance_ids: list[int]) -> None:
    sealed = made.sealed
    with db.transaction():
        db.lock(series)
        pack = Pack.create(
            series=series,
            generation=generation,
            object_id=sealed.object_id,
            header=sealed.header,
            wrapped_key=sealed.wrapped_key,
            kek_version=sealed.kek_version,
            key_commitment=sealed.key_commitment,
            plain_length=sealed.plain_length,
            sealed_length=sealed.sealed_length,
            sealed_sm3=sealed.sealed_sm3,
            store_key=f"packs/{sealed.object_id[:2]}/{sealed.object_id}",
            local_path=made.path.name,
        )
        PackView.create(pack=pack, manifest=made.view, preview=made.preview, thumbnail=made.thumbnail)
        Instance.update(pack=pack).where(Instance.id.in_(instance_ids)).execute()
        outbox.record("upload_pack", str(pack.id), {"pack_id": pack.id})
        if Instance.select().where(Instance.series == series, Instance.pack.is_null()).exists():
            outbox.record("archive_series", archive_key(series), {"series_id": series.id})
        failpoints.passing("archive.before_commit")


def _object_metadata(pack: Pack) -> dict[str, str]:
    """What lies beside the object so that it can be opened even if the database were lost (design §2)."""
    return {
        "object-id": pack.object_id,
        "wrapped-key": bytes(pack.wrapped_key).hex(),
        "kek-version": str(pack.kek_version),
        "key-commitment": bytes(pack.key_commitment).hex(),
        "sealed-sm3": pack.sealed_sm3,
    }


def _empty_spool(platform: Platform, pack: Pack) -> None:
    waiting = list(Instance.select().where(Instance.pack == pack, Instance.spool_name.is_null(False)))
    for instance in waiting:
        platform.spool.remove(instance.spool_name)
    Instance.update(spool_name=None).where(Instance.id.in_([instance.id for instance in waiting])).execute()
