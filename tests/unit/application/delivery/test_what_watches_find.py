"""What the watches of deliveries find: what is late and soon, what is given again, and whom one failure keeps up."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.delivery.given_again import note_given_again, watch_given_again
from kulanz.application.delivery.watch_dues import look_at_dues
from kulanz.application.delivery.watching import SECONDS_FOR_ONE, Looked, look_at_each
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.money import Size
from tests.support.values import NOW

MOMENT = timedelta(microseconds=1)
WARN = timedelta(days=3)


class Deadlines:
    """What is due, by deadline; and until when it was told to forget."""

    def __init__(self, found: Mapping[DueOf, tuple[int, Size]]) -> None:
        self._found = found
        self.forgotten: list[datetime] = []

    def before(self, instant: datetime) -> Iterator[tuple[DueOf, tuple[int, Size]]]:
        return ((due, found) for due, found in self._found.items() if due.due <= instant)

    def forget_what_is_done(self, now: datetime) -> None:
        self.forgotten.append(now)


def due(after: timedelta, seq: int, measure: str = "USD") -> DueOf:
    """A deadline, so long after now."""
    return DueOf(CampaignId("outage", seq), NOW + after, measure)


@pytest.mark.parametrize("forgets", [True, False])
def test_each_deadline_is_late_from_its_instant_on_and_soon_before_that(*, forgets: bool) -> None:
    """Several of each, so that their sums are of all of them."""
    late = {due(-WARN, 1): (2, 30), due(-MOMENT, 2, "GB"): (5, 70), due(timedelta(0), 3): (11, 130)}
    soon = {due(MOMENT, 4): (17, 190), due(WARN - MOMENT, 5): (23, 290)}
    later = {due(WARN + MOMENT, 6): (31, 370)}
    dues = Deadlines(late | soon | later)
    found = look_at_dues(cast("Any", dues), NOW, WARN, forgets=forgets)
    assert found.late == tuple((one, *sums) for one, sums in late.items())
    assert found.soon == tuple((one, *sums) for one, sums in soon.items())
    assert (found.overdue, found.due_soon) == (2 + 5 + 11, 17 + 23)
    assert dues.forgotten == ([NOW] if forgets else [])


class Incident:
    """Campaigns of one incident: which each sets off, and when it decided; and the voids of each."""

    def __init__(self, follows: Mapping[int, tuple[int, ...]], voids: Mapping[int, Any] | None = None) -> None:
        self.follows, self.of = follows, voids or {}
        self.decided: dict[int, datetime] = dict.fromkeys(follows, NOW - timedelta(days=1))
        self.kept: dict[tuple[TroubleKind, str], Trouble] = {}

    def incident(self, _: str) -> Any:
        return SimpleNamespace(applied=tuple(self.follows))

    def campaign(self, of: CampaignId) -> Any:
        return SimpleNamespace(id=of, follows=self.follows[of.seq], decided_at=self.decided[of.seq])

    def of_campaign(self, of: CampaignId) -> list[Any]:
        return [self.of[of.seq]] if of.seq in self.of else []

    def note(self, kind: TroubleKind, on: str, now: datetime) -> None:
        self.kept[kind, on] = Trouble(kind, on, now, now)

    def troubles(self) -> list[Trouble]:
        return list(self.kept.values())

    def repaired(self, kind: TroubleKind, on: str, now: datetime) -> None:
        assert now >= NOW
        del self.kept[kind, on]

    @property
    def ports(self) -> Any:
        return SimpleNamespace(campaigns=self, voids=self, troubles=self)

    def noted(self) -> list[str]:
        return [on for _, on in self.kept]


def named(*seqs: int) -> list[CampaignId]:
    """Some campaigns of the incident."""
    return [CampaignId("outage", seq) for seq in seqs]


def test_what_is_given_again_is_noted_of_campaigns_that_a_later_one_has_set_off() -> None:
    """The third adds to the others, and the fourth sets off the second alone."""
    world = Incident({1: (), 2: (), 3: (), 4: (2,)})
    note_given_again(named(4, 3, 2, 1), world.ports.campaigns, world.ports.troubles, NOW)
    assert world.kept == {(TroubleKind.GIVEN_AGAIN, "outage/2"): Trouble(TroubleKind.GIVEN_AGAIN, "outage/2", NOW, NOW)}


@pytest.mark.parametrize(
    ("moved", "is_over"), [({4: -MOMENT}, False), ({4: timedelta(0)}, False), ({4: MOMENT}, True), ({3: MOMENT}, False)]
)
def test_it_is_looked_at_where_the_list_was_sent_again_since(moved: Mapping[int, timedelta], *, is_over: bool) -> None:
    world = Incident({1: (), 2: (), 3: (), 4: (2,)})
    note_given_again(named(2), world.ports.campaigns, world.ports.troubles, NOW)
    world.decided |= {seq: NOW + after for seq, after in moved.items()}
    watch_given_again(world.ports, NOW + timedelta(hours=1))
    assert world.noted() == ([] if is_over else ["outage/2"])


@pytest.mark.parametrize("seq", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("state", "after", "ends_it"),
    [
        (VoidState.VOIDED, MOMENT, True),
        (VoidState.VOIDED, timedelta(0), False),
        (VoidState.VOIDED, -MOMENT, False),
        (VoidState.VOIDING, MOMENT, False),
        (VoidState.REJECTED, MOMENT, False),
    ],
)
def test_it_is_looked_at_where_something_of_either_was_voided_since(
    seq: int, state: VoidState, after: timedelta, *, ends_it: bool
) -> None:
    world = Incident({1: (), 2: (), 3: (), 4: (2,)}, {seq: SimpleNamespace(state=state, opened_at=NOW + after)})
    note_given_again(named(2), world.ports.campaigns, world.ports.troubles, NOW)
    watch_given_again(world.ports, NOW + timedelta(hours=1))
    assert world.noted() == ([] if ends_it and seq in (2, 4) else ["outage/2"])


def test_what_fails_and_what_is_flagged_is_named_with_its_reason_and_keeps_no_other_up() -> None:
    said = {"a": None, "b": "differs", "c": TryAgain("busy"), "d": "", "e": Refused("gone"), "f": None}
    seen: list[str] = []

    def look_at(one: str) -> str | None:
        seen.append(one)
        found = said[one]
        if isinstance(found, Exception):
            raise found
        return found

    found = look_at_each(said, look_at, lambda: SECONDS_FOR_ONE)
    assert seen == list(said)
    assert found == Looked((("b", "differs"), ("d", "")), (("c", "TryAgain: busy"), ("e", "Refused: gone")))
    assert found.waiting == 4


def test_without_the_time_for_one_more_the_others_are_left_for_the_next_look() -> None:
    left = iter([SECONDS_FOR_ONE + 1, SECONDS_FOR_ONE, SECONDS_FOR_ONE - 0.001])
    seen: list[str] = []
    look_at_each("abcd", seen.append, lambda: next(left))
    assert seen == ["a", "b"]
