"""A generated history of a status page, shaped as recorded ones were counted to be, goes through without an exception.

Counted were the 1,282 incidents that a large software company's public page had up to October 2023, of which 450 were
from 2019 on. The texts, ids and times here are invented; how many incidents have which gap is as it was counted.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from kulanz.domain.drafts.draft import Draft
from kulanz.domain.drafts.reported import Degree, Mark
from kulanz.domain.time import format_instant
from tests.support.sources import configured, drafts_from

SINCE_2019 = {
    "no component status in any update": 28,
    "operational throughout": 341,
    "some impairment": 81,
    "ends impaired though resolved": 41,
    "chain broken": 41,
    "started after resolved": 3,
    "reopened": 0,
    "all": 450,
}
"""As counted. Of the 81 with an impairment 41 end impaired; in 41 a status does not follow from the one before."""
BEFORE_2019 = 1_282 - SINCE_2019["all"]
STATUSES = ("degraded_performance", "partial_outage", "major_outage")
UPDATES_MOST = 30
"""Of one incident, as recorded."""

type Step = tuple[str | None, str | None]
"""Old and new status of the one component in an update; None where the update names no component."""


def incident(number: int, steps: Sequence[Step], random: Random, *, is_backdated: bool = False) -> dict[str, Any]:
    """A delivery of a resolved incident whose updates are `steps`."""
    began = datetime(2019, 1, 1, tzinfo=UTC) + timedelta(hours=number * 30, microseconds=random.randrange(10**9))
    at, updates = began, list[dict[str, Any]]()
    for place, (old, new) in enumerate(steps):
        at += timedelta(milliseconds=random.randrange(1_000, 3_600_000))
        named = [{"code": "cvoice000001", "name": "Voice", "old_status": old, "new_status": new}]
        updates.append(
            {
                "id": f"u{place}",
                "status": "resolved" if place == len(steps) - 1 else "investigating",
                "created_at": format_instant(at),
                "updated_at": format_instant(at),
                "display_at": format_instant(at),
                "affected_components": named if new is not None else random.choice([None, []]),
            }
        )
    resolved = began if is_backdated else at
    started = at + timedelta(days=5) if is_backdated else began
    return {
        "page": {"id": "p4g3x7example"},
        "incident": {
            "id": f"{number:012d}",
            "name": f"Incident {number}",
            "status": "resolved",
            "created_at": format_instant(began),
            "started_at": format_instant(started),
            "updated_at": format_instant(at),
            "resolved_at": format_instant(resolved),
            "incident_updates": updates[::-1],
            "components": [{"id": "cvoice000001", "name": "Voice"}],
        },
    }


def chain(random: Random, *, length: int, closes: bool) -> list[Step]:
    """Statuses that follow from each other, from operational on."""
    known, steps = "operational", list[Step]()
    for place in range(length):
        following = random.choice(STATUSES) if place == 0 else random.choice((*STATUSES, known))
        steps.append((known, following))
        known = following
    return [*steps, (known, "operational") if closes else (known, known)]


def broken(steps: list[Step], random: Random) -> list[Step]:
    """The same with a status in it, not the last, that does not follow from the one before."""
    place = random.randrange(1, len(steps) - 1)
    known = steps[place - 1][1]
    other = random.choice([one for one in STATUSES if one != known])
    return [*steps[:place], (other, steps[place][1]), *steps[place + 1 :]]


def since_2019(random: Random) -> Iterator[dict[str, Any]]:
    """450 incidents with as many of each gap as were counted."""
    number = 0
    for _ in range(SINCE_2019["no component status in any update"]):
        yield incident(number := number + 1, [(None, None)] * random.randint(1, 5), random)
    for place in range(SINCE_2019["operational throughout"]):
        steps: list[Step] = [("operational", "operational")] * random.randint(1, UPDATES_MOST)
        is_backdated = place < SINCE_2019["started after resolved"]
        yield incident(number := number + 1, steps, random, is_backdated=is_backdated)
    for place in range(SINCE_2019["some impairment"]):
        closes = place >= SINCE_2019["ends impaired though resolved"]
        steps = chain(random, length=random.randint(2, 6), closes=closes)
        is_broken = place % 2 == 0 and place // 2 < SINCE_2019["chain broken"]
        yield incident(number := number + 1, broken(steps, random) if is_broken else steps, random)


def counted(drafts: Sequence[Draft], bodies: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The drafts, in the rows of the table."""
    found: Counter[str] = Counter(dict.fromkeys(SINCE_2019, 0))
    for draft, body in zip(drafts, bodies, strict=True):
        found["all"] += 1
        named = [one for update in body["incident"]["incident_updates"] for one in update["affected_components"] or ()]
        spans = draft.components[0].timeline.spans
        if not named:
            found["no component status in any update"] += 1
        elif not spans:
            found["operational throughout"] += 1
        else:
            found["some impairment"] += 1
        ends = [span.end for span in spans][-1:]
        found["ends impaired though resolved"] += any(
            end is not None and end.field == "incident.resolved_at" for end in ends
        )
        found["chain broken"] += Mark.TIMELINE_BROKEN in draft.marks
        found["started after resolved"] += Mark.TIMES_CONTRADICT in draft.marks
        found["reopened"] += Mark.REOPENED in draft.marks
    return dict(found)


def all_drafts(bodies: Sequence[dict[str, Any]]) -> list[Draft]:
    components = {"cvoice000001": {"service": "voice"}}
    source = configured("statuspage", components=components, services={"voice": {"counts": ["major", "partial"]}})
    return [draft for body in bodies for draft in drafts_from(source, [body]).values()]


def test_a_history_like_the_recorded_ones_has_the_gaps_that_were_counted_there() -> None:
    bodies = list(since_2019(Random(2019)))
    assert counted(all_drafts(bodies), bodies) == SINCE_2019


def test_no_incident_of_a_long_history_fails_or_ends_before_it_starts() -> None:
    random = Random(2010)
    bodies = [
        incident(
            number,
            [
                (
                    random.choice(["operational", *STATUSES, None]),
                    random.choice(["operational", *STATUSES, "odd", None]),
                )
                for _ in range(random.randint(1, UPDATES_MOST))
            ],
            random,
            is_backdated=random.random() < 0.02,
        )
        for number in range(BEFORE_2019)
    ]
    drafts = all_drafts([*bodies, *since_2019(random)])
    assert len(drafts) == 1_282
    for draft in drafts:
        stated = {draft.began, draft.ended}
        instants = {stamp.at for stamp in stated if stamp is not None}
        for span in draft.components[0].timeline.spans:
            assert span.degree is not Degree.UNKNOWN
            assert span.end is not None
            assert span.start.at < span.end.at
            assert span.start.field
            assert span.end.field
            assert span.end.field != "incident.resolved_at" or span.end.at in instants
        whole = draft.totals.start_to_resolved
        assert whole is None or whole > timedelta(0)
