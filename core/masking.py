"""What of a person may be shown on a page or in a log: enough to recognise oneself, not enough to be found.

Forms used by Chinese hospitals and by GB/T 39725-2020 annex G examples: 张*東, 138****8000, 330***********1234.
"""


def mask_name(name: str) -> str:
    """Keep the first and, from three characters on, the last one: 珅東 → 珅*, 张珅東 → 张*東."""
    if len(name) <= 1:
        return "*" * len(name)
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_phone(phone: str) -> str:
    """Keep three and four digits: 138****8000. Anything shorter than seven becomes stars."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 7 else "*" * len(phone)


def mask_id_number(number: str) -> str:
    """Keep the first three and the last four characters of an identity number."""
    return number[:3] + "*" * (len(number) - 7) + number[-4:] if len(number) > 7 else "*" * len(number)
