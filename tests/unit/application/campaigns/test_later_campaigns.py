"""A second campaign on an incident decides anew, pays what is missing, and takes nothing back."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import kulanz
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.application.ledger.answer import Explained
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State, StateChange
from kulanz.domain.campaigns.reconciliation import RowResult, WriteResult, differences
from kulanz.domain.decision import Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.earlier_decisions import IN_ANOTHER_MEASURE
from kulanz.domain.ledger.entries import read_decision
from tests.support.fake_offers import FakeOffers
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World

FACTS = """
facts:
  product: text
  own_clause: yes_no
  monthly_fee: money
  claims_until: {{type: instant, from: incident}}
who:
  - decline: other_product
    unless: product = "voice"
  - refer: own_clause
    when: own_clause
"""
HEAD = "kulanz: 1\nid: voice\nversion: {version}\ntitle: Voice\ncurrency: CHF\n"
DECLINE = HEAD + FACTS.replace("refer: own_clause", "decline: own_clause") + "  - decline: no_goodwill\n"
HOLD = HEAD + FACTS + "  - hold: no_decision_yet\n"
OFFER_HALF = HEAD + FACTS + "pay: 50% of monthly_fee\nmode:\n  offer: {{until: claims_until}}\n"
OFFER_WHOLE = HEAD + FACTS + "pay: monthly_fee\nmode:\n  offer: {{until: claims_until}}\n"
PAY_WHOLE = HEAD + FACTS + "pay: monthly_fee\ndue: next bill\n"
PAY_HALF = HEAD + FACTS + "pay: 50% of monthly_fee\n"
PAY_MORE_BESIDES = HEAD.replace("id: voice", "id: extra") + FACTS + "pay: 10% of monthly_fee\nearlier: add\n"
GIVE_MINUTES = HEAD + FACTS + "give: {{quantity: 20, unit: call_minute}}\n"

LIST = b"""account_id,product,own_clause,monthly_fee
a-1,voice,no,120.00
a-2,voice,no,120.00
a-3,voice,yes,120.00
a-4,mail,no,120.00
a-5,voice,no,0.01
"""
CLAIMS_UNTIL = "2026-03-08T09:00:00Z"


def campaign(world: World, seq: int, policy: str, content: bytes = LIST, **changes: Any) -> str:
    """Publish a policy and a list, request the incident's next campaign, and let everything happen."""
    policy_id = "extra" if "id: extra" in policy else "voice"
    world.policies.publish(policy_id, seq, sealed_policy(policy.format(version=seq)))
    key = f"lists/voice-{seq}.csv"
    version = world.lists.upload(key, content)
    rows = content.count(b"\n") - 1
    request = event(
        key=key, rows=rows, version_id=version, policy=policy_id, policy_version=seq, revision=seq,
        facts={"claims_until": CLAIMS_UNTIL}, **changes,
    )  # fmt: skip
    world.publish(request)
    world.run_until_quiet()
    return f"{INCIDENT_ID}/{seq}"


def accept(world: World, account_id: str, unit: str = WHOLE_ACCOUNT) -> Any:
    ports = AcceptPorts(world.ledger, world.stores, world.campaigns, FakeOffers(world.ledger, world.campaigns))
    return accept_offer(account_id, INCIDENT_ID, ports, "support", world.now, unit)


def classes(world: World, campaign_id: str) -> dict[str, int]:
    found = world.campaign(campaign_id)
    assert found.state is State.CLOSED, found.state_reason
    assert list(differences(found.plan.totals, found.apply.totals)) == []
    by_class: dict[str, int] = {}
    for (row_result, _), lines in found.apply.totals.results().items():
        by_class[row_result.value] = by_class.get(row_result.value, 0) + lines
    return by_class


def granted(world: World, account_id: str) -> list[tuple[int, int]]:
    """(campaign, minor units) of everything an account has."""
    entries = world.ledger.of_account(account_id, INCIDENT_ID)
    return [
        (entry.key.seq, benefit.money.minor)
        for entry in entries
        if entry.status is Outcome.GRANTED
        for benefit in read_decision(entry.body).benefits
        if benefit.money is not None
    ]


def test_an_automatic_fee_after_an_offer_pays_what_each_account_has_not_got() -> None:
    world = World()
    assert classes(world, campaign(world, 1, OFFER_HALF)) == {"offered": 3, "referred": 1, "declined": 1}
    accept(world, "a-1")
    second = classes(world, campaign(world, 2, PAY_WHOLE))
    assert second == {"granted": 3, "unchanged": 2}
    assert granted(world, "a-1") == [(1, 6000), (2, 6000)]
    assert granted(world, "a-2") == [(2, 12000)]
    assert granted(world, "a-3") == []


def test_who_accepted_the_same_sum_gets_nothing_more() -> None:
    world = World()
    campaign(world, 1, OFFER_WHOLE)
    accept(world, "a-1")
    second = classes(world, campaign(world, 2, PAY_WHOLE))
    assert second == {"granted": 2, "unchanged": 3}
    assert granted(world, "a-1") == [(1, 12000)]


def test_an_offer_ends_when_a_later_campaign_opens_and_its_answer_says_so() -> None:
    world = World()
    campaign(world, 1, OFFER_WHOLE)
    campaign(world, 2, PAY_WHOLE)
    with pytest.raises(OfferRefused, match="latest decision for the incident is: granted"):
        accept(world, "a-2")
    campaign(world, 3, HOLD)
    with pytest.raises(OfferRefused):
        accept(world, "a-3")


def test_an_open_offer_ends_when_the_execution_of_a_later_campaign_starts() -> None:
    world = World()
    campaign(world, 1, OFFER_WHOLE)
    world.policies.publish("voice", 2, sealed_policy(PAY_WHOLE.format(version=2)))
    version = world.lists.upload("lists/later.csv", LIST)
    world.publish(
        event(key="lists/later.csv", rows=5, version_id=version, policy="voice", policy_version=2, revision=2)
    )
    while (found := world.campaigns.campaign(CampaignId(INCIDENT_ID, 2))) is None or found.state is not State.APPLYING:
        assert world.ask("a-1", INCIDENT_ID).decisions[0].has_ended is False, "planned and waiting, it ends no offer"
        world.run(world.steps()[0])
    with pytest.raises(OfferRefused, match="later campaign") as refused:
        accept(world, "a-1")
    assert refused.value.reason == "offer_superseded"
    world.run_until_quiet()
    assert granted(world, "a-1") == [(2, 12000)]


def test_accepting_twice_grants_once() -> None:
    world = World()
    campaign(world, 1, OFFER_WHOLE)
    first = accept(world, "a-1")
    world.now += timedelta(days=1)
    assert accept(world, "a-1") == first
    assert granted(world, "a-1") == [(1, 12000)]


@pytest.mark.parametrize("until", ["9999-12-31T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_an_offer_until_the_end_of_the_calendar_can_be_accepted(until: str) -> None:
    world = World()
    version = world.lists.upload("lists/voice.csv", LIST)
    world.policies.publish("voice", 1, sealed_policy(OFFER_WHOLE.format(version=1)))
    world.publish(
        event(key="lists/voice.csv", rows=5, version_id=version, policy="voice", facts={"claims_until": until})
    )
    world.run_until_quiet()
    (offered,) = world.ledger.of_account("a-1", INCIDENT_ID)
    assert accept(world, "a-1").ttl >= offered.ttl
    assert granted(world, "a-1") == [(1, 12000)]


def test_an_offer_is_over_at_the_instant_its_time_ends() -> None:
    world = World()
    campaign(world, 1, OFFER_WHOLE)
    world.now = world.now.replace(day=8, hour=9, minute=0, second=0) - timedelta(seconds=1)
    accept(world, "a-1")
    world.now += timedelta(seconds=1)
    with pytest.raises(OfferRefused, match="is over") as refused:
        accept(world, "a-2")
    assert refused.value.reason == "offer_over"


def test_who_was_held_is_decided_and_the_others_keep_what_they_were_told() -> None:
    world = World()
    assert classes(world, campaign(world, 1, HOLD)) == {"held": 3, "referred": 1, "declined": 1}
    assert classes(world, campaign(world, 2, PAY_WHOLE)) == {"granted": 3, "unchanged": 2}
    assert [entry.key.seq for entry in world.ledger.of_account("a-4", INCIDENT_ID)] == [1]


def test_a_smaller_entitlement_takes_nothing_back() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    assert classes(world, campaign(world, 2, PAY_HALF)) == {"overpaid": 2, "unchanged": 3}
    assert granted(world, "a-1") == [(1, 12000)]


def test_who_is_declined_later_keeps_what_was_granted() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    assert classes(world, campaign(world, 2, DECLINE)) == {"overpaid": 3, "unchanged": 1, "declined": 1}
    assert [entry.status for entry in world.ledger.of_account("a-1", INCIDENT_ID)] == [Outcome.GRANTED]
    assert [entry.status for entry in world.ledger.of_account("a-3", INCIDENT_ID)] == [
        Outcome.REFERRED,
        Outcome.DECLINED,
    ]


def test_a_policy_that_adds_pays_beside_what_was_granted() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    classes(world, campaign(world, 2, PAY_MORE_BESIDES))
    assert granted(world, "a-1") == [(1, 12000), (2, 1200)]


def held_for_another_measure(world: World, seq: int) -> list[str]:
    """The accounts that a campaign, which has closed, holds because it cannot set off what they were granted."""
    assert world.campaign(f"{INCIDENT_ID}/{seq}").state is State.CLOSED
    found = [entry for entry in world.ledger.all_entries() if entry.key.seq == seq]
    held = [entry.key.account_id for entry in found if read_decision(entry.body).reason == IN_ANOTHER_MEASURE]
    problems = [
        json.loads(line)
        for key, content in world.archive.documents.items()
        if f"/{seq:03d}/problems/plan" in key
        for line in content.splitlines()
    ]
    assert {problem["offset"] for problem in problems} == {
        entry.origin for entry in found if entry.key.account_id in held
    }, "the plan names the row of each"
    assert {problem["reason"] for problem in problems} <= {IN_ANOTHER_MEASURE}
    return held


def test_a_replacing_policy_with_another_unit_holds_who_was_granted_and_gives_the_others() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    campaign(world, 2, GIVE_MINUTES, LIST + b"a-6,voice,no,120.00\n")
    assert held_for_another_measure(world, 2) == ["a-1", "a-2", "a-5"]
    (minutes,) = world.ledger.of_account("a-6")
    assert [(one.quantity, one.unit) for one in read_decision(minutes.body).benefits] == [("20", "call_minute")]
    assert granted(world, "a-1") == [(1, 12000)]


CURRENCIES = (
    HEAD
    + """facts:
  product: text
  home: [CHF, EUR]
heads:
  - name: swiss
    when: home = "CHF"
    pay: 20.00 CHF
  - name: euro
    when: home = "EUR"
    pay: 20.00 EUR
"""
)


def test_one_account_that_changed_its_currency_is_held_and_named_and_the_others_go_on() -> None:
    world = World()
    rows = [b"account_id,product,home", *(f"a-{number},voice,CHF".encode() for number in range(6)), b""]
    campaign(world, 1, CURRENCIES, b"\n".join(rows))
    changed = b"\n".join([*rows[:-1], b"a-6,voice,EUR", b""]).replace(b"a-3,voice,CHF", b"a-3,voice,EUR")
    campaign(world, 2, CURRENCIES, changed)
    assert held_for_another_measure(world, 2) == ["a-3"]
    assert len([entry for entry in world.ledger.all_entries() if entry.status is Outcome.GRANTED]) == 7


def test_no_message_advises_what_would_pay_twice() -> None:
    sources = Path(*kulanz.__path__).rglob("*.py")
    told = [path.name for path in sources if re.search(r"(publish|let|use)[^\n]*earlier: add", path.read_text())]
    assert told == []


LINES = b"account_id,line_id,port_id\na-1,l-1,p-1\na-1,l-2,p-2\n"
SUBJECTS = {"the account": "", "a line": "subject: line_id\n", "a port": "subject: port_id\n"}
FLAT_FOR_EACH = HEAD + "{subject}pay: 10.00 CHF\n"


@pytest.mark.parametrize("earlier", ["", "earlier: add\n"])
@pytest.mark.parametrize(("first", "then"), [(one, other) for one in SUBJECTS for other in SUBJECTS if one != other])
def test_what_was_granted_to_other_units_is_never_paid_beside(first: str, then: str, earlier: str) -> None:
    """What was given to an account is not found under its lines, so that nothing would be set off."""
    world = World()
    campaign(world, 1, FLAT_FOR_EACH.replace("{subject}", earlier + SUBJECTS[first]), LINES)
    before = world.ledger.all_entries()
    campaign(world, 2, FLAT_FOR_EACH.replace("{subject}", earlier + SUBJECTS[then]), LINES)

    assert world.ledger.all_entries() == before
    assert [rejection.reason for rejection in world.rejected.sent] == ["subjects_differ"]
    assert "earlier: add" not in world.rejected.sent[0].message, "that would pay it again"


def test_a_policy_that_adds_may_decide_other_units() -> None:
    world = World()
    campaign(world, 1, FLAT_FOR_EACH.replace("{subject}", ""), LINES)
    other = FLAT_FOR_EACH.replace("id: voice", "id: extra").replace("{subject}", "subject: line_id\nearlier: add\n")
    campaign(world, 2, other, LINES)

    assert granted(world, "a-1") == [(1, 1000), (2, 1000), (2, 1000)]


def test_the_same_units_are_set_off_under_another_policy() -> None:
    world = World()
    campaign(world, 1, FLAT_FOR_EACH.replace("{subject}", SUBJECTS["a line"]), LINES)
    dearer = FLAT_FOR_EACH.replace("id: voice", "id: extra").replace("10.00", "12.00")
    campaign(world, 2, dearer.replace("{subject}", SUBJECTS["a line"]), LINES)

    assert sorted(granted(world, "a-1")) == [(1, 1000), (1, 1000), (2, 200), (2, 200)]


VOICE_CHF_MAIL_MINUTES = """
heads:
  - name: fee
    when: product = "{fee}"
    pay: monthly_fee
  - name: minutes
    when: product = "{minutes}"
    give: {{quantity: 20, unit: call_minute}}
"""
PRODUCTS = "facts:\n  product: text\n  monthly_fee: money\n"


def test_a_policy_that_adds_never_adds_to_itself() -> None:
    world = World()
    campaign(world, 1, PAY_MORE_BESIDES)
    assert classes(world, campaign(world, 2, PAY_MORE_BESIDES)) == {"unchanged": 5}
    assert granted(world, "a-1") == [(1, 1200)]


def test_what_was_granted_in_another_measure_is_never_paid_beside() -> None:
    world = World()
    swapped = [{"fee": "voice", "minutes": "mail"}, {"fee": "mail", "minutes": "voice"}]
    for seq, products in enumerate(swapped, 1):
        policy = HEAD.format(version=seq) + PRODUCTS + VOICE_CHF_MAIL_MINUTES.format(**products)
        campaign(world, seq, policy.replace("{", "{{").replace("}", "}}"))
    assert len(held_for_another_measure(world, 2)) == 5
    assert {entry.key.seq for entry in world.ledger.all_entries() if entry.status is Outcome.GRANTED} == {1}


def test_the_offers_of_a_withdrawn_incident_fall_with_it() -> None:
    world = World()
    campaign(world, 1, OFFER_WHOLE)
    world.publish(event(rows=1, detail_type="Incident Withdrawn", revision=2, campaign=..., source="incidents"))
    world.run_until_quiet()
    with pytest.raises(OfferRefused) as refused:
        accept(world, "a-1")
    assert refused.value.reason == "incident_withdrawn"


def test_the_offers_of_a_stopped_campaign_fall_with_it() -> None:
    world = World()
    campaign_id = CampaignId.parse(campaign(world, 1, OFFER_WHOLE))
    closed = world.campaign(str(campaign_id))
    cause = Cause("a person", "a ticket", "7")
    world.campaigns.change_state(
        closed, StateChange(closed.log_count + 1, world.now, closed.state, State.FLAGGED, "", cause)
    )
    with pytest.raises(OfferRefused) as refused:
        accept(world, "a-1")
    assert refused.value.reason == "offer_stopped"


GIVE = HEAD + FACTS + "give: {{quantity: {}, unit: GB{}}}\n"
AGAIN = {"once": "", "three": ", each: billing cycle, times: 3", "two": ", each: billing cycle, times: 2",
         "weekly": ", each: week, times: 3", "always": ", each: billing cycle"}  # fmt: skip


@pytest.mark.parametrize(("first", "then"), [(one, other) for one in AGAIN for other in AGAIN if one != other])
def test_what_comes_again_is_not_taken_for_what_comes_once_or_more_or_less_often(first: str, then: str) -> None:
    """Taken for the same 100 GB, two of three cycles would be withheld from everybody, and the books would balance."""
    world = World()
    campaign(world, 1, GIVE.replace("{}", "100", 1).replace("{}", AGAIN[first], 1))
    campaign(world, 2, GIVE.replace("{}", "100", 1).replace("{}", AGAIN[then], 1))

    assert held_for_another_measure(world, 2) == ["a-1", "a-2", "a-5"]


def test_what_comes_again_as_often_is_set_off_each_time() -> None:
    world = World()
    campaign(world, 1, GIVE.replace("{}", "100", 1).replace("{}", AGAIN["three"], 1))
    classes(world, campaign(world, 2, GIVE.replace("{}", "150", 1).replace("{}", AGAIN["three"], 1)))

    (_, missing) = world.ledger.of_account("a-1", INCIDENT_ID)
    (benefit,) = read_decision(missing.body).benefits
    assert (benefit.quantity, benefit.unit, benefit.terms["times"]) == ("50", "GB", "3")
    assert world.campaign(f"{INCIDENT_ID}/2").apply.totals.sums == {
        (RowResult.GRANTED, WriteResult.WRITTEN, "GB:3 x billing cycle"): 150
    }


def test_a_third_campaign_sets_off_both_before_it() -> None:
    world = World()
    campaign(world, 1, PAY_HALF)
    campaign(world, 2, PAY_HALF.replace("50%", "75%"))
    campaign(world, 3, PAY_WHOLE)
    assert granted(world, "a-1") == [(1, 6000), (2, 3000), (3, 3000)]


def test_the_answer_tells_what_was_set_off() -> None:
    world = World()
    campaign(world, 1, PAY_HALF)
    campaign(world, 2, PAY_WHOLE)
    told = world.ask("a-1", INCIDENT_ID).decisions
    assert [decision.explained for decision in told] == [Explained.AGREES, Explained.AGREES]
    assert told[1].steps[-1].startswith("Granted before for this incident: 60.00 CHF.")


def test_a_later_campaign_delivered_again_changes_nothing() -> None:
    world = World()
    campaign(world, 1, PAY_HALF)
    campaign(world, 2, PAY_WHOLE)
    before = world.ledger.all_entries()
    campaign(world, 2, PAY_WHOLE)
    assert world.ledger.all_entries() == before


def test_accounts_found_late_are_decided_without_touching_the_others() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    late = LIST + b"a-6,voice,no,99.00\n"
    second = campaign(world, 2, PAY_WHOLE, late)
    assert classes(world, second) == {"granted": 1, "unchanged": 5}
    counts = world.campaign(second).apply.totals.counts
    assert {key.write_result for key in counts if key.row_result is RowResult.GRANTED} == {WriteResult.WRITTEN}
