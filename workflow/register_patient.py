"""When the HIS registers or updates a patient, then the master record says so (P6▲, E7)."""

from core.commands import RegisterPatient
from core.db import transaction
from workflow.find_patient import find_or_create_patient


def register_patient(command: RegisterPatient) -> None:
    """Take over what is told."""
    with transaction():
        find_or_create_patient(command.patient)
