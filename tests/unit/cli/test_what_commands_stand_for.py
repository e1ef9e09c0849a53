"""What people read off a command: whose time it is, whether it is still to come, and what an exit code stands for."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kulanz.application.ledger.check_ledger import Checked
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import Difference
from kulanz.domain.time import format_instant, parse_instant
from kulanz_cli import ledger, watch
from kulanz_cli.main import main
from kulanz_cli.watch import StillAtWork, states_of
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_stack import WorldStack, run

SECOND = CampaignId(INCIDENT_ID, 2)


@pytest.fixture(scope="module")
def closed() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def test_a_credit_is_dated_when_it_was_written_and_not_when_it_was_decided(closed: World) -> None:
    (entry,) = closed.ledger.of_account("granted-1")
    decided_at = closed.campaign(CAMPAIGN).decided_at
    assert entry.effective_at.replace(microsecond=0) != decided_at.replace(microsecond=0)
    told = read(run(WorldStack(closed), "ask", "granted-1", "--incident", INCIDENT_ID).stdout)
    assert f"granted at {format_instant(entry.effective_at.replace(microsecond=0))}" in told
    assert f"decided as of {format_instant(decided_at.replace(microsecond=0))}" in told


PARTS = """
kulanz: 1
id: parts
version: 1
title: A part at once and a part on request
currency: EUR
facts: {fee: money}
heads:
  - {name: auto, pay: fee}
  - {name: more, pay: 30.00 EUR, mode: {offer: {until: day(decided_at) + 20 days}}}
"""


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_is_accepted_beside_a_grant_is_said_to_be_granted_when_it_was_accepted(form: tuple[str, ...]) -> None:
    began = datetime.now(UTC) - timedelta(days=3)
    world = World(now=began)
    world.policies.publish("parts", 1, sealed_policy(PARTS))
    world.lists.upload("lists/parts.csv", b"account_id,fee\na-1,10.00\n")
    windows = [{"start": format_instant(began - timedelta(hours=9)), "end": format_instant(began - timedelta(hours=7))}]
    world.publish(event(key="lists/parts.csv", rows=1, policy="parts", windows=windows))
    world.run_until_quiet()
    world.now = began + timedelta(days=3)

    told = run(WorldStack(world), "accept", "a-1", "--incident", INCIDENT_ID, *form).stdout

    said = json.loads(told)["effective_at"] if form else told.split()[-1]
    assert parse_instant(said) == world.now
    (entry,) = world.ledger.of_account("a-1")
    assert entry.accepted_at == parse_instant(said) != entry.effective_at


def test_the_next_campaign_of_an_incident_is_waited_for_and_the_one_after_it_is_none(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0)
    door = WorldStack(closed).door()
    looked = states_of(door, SECOND, 60)
    assert [next(looked) for _ in range(3)] == [None] * 3, "its event may be on its way"
    after_next = states_of(door, CampaignId(INCIDENT_ID, 3), 60)
    assert next(after_next) is None
    with pytest.raises(StillAtWork, match=f"no campaign {INCIDENT_ID}/3"):
        next(after_next)


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_the_time_that_is_left_is_shown_to_the_second(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    world = World(now=datetime.now(UTC) - timedelta(minutes=5), chunk_bytes=20_000)
    made = small_world()
    world.policies, world.lists = made.policies, made.lists
    hours = [{"start": format_instant(world.now - timedelta(hours=9)), "end": format_instant(world.now)}]
    world.publish(event(rows=ROWS, windows=hours))
    while (
        not world.campaigns.all_campaigns()
        or (at := world.campaign(CAMPAIGN)).state is not state
        or not (at.plan if state is State.PLANNING else at.apply).bytes_done
    ):
        world.run(world.steps()[0])
    shown = run(WorldStack(world), "campaigns", INCIDENT_ID).stdout
    assert re.search(r" \d+:[0-5]\d:[0-5]\d ", shown), shown
    assert not re.search(r":[0-5]\d\.\d", shown), "no parts of a second"


@pytest.mark.parametrize(
    ("receipts", "in_ledger", "may_have_expired", "code"),
    [(5, 5, False, 0), (5, 4, False, 1), (5, 6, False, 1), (5, 5, True, 0), (5, 4, True, 0), (5, 6, True, 1)],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_ledger_with_too_much_is_wrong_at_any_time_and_with_too_little_until_decisions_expire(
    receipts: int,
    in_ledger: int,
    may_have_expired: bool,
    code: int,
    form: tuple[str, ...],
    closed: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = (Difference("decisions", receipts, in_ledger),) if receipts != in_ledger else ()
    checked = Checked(CampaignId.parse(CAMPAIGN), in_ledger, found, may_have_expired)
    monkeypatch.setattr(ledger, "check_ledger", lambda *_: checked)
    result = run(WorldStack(closed), "ledger", "check", CAMPAIGN, *form)
    assert result.exit_code == code, result.output
    if not form:
        assert f"{CAMPAIGN} {'differs' if code else 'agrees'}" in read(result.stdout)


LINES = """
kulanz: 1
id: lines
version: 1
title: Each line
currency: EUR
subject: line_id
facts: {fee: money}
pay: fee
"""


@pytest.mark.parametrize(
    ("shapes", "reasons"),
    [
        ({}, []),
        ({"account_ids": {"pattern": "A\\d{3}"}, "subject_ids": {"pattern": "L-\\d"}}, []),
        ({"account_ids": {"pattern": "A\\d{3}"}}, []),
        ({"subject_ids": {"pattern": "L-\\d"}}, []),
        ({"account_ids": {"pattern": "L-\\d"}}, ["account_id_shape"]),
        ({"subject_ids": {"pattern": "A\\d{3}"}}, ["subject_id_shape"]),
    ],
)
def test_a_list_is_checked_by_the_shapes_that_its_event_states_each_for_its_own_column(
    shapes: dict[str, Any], reasons: list[str], tmp_path: Path
) -> None:
    told = {name: part for name, part in event(rows=1, policy="lines").items() if name != "id"}
    told["detail"]["campaign"]["affected"] |= shapes
    (tmp_path / "event.json").write_text(json.dumps(told))
    (tmp_path / "policy.yaml").write_text(LINES)
    (tmp_path / "list.csv").write_text("account_id,line_id,fee\nA001,L-1,5.00\n")
    files = [str(tmp_path / name) for name in ("list.csv", "policy.yaml", "event.json")]
    words = ["list", "check", files[0], "--policy", files[1], "--event", files[2], "--json"]
    result = CliRunner().invoke(main, words)
    assert [kind["reason"] for kind in json.loads(result.output)["kinds"]] == reasons
    assert result.exit_code == (1 if reasons else 0)
