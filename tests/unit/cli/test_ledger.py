"""`kulanz ledger`: no campaign opens over tables that nobody confirmed, and a confirmation stands on something."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from kulanz.application.ledger.check_ledger import Checked
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import Difference
from kulanz_cli.main import main
from kulanz_cli.stack import Stack, StackOutputs
from tests.support.faults import Fault
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_stack import DESK
from tests.support.world_stack import WorldStack as InMemory

NAMES = {"credits_table_name": "kulanz-CreditsTable-NEW", "campaigns_table_name": "kulanz-CampaignsTable-NEW"}


class WorldStack(InMemory):
    """A stack whose tables are a world in memory; moto knows what other tables the account has."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._make_client = boto3.Session(region_name="eu-central-1").client
        self._outputs = StackOutputs(**{**dict.fromkeys(StackOutputs.__dataclass_fields__, "x"), **NAMES})


@pytest.fixture
def stack() -> Iterator[WorldStack]:
    with mock_aws():
        world = small_world()
        world.stores.replace_tables()
        for name in NAMES.values():
            make_table(name)
        yield WorldStack(world)


def make_table(name: str) -> None:
    boto3.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )  # fmt: skip


def run(stack: Stack, *words: str) -> Result:
    return CliRunner().invoke(main, ["ledger", *words], obj=stack, prog_name="kulanz")


def closed(stack: WorldStack) -> WorldStack:
    run(stack, "confirm", "--first", "--reason", "new account")
    stack.world.publish(event(rows=ROWS))
    stack.world.run_until_quiet()
    return stack


def lose_one(stack: WorldStack) -> None:
    stack.world.ledger.forget(stack.world.ledger.of_account("granted-1")[0].key)


def test_a_first_deployment_is_confirmed_with_who_and_why(stack: WorldStack) -> None:
    result = run(stack, "confirm", "--first", "--reason", "new account", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["actor"] == DESK.id
    confirmation = stack.world.stores.confirmation()
    assert confirmation is not None
    assert (confirmation.reason, confirmation.tables) == ("new account", stack.world.stores.tables())


def test_tables_of_an_earlier_stack_are_named_and_each_must_be_dismissed(stack: WorldStack) -> None:
    make_table("kulanz-CreditsTable-OLD")
    make_table("another-CreditsTable-OLD")
    before = stack.world.stores.confirmation()

    refused = run(stack, "confirm", "--first", "--reason", "new")
    assert refused.exit_code == 3
    assert "kulanz-CreditsTable-OLD" in read(refused.stderr)
    assert "another" not in refused.stderr
    assert stack.world.stores.confirmation() == before

    assert run(stack, "confirm", "--first", "--reason", "new", "--beside", "kulanz-CreditsTable-OLD").exit_code == 0


def test_restored_tables_are_confirmed_when_ledger_and_receipts_agree(stack: WorldStack) -> None:
    closed(stack).world.stores.replace_tables()

    assert run(stack, "confirm", "--first", "--reason", "restored").exit_code == 3
    assert run(stack, "confirm", "--checked", "--reason", "restored").exit_code == 0


def test_restored_tables_of_two_instants_are_not_confirmed(stack: WorldStack) -> None:
    closed(stack).world.stores.replace_tables()
    lose_one(stack)

    result = run(stack, "confirm", "--checked", "--reason", "restored")

    assert result.exit_code == 3
    assert CAMPAIGN in read(result.stderr)
    stack.world.publish(event(rows=ROWS, revision=2))
    stack.world.run_until_quiet()
    assert stack.world.campaigns.campaign(CampaignId.parse(f"{CAMPAIGN[:-1]}2")) is None


def test_a_check_says_how_ledger_and_receipts_differ_and_exits_with_1(stack: WorldStack) -> None:
    closed(stack)
    agrees = run(stack, "check", CAMPAIGN)
    assert agrees.exit_code == 0
    assert f"{CAMPAIGN} agrees" in read(agrees.stdout)

    lose_one(stack)
    differs = run(stack, "check", "--json")
    assert differs.exit_code == 1
    (found,) = json.loads(differs.stdout)["campaigns"]
    by_name = {one["what"]: Decimal(one["receipts"]) - Decimal(one["ledger"]) for one in found["differences"]}
    assert by_name == {"decisions": 1, "EUR": Decimal("2.99"), "call_minute": 20}
    shown = read(run(stack, "check").stdout)
    assert "decisions: receipts 13, ledger 12" in shown
    assert "EUR: receipts 26.96, ledger 23.97" in shown


def test_what_a_stopped_worker_wrote_is_counted_apart_and_the_tables_can_be_confirmed(stack: WorldStack) -> None:
    run(stack, "confirm", "--first", "--reason", "new account")
    stack.world.tap.choose = lambda _, name: (
        Fault.KILLED_BEFORE
        if name == "campaigns.record_receipt" and stack.world.campaign(CAMPAIGN).state is State.APPLYING
        else None
    )
    stack.world.publish(event(rows=ROWS))
    stack.world.run_until_quiet()
    written = len(stack.world.ledger.all_entries())
    assert written
    assert stack.world.campaign(CAMPAIGN).apply.totals.lines == 0

    shown = run(stack, "check", CAMPAIGN)
    assert shown.exit_code == 0
    assert f"decisions: {written} more than the receipts count" in read(shown.stdout)
    assert "EUR: 26.96 more than the receipts count" in read(shown.stdout)

    stack.world.stores.replace_tables()
    assert run(stack, "confirm", "--checked", "--reason", "restored").exit_code == 0


@pytest.mark.parametrize("words", [["confirm", "--reason", "x"], ["confirm", "--first", "--reason", "a\nb"]])
def test_a_confirmation_says_what_it_confirms_and_why(stack: WorldStack, words: list[str]) -> None:
    assert run(stack, *words).exit_code == 2


def test_a_campaign_that_does_not_exist_cannot_be_checked(stack: WorldStack) -> None:
    result = run(stack, "check", "nothing-2026/1")
    assert result.exit_code == 3
    assert "no campaign nothing-2026/1" in read(result.stderr)


RECEIPTS = Difference("EUR", 2_000, 1_999)
TOO_MUCH = Difference("EUR", 2_000, 2_001)
WHOLE = Checked(CampaignId.parse(CAMPAIGN), 13, (), may_have_expired=False)


@pytest.mark.parametrize(
    ("checked", "code", "says"),
    [
        (WHOLE, 0, "agrees"),
        (replace(WHOLE, differences=(RECEIPTS,)), 1, "EUR: receipts 20.00, ledger 19.99"),
        (replace(WHOLE, differences=(RECEIPTS,), may_have_expired=True), 0, "may have passed their time to live"),
        (replace(WHOLE, differences=(TOO_MUCH,), may_have_expired=True), 1, "EUR: receipts 20.00, ledger 20.01"),
        (replace(WHOLE, broken=("EUR: used differs",)), 1, "the law is broken: EUR: used differs"),
        (replace(WHOLE, beyond=(Difference("EUR", 2_000, 2_350),)), 0, "EUR: 3.50 more than the receipts count"),
    ],
)
def test_what_a_check_found_is_said_and_is_its_exit_code(
    stack: WorldStack, monkeypatch: pytest.MonkeyPatch, checked: Checked, code: int, says: str
) -> None:
    """Too much is wrong at any time, too little while nothing can have expired, and a broken law always."""
    closed(stack)
    monkeypatch.setattr("kulanz_cli.ledger.check_ledger", lambda *_: checked)
    shown = run(stack, "check", CAMPAIGN)
    assert (shown.exit_code, says in read(shown.stdout)) == (code, True), shown.output


THREE = [CampaignId.parse(name) for name in ("in-1/1", "in-2/3", "in-4/2")]


@pytest.mark.parametrize("differing", [(), (0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_every_campaign_is_compared_before_moved_tables_are_confirmed(
    stack: WorldStack, monkeypatch: pytest.MonkeyPatch, differing: tuple[int, ...]
) -> None:
    wrong = [THREE[place] for place in differing]
    monkeypatch.setattr(stack.world.stores, "campaign_ids", lambda: iter(THREE))
    monkeypatch.setattr(
        "kulanz_cli.ledger.check_ledger",
        lambda campaign, *_: replace(WHOLE, campaign=campaign, differences=(TOO_MUCH,) if campaign in wrong else ()),
    )
    checked = run(stack, "check")
    state = {campaign: "differs" if campaign in wrong else "agrees" for campaign in THREE}
    assert [f"{campaign} {state[campaign]}:" in checked.stdout for campaign in THREE] == [True] * 3
    shown = run(stack, "confirm", "--checked", "--reason", "restored")
    assert (checked.exit_code, shown.exit_code) == ((1, 3) if wrong else (0, 0))
    if wrong:
        assert f"ledger and receipts differ for {', '.join(map(str, wrong))}; kulanz" in read(shown.stderr)


@pytest.mark.parametrize("old", ["kulanz-CreditsTable-OLD", "kulanz-CampaignsTable-OLD"])
def test_a_table_of_either_kind_of_an_earlier_stack_is_named(stack: WorldStack, old: str) -> None:
    make_table(old)
    refused = run(stack, "confirm", "--first", "--reason", "new")
    assert (refused.exit_code, f"an earlier stack: {old}." in read(refused.stderr)) == (3, True)
    assert run(stack, "confirm", "--first", "--reason", "new", "--beside", old).exit_code == 0
