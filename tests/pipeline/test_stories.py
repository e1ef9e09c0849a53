"""The two founding cases that take several campaigns, told with few customers on the deployed stack."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kulanz_cli.terminal import console
from kulanz_local import drive
from kulanz_local.gate import desks
from kulanz_local.stories import att_wrong_list, o2_alice, status_page, swisscom, to_the_bill
from kulanz_local.stories.telling import Stage
from kulanz_local.subscriber import Subscriber
from tests.pipeline.conftest import Deployed

pytestmark = [pytest.mark.ministack, pytest.mark.long]  # make prove tells them, as STORIES=yes make demo does

CUSTOMERS = 60
COLUMNS = 80


@pytest.fixture
def stage(deployed: Deployed, tmp_path: Path) -> Iterator[Stage]:
    outputs = deployed.outputs
    place = deployed.session, deployed.aws.endpoint, outputs.notices_topic_arn, outputs.event_bus_name
    with Subscriber(*place) as subscriber:
        yield Stage(drive.stack_of(deployed.aws), desks(deployed.aws), subscriber, console(), tmp_path)


@pytest.mark.parametrize(
    "tell",
    [status_page.tell, o2_alice.tell, swisscom.tell, att_wrong_list.tell],
    ids=["status page", "O2 and Alice", "Swisscom", "AT&T"],
)
def test_a_story_ends_with_its_books_and_every_event_may_come_twice(
    stage: Stage, deployed: Deployed, tell: Callable[[Stage, int], None]
) -> None:
    tell(stage, CUSTOMERS)
    stage.repeat_everything([deployed.outputs.incidents_queue_url, deployed.outputs.chunks_queue_url])
    assert stage.differences == []


def test_the_credits_of_a_story_are_on_the_bills_of_a_biller_that_errs(stage: Stage) -> None:
    billed = to_the_bill.tell(stage)
    assert stage.differences == []
    assert billed.by_state == {"accepted": "5.00", "applied": "100.00"}
    assert billed.overdue == "5.00"
    assert billed.deliveries == 4, "three on the policy's channel, one on the other"
    assert all(len(line) <= COLUMNS for line in billed.lines())
