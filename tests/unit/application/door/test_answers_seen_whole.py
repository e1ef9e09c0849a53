"""What every question to the API is answered about three months, whole: each field, and each refusal.

The months are those whose pages and commands are compared whole; here is also what neither of them shows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from kulanz.application.door.routes import ROUTES, Route
from tests.support.approved import must_be_as_approved
from tests.support.months import Month, dirty, on_bills, waiting_for_persons, worked
from tests.support.world_door import ANNA

type Names = Mapping[str, tuple[str, ...]]

OF_EVERY_MONTH: Names = {
    "month": ("2026-02", "2026-03"), "day": ("2026-02-28", "2026-03-01"), "channel": ("billing",), "serial": ("1", "2"),
    "revision": ("1", "2"), "version": ("1",), "id": ("e-1",), "file": ("none",),
}  # fmt: skip
NAMED: Mapping[Month, Names] = {
    waiting_for_persons: {
        "campaign": ("net-outage/1", "second/1"), "policy": ("net-credit",), "void": ("v-1",),
        "goodwill": ("T-1", "T-2"), "account": ("granted-1", "held-1", "referred-1", "torn-1", "nobody"),
        "draft": ("it-0a1b2c3d4e5f-voice", "it-planned00001-voice"),
    },
    on_bills: {
        "campaign": ("net-outage/1",), "policy": ("net-credit",), "account": ("a-1", "a-3"), "void": ("v-1",),
        "goodwill": ("T-1",), "draft": ("none",),
    },
    dirty: {
        "campaign": ("before/1", "dirty/2", "beside/1"), "policy": ("dirty",), "void": ("v-1",), "goodwill": ("T-1",),
        "account": ("written-1", "offered-2", "capped-3", "changed-0", "accepted-1", "difference-2", "held-5"),
        "draft": ("none",),
    },
    worked: {
        "campaign": ("first/1", "first/2", "second/1", "third/1", "goodwill-2026-03/1"), "policy": ("worked",),
        "void": ("t-43", "t-49"), "goodwill": ("t-32", "t-35", "t-37"), "draft": ("none",),
        "account": ("a-1", "a-2", "a-4", "a-5", "b-1", "c-1", "c-2", "e-1"),
    },
}  # fmt: skip
SHOWN_OF_A_LIST = 12
"""Of more elements the first and last are compared, and how many there are."""


def _values(route: Route, names: Names) -> Iterator[dict[str, str]]:
    """The values of a route's names, in every combination; an incident's number belongs to its id."""
    of_campaign = {"incident", "seq"} & set(route.names)
    free = [name for name in route.names if name not in of_campaign]
    for campaign in dict.fromkeys(_campaign(one, of_campaign) for one in names["campaign"]) if of_campaign else ((),):
        for chosen in product(*(names[name] for name in free)):
            yield {**dict(campaign), **dict(zip(free, chosen, strict=True))}


def _campaign(text: str, wanted: Iterable[str]) -> tuple[tuple[str, str], ...]:
    incident, _, seq = text.partition("/")
    return tuple((name, {"incident": incident, "seq": seq}[name]) for name in ("incident", "seq") if name in wanted)


def _lines(content: Mapping[str, Any]) -> Iterator[str]:
    """A line for each field, and for each element of a list; of many elements the first, the last and their number."""
    for name, value in content.items():
        if isinstance(value, list) and value:
            few = value if len(value) <= SHOWN_OF_A_LIST else [*value[:3], f"{len(value)} in all", *value[-3:]]
            yield from (f"  {name}: {json.dumps(one, ensure_ascii=False)}" for one in few)
        else:
            yield f"  {name}: {json.dumps(value, ensure_ascii=False)}"


@pytest.mark.parametrize("month", NAMED)
def test_what_each_question_is_answered_is_as_it_was_read_and_approved(month: Month) -> None:
    said = []
    with month() as (_, door):
        for route in ROUTES:
            if route.method != "GET":
                continue
            for values in _values(route, {**OF_EVERY_MONTH, **NAMED[month]}):
                path = route.path.removeprefix("/v1/").format(**values)
                reply = door.get(path, actor=ANNA.id) if "actor" in route.query else door.get(path)
                said += [f"{reply.status} {path}", *_lines(reply.content)]
    must_be_as_approved("\n".join(said) + "\n", Path(__file__).with_name(f"answers_{month.__name__}.txt"))
