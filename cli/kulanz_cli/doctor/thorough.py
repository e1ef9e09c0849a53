"""``kulanz doctor --thorough``: the first hour on a real account, as far as it can be tried without harm.

Each step has its time and its price, which are said before the first begins. What needs a person is a checklist.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.insert_calls import InsertCalls, Statement
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.campaigns.estimate import INSERTS_PER_CALL
from kulanz.domain.campaigns.prices import PRICES
from kulanz_cli.doctor import doors, writes
from kulanz_cli.doctor.examined import Check, Examined, Result, finding, is_denied, not_shown, ok, unreadable

CALLS_IN_FLIGHT = 8
"""Twice what the template sets, so that lost connections outnumber what one batch may lose."""
IDLE_MINUTES = (1, 5, 20)
ITEMS = CALLS_IN_FLIGHT * INSERTS_PER_CALL
UNITS = ITEMS * (1 + len(IDLE_MINUTES) + 1)
"""Inserted, repeated after each wait, removed; at one write unit each."""
DRIFT_LONGEST_SECONDS = 600.0
DRIFT_POLL_SECONDS = 5.0
SECONDS_PER_MINUTE = 60

type Wait = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what it does, how long it takes at most, and how many write units it uses."""

    name: str
    does: str
    minutes: int
    write_units: int
    check: Callable[[Wait], Check]


def price(step: Step) -> Decimal:
    """USD, at the list price of Virginia; no region's is twice that."""
    return PRICES.cost({"write_units": step.write_units})


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


def _idle(wait: Wait) -> Check:
    def check(at: Examined) -> Iterator[Result]:
        client, table = at.client("dynamodb"), at.outputs.credits_table_name
        partitions = [f"{writes.PARTITION}{uuid.uuid4()}" for _ in range(ITEMS)]
        results: list[Result] = []
        try:
            results.extend(_after_waits(client, table, partitions, wait))
        except (ClientError, BotoCoreError) as error:
            results.append(unreadable(at, error))
        finally:  # at Ctrl-C too
            removed = _removed(client, table, partitions)
        yield from (*results, removed)

    return check


def _after_waits(client: Any, table: str, partitions: list[str], wait: Wait) -> Iterator[Result]:
    calls = InsertCalls(client, CALLS_IN_FLIGHT)
    statements = [
        Statement(place, json.dumps(writes.statement(table, partition))) for place, partition in enumerate(partitions)
    ]
    try:
        if calls.execute(statements):
            yield finding("New keys were answered as duplicates.", "Try again, and report this as a fault of Kulanz.")
            return
        for minutes in IDLE_MINUTES:
            wait(minutes * SECONDS_PER_MINUTE)
            duplicates = len(calls.execute(statements))
            if duplicates != len(statements):
                accepted = len(statements) - duplicates
                yield finding(
                    f"{accepted} of {len(statements)} repeated inserts were accepted: a credit could be granted twice.",
                    "Stop all campaigns (kulanz pause) and report this as a fault of Kulanz.",
                )
                return
            yield ok(f"{CALLS_IN_FLIGHT} calls in flight on connections idle for {minutes} min lost no answer.")
    except (TryAgain, Refused) as error:
        yield finding(
            f"The functions' own way of inserting failed: {error}.",
            "Try again; if it stays, deploy with InFlightCalls 4, and report this as a fault of Kulanz.",
        )


def _removed(client: Any, table: str, partitions: list[str]) -> Result:
    try:
        for partition in partitions:
            writes.remove(client, table, partition)
    except (ClientError, BotoCoreError) as error:
        return finding(
            f"Test decisions could not be removed ({type(error).__name__}). They are no account's, change nothing and"
            " expire in a day.",
            "Nothing, or delete the items whose key begins with DOCTOR#.",
        )
    return ok(f"All {len(partitions)} test decisions were removed.")


STEPS = (
    Step("drift", "asks CloudFormation to compare every resource", int(DRIFT_LONGEST_SECONDS) // 60, 0, _drift),
    Step("two sources", "puts an allowed and a forbidden event in one call", 1, 0, _two_sources),
    Step(
        "idle connections",
        f"inserts {ITEMS} test decisions, repeats them after {', '.join(map(str, IDLE_MINUTES))} min, removes them",
        sum(IDLE_MINUTES) + 2,
        UNITS,
        _idle,
    ),
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
)
"""What needs a campaign, a fault or a deletion, so a person. docs/deployment.md has the same list."""
