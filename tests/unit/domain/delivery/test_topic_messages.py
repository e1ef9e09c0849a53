"""The messages of the credits topic have each credit of a part once, in order, and are as few as their size allows."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery import topic_messages
from kulanz.domain.delivery.channel import ChannelKind, FileFormat
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.files import PartFile
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.topic_messages import CREDITS_MESSAGE_BYTES, credits_messages

DELIVERY = Delivery(
    DeliveryId("billing", 12), CampaignId("net-outage", 1), FileFormat.JSONL, datetime(2026, 3, 1, tzinfo=UTC),
    "advance_campaign", kind=ChannelKind.TOPIC,
)  # fmt: skip
FREE = 200
"""Bytes of a message beside what it says of its delivery, in these tests."""


def lines_of(sizes: list[int]) -> list[bytes]:
    """Records of some sizes, each known by its number."""
    return [json.dumps({"n": number, "text": "x" * size}).encode() for number, size in enumerate(sizes)]


def part_of(lines: list[bytes]) -> tuple[PartFile, bytes]:
    content = b"".join(one + b"\n" for one in (b'{"record":"H"}', *lines))
    return PartFile("part-0.jsonl", len(content), sha256(content).hexdigest(), len(lines)), content


@given(st.lists(st.integers(0, FREE), max_size=12))
def test_every_credit_is_in_one_message_and_no_message_has_room_for_the_next(sizes: list[int]) -> None:
    lines = lines_of(sizes)
    part, content = part_of(lines)
    with pytest.MonkeyPatch.context() as patched:
        opening = len(next(credits_messages(DELIVERY, *part_of([b"{}"]))).content) - len(b"{}")
        most = opening + FREE
        patched.setattr(topic_messages, "CREDITS_MESSAGE_BYTES", most)
        found = list(credits_messages(DELIVERY, part, content))
    credits_ = [json.loads(one.content)["credits"] for one in found]
    assert [one["n"] for page in credits_ for one in page] == list(range(len(lines)))
    assert [one.credits for one in found] == [len(page) for page in credits_]
    after = [*credits_[1:], None][: len(found)]
    for message, page, following in zip(found, credits_, after, strict=True):
        assert len(message.content) <= most or len(page) == 1, "what alone is larger has a message of its own"
        if following is not None:
            assert len(message.content) + 2 + len(lines[following[0]["n"]]) > most, "it has room for the next"


def test_a_message_is_billed_once() -> None:
    part, content = part_of(lines_of([1_000] * 200))
    sizes = [len(one.content) for one in credits_messages(DELIVERY, part, content)]
    assert len(sizes) > 2
    assert max(sizes) <= CREDITS_MESSAGE_BYTES < 64 * 1024
