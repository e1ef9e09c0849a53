"""Who may put which event on the bus: everybody else is refused, whatever their own permissions."""

import pytest

from kulanz.adapters.messaging import EVENT_SOURCE
from kulanz.domain.incident_record import DetailType
from tests.template.resolved import ACCOUNT_ID, REGION, Stack, refused

DESK = f"arn:aws:iam::{ACCOUNT_ID}:role/incident-desk"
BILLING = "arn:aws:iam::999999999999:role/billing"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT_ID}:role/administrator"
OURSELVES = "arn:AdvanceCampaignRole"
OPEN = {"PublisherArns": f"{DESK},{BILLING}", "CampaignPublisherArns": BILLING}


def may_publish(stack: Stack, principal: str, source: str) -> bool:
    """Whether the bus lets a principal pass whom IAM itself permits to put events."""
    bus = stack.properties("EventBus")
    arn = f"arn:aws:events:{REGION}:{ACCOUNT_ID}:event-bus/{bus['Name']}"
    return not refused(
        bus["Policy"]["Statement"], "events:PutEvents", arn, aws_PrincipalArn=principal, events_source=source
    )


@pytest.mark.parametrize("principal", [DESK, BILLING, ADMINISTRATOR])
def test_until_an_operator_lists_publishers_nobody_may_publish(stack: Stack, principal: str) -> None:
    assert not may_publish(stack, principal, "incidents")
    assert not may_publish(stack, principal, "billing")


def test_listed_publishers_may_and_nobody_else() -> None:
    stack = Stack(OPEN)
    assert may_publish(stack, DESK, "incidents")
    assert may_publish(stack, BILLING, "incidents")
    assert not may_publish(stack, ADMINISTRATOR, "incidents")


def test_a_campaign_source_is_for_those_who_may_spend() -> None:
    stack = Stack(OPEN)
    assert may_publish(stack, BILLING, "billing")
    assert not may_publish(stack, DESK, "billing")


def test_a_publisher_may_not_spend_until_listed_for_that() -> None:
    stack = Stack({"PublisherArns": f"{DESK},{BILLING}"})
    assert not may_publish(stack, BILLING, "billing")
    assert may_publish(stack, BILLING, "incidents")


@pytest.mark.parametrize("parameters", [{}, OPEN])
def test_only_we_speak_as_kulanz(parameters: dict[str, str]) -> None:
    stack = Stack(parameters)
    assert may_publish(stack, OURSELVES, EVENT_SOURCE)
    assert not may_publish(stack, BILLING, EVENT_SOURCE)
    assert not may_publish(stack, ADMINISTRATOR, EVENT_SOURCE)


def test_publishers_of_other_accounts_are_let_in_by_name() -> None:
    statements = Stack(OPEN).properties("EventBus")["Policy"]["Statement"]
    (allowed,) = [item for item in statements if item["Effect"] == "Allow"]
    assert allowed["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [DESK, BILLING]}}


def test_nobody_is_let_in_while_no_publisher_is_listed(stack: Stack) -> None:
    assert {item["Effect"] for item in stack.properties("EventBus")["Policy"]["Statement"]} == {"Deny"}


def test_the_policy_is_about_this_bus(stack: Stack) -> None:
    bus = stack.properties("EventBus")
    resource = f"arn:aws:events:eu-central-1:{ACCOUNT_ID}:event-bus/{bus['Name']}"
    assert {statement["Resource"] for statement in bus["Policy"]["Statement"]} == {resource}


def test_the_rule_takes_every_kind_of_event_that_we_understand_from_any_source(stack: Stack) -> None:
    rule = stack.properties("IncidentRule")
    assert rule["EventBusName"] == "EventBus"
    assert set(rule["EventPattern"]) == {"detail-type"}  # a wrong source is refused visibly, by the function
    assert set(rule["EventPattern"]["detail-type"]) == set(DetailType)
