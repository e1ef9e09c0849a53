"""How much an event may state: as much as its limit is read, and one more is refused with its path."""

from collections.abc import Callable
from typing import Any

import pytest

from kulanz.application.incidents.incident_event import (
    ERRORS_SHOWN,
    FACT_NAME_CHARACTERS,
    FACTS_PER_INCIDENT,
    FUNCTION_CHARACTERS,
    FUNCTIONS_PER_INCIDENT,
    INLINE_DEPTH,
    INLINE_ROWS,
    KEY_CHARACTERS,
    LIMITED_MEASURES,
    PARAMETERS_PER_POLICY,
    TEXT_CHARACTERS,
    WINDOW_YEAR_EARLIEST,
    WINDOWS_PER_INCIDENT,
    EventRefused,
    IncidentEvent,
    read_incident_event,
)
from kulanz.domain.campaigns.campaign import LINES_PER_LIST, OTHERS_NAMED
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS
from kulanz.domain.incident_record import REVISION_HIGHEST
from kulanz.domain.lists.header import COLUMNS_PER_LIST
from kulanz.domain.lists.id_shape import PATTERN_CHARACTERS
from tests.support.small_campaign import event

type Put = Callable[[dict[str, Any], Any], None]
HOUR = {"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T09:00:00Z"}


def at(*path: str) -> Put:
    """Put a value at a place of an event's detail."""

    def put(detail: dict[str, Any], value: Any) -> None:
        for name in path[:-1]:
            detail = detail.setdefault(name, {})
        detail[path[-1]] = value

    return put


def inline(detail: dict[str, Any], rows: Any) -> None:
    detail["campaign"]["affected"] = {"inline": rows, "rows": 1}


def numbered(count: int) -> list[str]:
    return [f"n{number}" for number in range(count)]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


LIMITS: dict[str, tuple[Put, Callable[[int], Any], int, str]] = {
    "windows": (at("windows"), lambda n: [HOUR] * n, WINDOWS_PER_INCIDENT, "windows"),
    "functions": (at("functions"), numbered, FUNCTIONS_PER_INCIDENT, "functions"),
    "a function": (at("functions"), lambda n: ["x" * n], FUNCTION_CHARACTERS, "functions.0"),
    "facts": (at("facts"), lambda n: dict.fromkeys(numbered(n), 1), FACTS_PER_INCIDENT, "facts"),
    "a fact": (at("facts"), lambda n: {"a": "x" * n}, TEXT_CHARACTERS, "facts.a"),
    "a fact's name": (at("facts"), lambda n: {f"{'a' * 60}.{'b' * 60}.{'c' * (n - 122)}": 1}, 122 + 64, "facts"),
    "title": (at("title"), lambda n: "x" * n, TEXT_CHARACTERS, "title"),
    "service": (at("service"), lambda n: "x" * n, TEXT_CHARACTERS, "service"),
    "cause": (at("cause"), lambda n: "x" * n, TEXT_CHARACTERS, "cause"),
    "revision": (at("revision"), int, REVISION_HIGHEST, "revision"),
    "incident": (at("incident_id"), lambda n: "x" * n, IDENTIFIER_LENGTH_CHARACTERS, "incident_id"),
    "rows": (at("campaign", "affected", "rows"), int, LINES_PER_LIST, "campaign.affected.rows"),
    "key": (at("campaign", "affected", "s3", "key"), lambda n: "x" * n, KEY_CHARACTERS, "campaign.affected.s3.key"),
    "policy": (at("campaign", "policy", "id"), lambda n: "x" * n, IDENTIFIER_LENGTH_CHARACTERS, "campaign.policy.id"),
    "parameters": (
        at("campaign", "policy", "parameters"), lambda n: dict.fromkeys(numbered(n), "x"), PARAMETERS_PER_POLICY,
        "campaign.policy.parameters",
    ),
    "inline rows": (inline, lambda n: [{"account_id": "a"}] * n, INLINE_ROWS, "campaign.affected.inline"),
    "inline depth": (inline, lambda n: [nested(n)], INLINE_DEPTH, "campaign.affected.inline"),
    "ignored columns": (
        at("campaign", "ignored_columns"), numbered, COLUMNS_PER_LIST, "campaign.ignored_columns",
    ),
    "an ignored column": (
        at("campaign", "ignored_columns"), lambda n: ["x" * n], FACT_NAME_CHARACTERS, "campaign.ignored_columns.0",
    ),
    "other incidents": (at("campaign", "same_outage_as"), numbered, OTHERS_NAMED, "campaign.same_outage_as"),
    "largest": (
        at("campaign", "limits", "largest"), lambda n: [f"5 {name}" for name in numbered(n)], LIMITED_MEASURES,
        "campaign.limits.largest",
    ),
    "total": (
        at("campaign", "limits", "total"), lambda n: [f"5 {name}" for name in numbered(n)], LIMITED_MEASURES,
        "campaign.limits.total",
    ),
    "pattern": (
        at("campaign", "affected", "account_ids"), lambda n: {"pattern": "x" * n}, PATTERN_CHARACTERS,
        "campaign.affected.account_ids.pattern",
    ),
    "maximum": (
        at("campaign", "affected", "subject_ids"), lambda n: {"minimum": 2, "maximum": n},
        IDENTIFIER_LENGTH_CHARACTERS, "campaign.affected.subject_ids.maximum",
    ),
}  # fmt: skip


def read(put: Put, value: Any) -> IncidentEvent:
    told = event(rows=3, version_id="v-1")
    put(told["detail"], value)
    return read_incident_event("billing", told["detail-type"], told["detail"])


@pytest.mark.parametrize("name", LIMITS)
def test_as_much_as_the_limit_is_read_and_one_more_is_refused_with_its_path(name: str) -> None:
    put, made, most, path = LIMITS[name]
    assert read(put, made(most)).revision
    with pytest.raises(EventRefused) as refused:
        read(put, made(most + 1))
    assert refused.value.reason == "event_invalid"
    assert refused.value.field.startswith(path)


@pytest.mark.parametrize(
    ("put", "value", "path"),
    [
        (at("revision"), 0, "revision"),
        (at("windows"), [], "windows"),
        (at("title"), "", "title"),
        (at("windows"), [{**HOUR, "start": f"{WINDOW_YEAR_EARLIEST - 1}-12-31T23:59:59Z"}], "windows.0"),
        (at("windows"), [{**HOUR, "end": HOUR["start"]}], "windows.0"),
        (at("windows"), [{"start": HOUR["end"], "end": HOUR["start"]}], "windows.0"),
        (at("windows"), [{"start": HOUR["start"]}, HOUR], "windows"),
        (at("campaign", "affected", "rows"), 0, "campaign.affected.rows"),
        (inline, [], "campaign.affected.inline"),
        (at("campaign", "affected", "inline"), [{"account_id": "a"}], "campaign.affected"),
        (at("campaign", "affected", "s3"), None, "campaign.affected"),
        (at("campaign", "affected", "account_ids"), {"minimum": 0}, "campaign.affected.account_ids.minimum"),
        (at("campaign", "limits", "largest"), [], "campaign.limits.largest"),
        (at("campaign", "ignored_columns"), [""], "campaign.ignored_columns.0"),
    ],
)
def test_what_is_below_the_least_is_refused_with_its_path(put: Put, value: Any, path: str) -> None:
    with pytest.raises(EventRefused) as refused:
        read(put, value)
    assert refused.value.field.startswith(path)


def test_a_window_may_begin_with_the_earliest_year_and_last_an_instant() -> None:
    start = f"{WINDOW_YEAR_EARLIEST}-01-01T00:00:00Z"
    assert read(at("windows"), [{"start": start, "end": f"{WINDOW_YEAR_EARLIEST}-01-01T00:00:00.000001Z"}]).revision


@pytest.mark.parametrize(("wrong", "more"), [(ERRORS_SHOWN, ""), (ERRORS_SHOWN + 3, "; and 3 more")])
def test_the_first_wrong_fields_are_named_and_the_others_counted(wrong: int, more: str) -> None:
    with pytest.raises(EventRefused) as refused:
        read(at("functions"), [""] * wrong)
    named = str(refused.value).removesuffix(more)
    assert named.count("functions.") == ERRORS_SHOWN
    assert str(refused.value).endswith(more)
    assert " more" not in named
