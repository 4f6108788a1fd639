"""Which work goes to which queue, and how long it may take."""


class Queues:
    """The names of the rq queues; a worker serves them in this order."""

    NOTICES = "notices"
    HIS = "his"
    INTAKE = "intake"
    ARCHIVE = "archive"
    ALL = (NOTICES, HIS, INTAKE, ARCHIVE)


QUEUE_OF_KIND = {
    "send_otp": Queues.NOTICES,
    "notify_film": Queues.NOTICES,
    "send_his": Queues.HIS,
    # Writing a message needs no peer: one that is away must not hold this up.
    "tell_his": Queues.INTAKE,
    "tell_film_link": Queues.INTAKE,
    "answer_message": Queues.INTAKE,
    "archive_series": Queues.ARCHIVE,
    "upload_pack": Queues.ARCHIVE,
}

# A person waits for a code, so its provider gets little; a study of 2,000 images over a thin line gets an
# hour.
TIMEOUT_SECONDS = {Queues.NOTICES: 60, Queues.HIS: 120, Queues.INTAKE: 300, Queues.ARCHIVE: 3600}

# These may keep a thread for minutes; the relay never gives them its last one.
SLOW_KINDS = frozenset(kind for kind, queue in QUEUE_OF_KIND.items() if queue == Queues.ARCHIVE)


def queue_of(kind: str) -> str:
    """The queue of a kind. An unknown one goes to intake, where it is parked with a clear text."""
    return QUEUE_OF_KIND.get(kind, Queues.INTAKE)
