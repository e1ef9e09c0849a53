"""Each role's main journey in a real browser at the deployed stack, from the login to what it leaves in the tables.

The function, its layers, its role, the gateway's routes and the session table are those of the template, on an AWS that
checks every call. The browser goes to the host that the stack states; only the name's address is given to it.
"""

import json
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kulanz.application.door.routes import Role
from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz_cli.send import send
from kulanz_local import drive
from kulanz_local.cases import CASES
from kulanz_local.lists import write_list
from tests.browser.test_pages_in_a_browser import CHROMIUM, PYTHON
from tests.browser.test_pages_in_a_browser import pytestmark as in_a_browser
from tests.pipeline.conftest import Deployed
from tests.pipeline.test_enforced_permissions import certified, enforcing, logged, provider, said_yes
from tests.support.fake_provider import CLIENT_SECRET, FakeProvider
from tests.support.handed import discretion_content
from tests.support.journeys import (
    GIVE_IT,
    LEAVE,
    READERS,
    ask_for_a_void,
    fill_in_goodwill,
    journey,
    look_up,
    replan,
    stop,
    to_plan,
    yes_by_a_double_click,
    yes_by_keyboard,
)
from tests.support.served_gateway import fronted

__all__ = ["certified", "enforcing", "provider"]
pytestmark = [pytest.mark.ministack, *in_a_browser]
STANDS = {State.PAUSED, State.FLAGGED, State.REFUSED, State.REJECTED, State.CANCELLED, State.CLOSED}
WRONG = ("stopped", "violations", "sideways", "foreign", "errors")
ROWS, SEED = 40, 11
LONGEST_SECONDS, JOURNEYS_SECONDS = 240, 300
STOPPED, APPROVED = CampaignId("console-outage", 1), CampaignId("console-outage", 2)
SECOND, THIRD = "second", "third"
GROUPS = {**{str(role): [f"kulanz-{role}"] for role in Role}, SECOND: ["kulanz-approver"], THIRD: ["kulanz-approver"]}
BEFORE: Mapping[str, dict[str, Any]] = {
    "an operator": journey(
        Role.OPERATOR,
        to_plan(STOPPED),
        [["click", f"main a[href$='/campaign/{STOPPED}']"]],
        stop("cancel", "it was the wrong list"),
    ),
    "an approver": journey(Role.APPROVER, replan("it was the right list"), path=f"/plan/{STOPPED}"),
}
"""The plan of the first campaign waits; the second has the same list."""
APPROVAL: Mapping[str, dict[str, Any]] = {
    "a second approver": journey(SECOND, to_plan(APPROVED), yes_by_a_double_click(), LEAVE),
    "a third approver, by a link to the plan": journey(THIRD, yes_by_keyboard(), path=f"/plan/{APPROVED}"),
}
"""The request came over the bus: two persons."""


def after(account: str) -> Mapping[str, dict[str, Any]]:
    """The other roles, once it is; `account` was granted something. The administrator's halt comes last."""
    return {
        "a support agent": journey(
            Role.SUPPORT, look_up(account), fill_in_goodwill("T-77", "called <b>twice</b>"), GIVE_IT
        ),
        "a requester": journey(Role.REQUESTER, ask_for_a_void("it was the wrong list"), path=f"/campaign/{APPROVED}"),
        **READERS,
    }


@pytest.fixture(scope="module")
def found(
    enforcing: Deployed, provider: FakeProvider, certified: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the browser read in all of it, and what is wrong."""
    stack, case, folder = drive.stack_of(enforcing.aws), CASES[0], tmp_path_factory.mktemp("journeys")
    stack.client("secretsmanager").create_secret(Name="kulanz/console", SecretString=CLIENT_SECRET)
    provider.persons = GROUPS
    provider.metadata = {"end_session_endpoint": f"{provider.issuer}/logout"}
    persons = {name: {"ids": [f"login:{provider.issuer}#{name}"]} for name in GROUPS}
    people, discretion = folder / "people.yaml", folder / "discretion.yaml"
    people.write_text(json.dumps({"kulanz_people": 1, "version": 1, "persons": persons}))  # JSON is YAML
    discretion.write_bytes(discretion_json(discretion_content()))
    assert drive.run_kulanz(stack, "people", "publish", str(people)) == 0
    assert drive.run_kulanz(stack, "discretion", "publish", str(discretion)) == 0
    assert drive.run_kulanz(stack, "policy", "publish", str(case.policy)) == 0
    rows = write_list(case.maker, ROWS, SEED, path := folder / Path(case.key).name)
    event = drive.completed_event(stack, case, path, rows.rows)
    send({**event, "detail": {**event["detail"], "incident_id": STOPPED.incident_id}}, stack)

    def wait(campaign_id: CampaignId, state: State) -> None:
        """Until it is so; a state from which it does not come is told at once."""

        def is_so() -> bool:
            campaign = stack.campaigns().campaign(campaign_id)
            found = None if campaign is None else campaign.state
            assert found not in STANDS - {state}, (found, stack.campaigns().log(campaign_id))
            return found is state

        drive.wait_until(f"{campaign_id}: {state}", LONGEST_SECONDS, is_so)

    wait(STOPPED, State.AWAITING_APPROVAL)
    with ExitStack() as open_:
        gateway = f"{enforcing.aws.endpoint}/_aws/execute-api/{enforcing.outputs.api_id}/$default"
        port = open_.enter_context(fronted(gateway, enforcing.aws.certificate, *certified))
        console = enforcing.outputs.console_url
        asked = {
            "chromium": CHROMIUM, "console": console, "provider": provider.issuer,
            "hosts": f"MAP {console.removeprefix('https://').partition('/')[0]}:443 127.0.0.1:{port}",
        }  # fmt: skip
        parts = [played({**asked, "journeys": BEFORE})]
        wait(APPROVED, State.AWAITING_APPROVAL)
        parts.append(played({**asked, "journeys": APPROVAL}))
        wait(APPROVED, State.CLOSED)
        parts.append(played({**asked, "journeys": after(rows.examples["granted"])}))
    wrong = {name: [one for part in parts for one in part[name]] for name in WRONG}
    read = {name: said for part in parts for name, said in part["read"].items()}
    return {**wrong, "read": read, "stack": stack, "account": rows.examples["granted"]}


def played(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the browser found."""
    browse = Path(__file__).parents[1] / "browser/browse_hosted.py"
    done = subprocess.run(  # noqa: S603 (our own text)
        [PYTHON, browse, json.dumps(asked)], check=False, capture_output=True, text=True, timeout=JOURNEYS_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert answer["stopped"] == []
    return answer


def test_each_role_comes_to_the_end_of_its_main_journey_at_the_deployed_stack(found: dict[str, Any]) -> None:
    assert found["stopped"] == []
    read = found["read"]
    assert read["an operator"]["said"] == f"{STOPPED} is now: cancelled."
    assert str(APPROVED) in read["an approver"]["said"]
    assert read["a second approver"]["said"] == f"{APPROVED}: your approval counts. It needs another person's, too."
    assert read["a second approver"]["left"].startswith("Ended")
    assert read["a third approver, by a link to the plan"]["said"] == f"{APPROVED} is now: applying."
    assert APPROVED.incident_id in read["a support agent"]["answer"]
    assert read["a support agent"]["said"]
    assert str(APPROVED) in read["somebody from finance"]["month"]
    assert str(APPROVED) in read["a requester"]["void"]
    assert CASES[0].policy.parent.name in read["a publisher"]["policies"]
    assert read["an administrator"]["said"]
    assert str(APPROVED) in read["an auditor"]["log"]


def test_what_they_did_is_in_the_tables_under_the_ids_of_their_logins(
    found: dict[str, Any], provider: FakeProvider
) -> None:
    stack = found["stack"]
    approvals = said_yes(stack, APPROVED)
    assert approvals == [f"login:{provider.issuer}#{name}" for name in (SECOND, THIRD)], "a double click counts once"
    assert stack.campaigns().campaign(STOPPED).state is State.CANCELLED
    given = stack.door().ask("accounts.ask", account=found["account"])["decisions"]
    assert [one["campaign"] for one in given if one["campaign"].startswith(f"goodwill-{datetime.now(UTC):%Y-%m}")]
    assert stack.door().ask("halts.current")["halted"] is True


def test_deployed_pages_load_nothing_from_elsewhere_and_no_call_of_the_stack_is_denied(found: dict[str, Any]) -> None:
    assert (found["foreign"], found["errors"], found["violations"], found["sideways"]) == ([], [], [], [])
    lines = list(logged(found["stack"]))
    assert [line for line in lines if '"answered"' in line and "ServeConsoleFunction" in line], "it is no longer found"
    assert [line for line in lines if "AccessDenied" in line or "page could not be made" in line] == []
