"""The label of a file: the first check that holds, signatures before structures before extensions."""

from crypto.files.kinds import Content, Evidence, Kind, Label
from crypto.files.kinds_ecg import ECG_CHECKS
from crypto.files.kinds_general import EXTENSION_CHECKS, SIGNATURE_CHECKS
from crypto.files.kinds_volume import VOLUME_CHECKS

_CHECKS = (*SIGNATURE_CHECKS, *VOLUME_CHECKS, *ECG_CHECKS, *EXTENSION_CHECKS)


def recognise(content: Content) -> Label:
    """Reads only. Content of any sort, also hostile, gives a label; the only error is `OSError`."""
    for kind, evidence, holds in _CHECKS:
        if holds(content):
            return Label(kind, evidence)
    return Label(Kind.OTHER, Evidence.NONE)
