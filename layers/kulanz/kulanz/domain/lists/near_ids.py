"""Ids that are one to whoever wrote them: spreadsheets and reports change zeros, letters' case and a `.0`."""

import re

_WHOLE_AS_DECIMAL = re.compile(r"\.0+\Z")


def normal_id(account_id: str) -> str:
    """What `001042`, `1042` and `1042.0` have in common, and `ab-7` and `AB-7`; the same for ids that differ otherwise.

    Only what is compared, never an id: two accounts may differ in nothing else.
    """
    if "." in account_id:  # seldom, and a plan reads many millions of ids
        account_id = _WHOLE_AS_DECIMAL.sub("", account_id)
    return account_id.casefold().lstrip("0") or "0" * (account_id != "")
