"""The commands: exit codes, plain and JSON output, and errors that say what to do."""

import inspect
import json
import re
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from kulanz.application.campaigns.control_campaign import ControlPorts, pause
from kulanz.application.campaigns.report import campaign_report
from kulanz.domain.campaigns.campaign import CampaignId, Cause
from kulanz.domain.campaigns.estimate import AS_DEPLOYED
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.groups import walk
from kulanz_cli.main import main
from kulanz_cli.plan import HashParameter
from kulanz_cli.stack import Stack, StackUnusable
from kulanz_cli.terminal import PIPED_COLUMNS
from kulanz_cli.watch import StillAtWork, states_of
from kulanz_local.cases import SKYPE
from kulanz_local.drive import with_limits
from kulanz_local.lists import Expectation, write_list
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import BUCKET, World
from tests.support.world_stack import OPERATION, WorldStack, run

NET_OUTAGE = CampaignId.parse(CAMPAIGN)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[WorldStack, Expectation]:
    world, path = World(operation=OPERATION), tmp_path_factory.mktemp("list") / "list"
    expected = write_list(SKYPE.maker, 200, 1, path)
    document = load_policy(SKYPE.policy)
    world.policies.publish(document.policy.id, document.policy.version, document_json(document))
    world.lists.upload(SKYPE.key, path.read_bytes())
    event = with_limits(json.loads(SKYPE.event.read_text(encoding="utf-8")))
    event["detail"]["campaign"]["affected"] = {"s3": {"bucket": BUCKET, "key": SKYPE.key}, "rows": expected.rows}
    world.publish(event)
    world.run_until_quiet()
    return WorldStack(world), expected


def test_an_answer_as_json_names_everything_a_program_needs(played: tuple[WorldStack, Expectation]) -> None:
    stack, expected = played
    result = run(stack, "ask", expected.examples["granted"], "--incident", SKYPE.incident_id, "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    (decided,) = answer["decisions"]
    assert answer["final"] is True
    assert decided["policy"]["id"] == "skype-2015"
    assert decided["decision"]["notice"]["kind"] == "granted"
    assert len(decided["notice_id"]) == 32
    assert decided["explained"] == "agrees"


@pytest.mark.parametrize("kind", ["declined", "held"])
def test_a_decision_against_is_an_answer_too(played: tuple[WorldStack, Expectation], kind: str) -> None:
    stack, expected = played
    result = run(stack, "ask", expected.examples[kind], "--incident", SKYPE.incident_id)
    assert result.exit_code == 0
    assert result.stdout.startswith(kind.upper())
    assert "why" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= PIPED_COLUMNS


@pytest.mark.parametrize("kind", ["rejected", "unlisted"])
def test_where_nothing_was_decided_it_says_where_to_look(played: tuple[WorldStack, Expectation], kind: str) -> None:
    stack, expected = played
    result = run(stack, "ask", expected.examples[kind], "--incident", SKYPE.incident_id)
    assert result.exit_code == 1
    assert f"s3://{BUCKET}/campaigns/{SKYPE.incident_id}/001/problems/" in result.stdout


def test_without_an_incident_it_asks_for_one_where_nothing_was_decided(
    played: tuple[WorldStack, Expectation],
) -> None:
    result = run(played[0], "ask", "nobody")
    assert result.exit_code == 1
    assert "--incident" in result.stdout


def test_an_impossible_account_is_a_wrong_command_line(played: tuple[WorldStack, Expectation]) -> None:
    result = run(played[0], "ask", "someone@example.com")
    assert result.exit_code == 2
    assert "not an e-mail address" in read(result.stderr)


@pytest.mark.parametrize(
    "words", [("watch", "att"), ("watch", "att/0"), ("campaigns", "ATT"), ("send", "nowhere.json")]
)
def test_a_wrong_name_is_a_wrong_command_line(played: tuple[WorldStack, Expectation], words: tuple[str, ...]) -> None:
    assert run(played[0], *words).exit_code == 2


def test_a_closed_campaign_is_a_yes_and_its_books_are_printed(played: tuple[WorldStack, Expectation]) -> None:
    stack, expected = played
    result = run(stack, "watch", f"{SKYPE.incident_id}/1")
    assert result.exit_code == 0
    assert "is closed: balanced" in result.stdout
    assert re.search(rf"^all +{expected.lines} ", result.stdout, re.MULTILINE)
    report = json.loads(run(stack, "watch", f"{SKYPE.incident_id}/1", "--json").stdout)
    assert (report["state"], report["plan"]["rows"]) == ("closed", expected.rows)


def test_campaigns_are_listed(played: tuple[WorldStack, Expectation]) -> None:
    result = run(played[0], "campaigns", SKYPE.incident_id)
    assert result.exit_code == 0
    assert f"{SKYPE.incident_id}/1" in result.stdout
    assert run(played[0], "campaigns", "another").exit_code == 1


@pytest.mark.parametrize("words", [("watch", f"{SKYPE.incident_id}/1"), ("campaigns", SKYPE.incident_id)])
def test_an_estimate_is_made_with_the_settings_of_the_stack(
    played: tuple[WorldStack, Expectation], words: tuple[str, ...]
) -> None:
    campaign = played[0].world.campaign(f"{SKYPE.incident_id}/1")
    found = json.loads(run(played[0], *words, "--json").stdout)
    report = found["campaigns"][0] if "campaigns" in found else found

    assert report["estimate"] == campaign_report(campaign, (), OPERATION)["estimate"]
    assert report["estimate"] != campaign_report(campaign, (), AS_DEPLOYED)["estimate"]


def test_without_an_incident_the_campaigns_that_wait_are_listed_with_their_reasons() -> None:
    world = small_world()
    stack = WorldStack(world)
    assert run(stack, "campaigns").stdout == "no campaign waits for a person\n"
    world.publish(event(rows=ROWS))
    while world.campaigns.campaign(NET_OUTAGE) is None:
        world.run(world.steps()[0])
    hand = Cause("a person", "a ticket", "1")
    pause(NET_OUTAGE, ControlPorts(world.campaigns, world.chunks, world.stores), "look", hand, world.now)

    result = run(stack, "campaigns")

    assert result.exit_code == 0
    assert {"net-outage/1", "paused", "paused_by_hand"} <= set(result.stdout.splitlines()[1].split())
    assert [report["reason"] for report in json.loads(run(stack, "campaigns", "--json").stdout)["campaigns"]] == [
        "paused_by_hand: look"
    ]


def test_waiting_for_a_campaign_that_never_comes_ends(played: tuple[WorldStack, Expectation]) -> None:
    looks = states_of(played[0].door(), CampaignId("another", 1), longest_seconds=0)
    assert next(looks) is None
    with pytest.raises(StillAtWork, match="no campaign another/1: its incident is not recorded"):
        next(looks)
    result = run(played[0], "watch", "another/1", "--seconds", "0")
    assert result.exit_code == 3


def test_a_shell_without_a_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = run(None, "ask", "100")
    assert result.exit_code == 3
    assert "--region" in result.stderr


KULANZ = {"StackName": "other", "CreationTime": datetime(2026, 1, 1, tzinfo=UTC), "StackStatus": "CREATE_COMPLETE"}
"""What CloudFormation tells about a stack at least."""


def stubbed() -> tuple[Stack, Stubber]:
    """A stack whose CloudFormation answers what the stub is told."""
    stack, client = Stack("other"), boto3.client("cloudformation")
    stack._clients["cloudformation"] = client
    stub = Stubber(client)
    stub.activate()
    return stack, stub


def test_a_stack_that_is_not_there_is_told() -> None:
    stack, stub = stubbed()
    stub.add_client_error("describe_stacks", "ValidationError", "Stack with id other does not exist")
    result = run(stack, "campaigns", "att")
    assert result.exit_code == 3
    assert "there is no stack other in this account and region (eu-central-1)" in read(result.stderr)


def test_a_stack_that_may_not_be_read_is_told() -> None:
    stack, stub = stubbed()
    stub.add_client_error("describe_stacks", "AccessDenied")
    with pytest.raises(StackUnusable, match="AccessDenied"):
        _ = stack.outputs


def test_a_stack_of_another_kind_is_told() -> None:
    stack, stub = stubbed()
    stub.add_response("describe_stacks", {"Stacks": [KULANZ]})
    with pytest.raises(StackUnusable, match="is it a Kulanz stack"):
        _ = stack.outputs


def test_checking_a_policy_needs_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert run(None, "policy", "check", str(SKYPE.policy)).exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("watch", "a/1", "--stack-name", "b"), "--stack-name comes before the command: kulanz --stack-name ..."),
        (("policy", "list", "--region", "b"), "--region comes before the command"),
        (("policy", "list", "--regions", "b"), "No such option '--regions'"),
        (("--regoin", "b"), "No such option '--regoin'"),
        (("pln", "a/1"), "there is no command 'pln'; did you mean 'plan'?"),
        (("policy", "shwo"), "there is no command 'shwo'; did you mean 'show'?"),
        (("zzz",), "there is no command 'zzz'"),
        (("approve", "a/1"), "Missing option '--plan'. `kulanz plan` shows the hash."),
        (("approve-void", "a/1", "v", "--plan", "3f2"), "or all 64: `kulanz void CAMPAIGN` shows it"),
        (("ask", "A 1001"), "(an account number, not an e-mail address)"),
        (("watch", "att"), "a campaign is written <incident id>/<number from 1 to 999>, e.g. att-2024-02-22/1"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_says_what_is_right_within_a_narrow_terminal(words: tuple[str, ...], says: str) -> None:
    result = CliRunner().invoke(main, list(words), prog_name="kulanz")
    assert result.exit_code == 2
    assert says in read(result.stderr)
    assert max(map(len, result.stderr.splitlines())) <= PIPED_COLUMNS
    assert result.stderr.startswith("Usage: kulanz")
    assert "--help' for help." in result.stderr


def test_a_plans_hash_may_be_typed_in_capitals() -> None:
    assert HashParameter("kulanz plan").convert("3F2A9C0B17DE", None, None) == "3f2a9c0b17de"


def test_every_command_tells_its_exit_codes() -> None:
    for words, command in walk(main):
        assert "Exit codes: 0" in CliRunner().invoke(main, [*words, "--help"]).stdout, words
        lists_one = ", 1 " in (command.epilog or "")
        assert lists_one or "xits with 1" not in " ".join((command.help or "").split()), words


def test_every_command_takes_what_its_command_line_names() -> None:
    for words, command in walk(main):
        assert command.callback is not None
        taken = set(inspect.signature(command.callback).parameters) - {"stack", "context"}
        assert taken == {parameter.name for parameter in command.params}, words


def test_an_incident_without_campaigns_says_where_its_refusal_would_be() -> None:
    result = run(WorldStack(small_world()), "campaigns", "nowhere")
    assert result.exit_code == 1
    assert result.stdout == (
        "incident nowhere is not recorded on this stack\nEvents from the bus that were refused:\n  kulanz rejected\n"
    )
