"""The law: granted = used + expired + voided + written off + open, from entries and from counters, at any clock."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.application.campaigns.advance_campaign import advance_campaign
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ledger.check_ledger import Checked, check_ledger
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.campaigns.ends import END_COUNTED_EVERY, EndOf, counted_end
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.law import Counted, Shares, law_of_counters
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.time import format_instant, parse_instant
from tests.support.small_campaign import CAMPAIGN, POLICY, event, list_of, row, small_world
from tests.support.world import ANNA, BEN, START, World
from tests.support.world_door import WorldDoor, check_ports
from tests.support.world_voids import approved, asked, run_voids

ID = CampaignId.parse(CAMPAIGN)
ACCOUNTS = 4
EUR, MINUTES = ACCOUNTS * 500, ACCOUNTS * 20


def closed() -> WorldDoor:
    """Four accounts have 5.00 EUR, which does not end, and 20 minutes, which end a week later."""
    world = small_world(list_of([row(f"a-{number}", fee="50.00") for number in range(ACCOUNTS)]))
    world.publish(event(rows=ACCOUNTS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return WorldDoor(world)


def key(number: int) -> DecisionKey:
    return DecisionKey(f"a-{number}", ID.incident_id, "-", 1)


def void(world: World, *, name: str = "v") -> None:
    run_voids(world)
    opened = asked(world, ANNA, name=name)
    run_voids(world)
    approved(world, opened, BEN)
    run_voids(world)


def counters(door: WorldDoor) -> dict[str, Mapping[str, str]]:
    """The law as the month has it."""
    (campaign,) = door.get("acknowledgements/month/2026-03").content["campaigns"]
    assert campaign["differences"] == []
    for line in campaign["lines"]:
        names = ("used", "expired", "voided", "written_off", "open")
        assert sum(Decimal(line[name]) for name in names) == Decimal(line["granted"])
    return {line["measure"]: line for line in campaign["lines"]}


def checked(door: WorldDoor) -> Checked:
    return check_ledger(ID, check_ports(door), door.world.now)


def last_end(world: World) -> datetime:
    """The first instant at which all minutes have ended as they are counted."""
    return max(end.at for end in world.campaign(CAMPAIGN).apply.totals.ends)


def test_before_its_end_everything_is_open_and_after_it_what_ends_has_expired() -> None:
    door = closed()
    world = door.world
    end = last_end(world)
    for now, expired in (
        (world.now, 0),
        (end - timedelta(microseconds=1), 0),
        (end, MINUTES),
        (end + timedelta(9), MINUTES),
    ):
        world.now = now
        found = checked(door)
        assert found.broken == ()
        assert found.law == {"EUR": Shares(open=EUR), "call_minute": Shares(expired=expired, open=MINUTES - expired)}
        line = counters(door)["call_minute"]
        assert (line["expired"], line["open"]) == (str(expired), str(MINUTES - expired))
        assert line["is_exact"]


def reported(world: World) -> list[dict[str, Any]]:
    """The law in each event about a campaign that ended, first to last."""
    return [json.loads(one.detail)["law"] for one in world.announcer.announced if one.detail_type == "Campaign Closed"]


def test_the_event_that_reports_a_closed_campaign_says_where_all_that_it_granted_is() -> None:
    world = closed().world
    (law,) = reported(world)
    assert START < parse_instant(law["as_of"]) <= world.now
    nothing = dict.fromkeys(("used", "expired", "voided", "written_off"), "0")
    assert law["measures"] == [
        {"measure": measure, "granted": str(size), **nothing, "open": str(size), "is_exact": True}
        for measure, size in (("EUR", EUR), ("call_minute", MINUTES))
    ]


def test_a_report_that_is_sent_again_says_where_it_is_by_then() -> None:
    world = closed().world
    void(world)
    documents = dict(world.archive.documents)
    world.campaigns.mark_announced(world.campaign(CAMPAIGN), "")
    world.now = last_end(world)
    advance_campaign(ID, world._advance_ports(), Cause("a-person", "again", "1"), world.now)
    assert world.archive.documents == documents, "the document is what it was"
    law = reported(world)[-1]
    assert law["as_of"] == format_instant(world.now)
    assert {one["measure"]: (one["granted"], one["voided"], one["open"]) for one in law["measures"]} == {
        "EUR": (str(EUR), str(EUR), "0"),
        "call_minute": (str(MINUTES), str(MINUTES), "0"),
    }


def test_what_was_voided_before_its_end_is_voided_and_not_expired() -> None:
    door = closed()
    void(door.world)
    door.world.now = last_end(door.world)
    found = checked(door)
    assert found.broken == ()
    assert found.law == {"EUR": Shares(voided=EUR), "call_minute": Shares(voided=MINUTES)}
    assert {line["expired"] for line in counters(door).values()} == {"0.00", "0"}


def test_what_expired_first_is_expired_and_the_void_takes_the_rest() -> None:
    door = closed()
    door.world.now = last_end(door.world)
    void(door.world)
    found = checked(door)
    assert found.broken == ()
    assert found.law == {"EUR": Shares(voided=EUR), "call_minute": Shares(expired=MINUTES)}
    lines = counters(door)
    assert (lines["EUR"]["voided"], lines["call_minute"]["expired"]) == ("20.00", str(MINUTES))


@pytest.mark.parametrize("kind", [EntryKind.VOIDED, EntryKind.WRITTEN_OFF])
def test_an_entry_that_no_counter_knows_is_named_by_the_check(kind: EntryKind) -> None:
    """Somebody wrote into the ledger past the functions."""
    door = closed()
    hidden = CreditEntry(kind, door.world.now, "x", "by-hand", (0,))
    door.world.credits.write_entries([EntriesChange(key(1), (), (hidden,))])
    name = kind.replace("_", " ")
    assert checked(door).broken == (
        *(["EUR voided: counters 0, entries 500 (in the smallest unit)"] if kind is EntryKind.VOIDED else []),
        *([f"EUR {name}: counters 0, entries 500 (in the smallest unit)"] if kind is EntryKind.WRITTEN_OFF else []),
        f"EUR expired or open: counters {EUR}, entries {EUR - 500} (in the smallest unit)",
    )


def test_a_counter_that_no_entry_knows_is_named_by_the_check() -> None:
    door = closed()
    void(door.world)
    door.world.credits.texts.pop(key(2))
    entry = door.world.ledger.standing([key(2)])[key(2)]
    door.world.ledger.replace_entry(replace(entry, voided=()))
    assert any("EUR voided: counters 2000, entries 1500" in text for text in checked(door).broken)


def test_while_a_void_runs_nothing_is_compared_because_entries_come_before_their_counters() -> None:
    door = closed()
    opened = asked(door.world, ANNA)
    run_voids(door.world)
    approved(door.world, opened, BEN)
    hidden = CreditEntry(EntryKind.VOIDED, door.world.now, "x", "by-hand", (0,))
    door.world.credits.write_entries([EntriesChange(key(1), (), (hidden,))])
    assert checked(door).broken == ()


def test_while_answers_are_read_nothing_is_compared_either(monkeypatch: pytest.MonkeyPatch) -> None:
    door = closed()
    hidden = CreditEntry(EntryKind.WRITTEN_OFF, door.world.now, "x", "by-hand", (0,))
    door.world.credits.write_entries([EntriesChange(key(1), (), (hidden,))])
    assert checked(door).broken != ()
    monkeypatch.setattr(door.answers, "open_files", lambda: [("billing", "a-file")])
    assert checked(door).broken == ()


@pytest.mark.parametrize(
    ("ends_at", "counted"),
    [("09:00:00.000000", "09:00"), ("09:00:00.000001", "10:00"), ("09:59:59.999999", "10:00"), ("23:30:00", "24:00")],
)
def test_an_end_counts_from_the_next_full_hour(ends_at: str, counted: str) -> None:
    day = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    hours, minutes = map(int, counted.split(":"))
    assert counted_end(datetime.fromisoformat(f"2026-03-01T{ends_at}+00:00")) == day + timedelta(
        hours=hours, minutes=minutes
    )
    assert timedelta(hours=1) == END_COUNTED_EVERY


def test_counters_take_what_is_gone_for_what_ended_first_and_say_whether_that_is_exact() -> None:
    """Of 10.00 so much has ended, is used and was added: what is expired is at least so much, and exact or not."""
    wrong = []
    for ended, used, added, expired, is_exact in (
        (0, 0, 0, 0, True),
        (1_000, 0, 0, 1_000, True),
        (500, 0, 0, 500, True),
        (500, 400, 0, 100, False),
        (400, 500, 0, 0, False),
        (0, 400, 0, 0, True),
        (1_000, 400, 0, 600, True),
        (1_000, 1_000, 0, 0, True),
        (0, 0, 300, 0, False),
        (500, 0, 300, 500, False),
        (1_000, 400, 300, 600, False),
    ):
        line = ToTheBill("EUR", 1_000, 0, {CreditState.APPLIED: used, CreditState.SENT: 1_000 - used}, added)
        found = law_of_counters(line, {EndOf("EUR", START): ended, EndOf("USD", START): 7}, START)
        expected = Counted(Shares(used, expired, 0, 0, 1_000 - used - expired), is_exact)
        before = law_of_counters(line, {EndOf("EUR", START + timedelta(microseconds=1)): ended}, START)
        if found != expected or before.shares.expired:
            wrong.append((ended, used, added, found, before.shares.expired))
    assert wrong == []


def test_an_end_in_the_last_hour_of_the_calendar_counts_as_it_stands() -> None:
    for last in (datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 31, 23, 0, 1, tzinfo=UTC)):
        assert counted_end(last) == last
    assert counted_end(datetime(9999, 12, 31, 22, 0, 1, tzinfo=UTC)) == datetime(9999, 12, 31, 23, tzinfo=UTC)


def test_ends_are_counted_once_however_often_a_chunk_comes() -> None:
    door = closed()
    world = door.world
    assert sum(world.campaign(CAMPAIGN).apply.totals.ends.values()) == MINUTES
    assert world.campaign(CAMPAIGN).plan.totals.ends == {}
    assert "valid: 7 days" in POLICY
