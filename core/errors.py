"""The root of every error that this project raises on purpose.

CloudFilmError
├── Refused            the caller asked for something that is not allowed or not valid; asking again will not help
│   ├── NotFound       the subject does not exist, or the caller may not know that it does
│   └── NotAllowed     the subject exists, the caller may not have it
├── Unavailable        something we depend on is away; the same request may work later
├── NotYet             the work is not due: run it again at `until` (outbox only)
├── Conflict           the subject is known with other content; kept aside, a person must look
└── Misconfigured      a setting or the installation is wrong; the message says which and what to do
"""

from datetime import datetime


class CloudFilmError(Exception):
    """Root. The message names the subject and what to do; it never contains personal data."""


class Refused(CloudFilmError):
    """Not valid or not allowed; repeating the request does not help."""


class NotFound(Refused):
    """No such subject for this caller."""


class NotAllowed(Refused):
    """The caller may not have this subject."""


class Unavailable(CloudFilmError):
    """A dependency is away; try again later."""


class NotYet(CloudFilmError):
    """The work of an outbox row is not due before `until`."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(why)
        self.until = until


class Conflict(CloudFilmError):
    """Known subject, other content: the first is kept, the second is put aside for a person."""


class Misconfigured(CloudFilmError):
    """A setting or the installation is wrong."""
