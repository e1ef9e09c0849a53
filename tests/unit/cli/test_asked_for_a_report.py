"""What ``kulanz report`` asks the API for, and that it leaves nothing beside a page that it could not write."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.report import asked, write_whole
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_stack import WorldStack, run

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_page_that_cannot_be_put_in_its_place_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(path, "a page")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    (tmp_path / "other.html.part").mkdir()
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    result = run(WorldStack(world), "report", CAMPAIGN, "--html", str(tmp_path / "other.html"))
    assert (result.exit_code, "cannot be written" in result.stderr) == (3, True)


def test_a_report_is_about_the_revision_and_the_version_that_its_campaign_decides_by() -> None:
    asked_for: list[tuple[str, dict[str, Any]]] = []
    policy = {"id": "net-credit", "version": 6}
    answers: dict[str, Any] = {
        "campaigns.one": {"campaign": "in-7/3", "revision": 4}, "campaigns.log": {"log": ["an entry"]},
        "campaigns.reconciliation": {"report": {"policy": policy}, "whole": True, "law": []},
        "incidents.revision": {"content": {"title": "The fourth"}}, "policies.one": {"document": {"id": "net-credit"}},
        "approvals.plan": {"plan": "of it"},
    }  # fmt: skip

    class Noting:
        def ask(self, use: str, _: object = None, **values: Any) -> Any:
            asked_for.append((use, values))
            return answers[use]

    door: Any = Noting()
    found: Any = asked(door, CampaignId.parse("in-7/3"), NOW)
    of_campaign = {"incident": "in-7", "seq": 3}
    assert dict(asked_for) == {
        **dict.fromkeys(("campaigns.one", "campaigns.reconciliation", "campaigns.log", "approvals.plan"), of_campaign),
        "incidents.revision": {"incident": "in-7", "revision": 4},
        "policies.one": {"policy": "net-credit", "version": 6},
    }
    assert (found.title, found.policy, found.log, found.plan) == (
        "The fourth", {"id": "net-credit"}, ["an entry"], {"plan": "of it"},
    )  # fmt: skip
    assert (found.made_at, found.is_whole) == (NOW, True)
