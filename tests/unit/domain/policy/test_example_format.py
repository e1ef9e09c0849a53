"""Worked examples: what they state is compared, and what cannot be compared is an error, never a pass."""

from typing import Any

import pytest

from kulanz.domain.policy import PolicyDocument
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.policy_examples import Result, run
from tests.unit.domain.policy.rulebook import written

POLICY = load_policy(
    written("""currency: EUR
zone: place
parameters:
  first: {low: the low reading, high: the high reading}
  second: {none: nothing of it, low: the lower one}
facts:
  monthly_fee: money
  segment: [consumer, business]
  place: {type: zone, default: Europe/Berlin}
  paid: {type: money, per: month, default: 0 EUR}
who: {decline: business, when: segment = "business"}
pay: max(if(first = "low", 10%, 20%) * monthly_fee, if(second = "low", 2 EUR, 1 EUR))
give: {quantity: 2, unit: GB, restriction: places, each: billing cycle, times: 3, valid: 2 weeks}
restrictions: {places: [here]}
""")
)
GOOD: dict[str, Any] = {
    "id": "G",
    "rule": "TEST",
    "account": {"monthly_fee": "50.00", "segment": "consumer"},
    "incident": {"windows": [{"start": "2026-05-04T08:00:00Z", "end": "2026-05-04T20:00:00Z"}]},
    "expected": {"outcome": "entitled", "mode": "automatic", "money": [{"amount": "5.00", "currency": "EUR"}]},
}
UNIT = {
    "quantity": 2, "unit": "GB", "validity": "2 weeks", "per": "billing cycle", "cycles": 3, "restriction": "places",
    "valid_from": "2026-05-04T20:00:00Z", "expires_at": "2026-05-18T20:00:00Z",
    "from": "2026-05-04", "to": "2026-05-18",
}  # fmt: skip
EARLIER = [{"money": [{"amount": "2.00", "currency": "EUR"}]}]


def changed(**entries: Any) -> dict[str, Any]:
    return {**GOOD, **entries}


def expecting(**stated: Any) -> dict[str, Any]:
    return changed(expected=stated)


def refused(result: Result) -> str:
    (difference,) = result.differences
    assert difference.what == "example", result.differences
    return difference.decided


HOLDS = {
    "everything stated": GOOD,
    "words for people": changed(
        derivation="10% of 50.00", provenance="invented", title="A good one",
        expected={**GOOD["expected"], "reason": "because", "information": {"mail": "sent"}, "note": "x"},
    ),
    "account facts that the policy does not read": changed(account={**GOOD["account"], "id": "a1", "height": 3}),
    "facts of a period": changed(account={**GOOD["account"], "paid_2026_05": "3.00"}),
    "every word of a unit": expecting(units=[{**UNIT, "service": "data", "when": "weekends", "scope": "each"}]),
    "a list of places for people": expecting(units=[{"unit": "GB", "restriction": {"countries": 60}}]),
    "nothing earlier": changed(expected={"due_now": [{"amount": "5.00", "currency": "EUR"}]}, earlier=[]),
    "something earlier": changed(expected={"due_now": [{"amount": "3.00", "currency": "EUR"}]}, earlier=EARLIER),
    "all that was earlier, in its own currency": changed(
        expected={"due_now": [{"amount": "1.25", "currency": "EUR"}]},
        earlier=[
            {"money": [{"amount": "2.00", "currency": "EUR"}, {"amount": "0.75", "currency": "EUR"}]},
            {"money": [{"amount": "1.00", "currency": "EUR"}, {"amount": "9.00", "currency": "USD"}]},
        ],
    ),
    "more earlier than is owed": changed(expected={"due_now": []}, earlier=EARLIER * 3),
    "a reading": changed(
        reading="the high reading", expected={"money": [{"amount": "10.00", "currency": "EUR"}]}
    ),
    "readings of several parameters": changed(
        reading={"first": "high", "second": "low"}, expected={"money": [{"amount": "10.00", "currency": "EUR"}]}
    ),
}  # fmt: skip
REFUSED = {
    "no expected": ({key: value for key, value in GOOD.items() if key != "expected"}, "tests nothing"),
    "an empty expected": (expecting(), "say at least one of outcome"),
    "words for people alone": (expecting(reason="because"), "say at least one of outcome"),
    "a misspelt expected": ({**GOOD, "expcted": {}}, "did you mean 'expected'"),
    "a misspelt reading": ({**GOOD, "readng": "low"}, "did you mean 'reading'"),
    "an expectation in capitals": (expecting(outcome="entitled", Money=[]), "did you mean 'money'"),
    "an expectation that nothing compares": (expecting(outcome="entitled", due="next bill"), "cannot be compared"),
    "an unknown outcome": (expecting(outcome="granted"), "one of entitled, none, held, referred"),
    "an unknown mode": (expecting(mode="auto"), "one of automatic, claim, offer"),
    "money without a list": (expecting(money={"amount": "5.00", "currency": "EUR"}), "expected a list"),
    "a misspelt amount": (expecting(money=[{"ammount": "5.00", "currency": "EUR"}]), "an amount and a currency"),
    "an amount with more": (
        expecting(money=[{"amount": "5.00", "currency": "EUR", "head": "a"}]),
        "an amount and a currency",
    ),
    "a misspelt entry of a unit": (expecting(units=[{"quantity": 2, "unitt": "GB"}]), "did you mean 'unit'"),
    "an entry of a unit that nothing compares": (
        expecting(units=[{"quantity": 2, "unit": "GB", "colour": "red"}]),
        "expected.units[0].colour: this cannot be compared",
    ),
    "a unit of words alone": (expecting(units=[{"scope": "each"}]), "say at least one of quantity"),
    "due now without earlier": (expecting(due_now=[]), "what was granted before"),
    "units earlier": (changed(earlier=[{"units": []}], expected={"due_now": []}), "earlier[0].units"),
    "a misspelt fact": (changed(account={"montly_fee": "50.00", "segment": "consumer"}), "did you mean 'monthly_fee'"),
    "a misspelt fact in capitals": (changed(account={"Segment": "business", "monthly_fee": "5"}), "'segment'"),
    "a misspelt fact of the incident": (changed(incident={"plase": "UTC"}), "incident.plase"),
    "an unknown reading": (changed(reading="the middle reading"), "a choice of one of the policy's parameters"),
    "an empty reading": (changed(reading=""), "a choice of one of the policy's parameters"),
    "a reading of two parameters": (changed(reading="low"), "a choice of first, second"),
    "a reading of an unknown parameter": (changed(reading={"third": "low"}), "no parameter 'third'"),
    "an outage without its list": (
        changed(incident={"start": "2026-05-04T08:00:00Z", "end": "2026-05-04T12:00:00Z"}),
        "incident.start: the policy reads no such fact; when it was out is windows",
    ),
    "a misspelt end": (changed(incident={"windows": [{"start": "2026-05-04T08:00:00Z", "ends": "x"}]}), "windows[0]"),
    "a window without a start": (changed(incident={"windows": [{"end": "2026-05-04T08:00:00Z"}]}), "windows[0]"),
    "a window that ends first": (
        changed(incident={"windows": [{"start": "2026-05-04T08:00:00Z", "end": "2026-05-04T08:00:00Z"}]}),
        "must end after it starts",
    ),
    "a window without a zone": (changed(incident={"windows": [{"start": "2026-05-04T08:00:00"}]}), "with its offset"),
    "an account that is none": (changed(account=["a"]), "names and values"),
    "a fact of another type": (changed(account={"monthly_fee": True, "segment": "consumer"}), "monthly_fee"),
}
DIFFERS = {
    "outcome": (expecting(outcome="none"), "outcome"),
    "mode": (expecting(mode="claim"), "mode"),
    "a mode where nothing is owed": (
        {**expecting(outcome="none", mode="automatic"), "account": {"monthly_fee": "50.00", "segment": "business"}},
        "mode",
    ),
    "money": (expecting(money=[{"amount": "5.01", "currency": "EUR"}]), "money"),
    "no money": (expecting(money=[]), "money"),
    "money in another currency": (expecting(money=[{"amount": "5.00", "currency": "USD"}]), "money"),
    "money that cannot be read": (expecting(money=[{"amount": "5,00", "currency": "EUR"}]), "example"),
    "no units": (expecting(units=[]), "units"),
    "a second unit": (expecting(units=[{"unit": "GB"}, {"unit": "GB"}]), "units"),
    "due now": (changed(expected={"due_now": [{"amount": "5.00", "currency": "EUR"}]}, earlier=EARLIER), "due now"),
    **{f"a unit's {key}": (expecting(units=[{**UNIT, key: other}]), "units") for key, other in {
        "quantity": 3, "unit": "MB", "validity": "2 days", "per": "month", "cycles": 2, "restriction": "elsewhere",
        "valid_from": "2026-05-04T20:00:01Z", "expires_at": "2026-05-18T20:00:01Z", "from": "2026-05-05",
        "to": "2026-05-17",
    }.items()},
}  # fmt: skip


@pytest.mark.parametrize("example", HOLDS.values(), ids=HOLDS)
def test_what_is_stated_is_compared_and_holds(example: dict[str, Any]) -> None:
    result = run(POLICY, example)
    assert result.holds, result.differences


@pytest.mark.parametrize(("example", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused(example: dict[str, Any], says: str) -> None:
    assert says in refused(run(POLICY, example))


@pytest.mark.parametrize(("example", "what"), DIFFERS.values(), ids=DIFFERS)
def test_whatever_differs_is_told(example: dict[str, Any], what: str) -> None:
    assert [difference.what for difference in run(POLICY, example).differences] == [what]


def test_the_last_day_of_a_unit_is_a_day_of_the_accounts_zone() -> None:
    late = {"windows": [{"start": "2026-05-04T08:00:00Z", "end": "2026-05-04T23:30:00Z"}]}
    for place, day in (("Europe/Berlin", "2026-05-05"), ("America/New_York", "2026-05-04")):
        account = {**GOOD["account"], "place": place}
        assert run(POLICY, changed(account=account, incident=late, expected={"units": [{"from": day}]})).holds


def test_a_test_default_that_nothing_reads_is_refused() -> None:
    text = written("facts: {fee: {type: money, currency: EUR}}\npay: fee\ntest: {defaults: {fees: '5.00'}}")
    assert "test.defaults.fees: the policy reads no such fact" in refused(run(load_policy(text), GOOD))


def test_a_test_default_decides_no_campaign() -> None:
    document: PolicyDocument = load_policy(written("facts: {n: number}\npay: n * 1 EUR\ntest: {defaults: {n: 3}}"))
    example = expecting(money=[{"amount": "3.00", "currency": "EUR"}])
    assert run(document, {**example, "account": {}}).holds
    assert run(document, {**example, "account": {"n": 3}}).holds
    assert not run(document, {**example, "account": {"n": 4}}).holds


def test_an_example_is_decided_once_its_accounts_own_outage_is_over() -> None:
    policy = load_policy(written("facts: {windows: windows}\npay: full(total(outage), 1 h) * 1 EUR"))
    longer = {"windows": [{"start": "2026-05-04T10:00:00Z", "end": "2026-05-05T10:00:00Z"}]}
    paid = {"outcome": "entitled", "money": [{"amount": "24.00", "currency": "EUR"}]}
    assert not run(policy, changed(account=longer, expected=paid)).differences
    early = {**GOOD["incident"], "granted_at": "2026-05-04T20:00:00Z"}
    assert not run(policy, changed(account=longer, incident=early, expected={"outcome": "held"})).differences
