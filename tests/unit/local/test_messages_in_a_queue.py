"""A queue is empty when no message of it waits, is delayed or is being worked on: else a measurement ends too early."""

from types import SimpleNamespace
from typing import Any

import pytest

from kulanz_local.drive import given_up, messages_in
from tests.support.scripted import Scripted

COUNTED = {"Messages": 1, "MessagesNotVisible": 20, "MessagesDelayed": 300}
"""Attributes of SQS, without `ApproximateNumberOf`; each is told only where it was asked for."""


def queue(holds: dict[str, int]) -> Scripted:
    def attributes(AttributeNames: list[str], **_: object) -> dict[str, dict[str, str]]:  # noqa: N803 (as boto3 has it)
        named = {f"ApproximateNumberOf{name}": str(number) for name, number in holds.items()}
        return {"Attributes": {name: named[name] for name in AttributeNames if name in named}}

    return Scripted(get_queue_attributes=attributes)


@pytest.mark.parametrize("name", COUNTED)
def test_a_message_counts_wherever_it_is(name: str) -> None:
    assert messages_in(queue({name: COUNTED[name]}), "https://queue") == COUNTED[name]


def test_all_messages_of_a_queue_are_counted_once() -> None:
    assert messages_in(queue(COUNTED), "https://queue") == 321
    assert messages_in(queue({}), "https://queue") == 0


GIVEN_UP = {
    "rejected events": "rejected_queue_url",
    "given up events": "incidents_dead_letter_queue_url",
    "given up chunks": "chunks_dead_letter_queue_url",
}


@pytest.mark.parametrize("name", GIVEN_UP)
def test_what_was_given_up_is_found_under_its_own_name(name: str) -> None:
    def attributes(QueueUrl: str, **_: object) -> dict[str, dict[str, str]]:  # noqa: N803 (as boto3 has it)
        return {"Attributes": {"ApproximateNumberOfMessages": "7" if QueueUrl == GIVEN_UP[name] else "0"}}

    client = Scripted(get_queue_attributes=attributes)
    outputs = SimpleNamespace(**{url: url for url in GIVEN_UP.values()})
    stack: Any = SimpleNamespace(client=lambda _: client, outputs=outputs)
    assert given_up(stack) == {name: 7}
