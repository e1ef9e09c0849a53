"""``kulanz doctor --thorough``: the first hour on a real account, as far as it can be tried without harm.

Each step has its time and its price, which are said before the first begins. What needs a person is a checklist.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from kulanz_cli.doctor import doors
from kulanz_cli.doctor.examined import Check, Examined, Result, finding, is_denied, not_shown, ok

DRIFT_LONGEST_SECONDS = 600.0
DRIFT_POLL_SECONDS = 5.0
USD_PER_EVENT = Decimal("0.000001")

type Wait = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it does, how long it takes at most, and what AWS charges for it at the list price of Virginia."""

    name: str
    does: str
    minutes: int
    usd: Decimal
    check: Callable[[Wait], Check]


def _drift(wait: Wait) -> Check:
    def check(at: Examined) -> Iterator[Result]:
        client = at.client("cloudformation")
        detection = client.detect_stack_drift(StackName=at.stack.name)["StackDriftDetectionId"]
        for _ in range(int(DRIFT_LONGEST_SECONDS / DRIFT_POLL_SECONDS)):
            found = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
            if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
                break
            wait(DRIFT_POLL_SECONDS)
        else:
            yield finding(f"CloudFormation compared for more than {DRIFT_LONGEST_SECONDS:.0f} s.", "Try again.")
            return
        changed = sorted(_drifted(client, at.stack.name))
        if changed:
            yield finding(
                f"Changed since the deployment, by hand or by a tool: {', '.join(changed)}.",
                f"aws cloudformation describe-stack-resource-drifts --stack-name {at.stack.name} shows how.",
            )
        elif found["DetectionStatus"] == "DETECTION_FAILED":
            yield not_shown(f"CloudFormation could not compare all: {found.get('DetectionStatusReason', 'no reason')}.")
        else:
            yield ok("Every resource that CloudFormation can compare is as it was deployed.")

    return check


def _drifted(client: Any, stack: str) -> Iterator[str]:
    start: dict[str, str] = {}
    while True:
        page = client.describe_stack_resource_drifts(
            StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"], **start
        )
        yield from (one["LogicalResourceId"] for one in page["StackResourceDrifts"])
        if not page.get("NextToken"):
            return
        start = {"NextToken": page["NextToken"]}


def _two_sources(_: Wait) -> Check:
    def check(at: Examined) -> Iterator[Result]:
        if not at.is_caller_in(at.listed("PublisherArns")):
            yield not_shown("You are not in PublisherArns: run it as a publisher too.")
            return
        try:
            doors.put(at, [doors.DOCTOR, doors.OUR_SOURCE])
        except ClientError as error:
            if not is_denied(error):
                raise
            yield ok("A call with one allowed and one forbidden source is refused as a whole.")
            return
        yield at.only_on_aws(
            finding(
                "The bus took a call with an allowed and a forbidden source: whoever may publish anything may publish"
                " in the name of others.",
                "Take PublisherArns back to roles that may spend money anyway, and report this as a fault of Kulanz.",
            ),
            doors.NO_POLICIES,
        )

    return check


STEPS = (
    Step(
        "drift", "asks CloudFormation to compare every resource", int(DRIFT_LONGEST_SECONDS) // 60, Decimal(0), _drift
    ),
    Step("two sources", "puts an allowed and a forbidden event in one call", 1, 2 * USD_PER_EVENT, _two_sources),
)


def checks(wait: Wait = time.sleep) -> dict[str, Check]:
    """The steps as checks."""
    return {step.name: step.check(wait) for step in STEPS}


BY_HAND = (
    "Deploy once more without a change: the change set is empty.",
    "Run kulanz doctor as a publisher who is not in CampaignPublisherArns, and as an operator.",
    "A campaign over one account of your own: its notice reaches the subscriber.",
    "A campaign of 20,000 accounts, and another after 1, 5 and 20 minutes: no `calls got no answer` in the log.",
    "A list of 20,000 chunks (ChunkBytes 4096): open_campaign and advance_campaign end within 300 s.",
    "ChunkBytes 16777216 with TargetWriteRate 400: no chunk is given up for its list.",
    "MaximumConcurrency 20: the alarm GrantCreditsErrors stays quiet while a large campaign plans.",
    "Take publish_notices' permission to publish: an alarm reaches you, aws/lambda/ in the bucket has the records.",
    "Let an event fail ten times: it reaches the dead letters, and kulanz redrive moves all of them back.",
    "Delete a trial stack: both tables, the bucket and its policy stay.",
    "Call the API with %2F, %2e%2e, // and a last slash in its paths: 403 or 404.",
    "Call it as an IAM user and through Identity Center: the log names both.",
    "Put an item into each table as administrator, by PartiQL too: AccessDenied.",
    "Cancel a campaign: it leaves the list of open ones (a deletion by transaction).",
)
"""What needs a campaign, a fault or a deletion, so a person. docs/deployment.md has the same list."""
