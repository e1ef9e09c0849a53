"""A delivery comes to what is to be booked when every credit counts once, and is published only once that was begun."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.channel import ChannelKind, FileFormat
from kulanz.domain.delivery.credit import CreditSums, CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery, DeliveryState, differing
from kulanz.domain.delivery.ids import DeliveryId

SIZES = st.dictionaries(st.sampled_from(["EUR", "USD"]), st.integers(1, 500))


def made(**changes: Any) -> Delivery:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Delivery(DeliveryId("billing", 1), CampaignId("outage", 1), FileFormat.JSONL, at, "delivery", **changes)


def sums(by_measure: dict[str, int]) -> CreditSums:
    return CreditSums(
        {SumOf(CreditType.CREDIT, measure, is_money=True): (1, size) for measure, size in by_measure.items()}
    )


@given(SIZES, SIZES, SIZES, st.sampled_from(["EUR", "USD"]), st.integers(-1, 1))
def test_what_is_sent_again_was_booked_before_and_what_stands_elsewhere_is_booked_there(
    fresh: dict[str, int], again: dict[str, int], elsewhere: dict[str, int], measure: str, more: int
) -> None:
    here = {one: fresh.get(one, 0) + again.get(one, 0) for one in fresh.keys() | again.keys()}
    delivery = made(sums=sums(here), again=sums(again), elsewhere=sums(elsewhere))
    booked = {one: fresh.get(one, 0) + elsewhere.get(one, 0) for one in fresh.keys() | elsewhere.keys()}
    assert differing(booked, delivery) == ""
    other = {**booked, measure: booked.get(measure, 0) + more}
    assert bool(differing(other, delivery)) is bool(more)


@pytest.mark.parametrize("state", DeliveryState)
@pytest.mark.parametrize(("rounds", "published"), [(0, 0), (1, 0), (1, 2), (1, 3), (2, 1), (2, 3)])
def test_parts_are_published_in_a_round_that_was_begun_until_all_of_them_are(
    state: DeliveryState, rounds: int, published: int
) -> None:
    delivery = made(state=state, kind=ChannelKind.TOPIC, parts=3, rounds=rounds, published=published)
    is_released = state in (DeliveryState.PUBLISHING, DeliveryState.SENT)
    assert delivery.is_publishing is (is_released and rounds > 0 and published < 3)
    assert delivery.is_released is (state is DeliveryState.SENT or rounds > 0)
