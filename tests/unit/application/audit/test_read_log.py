"""The audit log, asked through the API: every action stands in it with who did it, from publishing to accepting."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from kulanz.application.audit import read_log
from kulanz.application.audit.read_log import LogPorts
from kulanz.application.door.serve import Reply, Request
from kulanz.application.ports import Indexed, Page, Upload
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, PinnedList, State, StateChange
from kulanz.domain.incident_record import Revision
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.values import campaign
from tests.support.world import BEN, World
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor, routed

POLICY = """
kulanz: 1
id: minutes
version: 1
title: Minutes for a line that was out
facts: {out: yes_no}
who:
  - decline: not_out
    unless: out
give: {quantity: 20, unit: call_minute, valid: 30 days}
mode: {offer: {until: day(decided_at) + 20 days}}
"""
ROWS = 7
AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
CAMPAIGN = f"{INCIDENT_ID}/1"


@pytest.fixture
def door() -> WorldDoor:
    """A campaign that closed with offers, of which some were accepted; a policy and a list with a word about whose."""
    world = World()
    world.policies.publish("minutes", 1, sealed_policy(POLICY), "sso:paula")
    world.lists.upload("lists/1.csv", b"account_id,out\n" + b"".join(b"a-%d,yes\n" % number for number in range(ROWS)))
    world.publish(event(key="lists/1.csv", rows=ROWS, policy="minutes"))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    found = WorldDoor(world)
    for number in range(5):
        accept(found, f"a-{number}", ANNA if number % 2 else BERT)
    return found


def accept(door: WorldDoor, account: str, by: Somebody) -> None:
    assert door.put(f"acceptances/{account}/{INCIDENT_ID}/accept-{account}", {}, by).status == 200


def ask(door: WorldDoor, path: str, query: dict[str, str]) -> Reply:
    return door.send(Request(routed("GET", f"/v1/{path}").key, f"/v1/{path}", query))


def all_of(door: WorldDoor, path: str, **query: str) -> list[dict[str, Any]]:
    """Every line of a log, over as many answers as it takes; none comes twice."""
    found: list[dict[str, Any]] = []
    while True:
        answer = ask(door, path, query)
        assert answer.status == 200, answer.content
        found += answer.content["entries"]
        if answer.content["next"] is None:
            lines = [tuple(line.items()) for line in found]
            assert len(set(lines)) == len(lines)
            return found
        query = {**query, "cursor": answer.content["next"]}


def told(lines: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(line["actor"], line["action"], line["on"]) for line in lines]


EVERYTHING = [
    ("sso:paula", "published", "minutes 1"),
    ("unknown", "uploaded", "lists/1.csv"),
    ("billing", "Incident Declared", INCIDENT_ID),
    ("billing", "requested", CAMPAIGN),
    ("advance_campaign", "awaiting_approval", CAMPAIGN),
    (ANNA.id, "approved", CAMPAIGN),
    (BEN, "approved", CAMPAIGN),
    ("advance_campaign", "closed", CAMPAIGN),
    *((ANNA.id if number % 2 else BERT.id, "accepted", f"{CAMPAIGN} a-{number} -") for number in range(5)),
]


@pytest.mark.parametrize("most", [1, 2, 100])
def test_a_campaigns_log_goes_from_its_policy_to_what_was_accepted(
    door: WorldDoor, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_log, "ENTRIES_PER_PAGE", most)
    assert sorted(told(all_of(door, f"audit/campaign/{CAMPAIGN}"))[:8]) == sorted(EVERYTHING[:8])
    assert told(all_of(door, f"audit/campaign/{CAMPAIGN}"))[8:] == EVERYTHING[8:]


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_an_incidents_log_has_all_its_campaigns(door: WorldDoor, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = door.world
    world.lists.upload("lists/2.csv", b"account_id,out\n" + b"".join(b"b-%d,yes\n" % number for number in range(ROWS)))
    world.publish(event(key="lists/2.csv", rows=ROWS, policy="minutes"))
    world.run_until_quiet()
    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED
    for account in ("b-0", "b-1", "b-2"):
        accept(door, account, ANNA)
    monkeypatch.setattr(read_log, "ENTRIES_PER_PAGE", most)

    lines = told(all_of(door, f"audit/incident/{INCIDENT_ID}"))

    others = [(ANNA.id, "accepted", f"{INCIDENT_ID}/2 b-2 -"), ("billing", "requested", f"{INCIDENT_ID}/2")]
    for line in (*EVERYTHING, *others):
        assert lines.count(line) == 1, line
    assert len([line for line in lines if line[1] == "accepted"]) == 8


def test_a_policys_log_says_who_published_it_and_who_used_it(door: WorldDoor) -> None:
    assert told(all_of(door, "audit/policy/minutes")) == [EVERYTHING[0], ("billing", "requested", CAMPAIGN)]


def test_a_persons_log_has_what_was_done_under_that_id_and_a_days_log_everything(door: WorldDoor) -> None:
    assert told(all_of(door, "audit/actor", actor=ANNA.id)) == [line for line in EVERYTHING if line[0] == ANNA.id]
    day = f"{door.world.now:%Y-%m-%d}"
    assert sorted(told(all_of(door, f"audit/day/{day}"))) == sorted(EVERYTHING[2:])
    assert all_of(door, "audit/day/2025-12-31") == []


def test_what_operators_do_again_is_logged_once_with_its_reason(door: WorldDoor) -> None:
    for path, body in (
        (f"repairs/advance/{CAMPAIGN}/again", {"reason": "its record was lost"}),
        (f"repairs/statuses/{INCIDENT_ID}/again", {}),
        ("repairs/redrive/chunks/again", {}),
    ):
        for _ in range(2):
            assert door.put(path, body, BERT).status == 200

    mine = [line for line in all_of(door, "audit/actor", actor=BERT.id) if line["action"] != "accepted"]
    assert [(line["action"], line["about"], line["on"], line["reason"], line["cause"]) for line in mine] == [
        ("repairs advance", "campaign", CAMPAIGN, "its record was lost", "again"),
        ("repairs statuses", "incident", INCIDENT_ID, "", "again"),
        ("repairs redrive", "stack", "chunks", "", "again"),
    ]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("audit/campaign/unknown/1", {}, 404),
        ("audit/incident/unknown", {}, 404),
        ("audit/policy/unknown", {}, 404),
        ("audit/day/2026-02-30", {}, 400),
        ("audit/day/yesterday", {}, 400),
        ("audit/actor", {}, 400),
        ("audit/actor", {"actor": ""}, 400),
        ("audit/actor", {"actor": "sso:nobody"}, 200),
        ("audit/policy/minutes", {"cursor": "eA"}, 400),
        (f"campaigns/month/{2026}", {}, 400),
    ],
)
def test_what_is_asked_wrongly_is_answered_with_what_was_expected(
    door: WorldDoor, path: str, query: dict[str, str], status: int
) -> None:
    assert ask(door, path, query).status == status


def test_campaigns_and_incidents_are_found_by_their_month(door: WorldDoor) -> None:
    month = f"{door.world.now:%Y-%m}"
    campaigns = door.get(f"campaigns/month/{month}").content
    assert [one["campaign"] for one in campaigns["campaigns"]] == [CAMPAIGN]
    assert [one["incident_id"] for one in door.get(f"incidents/month/{month}").content["incidents"]] == [INCIDENT_ID]
    assert door.get("campaigns/month/2025-12").content["campaigns"] == []
    assert door.get("incidents/month/2025-12").content["incidents"] == []


class Told:
    """What the stores say of two campaigns, each thing at an instant of its own."""

    def __init__(self, added: dict[int, list[Addition]], published: dict[int, datetime] | None = None) -> None:
        self.campaigns = self.index = self.uploads = cast("Any", self)
        self._added = added
        self._published = published or {}

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        version = 10 + campaign_id.seq
        return replace(campaign(campaign_id), policy_version=version) if campaign_id.seq in self._added else None

    def campaigns_of(self, _incident: str) -> list[Campaign]:
        return [replace(campaign(CampaignId("net-outage", seq)), policy_version=10 + seq) for seq in self._added]

    def log(self, campaign_id: CampaignId) -> list[StateChange]:
        cause = Cause("the-actor", f"event-{campaign_id.seq}", "code")
        opened = StateChange(1, AT + timedelta(hours=campaign_id.seq), None, State.PLANNING, "opened", cause)
        return [opened, replace(opened, number=2, at=AT + timedelta(hours=30), source=State.PLANNING)]

    def revisions(self, incident_id: str) -> list[Revision]:
        return [Revision(incident_id, 1, "Incident Declared", b"{}", "digest", AT + timedelta(hours=20), "the-source")]

    def policy(self, policy_id: str, version: int) -> Upload | None:
        return Upload(AT + timedelta(hours=version), f"{policy_id} {version}")

    def policies(self, _policy: str) -> Iterator[tuple[int, Upload]]:
        yield from ((version, Upload(at, "the-publisher")) for version, at in self._published.items())

    def pinned(self, _pinned: PinnedList) -> Upload | None:
        return Upload(AT + timedelta(hours=25), "the-uploader")

    def additions(self, campaign_id: CampaignId, after: str, most: int) -> Page[Addition]:
        found, start = self._added[campaign_id.seq], int(after or 0)
        return Page(tuple(found[start : start + most]), str(start + most) if len(found) > start + most else "")

    def campaigns_under(self, _policy: str, after: str, _most: int) -> Page[Indexed[CampaignId]]:
        first = [] if after else sorted(self._added, reverse=True)
        return Page(tuple(Indexed(AT, CampaignId("net-outage", seq)) for seq in first), "")

    @property
    def ports(self) -> LogPorts:
        return LogPorts(self.campaigns, self.index, self.uploads)


def added(kind: AdditionKind, number: int, channel: str = "") -> Addition:
    key = DecisionKey(f"account-{number}", "net-outage", f"subject-{number}", 1)
    return Addition(kind, key, AT + timedelta(days=number), f"actor-{number}", channel=channel)


WORDS = {
    (AdditionKind.ACCEPTED, ""): "accepted",
    (AdditionKind.DECIDED, ""): "granted by hand",
    (AdditionKind.RECOGNISED, ""): "granted for a rejected row",
    (AdditionKind.GOODWILL, ""): "gave goodwill",
    (AdditionKind.AGAIN, ""): "sent a credit again",
    (AdditionKind.AGAIN, "letters:csv"): "sent a credit to another channel",
    (AdditionKind.REVERSAL, ""): "asked back what the biller has",
}


def test_a_campaigns_log_is_in_the_order_of_time_and_says_of_each_addition_what_it_was() -> None:
    additions = [added(kind, number, channel) for number, (kind, channel) in enumerate(WORDS, 40)]
    page = read_log.campaign_log(CampaignId("net-outage", 1), Told({1: additions}).ports)
    begun = [(entry.at, entry.actor, entry.action, entry.on) for entry in page.found[: -len(WORDS)]]
    assert begun == [
        (AT + timedelta(hours=1), "billing", "requested", "net-outage/1"),
        (AT + timedelta(hours=11), "net-credit 11", "published", "net-credit 11"),
        (AT + timedelta(hours=20), "the-source", "Incident Declared", "net-outage"),
        (AT + timedelta(hours=25), "the-uploader", "uploaded", "lists/a.csv"),
        (AT + timedelta(hours=30), "the-actor", "planning", "net-outage/1"),
    ]
    assert [(entry.at, entry.actor, entry.action, entry.on) for entry in page.found[-len(WORDS) :]] == [
        (AT + timedelta(days=number), f"actor-{number}", action, f"net-outage/1 account-{number} subject-{number}")
        for number, action in enumerate(WORDS.values(), 40)
    ]
    assert {kind for kind, _ in WORDS} == set(AdditionKind)


def test_an_answer_about_an_incident_ends_when_it_is_full_and_goes_on_with_the_next_campaign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_log, "ENTRIES_PER_PAGE", 3)
    of_each = {seq: [added(AdditionKind.ACCEPTED, 10 * seq + number) for number in range(2)] for seq in range(1, 6)}
    ports, sizes, found, after = Told(of_each).ports, list[int](), list[str](), ""
    while not sizes or after:
        page = read_log.incident_log("net-outage", ports, after)
        found += [entry.actor for entry in page.found if entry.action == "accepted"]
        sizes.append(len(page.found))
        after = page.after
    begun = 1 + 5 + 1 + 10  # a revision, policies, one list, and each campaign's opening and its one change
    assert sizes == [begun + 2, 4, 4], "each full answer ends with the campaign that filled it"
    assert found == [one.actor for additions in of_each.values() for one in additions]


@pytest.mark.parametrize("most", [2, 3, 4, 7, 100])
@pytest.mark.parametrize("counts", [(5, 6, 4), (3, 0, 9), (1, 8, 1), (7, 1, 8)])
def test_a_page_that_ends_within_a_campaign_leaves_nothing_out_of_the_later_ones(
    counts: tuple[int, ...], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one campaign's page goes on from means nothing in the next one: that is read from its beginning."""
    monkeypatch.setattr(read_log, "ENTRIES_PER_PAGE", most)
    of_each = {
        seq: [added(AdditionKind.ACCEPTED, 100 * seq + number) for number in range(size)]
        for seq, size in enumerate(counts, 1)
    }
    ports, found, after = Told(of_each).ports, list[str](), ""
    for _ in range(sum(counts) + len(counts)):
        page = read_log.incident_log("net-outage", ports, after)
        found += [entry.actor for entry in page.found if entry.action == "accepted"]
        after = page.after
        if not after:
            break
    assert after == ""
    assert found == [one.actor for additions in of_each.values() for one in additions]


def test_a_policy_is_unknown_only_where_nothing_was_published_and_nothing_requested_under_it() -> None:
    published = {3: AT + timedelta(hours=9), 4: AT}
    only_published = read_log.policy_log("net-credit", Told({}, published).ports).found
    assert [(entry.at, entry.on, entry.place) for entry in only_published] == [
        (AT, "net-credit 4", "4"),
        (AT + timedelta(hours=9), "net-credit 3", "3"),
    ]
    only_requested = read_log.policy_log("net-credit", Told({1: [], 2: []}).ports).found
    assert [(entry.action, entry.on) for entry in only_requested] == [
        ("requested", "net-outage/1"),
        ("requested", "net-outage/2"),
    ]
    assert read_log.policy_log("net-credit", Told({1: []}, published).ports, "behind all").found == ()
    with pytest.raises(read_log.NothingLogged):
        read_log.policy_log("net-credit", Told({}).ports)
