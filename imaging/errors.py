"""What can go wrong with images.

CloudFilmError
├── NotDicom         the bytes are no DICOM data set that we can read
├── NotIdentical     a rebuilt file differs from what was received: nothing may be deleted
├── SpoolFull        the disk cannot take the instance; the sender should try again later
├── StoreUnavailable the object store is away; try again
├── ObjectMissing    the store has no such object
└── StoreCorrupt     the store gives back other bytes than were put
"""

from core.errors import CloudFilmError, NotFound, Unavailable


class NotDicom(CloudFilmError):
    """Not readable as DICOM (PS3.10)."""


class NotIdentical(CloudFilmError):
    """A rebuild differs from the received bytes."""


class SpoolFull(Unavailable):
    """No space for received files."""


class StoreUnavailable(Unavailable):
    """The object store does not answer, or answers that it cannot now."""


class ObjectMissing(NotFound):
    """No object under this key."""


class StoreCorrupt(Unavailable):
    """Read back other bytes than were sent; the upload is done again."""
