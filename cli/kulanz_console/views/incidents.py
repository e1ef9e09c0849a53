"""*Incidents*: what was recorded, each with its windows to scale; and drafts that nobody has confirmed."""

from collections.abc import Sequence
from typing import Any

from kulanz.domain.time import parse_instant
from kulanz_console.drawing.pictures import Span, TimeRow, timeline
from kulanz_console.drawing.yaml_text import yaml_text
from kulanz_console.views.campaign_lines import line_of
from kulanz_console.views.months import month_of, neighbours
from kulanz_console.visit import Shown, Visit

COLUMNS = 96


def show(visit: Visit) -> Shown:
    """The incidents and drafts of a month."""
    month = month_of(visit)
    (incidents, is_more), (drafts, more_drafts), refused = visit.together(
        lambda: visit.pages("incidents.of_month", "incidents", month=month),
        lambda: visit.pages("drafts.of_month", "drafts", month=month),
        lambda: visit.ask("incidents.refused"),
    )
    content = {
        "month": month, "neighbours": neighbours(month), "incidents": incidents, "drafts": drafts,
        "is_more": is_more or more_drafts, "refused": refused,
    }  # fmt: skip
    return Shown("incidents.html", visit.words("Incidents of {month}", month=month), content)


def show_one(visit: Visit) -> Shown:
    """An incident: its latest revision, all revisions, and its campaigns."""
    incident = visit.of["incident"]
    record = visit.ask("incidents.one", None, incident=incident)
    latest, (campaigns, is_more) = visit.together(
        lambda: visit.if_known("incidents.revision", incident=incident, revision=record["highest_revision"]),
        lambda: visit.pages("campaigns.of_incident", "campaigns", incident=incident),
    )
    facts: dict[str, Any] = {} if latest is None else dict(latest["content"])
    content = {
        "record": record, "facts": facts, "heading": str(facts.get("title") or incident), "is_more": is_more,
        "campaigns": [line_of(one) for one in campaigns],
        "windows": [_window(one) for one in facts.get("windows", ())],
        "picture_of": _picture(visit, facts.get("windows", ())),
        "others": _text({name: value for name, value in facts.items() if name not in ("title", "windows")}),
    }  # fmt: skip
    return Shown("incident.html", visit.words("Incident {incident}", incident=incident), content)


def _picture(visit: Visit, windows: Sequence[dict[str, Any]]) -> Any:
    rows = [
        TimeRow(
            str(visit.words("window {number}", number=number)),
            [Span(parse_instant(one["start"]), parse_instant(end) if (end := one.get("end")) else None, "granted")],
        )
        for number, one in enumerate(windows, 1)
    ]
    return timeline("To scale", rows, visit.now)


def _window(one: dict[str, Any]) -> tuple[str, str | None, str]:
    """When a window began and ended, and how long it was."""
    start, end = one["start"], one.get("end")
    return start, end, "" if end is None else str(parse_instant(end) - parse_instant(start))


def _text(content: dict[str, Any]) -> str:
    return yaml_text(content, COLUMNS) if content else ""
