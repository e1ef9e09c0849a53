"""A plan outside its limits waits before anything is written; what it says is what a person can act on."""

import json
from typing import Any

import pytest

from kulanz.application.campaigns.advance_campaign import add_up
from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.report import campaign_report
from kulanz.domain.campaigns import repeats
from kulanz.domain.campaigns.campaign import Campaign, Pass, State
from kulanz.domain.campaigns.estimate import AS_DEPLOYED
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.gate.approval import Rejection
from kulanz.domain.lists.header import HEADER_BYTES
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from tests.support.small_campaign import CAMPAIGN, LIST_KEY, NO_LIMITS, event, list_of, row, small_world
from tests.support.world import BEN, World

FLAT = """
kulanz: 1
id: flat
version: 1
title: A monthly fee
currency: EUR
facts:
  monthly_fee: money
pay: monthly_fee
"""
LIMITED = FLAT + "limits: {rejected: 60 %, total: 100.00 EUR}\n"


EVERY_ROW = "rejected: every row was rejected (30), so that nobody would be decided"


def run(
    lines: list[str], policy: str = FLAT, *, name: str = LIST_KEY, world: World | None = None, **campaign: Any
) -> tuple[World, Campaign]:
    """A campaign over a list, under the limits that its request states (none: the defaults)."""
    world, content = world or World(chunk_bytes=300), "\n".join(lines).encode() + b"\n"
    document = load_policy(policy)
    world.policies.publish("flat", 1, document_json(document))
    world.lists.upload(name, content)
    rows = len(lines) - name.endswith(".csv")
    requested = event(
        rows=rows, policy="flat", key=name, windows=[{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T20:00:00Z"}]
    )
    request = requested["detail"]["campaign"]
    request.pop("limits")
    request |= campaign
    world.publish(requested)
    world.run_until_quiet()
    found = world.campaigns.campaigns_of("net-outage")
    assert found, [one.message for one in world.rejected.sent]
    return world, found[-1]


def fees(*amounts: str) -> list[str]:
    return ["account_id,monthly_fee", *(f"a{number:05d},{amount}" for number, amount in enumerate(amounts))]


@pytest.mark.parametrize(
    ("lines", "limits", "figures"),
    [
        (fees(*["39.90"] * 28, "t", "t"), None, "rejected: 2 of 30 rows (6.67 %) rejected, at most 1 %"),
        (fees(*["t"] * 30), None, EVERY_ROW),
        (fees(*["t"] * 30), {"rejected": "100 %"}, EVERY_ROW),
        (fees("1.00", "1.00", ""), None, ""),
        (fees("1.00", "", ""), None, "held: 2 of 3 rows (66.67 %) held, at most 25 %"),
        (fees("10.00", "10.00", "1000.01"), None, "largest: 1000.01 EUR, at most 100 times the median (10.00 EUR)"),
        (fees("10.00", "20.00"), {"largest": ["19.99 EUR"]}, "largest: 20.00 EUR, at most 19.99 EUR"),
        (fees("10.00", "20.00"), {"total": ["29.99 EUR"]}, "total: 30.00 EUR, at most 29.99 EUR"),
        (fees("10.00", "20.00"), {"total": ["30.00 EUR"], "largest": ["20.00 EUR"]}, ""),
    ],
)  # fmt: skip
def test_a_plan_outside_a_limit_waits_with_the_figures(lines: list[str], limits: Any, figures: str) -> None:
    world, campaign = run(lines, **({"limits": limits} if limits else {}))
    if figures:
        assert campaign.state is (State.REFUSED if figures == EVERY_ROW else State.AWAITING_APPROVAL)
        assert campaign.state_reason.startswith(f"limits_exceeded: {figures}. ")
        assert not world.ledger.inserted, "nothing was written"
    else:
        assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")


def test_one_row_of_five_may_be_rejected() -> None:
    assert run(fees("1.00", "1.00", "1.00", "1.00", "t"))[1].state is State.CLOSED


def test_rows_that_contradict_each_other_are_told_before_anything_is_written() -> None:
    """One row for each line, under a policy of accounts: of each account the first fee alone would count."""
    lines = ["account_id,line_id,monthly_fee", "1001,L1,62.13", "1001,L2,10.00", "1001,L3,12.00", "1002,L4,55.00"]
    for chunk_bytes in (256, 65_536):
        world, campaign = run(lines, world=World(chunk_bytes=chunk_bytes))
        assert campaign.state is State.AWAITING_APPROVAL
        assert (
            "conflicts: 2 of 4 rows (50 %) contradict another row of the same subject, at most 0.1 %"
            in campaign.state_reason
        )
        assert not world.ledger.inserted


USED = FLAT.replace("  monthly_fee: money\n", "  monthly_fee: money\n  used: {type: number, default: 5}\n")
USED = USED.replace("pay: monthly_fee", "pay: monthly_fee * used")


@pytest.mark.parametrize("meant", [False, True])
def test_a_fact_misspelt_far_down_in_a_list_of_json_is_not_paid_by_its_default(meant: bool) -> None:
    rows = [f'{{"account_id":"a{n:05d}","monthly_fee":10,"used":1}}' for n in range(1_500)]
    rows[1_400] = '{"account_id":"a01400","monthly_fee":10,"Used":1}'
    assert sum(map(len, rows[:1_400])) > HEADER_BYTES, "an event's campaign looks at the first bytes alone"
    ignored = {"ignored_columns": ["Used"]} if meant else {}

    world, campaign = run(rows, USED, name="lists/list.jsonl", world=World(chunk_bytes=20_000), **ignored)

    assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")
    rejected = [(key.reason, n) for key, n in campaign.apply.totals.counts.items() if key.row_result == "rejected"]
    assert rejected == ([] if meant else [("fact_nearly_named", 1)])
    assert len(world.ledger.inserted) == 1_500 - (not meant)
    assert world.ask("a01400").decisions[0].explained.value == "agrees" if meant else not world.ask("a01400").decisions


@pytest.mark.parametrize(
    ("conflicts", "limit", "flagged"),
    [
        (3, None, "3 of 200 rows (1.5 %) contradict another row of the same subject, at most 0.1 %"),
        (2, "0.9 %", "2 of 200 rows (1 %) contradict another row of the same subject, at most 0.9 %"),
        (2, "1 %", ""),
        (1, None, ""),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [300, 65_536])
def test_contradictions_that_the_plans_sample_did_not_show_are_not_passed_in_silence(
    conflicts: int, limit: str | None, flagged: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "SUBJECTS_SAMPLED", 5)
    lines = fees(*["39.90"] * (200 - conflicts))
    lines += [f"a{number:05d},29.90" for number in range(conflicts)]
    limits: dict[str, Any] = {"limits": {"conflicts": limit}} if limit else {}
    world, campaign = run(lines, world=World(chunk_bytes=chunk_bytes), **limits)
    assert len(world.ledger.inserted) == 200 - conflicts
    if flagged:
        assert campaign.state is State.FLAGGED
        assert campaign.state_reason.startswith(f"conflicts_exceeded: {flagged}. ")
        assert f"`kulanz rejected {campaign.id}`" in campaign.state_reason
    else:
        assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")


def test_equal_rows_and_a_plan_that_saw_the_whole_list_flag_nothing() -> None:
    """Of a list that is remembered whole the plan counts no fewer contradicting rows than apply will find."""
    lines = fees(*["39.90"] * 20)
    lines += [lines[1]] * 10
    assert run(lines)[1].state is State.CLOSED
    lines += ["a00001,29.90", "a00001,29.90", "a00002,29.90"]
    assert run(lines, limits={"conflicts": "20 %"})[1].state is State.CLOSED


def test_a_policy_states_limits_and_a_request_others() -> None:
    half = fees("40.00", "30.00", "t", "t")
    assert run(half, LIMITED)[1].state is State.CLOSED
    world, campaign = run(fees("70.00", "30.01", "t", "t"), LIMITED)
    assert "total: 100.01 EUR, at most 100.00 EUR" in campaign.state_reason
    report = campaign_report(campaign, (), AS_DEPLOYED, (), measured_of(world, campaign))
    assert report["limits"]["stated"] == {"rejected": "policy", "total EUR": "policy"}
    assert (report["limits"]["total"], report["limits"]["largest"]) == ({"EUR": "100.00 EUR"}, {})
    assert report["limits"]["shares"]["rejected"] == "60 %"
    assert run(fees("70.00", "30.01", "t", "t"), LIMITED, limits={"total": ["1000.00 EUR"]})[1].state is State.CLOSED


def reject(world: World, campaign: Campaign) -> None:
    plan = world.campaigns.filed_plan(campaign.id)
    assert plan is not None
    rejection = Rejection("no", BEN, plan.hash, "the zeros are gone", world.now)
    decide_plan(
        campaign.id, rejection, Person(BEN), GatePorts(world.campaigns, world.stores, world.gate, NOBODY_LISTED), "test"
    )


def test_an_amended_list_of_other_accounts_is_not_paid_again() -> None:
    """A spreadsheet ate the zeros: nearly none of the accounts is one that the first campaign decided."""
    first = ["account_id,monthly_fee", "001001,62.13", "001002,62.13", "001003,62.13"]
    eaten = ["account_id,monthly_fee", "1001,62.13", "1002,62.13", "1003,62.13", "1004,62.13"]
    world, _ = run(first)
    paid = len(world.ledger.inserted)
    for key, lines, known in (("lists/eaten.csv", eaten, 0), ("lists/right.csv", [*first, "001004,62.13"], 3)):
        world.lists.upload(key, ("\n".join(lines) + "\n").encode())
        again = event(rows=4, policy="flat", key=key, revision=1)
        again["detail"]["campaign"].pop("limits")
        world.publish(again)
        world.run_until_quiet()
        campaign = world.campaigns.campaigns_of("net-outage")[-1]
        if known:
            assert campaign.state is State.CLOSED
        else:
            assert campaign.state is State.AWAITING_APPROVAL
            figures = "known: 0 of 4 rows (0 %) known from the campaigns that are followed, at least 50 %"
            assert figures in campaign.state_reason
            assert len(world.ledger.inserted) == paid
            reject(world, campaign)
        assert measured_of(world, campaign).known == known


CURRENCIES = ["account_id,monthly_fee,currency", "1,39.90,EUR", "2,39000,KRW", "3,59.00,EUR"]


def test_a_row_that_states_another_currency_than_it_would_be_paid_stops_the_list() -> None:
    wide = {"largest": ["40000.00 EUR"]}
    world, campaign = run(CURRENCIES, limits=wide)
    assert campaign.state is State.REFUSED
    assert campaign.state_reason.startswith("currency_differs: ")
    assert "KRW" not in campaign.state_reason
    assert not world.ledger.inserted
    assert run(CURRENCIES, limits=wide, ignored_columns=["currency"])[1].state is State.CLOSED


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1), (3, 2, 1, 0)])
def test_rows_of_another_currency_are_counted_wherever_they_stand(order: tuple[int, ...]) -> None:
    rows = ["1,39.90,KRW", "2,39.90,krw", "3,39.90, eur", '4,39.90,"EUR"']
    _, campaign = run([CURRENCIES[0], *(rows[place] for place in order)])
    assert campaign.state_reason.startswith("currency_differs: ")
    assert " column says: 2; " in campaign.state_reason


DEFAULTED = FLAT.replace(
    "  monthly_fee: money\n", "  monthly_fee: money\n  part: {type: number, default: 1}\n"
).replace("pay: monthly_fee", "pay: monthly_fee * part")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("lists/a.csv", ["account_id,monthly_fee,Part", "1,39.90,0.5"]),
        ("lists/a.jsonl", ['{"account_id":"1","monthly_fee":"39.90","Part":"0.5"}']),
    ],
)
def test_a_column_that_nearly_is_a_fact_stops_the_list_unless_the_event_means_it(name: str, lines: list[str]) -> None:
    world = World()
    with pytest.raises(AssertionError, match=r"'Part'.*'part'"):
        run(lines, DEFAULTED, name=name, world=world)
    assert [one.reason for one in world.rejected.sent] == ["column_nearly_named"]
    _, campaign = run(lines, DEFAULTED, name=name, ignored_columns=["Part"])
    assert campaign.state is State.CLOSED


def measured_of(world: World, campaign: Campaign) -> Measured:
    found = Measured()
    for receipt in world.campaigns.receipts(campaign.id, Pass.PLAN):
        assert receipt.measured is not None
        found.add(receipt.measured)
    return found


def test_what_a_plan_measures_is_the_same_however_the_list_is_cut() -> None:
    lines = [row(f"a-{number % 37}", fee=f"{number % 41}.{number % 100:02d}") for number in range(120)]
    found = []
    for chunk_bytes in (4_096, 20_000, 10**6):
        world = small_world(list_of(lines), chunk_bytes=chunk_bytes)
        world.publish(event(rows=120))
        world.run_until_quiet()
        campaign = world.campaign(CAMPAIGN)
        found.append(measured_of(world, campaign))
        assert add_up(campaign, world.campaigns.receipts(campaign.id, Pass.PLAN))[1] == found[-1]
        assert sums(campaign.plan.totals) == {
            measure: one.sum for measure, one in found[-1].amounts.by_measure().items()
        }, "the amounts add up to the sums of the plan"
    assert found[0] == found[1] == found[2]
    assert found[0].repeats.rows == 120


@pytest.mark.parametrize("place", [0, 60, 119])
def test_a_limit_is_held_against_the_whole_list_in_whichever_chunk_the_row_stands(place: int) -> None:
    amounts = ["10.00"] * 120
    amounts[place] = "1000.01"
    _, campaign = run(fees(*amounts))
    assert len(campaign.chunks) > 2
    assert campaign.state is State.AWAITING_APPROVAL
    assert "largest: 1000.01 EUR, at most 100 times the median (10.00 EUR)" in campaign.state_reason


def sums(totals: Totals) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (_, measure), value in totals.worth().items():
        found[measure] = found.get(measure, 0) + value
    return found


def test_the_report_shows_what_single_lines_are_worth() -> None:
    world, campaign = run(fees("10.00", "10.00", "62.13", "5.00"))
    report = campaign_report(campaign, (), AS_DEPLOYED, (), measured_of(world, campaign))
    assert report["measured"] is not None
    (told,) = report["measured"]["amounts"]
    assert {name: told[name] for name in ("sum", "smallest", "median_least", "median_most", "largest")} == {
        "sum": "8713", "smallest": "500", "median_least": "1000", "median_most": "1000", "largest": "6213",
    }  # fmt: skip
    assert [(one["least"], one["lines"]) for one in told["histogram"]] == [("500", 1), ("1000", 2), ("6213", 1)]
    assert report["measured"]["repeats"] == {
        "rows_looked_at": 4, "whole_list": True, "repeated": 0, "contradicting": 0, "nearly_equal": 0,
    }  # fmt: skip
    announced = json.loads(world.announcer.announced[-1].detail)
    assert announced["measured"] == report["measured"], "what the bus is sent has the same figures"
    assert set(announced["limits"]["shares"]) == set(NO_LIMITS)


WRONG: dict[str, Any] = {
    "quotes_unbalanced": {"lines": ['q,"10.00']},
    "list_separator_unknown": {"lines": ["s,10.00,,a;b"]},
    "rows_differ": {"announced": 1},
    "currency_differs": {"lines": ["c,10.00,KRW,"]},
    "limits_exceeded": {"lines": ["l,9999.00,,"]},
}
"""What stops a plan, in the order in which it is said: what is wrong with the file, then what is wrong with figures."""
LISTED = FLAT.replace("  monthly_fee: money\n", "  monthly_fee: money\n  places: {type: list, default: nothing}\n")
LISTED += 'who:\n  - decline: elsewhere\n    when: places has "x"\n'


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_of_several_faults_of_a_plan_that_of_the_file_is_said_before_that_of_its_figures(first: int) -> None:
    names = list(WRONG)[first:]
    wrong = [line for name in names for line in WRONG[name].get("lines", [])]
    lines = ["account_id,monthly_fee,currency,places", *(f"a{n},10.00,EUR," for n in range(20)), *wrong]
    world = World(chunk_bytes=300)
    world.policies.publish("flat", 1, document_json(load_policy(LISTED)))
    world.lists.upload(LIST_KEY, "\n".join([*lines, ""]).encode())
    rows = len(lines) - 1 + WRONG["rows_differ"]["announced"] * ("rows_differ" in names)
    requested = event(rows=rows, policy="flat")
    requested["detail"]["campaign"]["limits"] = {"rejected": "50 %"}
    world.publish(requested)
    world.run_until_quiet()
    (campaign,) = world.campaigns.campaigns_of("net-outage")
    waits = names[0] == "limits_exceeded"  # the figures may be right; all else says that the list is not
    assert campaign.state is (State.AWAITING_APPROVAL if waits else State.REFUSED), campaign
    assert campaign.state_reason.partition(":")[0] == names[0]
    assert not world.ledger.inserted


PAYS_AGAIN = FLAT.replace("id: flat", "id: extra") + "earlier: add\n"


@pytest.mark.parametrize("stated", ["0.01 %", "50 %", "100 %"])
@pytest.mark.parametrize("policy", ["flat", "extra"])
def test_a_limit_that_no_plan_of_the_request_can_be_compared_with_is_refused_at_the_border(
    stated: str, policy: str
) -> None:
    """A first campaign follows none, and one that adds to another policy's follows none either."""
    world = World()
    if policy == "extra":
        run(["account_id,monthly_fee", "a-1,1.00"], world=world)
    world.policies.publish("extra", 1, document_json(load_policy(PAYS_AGAIN)))
    world.policies.publish("flat", 1, document_json(load_policy(FLAT)))
    world.lists.upload("lists/2.csv", b"account_id,monthly_fee\na-1,1.00\n")
    request = event(rows=1, policy=policy, key="lists/2.csv", revision=2)
    request["detail"]["campaign"]["limits"] = {"known": stated}
    before = world.campaigns.all_campaigns()
    world.publish(request)
    world.run_until_quiet()
    (refused,) = world.rejected.sent
    assert (refused.reason, refused.field) == ("limit_not_measurable", "detail.campaign.limits.known")
    assert "leave the limit out" in refused.message
    assert world.campaigns.all_campaigns() == before


def test_a_limit_on_known_rows_is_taken_where_an_earlier_campaign_is_followed_or_where_it_asks_for_none() -> None:
    world, first = run(["account_id,monthly_fee", "a-1,1.00"], limits={"known": "0 %"})
    assert first.state is State.CLOSED
    lines = ["account_id,monthly_fee", "a-1,2.00", "b-1,2.00", "c-1,2.00", "d-1,2.00"]
    world.lists.upload("lists/2.csv", "\n".join(lines).encode() + b"\n")
    request = event(rows=4, policy="flat", key="lists/2.csv", revision=2)
    request["detail"]["campaign"]["limits"] = {"known": "40 %"}
    world.publish(request)
    world.run_until_quiet()
    assert world.rejected.sent == []
    assert "known: 1 of 4 rows (25 %)" in world.campaign("net-outage/2").state_reason


@pytest.mark.parametrize("meant", [False, True])
@pytest.mark.parametrize("slipped", ["Biller_Account", "billing_account", "next_bill"])
@pytest.mark.parametrize("name", ["lists/a.csv", "lists/a.jsonl"])
def test_a_slipped_name_of_the_billers_account_stops_the_list_unless_the_event_means_it(
    name: str, slipped: str, meant: bool
) -> None:
    csv = ["account_id,monthly_fee," + slipped, "1,39.90,2026-12-05"]
    lines = csv if name.endswith("csv") else [f'{{"account_id":"1","monthly_fee":"39.90","{slipped}":"2026-12-05"}}']
    world = World()
    if meant:
        _, campaign = run(lines, FLAT, name=name, world=world, ignored_columns=[slipped])
        assert campaign.state is State.CLOSED
    else:
        with pytest.raises(AssertionError, match=f"'{slipped}'"):
            run(lines, FLAT, name=name, world=world)
        assert [one.reason for one in world.rejected.sent] == ["column_nearly_named"]


def test_a_slipped_name_of_the_billers_account_far_down_in_a_list_of_json_is_not_booked_under_the_accounts_id() -> None:
    rows = [f'{{"account_id":"a{n:05d}","monthly_fee":10,"biller_account":"B{n}"}}' for n in range(1_500)]
    rows[1_400] = rows[1_400].replace("biller_account", "billing_account")
    world, campaign = run(rows, FLAT, name="lists/list.jsonl", world=World(chunk_bytes=20_000))
    rejected = [(key.reason, n) for key, n in campaign.apply.totals.counts.items() if key.row_result == "rejected"]
    assert rejected == [("fact_nearly_named", 1)]
    assert not world.ask("a01400").decisions
