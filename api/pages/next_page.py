"""Where to go after signing in: a page of ours, never an address that someone else wrote into a link."""

import re

_EXAMS = r"exams(?:/\d{1,18}(?:/film(?:/legacy)?|/report\.pdf)?)?"
_STAFF = r"staff/(?:exams|alarms|messages(?:/outgoing|/\d{1,18})?)"
# Numbers and lists of them; nothing that ends a query or begins another address.
_INVOKE = r"IHEInvokeImageDisplay\?[0-9A-Za-z=&%._~+^,:-]{1,600}"
_OURS = re.compile(rf"/(?:{_EXAMS}|account|{_STAFF}|{_INVOKE})", re.ASCII)


def next_page(asked: str, otherwise: str) -> str:
    """`asked` when it is a page of ours, else `otherwise`."""
    return asked if _OURS.fullmatch(asked) else otherwise
