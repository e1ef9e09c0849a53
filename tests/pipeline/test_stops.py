"""A halt and an amendment of the deployed stack: its workers stop, and go on when persons say so."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from kulanz.adapters.index_table import DynamoIndex
from kulanz.application.campaigns.halt_stack import HaltPorts, change_halt
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.halt import HaltAction, Verb
from kulanz.domain.people.caller import Person
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.direct import DirectStack
from kulanz_cli.event_file import read_event
from kulanz_cli.send import send
from kulanz_local import drive
from kulanz_local.cases import ATT
from kulanz_local.deployment import build, deploy
from kulanz_local.embedded import EmbeddedAws
from kulanz_local.persons import create_persons
from tests.pipeline.test_upgrade import LONGEST_SECONDS, PARAMETERS, ROWS, once, request, run

pytestmark = [pytest.mark.ministack, pytest.mark.long]


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as found:
        yield found


def lift_as(stack: DirectStack, person: str) -> None:
    dynamodb, outputs = stack.client("dynamodb"), stack.outputs
    index = DynamoIndex(dynamodb, outputs.campaigns_table_name, outputs.credits_table_name)
    caller = Person(f"sso:{person}")
    action = HaltAction(f"lift-{person}", Verb.LIFT, caller.id, "they are right", datetime.now(UTC))
    change_halt(action, caller, HaltPorts(stack.campaigns(), index, stack.people()))


def test_a_halted_stack_and_an_amended_incident_stop_and_go_on(aws: EmbeddedAws, tmp_path: Path) -> None:
    build()
    deploy(aws.endpoint, parameters=PARAMETERS)
    stack = drive.stack_of(aws)
    policy = load_policy(ATT.policy)
    stack.policies().publish(policy.policy.id, policy.policy.version, document_json(policy))

    request(stack, tmp_path, "halted")
    begun = CampaignId("halted", 1)
    once(stack, begun, lambda campaign: campaign.state is State.APPLYING and campaign.apply.totals.lines > 0)
    assert run(stack, "halt", "--reason", "the amounts are wrong")[0] == 0
    once(stack, begun, lambda campaign: campaign.apply.sent == 0)  # a worker has met the halt
    drive.wait_until("workers that stand still", LONGEST_SECONDS, lambda: stands_still(stack))
    assert not once(stack, begun, lambda _: True).is_finished(Pass.APPLY)
    lift_as(stack, "anna")
    assert run(stack, "halt")[1]
    lift_as(stack, "bert")
    once(stack, begun, lambda campaign: campaign.state is State.CLOSED)

    request(stack, tmp_path, "amended")
    amended = CampaignId("amended", 1)
    once(stack, amended, lambda campaign: campaign.state is State.APPLYING and campaign.apply.totals.lines > 0)
    event = read_event(ATT.event)
    event["detail-type"] = "Incident Amended"
    event["detail"] |= {"incident_id": "amended", "revision": event["detail"]["revision"] + 1, "cause": "storm"}
    del event["detail"]["campaign"]
    send(event, stack)
    paused = once(stack, amended, lambda campaign: campaign.state is State.PAUSED)
    assert paused.state_reason.startswith("incident_amended: ")
    digest = paused.state_reason.rpartition(" ")[2]
    assert run(stack, "resume", "amended/1", "--reason", "as it is")[0] == 3
    going_on = ("resume", "amended/1", "--reason", "as it is", "--decides-by", digest)
    assert "only a person may do this" in " ".join(run(stack, *going_on)[2].split()), "the root user is nobody's alone"
    assert run(stack_as(stack, Credentials(*create_persons(aws.endpoint)["anna"])), *going_on)[0] == 0
    once(stack, amended, lambda campaign: campaign.state is State.CLOSED)
    assert drive.decisions_stored(stack) == {"halted": ROWS, "amended": ROWS}


def stack_as(stack: DirectStack, credentials: Credentials) -> DirectStack:
    """The stack as another caller sees it."""
    return DirectStack(
        stack.name, region=stack._region, endpoint_url=stack._endpoint_url, make_client=stack._make_client,
        credentials=credentials,
    )  # fmt: skip


def stands_still(stack: DirectStack) -> bool:
    before = drive.decisions_stored(stack)
    time.sleep(4)
    return drive.decisions_stored(stack) == before
