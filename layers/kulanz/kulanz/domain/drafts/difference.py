"""What has changed of a draft since a person confirmed it, in sentences: a proposal, never a correction."""

from collections.abc import Iterator, Mapping
from typing import Any

from kulanz.domain.drafts.draft import Draft, DraftWindow
from kulanz.domain.drafts.reported import Course, Mark
from kulanz.domain.time import format_instant

GONE = frozenset({Course.MERGED, Course.CANCELLED})


def seen_content(draft: Draft) -> dict[str, Any]:
    """What of a draft is kept with its confirmation, JSON-able: as much as a difference is shown of."""
    return {
        "title": draft.title,
        "course": draft.course,
        "service": "" if draft.rule is None else draft.rule.text,
        "functions": list(draft.functions),
        "windows": [_window(one) for one in draft.windows],
        "unmapped": [identifier for identifier, _ in draft.unmapped],
        "marks": sorted(draft.marks),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is different, most important first; nothing where what was confirmed is what the source says now."""
    return list(_differences(before, now))


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if now["course"] in GONE and before["course"] not in GONE:
        yield f"the source says that it was {now['course']}; if that is so, withdraw the incident"
    elif before["course"] != now["course"]:
        yield f"it was {before['course'] or 'in no known state'}, and is {now['course'] or 'in no known state'}"
    for window in now["windows"]:
        if window not in before["windows"]:
            yield f"now proposed: {_shown(window)}"
    for window in before["windows"]:
        if window not in now["windows"]:
            yield f"not proposed any more: {_shown(window)}"
    if before["service"] != now["service"]:
        yield f"it was confirmed for the service {before['service']}; by the configuration it is {now['service']}"
    if before["functions"] != now["functions"]:
        was, is_now = (", ".join(one["functions"]) or "none" for one in (before, now))
        yield f"the functions were {was}, and are {is_now}"
    if before["title"] != now["title"]:
        yield "the title is another"
    for mark in sorted(set(now["marks"]) - set(before["marks"])):
        yield f"new mark: {Mark(mark)}"
    for component in sorted(set(now["unmapped"]) - set(before["unmapped"])):
        yield f"a component that is not mapped: {component}"


def _window(window: DraftWindow) -> list[str | None]:
    return [format_instant(window.start.at), None if window.end is None else format_instant(window.end.at)]


def _shown(window: list[str | None]) -> str:
    return f"{window[0]} to {window[1] or 'now'}"
