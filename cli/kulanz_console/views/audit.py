"""*Audit log*: who did what, when and why; by campaign, incident, policy, person or day."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from markupsafe import Markup, escape

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_console.drawing.text import action_words
from kulanz_console.inline import foreign, instant
from kulanz_console.paths import url
from kulanz_console.port import NotAnswered, Why
from kulanz_console.visit import Shown, Visit
from kulanz_console.words import Words

FILTERS = ("campaign", "incident", "policy", "actor", "day")


def show(visit: Visit) -> Shown:
    """The log of what was chosen; by default, of today."""
    stated = {name: text for name in FILTERS if (text := visit.query.get(name, "").strip())}
    if len(stated) > 1:
        raise NotAnswered("fill in one field, and leave the others empty", Why.WRONG)
    what, value = next(iter(stated.items()), ("day", f"{visit.now:%Y-%m-%d}"))
    query, values = _of(what, value)
    found, is_more = visit.pages(f"audit.of_{what}", "entries", query, **values)
    content = {"what": what, "value": value, "rows": _rows(found, visit.words), "is_more": is_more}
    return Shown("audit.html", visit.words("Audit log"), content)


def _rows(found: Sequence[Mapping[str, Any]], words: Words) -> Markup:
    """The rows of the table: when, what, to what, by whom with a link to all that they did, and why.

    The same few texts are in most lines: each is written once. The rows are written as one text, in a fifth of the time
    that a template takes for each.
    """
    said, about = cache(lambda text: words.noted(action_words(text))), cache(lambda text: escape(words.code(text)))
    why, which = cache(words.noted), cache(foreign)
    by = cache(lambda actor: f'<a href="{escape(url("", actor=actor))}">{foreign(actor)}</a>')
    rows = "".join(
        f'<tr><th scope="row">{instant(one["at"])}</th><td>{said(one["action"])}</td>'
        f"<td>{about(one['about'])} {which(one['on'])}</td><td>{by(one['actor'])}</td>"
        f"<td>{why(one['reason'])}</td></tr>"
        for one in found
    )
    return Markup(rows)  # noqa: S704 (each part is escaped)


def _of(what: str, value: str) -> tuple[dict[str, str | None], dict[str, str | int]]:
    """The query and the values of the path, for what was chosen. Raises NotAnswered."""
    if what == "actor":
        return {"actor": value}, {}
    if what != "campaign":
        return {}, {what: value}
    try:
        found = CampaignId.parse(value)
    except ValueError as error:
        raise NotAnswered(str(error), Why.WRONG) from None
    return {}, {"incident": found.incident_id, "seq": found.seq}
