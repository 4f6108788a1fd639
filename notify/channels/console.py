"""For an installation that has no SMS provider yet: the log says that a message would have gone out."""

from collections.abc import Mapping

from core.logs import get_logger
from core.masking import mask_phone


class ConsoleChannel:
    """Writes masked log lines; warns at construction, since patients get nothing."""

    name = "console"

    def __init__(self) -> None:
        self._log = get_logger("notify")
        self._log.warning("no_sms_provider", todo="set CLOUDFILM_SMS_CHANNEL=aliyun")

    def send(self, address: str, template: str, params: Mapping[str, str], reference: str) -> str:
        """One line; the parameters stay out of it, one of them may be a code."""
        self._log.info("sms", to=mask_phone(address), template=template, reference=reference)
        return f"console-{reference}"
