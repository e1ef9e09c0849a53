"""An account that a list names by another id than before is one account: it is paid once, and found under either id.

The list alone says which account had which id (`account_was`, `account_since`). Whatever it leaves open is held, and
whatever it contradicts itself about is refused, before anybody is paid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.application.campaigns.read_history import HISTORY_OF_FORMER_ID
from kulanz.application.ledger.answer import Explained
from kulanz.application.lists.check_list import Subjects, check_list
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.campaigns.reconciliation import RowResult, WriteResult, differences
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.incident import Incident
from kulanz.domain.ledger.earlier_decisions import CHANGED_SINCE_PLAN
from kulanz.domain.ledger.entries import net_worth
from kulanz.domain.ledger.former_accounts import DECIDED_UNDER_FORMER_ID, DECIDED_UNDER_NEW_ID
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.policy import compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window
from tests.support.by_hand import decide, door_of
from tests.support.effort import examples
from tests.support.end_state import check_sound
from tests.support.faults import Fault, Tap
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import ANNA, BEN, START, World
from tests.support.world_voids import approved, asked, run_voids
from tests.support.yearly_cap import POLICY as YEARLY_CAP
from tests.support.yearly_cap import outage

SINCE = "2026-02-28T00:00:00Z"
"""After the incident began, and before every campaign: the account had its former id while it was affected."""
BEFORE_THE_INCIDENT = "2026-02-01T00:00:00Z"
HEAD = "account_id,fee,account_was,account_since,note"
PADDING = "x" * 200
"""So that two rows are two chunks of 256 bytes."""
POLICY = """
kulanz: 1
id: fee
version: 1
title: The fee
currency: EUR
facts:
  fee: money
who:
  - decline: nothing_to_pay
    when: fee <= 0.00 EUR
pay: fee
"""


def line(account: str, fee: str = "5.00", was: str = "", since: str | None = None) -> str:
    """A row; an account that changed did so at SINCE."""
    return f"{account},{fee},{was},{(SINCE if was else '') if since is None else since},{PADDING}"


def world_of(policy: str = POLICY, **more: Any) -> World:
    world = World(**more)
    world.policies.publish("fee", 1, sealed_policy(policy))
    return world


def campaign(world: World, *lines: str, policy: str = "fee", **changes: Any) -> str:
    """The incident's next campaign over some rows, and everything that follows; its id."""
    seq = len(world.campaigns.all_campaigns()) + 1
    key = f"lists/{seq}.csv"
    world.lists.upload(key, "\n".join([HEAD, *lines, ""]).encode())
    world.publish(event(key=key, rows=len(lines), policy=policy, revision=seq, **changes))
    world.run_until_quiet()
    return f"{changes.get('incident_id', INCIDENT_ID)}/{seq}"


def closed(world: World, campaign_id: str) -> dict[str, int]:
    """The lines of a campaign by result; it closed, and its execution came to its plan."""
    found = world.campaign(campaign_id)
    assert found.state is State.CLOSED, found.state_reason
    assert list(differences(found.plan.totals, found.apply.totals)) == []
    check_sound(world)
    results: dict[str, int] = {}
    for (result, _), lines in found.apply.totals.results().items():
        results[result.value] = results.get(result.value, 0) + lines
    return results


def has(world: World, *ids: str) -> int:
    """What some ids have net of voids, in cents."""
    return sum(int(net_worth(entry).get("EUR", 0)) for one in ids for entry in world.ledger.of_account(one))


def reasons(world: World, account: str) -> list[tuple[str, str]]:
    """What was decided under an id, in the order of the campaigns; every explanation comes to the same."""
    answered = world.ask(account, INCIDENT_ID).decisions
    assert {one.explained for one in answered} <= {Explained.AGREES}
    assert all(one.steps for one in answered)
    return [(one.decision.outcome.value, one.decision.reason) for one in answered]


# The same incident


def test_who_was_paid_under_the_former_id_is_not_paid_again_under_the_present_one() -> None:
    world = world_of()
    campaign(world, line("old"), line("other"))
    second = campaign(world, line("new", was="old"), line("other"))
    assert closed(world, second) == {"declined": 1, "unchanged": 1}
    assert (has(world, "old"), has(world, "new"), has(world, "other")) == (500, 0, 500)
    assert reasons(world, "new") == [("declined", DECIDED_UNDER_FORMER_ID)]
    assert reasons(world, "old") == [("granted", "credit"), ("declined", DECIDED_UNDER_NEW_ID)]


def test_the_difference_is_paid_under_the_present_id() -> None:
    world = world_of()
    campaign(world, line("old"))
    second = campaign(world, line("new", fee="8.00", was="old"))
    assert closed(world, second) == {"granted": 1}
    assert (has(world, "old"), has(world, "new")) == (500, 300)
    assert reasons(world, "new") == [("granted", "credit")]


def test_what_the_former_id_has_too_much_is_called_overpaid() -> None:
    world = world_of()
    campaign(world, line("old", fee="8.00"))
    second = campaign(world, line("new", was="old"))
    worth = world.campaign(second).apply.totals.worth()
    assert worth == world.campaign(second).plan.totals.worth()
    assert worth[RowResult.OVERPAID, "EUR"] == 300
    assert has(world, "old", "new") == 800


def test_what_is_overpaid_under_the_former_id_is_taken_back_there() -> None:
    world = world_of()
    campaign(world, line("old", fee="8.00"), line("other", fee="9.00"))
    second = campaign(world, line("new", was="old"), line("other"))
    void = asked(world, ANNA, campaign=second, is_of_overpaid=True)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    found = world.voids.void(void.id)
    assert found is not None
    assert found.state is VoidState.VOIDED, found.state_reason
    assert (has(world, "old"), has(world, "new"), has(world, "other")) == (500, 0, 500)


def test_who_waits_for_manual_review_waits_under_the_present_id() -> None:
    world = world_of()
    campaign(world, line("old", fee=""))
    second = campaign(world, line("new", fee="", was="old"))
    assert closed(world, second) == {"held": 1}
    assert decide(door_of(world), "new", campaign=second, facts={"fee": "4.00"}).status == 200
    assert has(world, "old", "new") == 400
    assert decide(door_of(world), "old", seen="0" * 64, facts={"fee": "4.00"}).status == 409
    closed(world, campaign(world, line("old", fee="5.00")))
    assert has(world, "old", "new") == 500


NAMED_LATER = {
    "by the former id again, where nothing was owed": ([["new", "old"]], ["old", ""]),
    "by the former id, first": ([], ["old", ""]),
    "by the present id alone, which an earlier list explained": ([["new", "old"]], ["new", ""]),
    "by a third id, whose list names the second": ([["new", "old"]], ["newest", "new"]),
    "by the second id, after a third one": ([["new", "old"], ["newest", "new"]], ["new", ""]),
    "by the first id, after a third one": ([["new", "old"], ["newest", "new"]], ["old", ""]),
    "by a fourth id": ([["new", "old"], ["newest", "new"], ["fourth", "newest"]], ["fifth", "fourth"]),
}


@pytest.mark.parametrize(("between", "last"), NAMED_LATER.values(), ids=NAMED_LATER)
@pytest.mark.parametrize("fees", [("5.00", "5.00", "5.00"), ("5.00", "8.00", "8.00"), ("5.00", "5.00", "8.00")])
def test_an_account_is_paid_once_however_later_lists_name_it(
    between: Sequence[Sequence[str]], last: Sequence[str], fees: Sequence[str]
) -> None:
    world = world_of()
    campaign(world, line("old", fee=fees[0]))
    for account, was in between:
        closed(world, campaign(world, line(account, fee=fees[1], was=was)))
    closed(world, campaign(world, line(last[0], fee=fees[2], was=last[1])))
    assert has(world, "old", "new", "newest", "fourth", "fifth") == round(float(fees[2]) * 100)


def test_a_first_list_may_name_the_present_id_and_a_later_one_the_former() -> None:
    world = world_of()
    first = campaign(world, line("new", was="old"))
    assert closed(world, first) == {"granted": 1}
    assert closed(world, campaign(world, line("old", fee="6.00"))) == {"granted": 1}
    assert has(world, "old", "new") == 600


def test_a_wrong_list_that_was_voided_stands_in_nobodys_way() -> None:
    world = world_of()
    first = campaign(world, line("old"))
    void = asked(world, ANNA, campaign=first)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    assert has(world, "old") == 0
    closed(world, campaign(world, line("new", was="old", since=BEFORE_THE_INCIDENT)))
    assert (has(world, "old"), has(world, "new")) == (0, 500)


def test_what_changes_under_the_former_id_while_the_plan_waits_holds_the_present_one() -> None:
    world = world_of()
    campaign(world, line("old"))
    world.approvers = ()
    second = campaign(world, line("new", fee="8.00", was="old"))
    assert world.campaign(second).state is State.AWAITING_APPROVAL
    (entry,) = world.ledger.of_account("old")
    world.ledger.replace_entry(replace(entry, voided=((0, 100),)))
    for person in (ANNA, BEN):
        world.approve(CampaignId.parse(second), person)
    world.run_until_quiet()
    assert closed(world, second) == {"granted": 1}
    assert reasons(world, "new") == [("held", CHANGED_SINCE_PLAN)]


# One list


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([line("old"), line("new", was="old")], id="the former id first"),
        pytest.param([line("new", was="old"), line("old")], id="the present id first"),
        pytest.param([line("new", was="old"), line("old", fee="9.00")], id="with another fee"),
        pytest.param([line("new", was="old"), line("old", was="oldest")], id="and one before"),
    ],
)
@pytest.mark.parametrize("chunk_bytes", [20_000, 256])
def test_a_list_that_names_an_account_by_both_ids_pays_once(lines: list[str], chunk_bytes: int) -> None:
    world = world_of(chunk_bytes=chunk_bytes)
    first = campaign(world, *lines)
    found = world.campaign(first)
    assert found.state is State.CLOSED, found.state_reason
    assert list(differences(found.plan.totals, found.apply.totals)) == []
    write_results = {count.write_result: n for count, n in found.apply.totals.counts.items()}
    assert write_results == {WriteResult.WRITTEN: 1, WriteResult.CONFLICT: 1}
    paid = [one for one in ("old", "new") if has(world, one)]
    assert len(paid) == 1
    check_sound(world)


def test_the_plan_counts_such_rows_as_contradicting_before_anybody_is_paid() -> None:
    world = world_of(approvers=())
    first = CampaignId.parse(campaign(world, line("old"), line("new", was="old"), line("other")))
    (receipt,) = world.campaigns.receipts(first, Pass.PLAN)
    assert receipt.measured is not None
    assert receipt.measured.repeats.contradicting == 1
    assert receipt.measured.repeats.rows == 3, "a former id is no row: the share of a limit is that of the rows"
    assert world.ledger.all_entries() == []


def test_ids_that_changed_by_zeros_alone_are_not_taken_for_two_exports() -> None:
    """Unless the list has a row of the former id, too."""
    rows = [line(f"00{number}", was=str(number)) for number in range(1_001, 1_021)]
    world = world_of()
    assert closed(world, campaign(world, *rows))["granted"] == len(rows)
    with_former = [*rows, line("1001"), line("1002")]
    other = world_of(approvers=())
    other.lists.upload("lists/1.csv", "\n".join([HEAD, *with_former, ""]).encode())
    request = event(key="lists/1.csv", rows=len(with_former), policy="fee")
    del request["detail"]["campaign"]["limits"]
    other.publish(request)
    other.run_until_quiet()
    waiting = other.campaign(f"{INCIDENT_ID}/1")
    assert waiting.state is State.AWAITING_APPROVAL
    assert "nearly_equal: 2 of 22 rows" in waiting.state_reason


def test_a_row_that_is_repeated_is_a_duplicate() -> None:
    world = world_of()
    first = campaign(world, line("new", was="old"), line("new", was="old"))
    closed(world, first)
    counts = world.campaign(first).apply.totals.counts
    assert {count.write_result for count in counts} == {WriteResult.WRITTEN, WriteResult.DUPLICATE}
    assert has(world, "old", "new") == 500


REFUSED: Mapping[str, tuple[list[str], str]] = {
    "two owners": ([line("a", was="old"), line("b", was="old")], "account_was_twice"),
    "a swap": ([line("a", was="b"), line("b", was="a")], "account_was_circle"),
    "a ring": ([line("a", was="b"), line("b", was="c"), line("c", was="a")], "account_was_circle"),
    "two in a ring": ([line("a", was="b"), line("b", was="c"), line("c", was="b")], "account_was_twice"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "reason"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("chunk_bytes", [20_000, 256])
def test_a_list_that_contradicts_itself_about_ids_is_refused(lines: list[str], reason: str, chunk_bytes: int) -> None:
    world = world_of(chunk_bytes=chunk_bytes)
    found = world.campaign(campaign(world, line("good"), *lines))
    assert found.state is State.REFUSED
    assert found.state_reason.startswith(reason)
    assert str(len(HEAD) + 1 + len(line("good")) + 1) in found.state_reason, "the byte of the first such row"
    assert world.ledger.all_entries() == []


# Histories


def yearly(world: World, incident_id: str, day: int, *lines: str) -> str:
    key = f"lists/{incident_id}.csv"
    world.lists.upload(key, "\n".join([HEAD, *lines, ""]).encode())
    at = outage(day)
    world.publish(event(incident_id=incident_id, windows=at, policy="yearly-cap", key=key, rows=len(lines)))
    world.run_until_quiet()
    return f"{incident_id}/1"


def world_with_cap() -> World:
    world = World()
    world.policies.publish("yearly-cap", 1, sealed_policy(YEARLY_CAP))
    return world


def test_a_cap_of_the_year_counts_what_was_paid_under_the_former_id() -> None:
    world = world_with_cap()
    yearly(world, "a", 3, line("old", fee="180.00"))
    yearly(world, "b", 5, line("new", fee="180.00", was="old"))
    assert (has(world, "old"), has(world, "new")) == (9_000, 1_000)
    yearly(world, "c", 7, line("new", fee="180.00", was="old"))
    assert has(world, "old", "new") == 10_000


def test_histories_that_both_know_an_incident_hold_the_account() -> None:
    world = world_with_cap()
    yearly(world, "a", 3, line("old", fee="20.00"), line("new", fee="20.00"))
    second = yearly(world, "b", 5, line("new", fee="20.00", was="old"))
    assert closed(world, second) == {"held": 1}
    (decided,) = world.ask("new", "b").decisions
    assert (decided.decision.reason, decided.explained) == (HISTORY_OF_FORMER_ID, Explained.AGREES)


def test_a_history_under_the_former_id_that_knows_this_very_incident_holds_the_account() -> None:
    """What this campaign adds would stand beside it: the next incident would count the same outage twice."""
    world = world_with_cap()
    yearly(world, "a", 3, line("old", fee="60.00"), line("sure", fee="60.00"))
    rows = [line("new", fee="60.00", was="old"), line("sure", fee="60.00")]
    world.lists.upload("lists/again.csv", "\n".join([HEAD, *rows, ""]).encode())
    world.publish(
        event(
            incident_id="a", revision=2, windows=outage(3), policy="yearly-cap", key="lists/again.csv", rows=len(rows)
        )
    )
    world.run_until_quiet()
    assert closed(world, "a/2") == {"held": 1, "unchanged": 1}
    (decided,) = world.ask("new", "a").decisions
    assert (decided.decision.reason, decided.explained) == (HISTORY_OF_FORMER_ID, Explained.AGREES)
    assert has(world, "old", "new") == 3_000


# Whoever dies


def deaths() -> list[tuple[str, Fault]]:
    return [(name, fault) for name in ("ledger.insert_with_former", "campaigns.record_receipt") for fault in Fault
            if not (fault is Fault.HALF_DONE and name != "ledger.insert_with_former")]  # fmt: skip


@pytest.mark.parametrize(("name", "fault"), deaths())
def test_whatever_dies_while_such_rows_are_written_they_are_paid_once(name: str, fault: Fault) -> None:
    hit = 0

    def choose(_: int, called: str) -> Fault | None:
        nonlocal hit
        if called != name or hit:
            return None
        hit += 1
        return fault

    world = world_of()
    campaign(world, line("old"), line("two-old"))
    world.tap = Tap(choose)
    second = campaign(world, line("new", fee="8.00", was="old"), line("two-new", fee="9.00", was="two-old"))
    assert hit == 1
    assert closed(world, second) == {"granted": 2}
    assert (has(world, "new"), has(world, "two-new")) == (300, 400)


# Any order


@st.composite
def lists_of(draw: st.DrawFn) -> list[list[tuple[int, int, bool, int]]]:
    """Campaigns over three customers: whom, under which of its ids, whether the list names the one before, the fee."""
    campaigns = []
    for _ in range(draw(st.integers(2, 4))):
        rows = [
            (customer, draw(st.integers(0, 2)), draw(st.booleans()), draw(st.integers(0, 9)))
            for customer in range(3)
            if draw(st.booleans())
        ]
        twice = [(customer, draw(st.integers(0, 2)), True, fee) for customer, _, _, fee in rows if draw(st.booleans())]
        campaigns.append(rows + twice)
    return [rows for rows in campaigns if rows]


@settings(max_examples=examples(60))
@given(lists_of())
def test_no_customer_has_more_than_the_highest_fee_of_any_list(
    campaigns: list[list[tuple[int, int, bool, int]]],
) -> None:
    world = world_of()
    highest: dict[int, int] = {}
    named: dict[int, int] = {}
    for rows in campaigns:
        lines: dict[str, str] = {}
        for customer, wanted, names, fee in rows:
            latest = named.get(customer, 0)
            number = min(wanted, latest + 1)  # a list that uses an id for the first time names the one before
            was = f"c{customer}-{number - 1}" if number > latest or (number and names) else ""
            account = f"c{customer}-{number}"
            if account not in lines:
                lines[account] = line(account, fee=f"{fee}.00", was=was)
                highest[customer] = max(highest.get(customer, 0), fee * 100)
            named[customer] = max(latest, number)
        campaign(world, *lines.values())
    check_sound(world)
    for customer, most in highest.items():
        assert has(world, *(f"c{customer}-{number}" for number in range(3))) <= most


@pytest.mark.parametrize(("lines", "reason"), REFUSED.values(), ids=REFUSED)
def test_the_check_of_a_list_refuses_what_the_plan_refuses(lines: list[str], reason: str) -> None:
    content = "\n".join([HEAD, *lines, ""]).encode()
    incident = Incident("check", 1, "Check", "", (), (Window(START - timedelta(days=2), START),))
    policy = compile_policy(freeze(load_policy(POLICY)), incident, START)
    checked = check_list(lambda start, stop: [content[start:stop]], len(content), ListFormat.CSV, policy, START)
    assert checked.refusal(None).startswith(reason)


class Seen:
    """The subjects of a list, as they were remembered."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, bool]] = []

    def see(self, account_id: str, _: str, __: str, ___: int, *, is_former: bool = False) -> None:
        self.rows.append((account_id, is_former))

    def found(self) -> Subjects:
        return Subjects(0, 0, 0, (), (), ())


def test_the_check_of_a_list_takes_a_former_id_for_a_subject_unless_it_is_the_same_one_written_otherwise() -> None:
    """As the plan does: or every row of an export that lost its zeros would be called nearly equal to itself."""
    pairs = [("0017", "17"), ("AB", "ab"), ("new", "old"), ("170", "17")]
    content = "\n".join([HEAD, *(line(account, was=was) for account, was in pairs), ""]).encode()
    incident = Incident("check", 1, "Check", "", (), (Window(START - timedelta(days=2), START),))
    policy, seen = compile_policy(freeze(load_policy(POLICY)), incident, START), Seen()
    check_list(
        lambda start, stop: [content[start:stop]], len(content), ListFormat.CSV, policy, START, subjects=seen
    )  # fmt: skip
    assert [account for account, is_former in seen.rows if is_former] == ["old", "17"]
    assert [account for account, is_former in seen.rows if not is_former] == [account for account, _ in pairs]
