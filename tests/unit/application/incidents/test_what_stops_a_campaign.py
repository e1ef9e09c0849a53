"""What a withdrawn or amended incident does to a campaign in each state: which end, in which words, and when nothing.

The words stand in the log, and a person who settles it reads them; a withdrawal is told from another by its revision.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from kulanz.application.incidents.follow_incident import follow_incident, is_amended
from kulanz.application.incidents.withdraw_incident import stop_withdrawn
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, Outdated, TryAgain
from kulanz.domain.campaigns.campaign import TRANSITIONS, Campaign, CampaignId, Cause, State, StateChange
from kulanz.domain.incident_record import DetailType, IncidentRecord, Revision, decision_digest
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID
from tests.support.world import World
from tests.unit.application.cases.test_waiting import closed

CAUSE = Cause("stream", "a record", "1")
LETS_BE = {State.REFUSED, State.REJECTED, State.CANCELLED, State.FLAGGED}


class Campaigns:
    """The records of one incident; `moves` are how often somebody else moves a campaign first."""

    def __init__(self, state: State, begun: bool, world: World, moves: int = 0) -> None:
        found, record = world.campaign(CAMPAIGN), world.campaigns.incident(INCIDENT_ID)
        assert record is not None
        self.now = world.now
        targets = [State.PLANNING, *([State.APPLYING] if begun else [])]
        self.lines = [
            StateChange(number, self.now, None, target, "came", CAUSE) for number, target in enumerate(targets, 1)
        ]
        self.one = replace(found, state=state, log_count=len(self.lines), incident_revision=1)
        self.record: IncidentRecord = replace(record, open_seq=1)
        self.revisions = {1: self._revision(1, DetailType.DECLARED, "a")}
        self.changes: list[StateChange] = []
        self.moves = moves

    def _revision(self, number: int, kind: DetailType, service: str) -> Revision:
        told: dict[str, object] = {
            "service": service,
            "title": str(number),
            "cause": None,
            "facts": {},
            "functions": [],
            "windows": [],
        }
        content = json.dumps(told).encode()
        return Revision(INCIDENT_ID, number, kind.value, content, "d", self.now, "billing")

    def tell(self, number: int, kind: DetailType, service: str) -> None:
        self.revisions[number] = self._revision(number, kind, service)
        self.record = replace(self.record, highest_revision=number)

    def incident(self, incident_id: str) -> IncidentRecord | None:
        return self.record if incident_id == INCIDENT_ID else None

    def revision(self, _: str, number: int) -> Revision | None:
        return self.revisions.get(number)

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        return self.one if campaign_id == self.one.id else None

    def campaigns_of(self, _: str) -> Sequence[Campaign]:
        return [self.one]

    def log(self, _: CampaignId) -> Sequence[StateChange]:
        return self.lines

    def change_state(self, campaign: Campaign, change: StateChange) -> None:
        if self.moves:
            self.moves -= 1
            raise Outdated
        assert campaign == self.one
        self.changes.append(change)
        self.lines = [*self.lines, change]
        self.one = replace(self.one, state=change.target, log_count=change.number)


def follow(some: Campaigns) -> list[tuple[State, str]]:
    store: Any = some
    follow_incident(INCIDENT_ID, store, CAUSE, some.now)
    assert all((change.cause, change.at) == (CAUSE, some.now) for change in some.changes)
    return [(change.target, change.reason) for change in some.changes]


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("state", State)
def test_a_withdrawal_cancels_what_wrote_nothing_flags_what_wrote_and_lets_be_what_has_ended(
    state: State, *, begun: bool
) -> None:
    some = Campaigns(state, begun, closed())
    some.tell(3, DetailType.WITHDRAWN, "a")
    target = State.FLAGGED if begun else State.CANCELLED
    if state not in LETS_BE and target not in TRANSITIONS[state]:
        return  # no such log: what is paused has begun, what is planned has not
    says = "after its credits were begun; none is taken back" if begun else "before any credit was written"
    expected = [] if state in LETS_BE else [(target, f"incident_withdrawn: revision 3 came {says}")]
    assert follow(some) == expected
    some.one = replace(some.one, state=state)  # a person lets it go on
    assert follow(some) == expected, "this withdrawal has stopped it"


def test_a_further_withdrawal_stops_what_a_person_let_go_on_after_the_first() -> None:
    some = Campaigns(State.APPLYING, True, closed())
    some.tell(3, DetailType.WITHDRAWN, "a")
    follow(some)
    some.one = replace(some.one, state=State.APPLYING)
    some.tell(5, DetailType.WITHDRAWN, "a")
    assert [reason.partition(" came")[0] for _, reason in follow(some)] == [
        "incident_withdrawn: revision 3", "incident_withdrawn: revision 5",
    ]  # fmt: skip


def test_a_withdrawal_that_a_higher_revision_has_overtaken_stops_nothing() -> None:
    some = Campaigns(State.APPLYING, True, closed())
    some.tell(3, DetailType.WITHDRAWN, "a")
    store: Any = some
    for revision, incident_id in ((2, INCIDENT_ID), (4, INCIDENT_ID), (3, "other-1")):
        stop_withdrawn(incident_id, revision, store, CAUSE, some.now)
    assert some.changes == []


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("service", ["a", "b"])
def test_an_amendment_pauses_what_is_being_written_where_it_decides_otherwise(state: State, service: str) -> None:
    some = Campaigns(state, True, closed())
    some.tell(2, DetailType.AMENDED, service)
    digest = decision_digest(some.revisions[2].content)
    assert follow(some) == [
        (State.PAUSED, "incident_amended: revision 2 states other windows, service, functions, cause or facts than the"
         " campaign decides by; another person than the requester may let it go on by naming " + digest)
    ] * (state is State.APPLYING and service == "b")  # fmt: skip


def test_what_a_person_let_go_on_is_amended_only_by_what_decides_otherwise_again() -> None:
    some = Campaigns(State.APPLYING, True, closed())
    store: Any = some
    for number, service in ((2, "b"), (3, "c"), (4, "b"), (5, "a")):
        some.tell(number, DetailType.AMENDED, service)
    first, second_, third, fourth = (some.revisions[number] for number in (2, 3, 4, 5))
    assert [is_amended(some.one, one, store) for one in (some.revisions[1], first, second_, third, fourth)] == [
        False, True, True, True, False,
    ]  # fmt: skip
    for allowed in (first, second_):
        some.lines = [*some.lines, replace(some.lines[0], decides_by=decision_digest(allowed.content))]
    assert [is_amended(some.one, one, store) for one in (first, second_, third)] == [True, False, True]
    del some.revisions[1]
    assert is_amended(some.one, fourth, store), "of a revision that is gone nobody knows what it decided"


def test_an_incident_that_nobody_told_stops_nothing() -> None:
    some = Campaigns(State.APPLYING, True, closed())
    store: Any = some
    follow_incident("other-1", store, CAUSE, some.now)
    some.record = replace(some.record, highest_revision=9)
    assert follow(some) == []
    some.tell(2, DetailType.AMENDED, "b")
    some.record = replace(some.record, open_seq=None)
    assert follow(some) == []


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (DetailType.WITHDRAWN, "the campaigns of the withdrawn incident keep changing"),
        (DetailType.AMENDED, "the campaign of the amended incident keeps changing"),
    ],
)
@pytest.mark.parametrize(("moves", "gives_up"), [(ATTEMPTS_AGAINST_OTHERS - 1, False), (ATTEMPTS_AGAINST_OTHERS, True)])
def test_what_others_move_is_tried_again_and_then_left_to_the_next_message(
    kind: DetailType, says: str, moves: int, *, gives_up: bool
) -> None:
    some = Campaigns(State.APPLYING, True, closed(), moves)
    some.tell(2, kind, "b")
    if not gives_up:
        assert len(follow(some)) == 1
        return
    with pytest.raises(TryAgain, match=says):
        follow(some)


def test_a_log_that_grew_between_two_looks_is_looked_at_again() -> None:
    some = Campaigns(State.APPLYING, True, closed())
    some.tell(2, DetailType.WITHDRAWN, "a")
    some.one = replace(some.one, log_count=9)
    with pytest.raises(TryAgain):
        follow(some)
    assert some.changes == []
