"""*Draft*: what a source reports of an incident, drawn to scale; and a person's confirmation of its windows.

Nothing of a draft is an incident, or money, before a person confirms it. Who confirms names the draft that was shown.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kulanz.domain.campaigns.campaign import ENDED
from kulanz.domain.time import TimeError, format_instant, parse_instant
from kulanz_console.drawing.pictures import Span, TimeRow, seconds_words, timeline
from kulanz_console.drawing.yaml_text import yaml_text
from kulanz_console.paths import campaign_path, segment
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.forms import action_id, filled
from kulanz_console.visit import Answer, Done, Shown, Visit

COLUMNS = 96
CHOICES: Mapping[str, str] = {
    "proposed": "as the source's configuration counts",
    "major": "only what was down as a whole",
    "partial": "what was down as a whole or in part",
    "whole": "from its start until it was resolved",
}
"""Ways to count that a person chooses from, in words."""
OWN = "own"
KINDS: Mapping[str, str] = {"major": "stopped", "partial": "waiting", "degraded": "since", "planned": "rest"}
"""The class of a span's colour by its degree; the others have the quiet one."""


def show(visit: Visit) -> Shown:
    """The draft: what its source states, field by field, and what would be confirmed."""
    draft = visit.ask("drafts.one", None, draft=visit.of["draft"])
    suggested = {name: value for name, value in draft["suggested"].items() if value}
    choices = [
        {"name": name, "says": says, "windows": windows, "length": _length(windows)}
        for name, says in CHOICES.items()
        if (windows := draft["windows"] if name == "proposed" else draft["by"].get(name, []))
    ]
    content = {
        "draft": draft,
        "picture_of": _picture(draft, visit.now),
        "suggested": yaml_text(suggested, COLUMNS) if suggested else "",
        "policy": suggested.get("policy") or "",
        "list": suggested.get("list") or "",
        "choices": choices,
        "chosen": visit.form.get("windows", ""),
        "digest": draft["digest"],
        "is_another": bool(seen := visit.form.get("digest", "")) and seen != draft["digest"],
        "form_id": action_id(visit, "confirm"),
        "dismiss_id": action_id(visit, "dismiss"),
        "is_confirmed": draft["confirmed"] is not None and draft["confirmed"]["digest"] == draft["digest"],
        "is_dismissed": draft["dismissed"] is not None and draft["dismissed"]["digest"] == draft["digest"],
    }
    return Shown("draft.html", visit.words("Draft {draft}", draft=draft["draft"]), content)


def _length(windows: Sequence[Answer]) -> str:
    """How long windows are together; empty while one lasts."""
    if any(one["end"] is None for one in windows):
        return ""
    spans = (parse_instant(one["end"]["at"]) - parse_instant(one["start"]["at"]) for one in windows)
    return seconds_words(sum(spans, timedelta()))


def _picture(draft: Answer, now: datetime) -> Any:
    """The proposed windows, and the spans of each component below them; None where no source states a time."""

    def spans(of: Sequence[Answer], kind: str = "") -> list[Span]:
        return [
            Span(
                parse_instant(one["start"]["at"]),
                None if one["end"] is None else parse_instant(one["end"]["at"]),
                kind or KINDS.get(one["degree"], "rest"),
                "" if kind else one["degree"],
            )
            for one in of
        ]

    rows = [TimeRow("proposed", spans(draft["windows"], "granted"))]
    rows += [TimeRow(one["name"] or one["component"], spans(one["spans"])) for one in draft["components"]]
    return timeline("To scale", rows, now)


def confirm(visit: Visit) -> Done:
    """Record the incident as the person confirms it, and request a campaign where that is wanted."""
    draft, seen = _seen(visit)
    body: dict[str, Any] = {"digest": seen, "windows": _windows(visit, draft)}
    body |= {name: text for name in ("title", "cause", "reason") if (text := filled(visit, name))}
    if visit.form.get("campaign"):
        body["campaign"] = _campaign(visit)
    done = visit.kulanz.act("drafts.confirm", body, draft=visit.of["draft"], id=action_id(visit, "confirm"))
    if done["campaign"] is None:
        said = visit.words("The incident is recorded as revision {number}.", number=done["revision"])
        return Done(f"/incident/{segment(done['incident_id'])}", str(said))
    said = visit.words(
        "The incident is recorded as revision {number}, and its campaign is open. Its plan waits for an approval.",
        number=done["revision"],
    )
    if done["state"] in ENDED:
        said = visit.words(
            "The incident is recorded as revision {number}. Its campaign has ended: {state}.",
            number=done["revision"],
            state=visit.words.code(done["state"]),
        )
    return Done(f"/campaign/{campaign_path(done['campaign'])}", str(said))


def dismiss(visit: Visit) -> Done:
    """Say that nothing is to be recorded of the draft. It waits again when its source reports something else."""
    _, seen = _seen(visit)
    body = {"action": "dismiss", "digest": seen, "reason": filled(visit, "reason")}
    visit.kulanz.act("drafts.confirm", body, draft=visit.of["draft"], id=action_id(visit, "dismiss"))
    said = visit.words("The draft is dismissed. It waits again when its source reports something else.")
    return Done(f"/draft/{segment(visit.of['draft'])}", str(said))


def _seen(visit: Visit) -> tuple[Answer, str]:
    """The draft as it is, and the digest of what was shown, which it must have. Raises NotAnswered."""
    draft = visit.ask("drafts.one", None, draft=visit.of["draft"])
    seen = visit.form.get("digest", "")
    if seen != draft["digest"]:
        raise NotAnswered("the draft has changed since you looked at it; look again", Why.REFUSED)
    return draft, seen


def _windows(visit: Visit, draft: Answer) -> list[dict[str, str | None]]:
    chosen = visit.form.get("windows", "")
    if chosen == OWN:
        return [_window(line) for line in filled(visit, "own").splitlines() if line.strip()] or _none()
    listed = draft["windows"] if chosen == "proposed" else draft["by"].get(chosen, [])
    return [
        {"start": one["start"]["at"], "end": None if one["end"] is None else one["end"]["at"]} for one in listed
    ] or _none()


def _none() -> list[dict[str, str | None]]:
    raise NotAnswered("choose which windows count, or write your own", Why.WRONG)


def _window(line: str) -> dict[str, str | None]:
    start, slash, end = (part.strip() for part in line.partition("/"))
    try:
        if not slash:
            raise TimeError("expected a slash between them")  # noqa: TRY301
        return {
            "start": format_instant(parse_instant(start)),
            "end": None if end == ".." else format_instant(parse_instant(end)),
        }
    except TimeError as error:
        raise NotAnswered(f"a window: expected START/END, or START/.. while it lasts: {error}", Why.WRONG) from None


def _campaign(visit: Visit) -> dict[str, Any]:
    """The request of a campaign over a list that lies in the bucket, in the version that the person names."""
    policy, _, version = filled(visit, "policy").partition("/")
    place = {name: filled(visit, name) for name in ("bucket", "key", "version_id")}
    rows = filled(visit, "rows")
    if not policy or not version.isdecimal() or not all(place.values()) or not rows.isdecimal():
        raise NotAnswered(
            "for a campaign, state the policy as ID/VERSION, and the list's bucket, key, version and number of rows",
            Why.WRONG,
        )
    return {"policy": {"id": policy, "version": int(version)}, "affected": {"s3": place, "rows": int(rows)}}
