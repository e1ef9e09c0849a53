"""The policies of bus, queues and bucket: the statements that keep everybody else out are there, and name the listed.

A statement is known by its Sid. What it denies or allows, and on which condition, is compared with the template's
(`tests/unit/cli/test_doctor_policies.py` holds the two together).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from kulanz.adapters.aws import error_code
from kulanz_cli.doctor.examined import Examined, Result, finding, ok

PRINCIPAL = "aws:PrincipalArn"
NOBODY = ""
SEND, PUT_EVENTS = "sqs:SendMessage", "events:PutEvents"
PROTECTIONS = (
    "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
)  # fmt: skip
DO = (
    "A policy that was changed by hand is put back when the template's text changes, or by hand: docs/deployment.md,"
    " What a finding means."
)


@dataclass(frozen=True, slots=True)
class Expected:
    """A statement as the template has it. `named`: the principals of its condition, None where it has none."""

    effect: str
    actions: Collection[str]
    conditions: Collection[tuple[str, str]] = ()
    named: Collection[str] | None = None


def bus(at: Examined) -> Iterator[Result]:
    """The policy of the bus."""
    described = at.client("events").describe_event_bus(Name=at.outputs.event_bus_name)
    publishers, campaigns = at.listed("PublisherArns"), at.listed("CampaignPublisherArns")
    ours = _roles(at, "AdvanceCampaignRole")
    source = ("ForAnyValue:StringEquals", "events:source")
    excepts = ("ArnNotEquals", PRINCIPAL)
    expected = {
        "NobodyElseMayPublish": Expected("Deny", [PUT_EVENTS], [excepts], publishers | ours),
        "OnlyCampaignPublishersMayOpenCampaigns": Expected(
            "Deny", [PUT_EVENTS], [source, *([excepts] if campaigns else [])], campaigns or None
        ),
        "OnlyAdvanceCampaignSpeaksForKulanz": Expected("Deny", [PUT_EVENTS], [source, excepts], ours),
    }
    if publishers:
        expected["PublishersOfOtherAccountsMayPublish"] = Expected(
            "Allow", [PUT_EVENTS], [("ArnEquals", PRINCIPAL)], publishers
        )
    for result in compared("the bus", described.get("Policy"), expected):
        yield at.only_on_aws(result, "it ignores the policy of a bus")


def queues(at: Examined) -> Iterator[Result]:
    """The policies of the queues: who may send, and that nobody does without TLS."""
    outputs, operators = at.outputs, at.listed("OperatorArns")
    tls = Expected("Deny", ["sqs:*"], [("Bool", "aws:SecureTransport")])
    by_rule = Expected("Allow", [SEND], [("ArnEquals", "aws:SourceArn")])
    excepts = ("ArnNotEquals", PRINCIPAL)
    senders = operators | _roles(at, "OpenCampaignRole", "GrantCreditsRole", "AdvanceCampaignRole")
    expected: dict[str, tuple[str, dict[str, Expected]]] = {
        "the incidents queue": (
            outputs.incidents_queue_url,
            {
                "TheRuleMaySend": by_rule,
                "NobodyElseMaySend": Expected(
                    "Deny",
                    [SEND],
                    [("ArnNotEquals", "aws:SourceArn"), *([excepts] if operators else [])],
                    operators or None,
                ),
                "RefusePlainHttp": tls,
            },
        ),
        "the chunk queue": (
            outputs.chunks_queue_url,
            {"OnlyFunctionsAndOperatorsMaySend": Expected("Deny", [SEND], [excepts], senders), "RefusePlainHttp": tls},
        ),
        "the dead-letter queue of incidents": (
            outputs.incidents_dead_letter_queue_url,
            {"TheRuleMaySend": by_rule, "RefusePlainHttp": tls},
        ),
        "the dead-letter queue of chunks": (outputs.chunks_dead_letter_queue_url, {"RefusePlainHttp": tls}),
        "the queue of refused events": (outputs.rejected_queue_url, {"RefusePlainHttp": tls}),
    }
    for what, (url, statements) in expected.items():
        answer = at.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        yield from compared(what, answer.get("Attributes", {}).get("Policy"), statements)


def bucket(at: Examined) -> Iterator[Result]:
    """The policy of the bucket."""
    publishers, deployers = at.listed("PolicyPublisherArns"), at.listed("DeployerArns")
    excepts = ("ArnNotEquals", PRINCIPAL)
    expected = {
        "RefusePlainHttp": Expected("Deny", ["s3:*"], [("Bool", "aws:SecureTransport")]),
        "OnlyPolicyPublishersMayPublishPolicies": Expected(
            "Deny", ["s3:PutObject"], [excepts] if publishers else [], publishers or None
        ),
        "APublishedPolicyIsNeverReplaced": Expected("Deny", ["s3:PutObject"], [("Null", "s3:if-none-match")]),
        "NothingIsReplicatedIntoThisBucket": Expected("Deny", ["s3:ReplicateObject", "s3:ReplicateDelete"]),
    }
    if at.parameter("DeletionProtection") == "true":
        expected["KeepWhatDecisionsRestOn"] = Expected("Deny", ["s3:DeleteObjectVersion"])
        expected["APublishedPolicyIsNeverHidden"] = Expected("Deny", ["s3:DeleteObject"])
    if deployers:
        expected["OnlyDeployersChangeWhatProtectsTheBucket"] = Expected("Deny", PROTECTIONS, [excepts], deployers)
    try:
        policy = at.client("s3").get_bucket_policy(Bucket=at.outputs.list_bucket_name)["Policy"]
    except ClientError as error:
        if error_code(error) != "NoSuchBucketPolicy":
            raise
        policy = None
    yield from compared("the bucket", policy, expected)
    if not deployers:
        yield ok("DeployerArns is empty: whoever IAM permits may change what protects the bucket.")


def compared(what: str, policy: str | None, expected: Mapping[str, Expected]) -> Iterator[Result]:
    """What of a policy's text is not as the template has it, statement by statement."""
    statements = {one.get("Sid"): one for one in _list(json.loads(policy or "{}").get("Statement", []))}
    wrong = False
    for sid, wanted in expected.items():
        problem = _difference(statements.get(sid), wanted)
        if problem:
            wrong = True
            yield finding(f"In the policy of {what} the statement {sid} {problem}.", DO)
    allows = [sid or "without a Sid" for sid, one in statements.items() if sid not in expected and _allows(one)]
    if allows:
        wrong = True
        yield finding(
            f"The policy of {what} allows what the template does not: statement {', '.join(allows)}.",
            "Remove the statement unless you know why it is there.",
        )
    if not wrong:
        yield ok(f"The policy of {what} has all its statements.")


def _difference(found: Any, wanted: Expected) -> str:
    if found is None:
        return "is missing"
    if found.get("Effect") != wanted.effect or set(_list(found.get("Action", []))) != set(wanted.actions):
        return "is about something else"
    conditions = {
        (operator, key): named
        for operator, keys in found.get("Condition", {}).items()
        for key, values in keys.items()
        if (named := set(_list(values)) - {NOBODY})  # a condition that excepts nobody is none
    }
    if set(conditions) != set(wanted.conditions):
        return "has another condition"
    if wanted.named is not None:
        named = set().union(*(values for (_, key), values in conditions.items() if key == PRINCIPAL))
        if named != set(wanted.named):
            return "names other principals than the stack's parameters and roles"
    return ""


def _allows(statement: Any) -> bool:
    return bool(statement.get("Effect") == "Allow")


def _roles(at: Examined, *names: str) -> frozenset[str]:
    """The ARNs of the functions' roles."""
    account = at.caller.split(":")[4]
    partition = at.caller.split(":")[1]
    roles = (at.resources.get(name, ("", "missing"))[1] for name in names)
    return frozenset(f"arn:{partition}:iam::{account}:role/{role}" for role in roles)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
