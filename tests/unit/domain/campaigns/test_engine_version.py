"""What decisions mean has a version: a change of meaning raises it, and no campaign is continued under another."""

from kulanz.domain.campaigns.campaign import ENGINE_VERSION
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world

DIGESTS = {
    "1": "3537b29924b335627a631cc0266fce4d",
    "2": "989315cb4b487f1ea4bf23f4bd960ebd",
    "3": "1541945b8d1e3bafe34637d567ee69c6",
}
"""The digest of the small campaign's plan under each version of the engine, which is part of every decision."""


def test_the_same_rows_under_the_same_policy_are_decided_as_this_engine_version_says() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    digest = f"{world.campaign(CAMPAIGN).plan.totals.digest:032x}"
    assert digest == DIGESTS[ENGINE_VERSION], "decisions changed: raise ENGINE_VERSION, then note the new digest"
