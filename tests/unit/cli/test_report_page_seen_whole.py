"""The report that is sent, whole, where no two values are alike: what stands in another's place changes the text."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.report import asked
from kulanz_console.drawing.page import page
from kulanz_console.drawing.sources import Sources
from tests.support.approved import must_be_as_approved
from tests.support.dirty_campaign import CAMPAIGN, dirty_world
from tests.support.world_stack import WorldStack
from tests.unit.console.test_pages_of_distinct_values import distinct
from tests.unit.console.test_pages_seen_whole import Page

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = "2026-03-04T05:06:07Z"


@pytest.fixture(scope="module")
def sources() -> Sources:
    """A campaign whose plan exceeded two limits: one person accepted both, one the first, and one none of them."""
    found = asked(WorldStack(dirty_world()).door(), CampaignId.parse(CAMPAIGN), NOW)
    of = {name: distinct(getattr(found, name), name) for name in ("campaign", "report", "law", "log", "plan")}
    yes = [("anna", ["held", "total EUR"]), ("ben", ["held"]), ("eva", [])]
    of["plan"] |= {
        "exceeded": [{"name": name, "figures": f"figures of {name}"} for name in ("held", "total EUR")],
        "approvals": [{"person": name, "at": AT, "limits": limits, "break_glass": ""} for name, limits in yes],
        "lone_operator": True,
    }
    of["report"] |= {"engine": "9", "time_zones": "2099z"}
    of["report"]["limits"] = {
        "shares": {"rejected": "1 %", "conflicts": "2 %", "nearly_equal": "3 %", "held": "4 %", "known": "5 %"},
        "largest": {"EUR": "6.00 EUR", "GB": "7 GB"}, "total": {"EUR": "8.00 EUR"},
        "stated": {"held": "request", "largest EUR": "policy", "total EUR": "stack"},
    }  # fmt: skip
    return replace(found, **of)


def test_the_report_of_distinct_values_is_as_it_was_read_and_approved(sources: Sources) -> None:
    must_be_as_approved(Page(page(sources)).text() + "\n", Path(__file__))


COSTS = [("0.0099", "less than 0.01 USD"), ("0.01", "0.01 USD"), ("0.011", "0.01 USD"), ("1234.565", "1,234.56 USD")]


@pytest.mark.parametrize(("usd", "says"), COSTS)
def test_what_aws_asks_for_it_is_said_in_cents_and_below_one_so(sources: Sources, usd: str, says: str) -> None:
    report: Any = sources.report | {"estimate": {**(sources.report["estimate"] or {}), "usd": usd}}
    text = Page(page(replace(sources, report=report))).text()
    assert f"| {says}, estimated with the prices of" in text
