"""An incident event and its list as files: read, named and counted before anything is sent. No AWS is asked."""

import json
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import NO_CONTENT
from kulanz_cli.outcomes import Unusable

READ_BYTES = 1024 * 1024
_FIELDS = ("source", "detail-type", "detail")


class EventUnsendable(Unusable):
    """The file is not an event that can be sent; the text says what was expected and what to do."""


def read_event(path: Path) -> dict[str, Any]:
    """An event from a file: an object with source, detail-type and detail. Raises EventUnsendable."""
    try:
        event = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise EventUnsendable(f"{path}: expected an event as JSON in UTF-8: {error}") from None
    if not isinstance(event, dict) or set(event) != set(_FIELDS) or not isinstance(event["detail"], dict):
        raise EventUnsendable(
            f'{path}: expected one object with exactly "source", "detail-type" and "detail" (an object)'
        )
    return event


def stated_list(event: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an event states of the campaign whose list is to be named in it, and of that list. Raises EventUnsendable.

    The contract sees the event when its list is named; so what it states of the list before is looked at here.
    """
    campaign = event["detail"].get("campaign")
    if not isinstance(campaign, dict):
        raise EventUnsendable("the event has no detail.campaign; a list belongs to a campaign")
    affected = campaign.get("affected")
    if affected is None:
        return campaign, {}
    if not isinstance(affected, dict):
        raise EventUnsendable("detail.campaign.affected: expected an object, or nothing: --list says where the list is")
    place = affected.get("s3")
    if place is not None and not (isinstance(place, dict) and isinstance(place.get("key", ""), str)):
        raise EventUnsendable("detail.campaign.affected.s3: expected an object with key, a text, or nothing")
    return campaign, affected


def stated_key(event: dict[str, Any]) -> str:
    """The key under which an event wants its list; empty where it names none. Raises EventUnsendable."""
    _, affected = stated_list(event)
    return str((affected.get("s3") or {}).get("key") or "")


def with_place(event: dict[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    """The event naming a list, with what it states of the list's ids. Raises EventUnsendable."""
    campaign, affected = stated_list(event)
    ids: dict[str, Any] = {name: affected[name] for name in ("account_ids", "subject_ids") if name in affected}
    stated: dict[str, Any] = {**place, **ids}
    return {**event, "detail": {**event["detail"], "campaign": {**campaign, "affected": stated}}}


def legal_name(name: str) -> str:
    """The name of a list in the bucket: `Affected Accounts (2).csv` becomes `Affected-Accounts-2.csv`."""
    stem, dot, ending = unicodedata.normalize("NFKD", name).rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", stem.encode("ascii", "ignore").decode()).strip("-.")
    return f"{re.sub(r'[.]{2,}', '.', plain) or 'list'}{dot}{ending}"


def rows_in(path: Path, list_format: ListFormat) -> int:
    """The lines of a list that are not blank, without the header of a CSV; memory does not grow with the list."""
    rows, is_csv = 0, list_format is ListFormat.CSV
    nothing = NO_CONTENT if is_csv else b"\r"
    has_begun = False  # whether the line that a block ends in has content so far
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            first, *lines = block.split(b"\n")
            has_begun = has_begun or bool(first.strip(nothing))
            for line in lines:
                rows += has_begun
                has_begun = bool(line.strip(nothing))
    rows += has_begun
    return max(0, rows - 1) if is_csv else rows
