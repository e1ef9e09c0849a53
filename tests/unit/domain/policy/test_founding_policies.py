import json
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.money import Money
from kulanz.domain.policy import document_from_json, document_json, freeze, policy_hash
from kulanz.domain.policy.deciding.checking import load_policy
from tests.unit.domain.policy.rulebook import POLICIES, compiled, incident

ATT = POLICIES / "att-2024-02" / "1.yaml"
SKYPE = POLICIES / "skype-2015" / "1.yaml"
FEBRUARY = incident(("2024-02-22T09:45:00Z", "2024-02-22T20:10:00Z"))
SEPTEMBER = incident(("2015-09-21T08:00:00Z", "2015-09-21T20:00:00Z"))


def test_an_impacted_consumer_gets_five_dollars_automatically_within_two_billing_cycles() -> None:
    decision = compiled(ATT, FEBRUARY).decide(("consumer_postpaid", True))
    assert decision.outcome is Outcome.GRANTED
    assert decision.mode == "automatic"
    assert [benefit.money for benefit in decision.benefits] == [Money(500, "USD")]
    assert str(decision.benefits[0].due) == "2 billing_cycle"
    assert decision.notice is not None
    assert (decision.notice.kind, decision.notice.locale, decision.notice.channel) == ("granted", "en", "email")


@pytest.mark.parametrize(
    ("segment", "impacted", "outcome", "reason"),
    [
        ("small_business", True, "granted", "credit"),
        ("business", True, "referred", "business_customer"),
        ("business", None, "referred", "business_customer"),
        ("prepaid", True, "declined", "prepaid"),
        ("cricket", None, "declined", "other_brand"),
        ("other_brand", True, "declined", "other_brand"),
        ("consumer_postpaid", False, "declined", "not_impacted"),
        ("consumer_postpaid", None, "held", "potentially_impacted_unknown"),
        (None, True, "held", "segment_unknown"),
        (None, False, "held", "segment_unknown"),
        (None, None, "held", "segment_unknown"),
    ],
)
def test_every_group_of_customers_has_its_own_outcome_and_reason(
    segment: str | None, impacted: bool | None, outcome: str, reason: str
) -> None:
    decision = compiled(ATT, FEBRUARY).decide((segment, impacted))
    assert (decision.outcome.value, decision.reason) == (outcome, reason)


def test_twenty_minutes_end_seven_days_after_they_are_credited() -> None:
    decision = compiled(SKYPE, SEPTEMBER).decide(("consumer", "de", None))
    (benefit,) = decision.benefits
    assert (benefit.quantity, benefit.unit, benefit.restriction) == ("20", "minute", "destinations")
    assert benefit.validity.expires_at(datetime(2015, 10, 20, tzinfo=UTC)) == datetime(2015, 10, 27, tzinfo=UTC)


def test_seven_days_are_days_of_the_customers_calendar() -> None:
    (benefit,) = compiled(SKYPE, SEPTEMBER).decide(("consumer", "de", "Europe/Berlin")).benefits
    credited = datetime(2015, 10, 20, 10, 0, tzinfo=UTC)  # the clocks go back on 25 October
    assert benefit.validity.expires_at(credited) == credited + timedelta(days=7, hours=1)


def test_the_list_of_countries_is_real_and_long_enough() -> None:
    destinations = compiled(SKYPE, SEPTEMBER).restrictions["destinations"]
    assert len(set(destinations["landline"])) > 60
    assert len(set(destinations["mobile"])) == 8


@pytest.mark.parametrize(
    ("language", "chosen"),
    [("de", "de"), ("de-AT", "de"), ("es", "es"), ("fr", "fr"), ("en", "en"), ("pt", "en"), (None, "en")],
)
def test_the_apology_is_in_the_accounts_language(language: str | None, chosen: str) -> None:
    policy = compiled(SKYPE, SEPTEMBER)
    notice = policy.decide(("consumer", language, None)).notice
    assert notice is not None
    assert notice.locale == chosen
    template = policy.templates(notice.kind, notice.locale)
    assert template is not None
    assert "{{ quantity }}" in template.text


def test_whether_only_those_who_tried_to_sign_in_are_eligible_is_a_parameter() -> None:
    everybody = compiled(SKYPE, SEPTEMBER)
    some = compiled(SKYPE, SEPTEMBER, {"eligible": "tried_to_sign_in"})
    column = "used_service_on_incident_day"
    assert column not in [fact.name for fact in everybody.facts]
    assert [fact.name for fact in some.facts] == ["segment", column, "language", "time_zone"]
    outcomes = {used: some.decide(("consumer", used, "en", None)) for used in (True, False, None)}
    assert outcomes[True].outcome is Outcome.GRANTED
    assert outcomes[False].reason == "not_signed_in_that_day"
    assert (outcomes[None].outcome, outcomes[None].reason) == (Outcome.HELD, f"{column}_unknown")


@pytest.mark.parametrize("path", [ATT, SKYPE], ids=["att", "skype"])
def test_a_published_policy_is_read_back_the_same(path) -> None:  # type: ignore[no-untyped-def] # a path of the rulebook
    document = load_policy(path)
    published = document_json(document)
    again = document_from_json(published)
    assert document_json(again) == published
    assert policy_hash(freeze(again, {})) == policy_hash(freeze(document, {}))
    assert "test" not in json.loads(published)["policy"]


def test_a_parameter_changes_the_frozen_policy() -> None:
    document = load_policy(SKYPE)
    assert policy_hash(freeze(document, {"eligible": "tried_to_sign_in"})) != policy_hash(freeze(document, {}))


def test_a_decision_survives_its_body_and_is_short() -> None:
    for policy, values in (
        (compiled(ATT, FEBRUARY), ("consumer_postpaid", True)),
        (compiled(SKYPE, SEPTEMBER), ("consumer", "de", "Europe/Berlin")),
    ):
        decision = policy.decide(values)
        text = json.dumps(decision.to_body(), separators=(",", ":"))
        assert Decision.from_body(json.loads(text)) == decision
        assert len(text) <= 450
