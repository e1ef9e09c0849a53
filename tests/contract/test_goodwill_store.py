"""The contract of GoodwillStore, through the use cases: what is given stands whole, once, within limits, or not at all.

Raced by threads on DynamoDB Local, where transactions really meet.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.goodwill_table import DynamoGoodwill
from kulanz.application.byhand.give_goodwill import (
    GoodwillPorts,
    GoodwillRefused,
    approve_goodwill,
    ask_goodwill,
    reject_goodwill,
)
from kulanz.application.campaigns.advance_campaign import examine
from kulanz.application.campaigns.open_campaign import OpenSettings
from kulanz.application.ports import CampaignStore, TryAgain
from kulanz.domain.byhand.counts import CountOf
from kulanz.domain.byhand.discretion import ByHand, read_discretion
from kulanz.domain.byhand.goodwill import Goodwill, GoodwillState
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.halt import NEVER_SET, HaltAction, Verb, after
from kulanz.domain.ledger.additions import Addition
from kulanz.domain.ledger.entries import net_worth
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.contract.backends import AwsBackend, Backend
from tests.contract.conftest import DYNAMODB_LOCAL
from tests.support.fake_bucket import FakeLists
from tests.support.handed import discretion_content
from tests.support.values import NOW
from tests.support.world import BUCKET

ANNA, BERT = Person("sso:anna"), Person("sso:bert")
MONTH = CampaignId(f"goodwill-{NOW:%Y-%m}", 1)
GIVERS = 50
"""Who gives at once, at the limit."""


def ports(campaigns: CampaignStore, store: object) -> GoodwillPorts:
    """The world of giving: tables of the backend, and a bucket in memory for the one list of a month."""
    settings = OpenSettings(BUCKET, "lists/", frozenset(), frozenset(), 1024 * 1024, 400, None)
    return GoodwillPorts(
        store=store,  # type: ignore[arg-type]
        campaigns=campaigns,
        lists=FakeLists(BUCKET),
        people=NOBODY_LISTED,
        discretion=read_discretion(discretion_content()),
        gate=SAFE,
        settings=settings,
        channel=Channel("billing"),
    )


def wanted(named: str = "T-1", account: str = "A-1", minor: int = 2000) -> Goodwill:
    return Goodwill(named, account, "EUR", minor, "long_wait", "The customer waited too long", ANNA.id, NOW)


def give(backend: Backend, asked: Goodwill) -> Goodwill:
    return ask_goodwill(asked, ANNA, ports(backend.campaigns, backend.goodwill), NOW)


def additions(backend: Backend) -> Sequence[Addition]:
    """What was added to the month, as whoever delivers it finds it."""
    if isinstance(backend, AwsBackend):
        return backend.index.additions(MONTH).found
    given: Sequence[Addition] = backend.goodwill.given
    return given


def test_what_is_given_stands_with_its_record_counts_addition_and_budget(backend: Backend) -> None:
    given = give(backend, replace(wanted(), note="the shop was closed", ticket="T-1"))
    assert (given.state, given.given_at) == (GoodwillState.GIVEN, NOW)
    assert backend.goodwill.goodwill("T-1") == given
    assert backend.goodwill.of_account("A-1") == [given]
    (entry,) = backend.ledger.of_account("A-1")
    assert (entry.key.campaign, entry.key.subject, net_worth(entry)) == (MONTH, "T-1", {"EUR": 2000})
    month = f"{NOW:%Y-%m}"
    of_anna = CountOf(ByHand.GOODWILL, month, "EUR", person=ANNA.id)
    of_account = CountOf(ByHand.GOODWILL, month, "EUR", account="A-1")
    counts = backend.goodwill.counts([of_anna, of_account, replace(of_account, measure="GB")])
    assert [(one.size, one.version) for one in counts] == [(2000, 1), (2000, 1), (0, 0)]
    assert backend.campaigns.budget("EUR", month).spent == 2000
    assert backend.goodwill.goodwill("T-2") is None
    assert backend.goodwill.of_account("A-2") == []


def test_a_months_campaign_is_closed_and_its_receipts_account_for_its_list(backend: Backend) -> None:
    give(backend, wanted())
    campaign, plan = backend.campaigns.campaign(MONTH), backend.campaigns.filed_plan(MONTH)
    assert campaign is not None
    assert plan is not None
    assert (campaign.state, campaign.apply.totals.lines, plan.channel) == (State.CLOSED, 1, Channel("billing"))
    assert all(campaign.is_finished(work) for work in Pass)
    assert examine(campaign, backend.campaigns.receipts(MONTH, Pass.APPLY)) == (State.CLOSED, "balanced")
    assert backend.campaigns.incident(MONTH.incident_id) is not None
    assert [one.target for one in backend.campaigns.log(MONTH)] == [State.CLOSED]

    give(backend, wanted("T-2", minor=2001))
    assert backend.campaigns.campaign(MONTH) == campaign


def test_what_waits_is_listed_until_somebody_has_decided(backend: Backend) -> None:
    waits = give(backend, wanted(minor=6000))
    assert (waits.state, backend.goodwill.waiting()) == (GoodwillState.WAITING, ["T-1"])
    assert backend.goodwill.goodwill("T-1") == waits
    assert backend.ledger.of_account("A-1") == []
    give(backend, wanted("T-2", minor=7000))
    both = ports(backend.campaigns, backend.goodwill)

    given = approve_goodwill("T-1", "yes", BERT, both, NOW + timedelta(days=1))
    rejected = reject_goodwill("T-2", "no", "not ours", BERT, both, NOW + timedelta(days=1))
    assert (given.state, rejected.state) == (GoodwillState.GIVEN, GoodwillState.REJECTED)
    assert [backend.goodwill.goodwill(one) for one in ("T-1", "T-2")] == [given, rejected]
    assert backend.goodwill.waiting() == []
    assert [net_worth(one) for one in backend.ledger.of_account("A-1")] == [{"EUR": 6000}]


def test_what_is_added_to_a_month_names_who_gave_it_and_not_who_asked(backend: Backend) -> None:
    give(backend, wanted("T-1"))
    give(backend, wanted("T-2", minor=6000))
    approve_goodwill("T-2", "yes", BERT, ports(backend.campaigns, backend.goodwill), NOW + timedelta(days=1))
    found = sorted((one.key.subject, one.actor) for one in additions(backend))
    assert found == [("T-1", ANNA.id), ("T-2", BERT.id)]


def test_in_a_halted_stack_nothing_is_given_whatever_was_read_before(backend: Backend) -> None:
    give(backend, wanted())
    halted = HaltAction("halt", Verb.SET, "sso:anna", "amounts ten times too large", NOW)

    class ReadBefore:
        """The campaigns as they were read before the halt."""

        def __getattr__(self, name: str) -> object:
            return (lambda: NEVER_SET) if name == "halt" else getattr(backend.campaigns, name)

    backend.campaigns.change_halt(NEVER_SET, after(NEVER_SET, halted, NOBODY_LISTED), halted)
    unknowing = ports(ReadBefore(), backend.goodwill)  # type: ignore[arg-type]
    for asked in (wanted("T-2", minor=1), wanted("T-3", minor=6000)):
        with pytest.raises(TryAgain):
            ask_goodwill(asked, ANNA, unknowing, NOW)
    assert [one.key.subject for one in backend.ledger.of_account("A-1")] == ["T-1"]
    assert backend.goodwill.waiting() == []


class _Giver:
    """One of many at once, with its own connections."""

    def __init__(self, backend: AwsBackend) -> None:
        database = client("dynamodb")
        self.ports = ports(
            DynamoCampaigns(database, backend.campaigns_table),
            DynamoGoodwill(database, backend.credits_table, backend.campaigns_table),
        )

    def give(self, asked: Goodwill) -> str:
        try:
            return ask_goodwill(asked, ANNA, self.ports, NOW).state.value
        except GoodwillRefused as refusal:
            return refusal.reason
        except TryAgain:
            return "try again"


@pytest.mark.parametrize("emulator", [DYNAMODB_LOCAL], indirect=True)
def test_fifty_at_once_never_give_more_than_the_limit(emulator: AwsBackend) -> None:
    """To one account whose month allows 100 euros: with 19 euros each, five are given and the rest wait or fail."""
    givers = [_Giver(emulator) for _ in range(GIVERS)]
    with ThreadPoolExecutor(GIVERS) as pool:
        done = list(pool.map(lambda one: givers[one].give(wanted(f"T-{one}", minor=1900 + one)), range(GIVERS)))

    for one, state in enumerate(done):
        if state == "try again":
            done[one] = givers[0].give(wanted(f"T-{one}", minor=1900 + one))
    assert set(done) <= {"given", "waiting"}
    granted = sum(net_worth(one)["EUR"] for one in emulator.ledger.of_account("A-1"))
    of_account = CountOf(ByHand.GOODWILL, f"{NOW:%Y-%m}", "EUR", account="A-1")
    assert granted == emulator.goodwill.counts([of_account])[0].size <= 10000
    assert done.count("given") == len(emulator.ledger.of_account("A-1")) == 5
    assert emulator.campaigns.budget("EUR", f"{NOW:%Y-%m}").spent == granted


@pytest.mark.parametrize("emulator", [DYNAMODB_LOCAL], indirect=True)
def test_an_equal_amount_at_once_is_given_once(emulator: AwsBackend) -> None:
    givers = [_Giver(emulator) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda one: givers[one].give(wanted(f"T-{one}")), range(8)))
    assert done.count("given") == 1
    assert set(done) <= {"given", "equal_before", "try again"}
    assert len(emulator.ledger.of_account("A-1")) == 1
