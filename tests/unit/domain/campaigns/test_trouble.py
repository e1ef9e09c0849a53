"""What waits for a person: each campaign once, however many troubles it has, and none that needs nobody."""

from datetime import timedelta

import pytest

from kulanz.domain.campaigns.trouble import ON_CAMPAIGNS, TRIED_AGAIN, Trouble, TroubleKind, on_campaigns
from tests.support.values import NOW

LATER = NOW + timedelta(microseconds=1)


def trouble(kind: TroubleKind, on: str = "net-outage/1", *, again: bool = True) -> Trouble:
    return Trouble(kind, on, NOW, LATER if again else NOW)


def test_a_campaign_with_several_troubles_waits_once_and_in_the_order_of_the_first() -> None:
    troubles = [trouble(kind, on) for on in ("b/1", "a/1") for kind in sorted(ON_CAMPAIGNS)]
    assert on_campaigns(troubles) == ["b/1", "a/1"]


@pytest.mark.parametrize("kind", TroubleKind)
@pytest.mark.parametrize("again", [False, True])
def test_what_is_on_a_campaign_waits_once_it_is_urgent(kind: TroubleKind, again: bool) -> None:
    """What is tried again by itself is urgent where it was found a second time; a broken glass is only shown."""
    one = trouble(kind, again=again)
    assert one.is_urgent is ((again or kind not in TRIED_AGAIN) and kind is not TroubleKind.GLASS_BROKEN)
    assert on_campaigns([one]) == (["net-outage/1"] if kind in ON_CAMPAIGNS and one.is_urgent else [])


def test_lost_notices_and_parts_of_a_list_are_on_their_campaign() -> None:
    assert {TroubleKind.STUCK, TroubleKind.STALLED, TroubleKind.NOTICES} <= ON_CAMPAIGNS
    assert ON_CAMPAIGNS.isdisjoint({TroubleKind.STATUS, TroubleKind.UNREADABLE, TroubleKind.OPEN_TABLE})
