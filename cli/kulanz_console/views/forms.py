"""What forms have in common: the id under which an action is done once, fields of one line, and listed reasons."""

import secrets
from typing import Any

from kulanz_console.port import DRAWN
from kulanz_console.visit import Visit

ID_BYTES = 8


def action_id(visit: Visit, action: str, *, is_again: bool = True) -> str:
    """The id of the form that is shown: a new one, or that of the same form when it is shown again.

    A double click, or the same form sent again after a lost answer, is so done once. Of a page with a form for each of
    many things, `is_again` is whether this is the one that is shown again.
    """
    given = visit.form.get("id", "") if is_again else ""
    return given or f"{DRAWN}{action}-{visit.now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(ID_BYTES)}"


def filled(visit: Visit, name: str) -> str:
    """What a person wrote in a field, without blanks around it."""
    return visit.form.get(name, "").strip()


def on_campaign(visit: Visit) -> dict[str, str | int]:
    """The campaign of the path, as a question names it."""
    return {"incident": visit.of["incident"], "seq": visit.of["seq"]}


def reasons_of(visit: Visit) -> list[Any]:
    """The reasons that may be given for what is given or decided by hand; none until a discretion file is published."""
    return list(visit.ask("goodwill.reasons")["reasons"])
