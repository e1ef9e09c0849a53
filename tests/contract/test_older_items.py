"""A table that an older release has written comes into the indexes by itself, once, wherever it was cut off."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kulanz.adapters.older_items import SECONDS_FOR_A_PAGE, OlderItems
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State, StateChange
from tests.contract.backends import AwsBackend
from tests.contract.test_campaign_index import ANNA, DAY, MONTH, open_campaign
from tests.support.values import CAUSE, NOW, change, gate_of

INDEXES = ("OPEN", "CAMPAIGNS#", "INCIDENTS#", "POLICY#", "AUDIT#", "ACTOR#")


def contents(backend: AwsBackend) -> dict[tuple[str, str], dict[str, Any]]:
    items = backend.dynamodb.scan(TableName=backend.campaigns_table)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}


def as_an_older_release_left_it(backend: AwsBackend) -> dict[tuple[str, str], dict[str, Any]]:
    """Take the indexes away; what they held is returned."""
    held = {place: item for place, item in contents(backend).items() if place[0].startswith(INDEXES)}
    for pk, sk in held:
        backend.dynamodb.delete_item(TableName=backend.campaigns_table, Key={"pk": {"S": pk}, "sk": {"S": sk}})
    return held


def older_change(before: Campaign, target: State, at: datetime = NOW) -> StateChange:
    """A move as the log of an older release has it: there a plan that balanced was executed at once."""
    return StateChange(before.log_count + 1, at, before.state, target, "because", CAUSE)


STATES = (None, State.PAUSED, State.CANCELLED, State.APPLYING, State.REFUSED, State.AWAITING_APPROVAL)
"""Of one campaign each. The last is not an older release's: the function lists beside those that write already."""


def some_history(backend: AwsBackend) -> None:
    """Campaigns in several states, by a person and by a source."""
    for number, state in enumerate(STATES):
        at = NOW + timedelta(hours=number)
        new = open_campaign(backend, f"incident-{number}", at, by=ANNA if number % 2 else "billing")
        if state is not None:
            moved = older_change(new, state, at + timedelta(minutes=1))
            backend.campaigns.change_state(new, moved, gate_of(backend.campaigns, new, state))
    announce(backend, CampaignId("incident-4", 1))


def announce(backend: AwsBackend, campaign_id: CampaignId) -> None:
    found = backend.campaigns.campaign(campaign_id)
    assert found is not None
    backend.campaigns.mark_announced(found, found.report_name)


def test_an_older_table_has_the_indexes_that_it_would_have_today(emulator: AwsBackend) -> None:
    some_history(emulator)
    held = as_an_older_release_left_it(emulator)
    assert emulator.index.open_campaigns() == []

    older = OlderItems(emulator.dynamodb, emulator.campaigns_table)
    assert older.bring_in(lambda: 1_000.0)

    assert {place: item for place, item in contents(emulator).items() if place[0].startswith(INDEXES)} == held
    states = [one.state for one in emulator.index.open_campaigns()]
    assert states == [state or State.PLANNING for state in STATES if state is not State.REFUSED], "it was announced"
    assert len(emulator.index.campaigns_in(MONTH).found) == len(STATES)
    assert emulator.index.audit_of_day(DAY).found


def test_the_table_is_read_once(emulator: AwsBackend) -> None:
    some_history(emulator)
    older = OlderItems(emulator.dynamodb, emulator.campaigns_table)
    assert older.bring_in(lambda: 1_000.0)
    as_an_older_release_left_it(emulator)

    assert older.bring_in(lambda: 1_000.0)
    assert emulator.index.open_campaigns() == []


def test_where_the_time_is_over_the_next_one_goes_on(emulator: AwsBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of one item, and time for one page each."""
    some_history(emulator)
    held = as_an_older_release_left_it(emulator)
    scan = emulator.dynamodb.scan
    older = OlderItems(emulator.dynamodb, emulator.campaigns_table)
    monkeypatch.setattr(emulator.dynamodb, "scan", lambda **asked: scan(Limit=1, **asked))

    rounds = 1
    while not older.bring_in(iter([SECONDS_FOR_A_PAGE + 1, 0.0]).__next__):
        rounds += 1

    monkeypatch.undo()
    assert rounds >= len(contents(emulator)) - len(held) - 1
    assert {place: item for place, item in contents(emulator).items() if place[0].startswith(INDEXES)} == held


def test_a_campaign_that_ends_while_it_is_listed_is_not_open_for_ever(emulator: AwsBackend) -> None:
    new = open_campaign(emulator, "incident")
    as_an_older_release_left_it(emulator)
    older = OlderItems(emulator.dynamodb, emulator.campaigns_table)
    page = older._page

    def moved_meanwhile(after: dict[str, Any] | None) -> dict[str, Any]:
        found = page(after)
        emulator.campaigns.change_state(new, change(new, State.CANCELLED))
        return found

    older._page = moved_meanwhile  # type: ignore[method-assign]
    assert older.bring_in(lambda: 1_000.0)

    assert [one.state for one in emulator.index.open_campaigns()] == [State.CANCELLED]
    announce(emulator, new.id)
    assert emulator.index.open_campaigns() == []
    assert [one.id for one in emulator.index.campaigns_in(MONTH).found] == [CampaignId("incident", 1)]
