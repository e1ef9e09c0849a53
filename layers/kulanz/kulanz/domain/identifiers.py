"""Names that become parts of storage keys: what they may look like, and the error when they do not.

Every identifier is an ASCII allow-list of bounded length without `#` and `/`, the delimiters of storage keys and
campaign names, so that no identifier can reach into a neighbour's key.
"""

import re

IDENTIFIER_LENGTH_CHARACTERS = 64
WHOLE_ACCOUNT = "-"
"""The subject of a decision that is about the account itself."""
CHANNEL_NAME = "[a-z][a-z0-9-]{0,31}"
"""What a channel of billing may be called, as a pattern."""

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,63}", re.ASCII).fullmatch
_INCIDENT = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII).fullmatch
_GOODWILL_MONTH = re.compile(r"goodwill-([0-9]{4}-[0-9]{2})", re.ASCII).fullmatch

ACCOUNT_ID_EXPECTED = (
    f"1 to {IDENTIFIER_LENGTH_CHARACTERS} ASCII letters, digits or . _ : ~ - starting with a letter or digit"
    " (an account number, not an e-mail address)"
)
INCIDENT_ID_EXPECTED = (
    f"1 to {IDENTIFIER_LENGTH_CHARACTERS} lower-case ASCII letters, digits or hyphens, starting with a letter or digit"
)


def is_account_id(text: str) -> bool:
    """Whether `text` may name an account, or a line, service or premises of one."""
    return _ACCOUNT(text) is not None


def is_incident_id(text: str) -> bool:
    """Whether `text` may name an incident or a policy."""
    return _INCIDENT(text) is not None


def goodwill_month(month: str) -> str:
    """What the incident is called under which the goodwill of a month, such as 2026-11, is kept."""
    return f"goodwill-{month}"


def month_of_goodwill(incident_id: str) -> str:
    """The month whose goodwill an incident's id stands for; empty where it is no such id. Nobody reports under one."""
    found = _GOODWILL_MONTH(incident_id)
    return "" if found is None else found[1]
