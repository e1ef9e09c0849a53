"""What is said of each field of an event for each kind of value that may stand there, and what makes events the same.

A contract that takes what it took not, or says of a field what is true of another, pays by a mistyped event or sends
its writer to the wrong line. Every field is tried with every kind of value, and the sentences are compared whole.
"""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from textwrap import wrap
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from kulanz.application.incidents.incident_event import EventRefused, IncidentContract, read_incident_event
from kulanz.application.incidents.wrong_fields import wrong_fields
from tests.support.approved import must_be_as_approved
from tests.support.small_campaign import event

MISSING = object()
VALUES: dict[str, Any] = {
    "nothing": MISSING, "null": None, "7": 7, "0": 0, "-1": -1, "1.5": 1.5, "true": True, "''": "", "' '": " ",
    "'x'": "x", "'X y'": "X y", "two lines": "a\nb", "a surrogate": "\ud800", "U+2028": "a\u2028b", "[]": [], "{}": {},
    "['x']": ["x"], "[7]": [7], "['']": [""], "{'a': 'x'}": {"a": "x"}, "{'A': 1}": {"A": 1}, "{'a.b': 1}": {"a.b": 1},
    "{'a': 1.5}": {"a": 1.5}, "a day": "2026-02-27", "an instant": "2026-02-27T08:00:00Z", "'5 %'": "5 %",
    "'5%'": "5%", "'101%'": "101%", "'-1%'": "-1%", "['5 EUR']": ["5 EUR"],
    "['5.00 EUR', '6 EUR']": ["5.00 EUR", "6 EUR"],
    "['5']": ["5"], "a digest": "a" * 64, "'a'": "a", "500": "x" * 500, "501": "x" * 501,
}  # fmt: skip
PLACES = (
    *("incident_id", "revision", "title", "service", "functions", "windows", "cause", "facts", "campaign"),
    *("windows.0", "windows.0.start", "windows.0.end", "campaign.policy", "campaign.policy.id"),
    *("campaign.policy.version", "campaign.policy.parameters", "campaign.affected", "campaign.affected.rows"),
    *("campaign.affected.s3", "campaign.affected.s3.bucket", "campaign.affected.s3.key"),
    *("campaign.affected.s3.version_id", "campaign.affected.inline", "campaign.affected.account_ids"),
    *("campaign.affected.account_ids.pattern", "campaign.affected.account_ids.minimum"),
    *("campaign.affected.account_ids.maximum", "campaign.affected.subject_ids.check", "campaign.limits"),
    *("campaign.limits.rejected", "campaign.limits.conflicts", "campaign.limits.nearly_equal", "campaign.limits.held"),
    *("campaign.limits.known", "campaign.limits.largest", "campaign.limits.total", "campaign.ignored_columns"),
    *("campaign.same_outage_as", "unknown", "campaign.titel", "campaign.affected.row", "windows.0.title"),
)
ROWS = {"account_id": "a", "plan": {"of": [{"deep": 1}]}}
WHOLE: dict[str, dict[str, Any]] = {
    "no campaign": {"campaign": MISSING}, "a window without an end": {"windows": [{"start": "2026-02-27T08:00:00Z"}]},
    "two open windows": {"windows": [{"start": "2026-02-27T08:00:00Z"}, {"start": "2026-02-28T08:00:00Z"}]},
    "a window of the last century": {"windows": [{"start": "1999-12-31T23:59:59Z", "end": "2000-01-01T00:00:00Z"}]},
    "a window that ends before it starts": {
        "windows": [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T07:59:59Z"}]},
    "a window without a length": {"windows": [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T09:00:00+01:00"}]},
    "a month of goodwill": {"incident_id": "goodwill-2026-02"}, "nearly one": {"incident_id": "goodwill-2026"},
    "half a pair in a row": {"campaign.affected": {"rows": 1, "inline": [{"account_id": "\ud800"}]}},
    "rows and a list": {"campaign.affected.inline": [ROWS]},
    "rows alone": {"campaign.affected": {"rows": 1, "inline": [ROWS]}},
}  # fmt: skip
TYPES = (
    "Incident Declared",
    "Incident Updated",
    "Incident Resolved",
    "Incident Withdrawn",
    "Campaign Requested",
    "incident",
)


def told(detail_type: str = "Incident Declared", **changes: Any) -> dict[str, Any]:
    detail: dict[str, Any] = deepcopy(event(rows=3, version_id="v-1")["detail"])
    if detail_type == "Campaign Requested":
        detail = {key: detail[key] for key in ("incident_id", "revision", "campaign")} | {"decision_digest": "a" * 64}
    for path, value in changes.items():
        place: Any = detail
        *steps, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
        for step in steps:
            place = place[step] if isinstance(step, int) else place.setdefault(step, {})
        if value is MISSING:
            place.pop(last) if isinstance(last, int) else place.pop(last, None)
        else:
            place[last] = value
    return detail


def said(detail: Any, detail_type: str = "Incident Declared") -> str:
    try:
        read_incident_event("billing", detail_type, detail)
    except EventRefused as refused:
        return f"{refused.reason} | {refused.field} | {refused}"
    return "read"


def grouped(outcomes: dict[str, str]) -> Iterator[str]:
    names: dict[str, list[str]] = {}
    for name, outcome in outcomes.items():
        names.setdefault(outcome, []).append(name)
    for outcome, some in names.items():
        yield f"  {outcome}".encode("unicode_escape").decode() if not outcome.isprintable() else f"  {outcome}"
        yield from wrap(", ".join(some), 110, initial_indent="    ", subsequent_indent="    ")


def test_what_is_said_of_each_field_is_as_it_was_approved() -> None:
    lines: list[str] = []
    for place in PLACES:
        lines += [f"{place}:", *grouped({name: said(told(**{place: value})) for name, value in VALUES.items()})]
    lines += ["the whole:", *grouped({name: said(told(**changes)) for name, changes in WHOLE.items()})]
    for kind in TYPES:
        lines += [f"{kind}:", f"  {said(told(kind), kind)}"]
        lines += [f"  without an end: {said(told(windows=[{'start': '2026-02-27T08:00:00Z'}]), kind)}"]
        lines += [f"  without a campaign: {said(told(kind, campaign=MISSING), kind)}"]
    for place in ("incident_id", "revision", "decision_digest", "campaign", "title"):
        request = "Campaign Requested"
        found = {name: said(told(request, **{place: value}), request) for name, value in VALUES.items()}
        lines += [f"requested, {place}:", *grouped(found)]
    must_be_as_approved("\n".join(lines) + "\n", Path(__file__))


def read(**changes: Any) -> tuple[str, str]:
    stated: dict[str, Any] = {"campaign.limits": MISSING, **changes}
    found = read_incident_event("billing", "Incident Declared", told(**stated))
    return found.content_digest, found.request_digest


PINNED = (
    "d8614f2ec67a0b1fe3bf5d6de361f41053c8be7502ebef69bbc1b286eee1306f",
    "e359ff07eb31753490fa660a12e09b7ffa2b5453d62bf0cd2c5f961cc0a729aa",
    "31158e07834d42e46ec3e7c45b1c48082f816cbd3e8d7f616bd341f9b5fc3a94",
)
FACTS: dict[str, Any] = {
    "title": "other", "service": "other", "functions": ["other"], "windows": [{"start": "2026-02-27T08:00:00Z"}],
    "cause": "other", "facts": {"a": 1},
}  # fmt: skip
REQUEST: dict[str, Any] = {
    "campaign.policy.version": 9, "campaign.policy.parameters": {"a": "x"}, "campaign.affected.rows": 9,
    "campaign.affected.s3.key": "lists/b.csv", "campaign.affected.s3.version_id": "v-2",
    "campaign.affected.account_ids": {"pattern": "a"}, "campaign.affected.subject_ids": {"pattern": "a"},
    "campaign.limits": {"held": "5%"}, "campaign.ignored_columns": ["a"], "campaign.same_outage_as": ["other-1"],
}  # fmt: skip
NOTHING: dict[str, Any] = {
    "campaign.limits": None, "campaign.ignored_columns": [], "campaign.same_outage_as": [],
    "campaign.affected.account_ids": None, "campaign.affected.subject_ids": None,
}  # fmt: skip


def test_two_tellings_are_the_same_where_all_that_they_state_is() -> None:
    """And a request is the same as one of an older release that had no such field: a campaign is opened once."""
    content, request = read()
    for place, value in FACTS.items():
        assert (read(**{place: value})[0] == content, read(**{place: value})[1] == request) == (False, True), place
    for place, value in REQUEST.items():
        assert (read(**{place: value})[0] == content, read(**{place: value})[1] == request) == (True, False), place
    for place, value in NOTHING.items():
        assert read(**{place: value}) == (content, request), place
    for place, value in {"incident_id": "other-1", "revision": 9}.items():
        assert read(**{place: value})[0] != content
        assert read(**{place: value})[1] != request
    found = [read(**{place: value})[1] for place, value in REQUEST.items()]
    assert len(set(found)) == len(found)


def test_the_digests_of_stored_events_stay_what_they_were() -> None:
    """They are compared with those that an older release wrote."""
    s3 = {"bucket": "bucket", "key": "lists/a.csv", "version_id": "v"}
    campaign = {"policy": {"id": "p", "version": 1}, "affected": {"rows": 1, "s3": s3}}
    detail = {
        "incident_id": "acme-1", "revision": 2, "title": "T", "service": "s", "functions": ["f"],
        "windows": [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T09:00:00Z"}], "facts": {"a": 1},
        "campaign": campaign,
    }  # fmt: skip
    found = read_incident_event("billing", "Incident Updated", detail)
    more = {"limits": {"held": "5%"}, "ignored_columns": ["a"], "same_outage_as": ["b-1"]}
    stated = read_incident_event("billing", "Incident Updated", {**detail, "campaign": {**campaign, **more}})
    assert (found.content_digest, found.request_digest, stated.request_digest) == PINNED


class Wrong(BaseModel):
    """A contract of all kinds of fields."""

    model_config = ConfigDict(extra="forbid", strict=True)
    title: str
    rows: int
    functions: list[str]
    facts: dict[str, int]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("titel", "this field is not known; did you mean title?"),
        ("rows_", "this field is not known; did you mean rows?"),
        ("tie", "this field is not known; remove it"), ("row", "this field is not known; did you mean rows?"),
        ("budget", "this field is not known in this place; remove it, or move it to where it belongs"),
    ],
)  # fmt: skip
def test_a_name_that_is_nearly_one_is_asked_about(name: str, says: str) -> None:
    known = {"title", "rows", "functions", "facts", "budget"}
    right: dict[str, Any] = {"title": "a", "rows": 1, "functions": [], "facts": {}}
    with pytest.raises(ValidationError) as wrong:
        Wrong.model_validate(right | {name: 1})
    assert wrong_fields(wrong.value, known) == [(name, says)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a", "a"), ("a.b.c.d", "a.b.c.d"), ("a.b.c.d.e", "(a name)"), ("x" * 64, "x" * 64), ("x" * 65, "(a name)"),
        (f"a.{'b' * 64}", f"a.{'b' * 64}"), (f"a.{'b' * 65}", "(a name)"), ("ada@example.com", "(a name)"),
        ("7a", "(a name)"), ("_a-1", "_a-1"), ("a b", "(a name)"), ("é", "(a name)"),
    ],
)  # fmt: skip
def test_a_name_that_may_be_anything_is_not_repeated(name: str, shown: str) -> None:
    """It may be a customer's."""
    with pytest.raises(ValidationError) as wrong:
        Wrong.model_validate({"title": "a", "rows": 1, "functions": [], "facts": {name: "x"}})
    assert [field.path for field in wrong_fields(wrong.value, ())] == [f"facts.{shown}"]


def test_a_contract_repeats_nothing_of_an_event_and_never_changes() -> None:
    """Whoever logs an error that slipped through must not log a customer with it."""
    with pytest.raises(ValidationError) as wrong:
        IncidentContract.model_validate(told(title=["SECRET"], service={"name": "SECRET"}))
    assert "SECRET" not in str(wrong.value)
    right: Any = IncidentContract.model_validate(told())
    with pytest.raises(ValidationError, match="frozen"):
        right.title = "other"
