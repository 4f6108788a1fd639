"""When a study and an exam belong together beyond doubt, then they are joined; a doubtful one waits for a person.

Beyond doubt is: RIS named the Study Instance UID (IHE RAD ZDS, OBX 113014), or the accession number is the exam's and
the DICOM Patient ID is one of that patient's numbers. A wrong join shows one person's images to another.

Rows are locked in one order everywhere, or two transactions wait for each other: the exam, the name of the fee line
(billing/told.py), the study, the series. A study gets its exam only while both rows are held; so who holds an exam knows
which studies are its own, and who holds a study that has none knows that nobody is giving it one.
"""

from core.models import Exam, ExamStudy, PatientIdentifier, Study


def join_study(study: Study) -> Exam | None:
    """Join one study if an exam is certain; return its exam. Call it before anything holds the study or its series."""
    if study.exam_id is not None:
        return study.exam
    exam = _certain(study)
    if exam is None:
        return None
    exam = exam.locked()
    current = study.locked()
    if current.exam_id is None and _certain(current) == exam:
        current.exam = exam
        current.save(only=[Study.exam])
    return current.exam


def join_studies_of(exam: Exam) -> None:
    """Join every waiting study that this exam's new facts make certain."""
    candidates = Study.all_with(Study.accession_number == exam.accession_number)
    for declared in ExamStudy.all_with(ExamStudy.exam == exam):
        candidates += Study.all_with(Study.study_uid == declared.study_uid)
    for study in candidates:
        if study.exam_id is None:
            join_study(study)


def declare_studies(exam: Exam, study_uids: tuple[str, ...]) -> None:
    """Note the Study Instance UIDs that RIS gave for this exam. The first exam to name a UID keeps it."""
    for uid in study_uids:
        ExamStudy.add_if_new(exam=exam, study_uid=uid)


def _certain(study: Study) -> Exam | None:
    return _declared(study) or _by_accession(study)


def _declared(study: Study) -> Exam | None:
    row = ExamStudy.get_or_none(ExamStudy.study_uid == study.study_uid)
    return row.exam if row else None


def _by_accession(study: Study) -> Exam | None:
    if not study.accession_number or not study.patient_id:
        return None
    exam = Exam.get_or_none(Exam.accession_number == study.accession_number)
    if exam is None or exam.patient is None:
        return None
    same_person = (
        PatientIdentifier.select()
        .where(PatientIdentifier.patient == exam.patient, PatientIdentifier.value == study.patient_id)
        .exists()
    )
    return exam if same_person else None
