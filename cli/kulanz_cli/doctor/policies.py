"""The policies of bus, queues, tables and bucket: their statements are there, and name those who are listed.

A statement is known by its Sid. Whom it denies or allows what, on which part and on which condition, is compared with
the template's (`tests/unit/cli/test_doctor.py` holds the two together).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from kulanz.adapters.aws import error_code
from kulanz_cli.doctor.examined import Examined, Result, finding, ok

NOBODY = ""
EVERYBODY = "*"
SEND, PUT_EVENTS = "sqs:SendMessage", "events:PutEvents"
PROTECTIONS = (
    "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration",
    "s3:PutReplicationConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
)  # fmt: skip
WRITES_OF_ITEMS = (
    "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete",
)  # fmt: skip
CHANGES_OF_TABLES = (
    "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive", "dynamodb:DeleteTable", "dynamodb:PutResourcePolicy",
    "dynamodb:DeleteResourcePolicy",
)  # fmt: skip
WITHOUT_TLS = {("Bool", "aws:SecureTransport"): ("false",)}
EXCEPT = ("ArnNotEquals", "aws:PrincipalArn")
SOURCE = ("ForAnyValue:StringEquals", "events:source")
CONSOLE_ROLE, SESSIONS = "ServeConsoleRole", "SessionsTable"
"""Of the console, where the stack serves one."""
ITSELF = ("",)
"""The resource that carries the policy, in place of its ARN."""
DO = (
    "A policy that was changed by hand is put back when the template's text changes, or by hand: docs/deployment.md,"
    " What a finding means."
)

type Conditions = Mapping[tuple[str, str], Collection[str]]
"""The values of each operator and key; one that begins with * stands for all that end so. Without values it is absent:
a condition that excepts nobody is none."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A statement as the template has it.

    `parts` are its resources without the ARN of what carries the policy; `principals` are names, or account numbers.
    """

    effect: str
    actions: Collection[str]
    conditions: Conditions
    parts: Collection[str] = ITSELF
    principals: Collection[str] = frozenset({EVERYBODY})


def bus(at: Examined) -> Iterator[Result]:
    """The policy of the bus."""
    name = at.outputs.event_bus_name
    publishers, ours = at.listed("PublisherArns"), _roles(at, "AdvanceCampaignRole")
    of_drafts = _roles(at, "DraftIncidentsRole")
    campaigns, sources = at.listed("CampaignPublisherArns"), at.listed("CampaignSources")
    expected = {
        "NobodyElseMayPublish": Expected("Deny", [PUT_EVENTS], {EXCEPT: publishers | ours | of_drafts}),
        "OnlyCampaignPublishersMayOpenCampaigns": Expected("Deny", [PUT_EVENTS], {SOURCE: sources, EXCEPT: campaigns}),
        "OnlyAdvanceCampaignSpeaksForKulanz": Expected("Deny", [PUT_EVENTS], {SOURCE: ["kulanz"], EXCEPT: ours}),
        "OnlyDraftIncidentsSpeaksOfDrafts": Expected(
            "Deny", [PUT_EVENTS], {SOURCE: ["kulanz.drafts"], EXCEPT: of_drafts}
        ),
    }
    if publishers:
        expected["PublishersOfOtherAccountsMayPublish"] = Expected(
            "Allow", [PUT_EVENTS], {("ArnEquals", "aws:PrincipalArn"): publishers}
        )
    policy = at.client("events").describe_event_bus(Name=name).get("Policy")
    for result in compared("the bus", f":event-bus/{name}", policy, expected):
        yield at.only_on_aws(result, "it ignores the policy of a bus")


def queues(at: Examined) -> Iterator[Result]:
    """The policies of the queues: who may send, and that nobody does without TLS."""
    outputs, operators = at.outputs, at.listed("OperatorArns")
    api = _of_persons(at)
    senders = operators | api | _roles(at, "OpenCampaignRole", "GrantCreditsRole", "AdvanceCampaignRole")
    rule = [_rule(at, "IncidentRule")]
    buses = [_rule(at, one) for one in ("HealthRule", "PartnerRule") if one == "HealthRule" or one in at.resources]
    tls = Expected("Deny", ["sqs:*"], WITHOUT_TLS)
    by_rule = Expected("Allow", [SEND], {("ArnEquals", "aws:SourceArn"): rule}, principals={"events.amazonaws.com"})
    incidents = {
        "TheRuleMaySend": by_rule,
        "NobodyElseMaySend": Expected(
            "Deny", [SEND], {("ArnNotEquals", "aws:SourceArn"): rule, EXCEPT: operators | api}
        ),
        "RefusePlainHttp": tls,
    }
    over_bus = Expected("Allow", [SEND], {("ArnEquals", "aws:SourceArn"): buses}, principals={"events.amazonaws.com"})
    receiver = operators | api | _roles(at, "ReceiveIncidentsRole")
    deliveries = {
        "TheRulesMaySend": over_bus,
        "NobodyElseMaySend": Expected("Deny", [SEND], {("ArnNotEquals", "aws:SourceArn"): buses, EXCEPT: receiver}),
        "RefusePlainHttp": tls,
    }
    chunks = {"OnlyFunctionsAndOperatorsMaySend": Expected("Deny", [SEND], {EXCEPT: senders}), "RefusePlainHttp": tls}
    expected: tuple[tuple[str, str, dict[str, Expected]], ...] = (
        ("the incidents queue", outputs.incidents_queue_url, incidents),
        ("the chunk queue", outputs.chunks_queue_url, chunks),
        ("the queue of deliveries", outputs.sources_queue_url, deliveries),
        (
            "the dead-letter queue of incidents",
            outputs.incidents_dead_letter_queue_url,
            {"TheRuleMaySend": by_rule, "RefusePlainHttp": tls},
        ),
        ("the dead-letter queue of chunks", outputs.chunks_dead_letter_queue_url, {"RefusePlainHttp": tls}),
        ("the queue of refused events", outputs.rejected_queue_url, {"RefusePlainHttp": tls}),
    )
    for what, url, statements in expected:
        answer = at.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        policy = answer.get("Attributes", {}).get("Policy")
        yield from compared(what, f":{url.rpartition('/')[2]}", policy, statements)


def _rule(at: Examined, name: str) -> str:
    """What the ARN of a rule of the stack ends in."""
    return f"*/{at.resources.get(name, ('', 'missing'))[1].rpartition('|')[2]}"


def tables(at: Examined) -> Iterator[Result]:
    """The policies of the tables: only the functions write items, and only deployers change the tables.

    Whoever could write a session of the console could be anybody.
    """
    deployers, writing = at.listed("DeployerArns"), _roles(at, "GrantCreditsRole") | _of_persons(at)
    others = _roles(at, "OpenCampaignRole", "PublishNoticesRole", "AdvanceCampaignRole", "DraftIncidentsRole")
    client = at.client("dynamodb")
    _, partition, _, _, account, *_ = at.caller.split(":")
    prefix = f"arn:{partition}:dynamodb:{client.meta.region_name}:{account}"
    closed = [
        ("decisions", at.outputs.credits_table_name, writing),
        ("campaigns", at.outputs.campaigns_table_name, writing | others),
    ]
    if SESSIONS in at.resources:
        closed.append(("sessions", at.resources[SESSIONS][1], _roles(at, CONSOLE_ROLE)))
    for what, name, writers in closed:
        expected = {"OnlyFunctionsWriteItems": Expected("Deny", WRITES_OF_ITEMS, {EXCEPT: writers})}
        if deployers:
            expected["OnlyDeployersChangeTheTable"] = Expected("Deny", CHANGES_OF_TABLES, {EXCEPT: deployers})
        try:
            policy = client.get_resource_policy(ResourceArn=f"{prefix}:table/{name}")["Policy"]
        except ClientError as error:
            if error_code(error) != "PolicyNotFoundException":
                raise
            policy = None
        for result in compared(f"the table of {what}", f":table/{name}", policy, expected):
            yield at.only_on_aws(result, "it ignores the policy of a table")


def bucket(at: Examined) -> Iterator[Result]:
    """The policy of the bucket."""
    name, deployers = at.outputs.list_bucket_name, at.listed("DeployerArns")
    policies, everything = ["/policies/*"], ["/*"]
    expected = {
        "RefusePlainHttp": Expected("Deny", ["s3:*"], WITHOUT_TLS, [*ITSELF, *everything]),
        "OnlyPolicyPublishersMayPublishPolicies": Expected(
            "Deny", ["s3:PutObject"], {EXCEPT: at.listed("PolicyPublisherArns")}, policies
        ),
        "APublishedPolicyIsNeverReplaced": Expected(
            "Deny", ["s3:PutObject"], {("Null", "s3:if-none-match"): ["true"]}, policies
        ),
        "NothingIsReplicatedIntoThisBucket": Expected(
            "Deny", ["s3:ReplicateObject", "s3:ReplicateDelete"], {}, everything
        ),
    }
    if at.parameter("DeletionProtection") == "true":
        kept = ["/lists/*", "/inline/*", "/policies/*", "/campaigns/*"]
        expected["KeepWhatDecisionsRestOn"] = Expected("Deny", ["s3:DeleteObjectVersion"], {}, kept)
        expected["APublishedPolicyIsNeverHidden"] = Expected("Deny", ["s3:DeleteObject"], {}, policies)
    if deployers:
        expected["OnlyDeployersChangeWhatProtectsTheBucket"] = Expected("Deny", PROTECTIONS, {EXCEPT: deployers})
    try:
        policy = at.client("s3").get_bucket_policy(Bucket=name)["Policy"]
    except ClientError as error:
        if error_code(error) != "NoSuchBucketPolicy":
            raise
        policy = None
    yield from compared("the bucket", f":::{name}", policy, expected)
    if not deployers:
        yield ok("DeployerArns is empty: whoever IAM permits may change what protects the bucket.")


def compared(what: str, carrier: str, policy: str | None, expected: Mapping[str, Expected]) -> Iterator[Result]:
    """What of a policy's text is not as the template has it; `carrier` is how the ARN of what carries it ends."""
    statements = _list(json.loads(policy or "{}").get("Statement", []))
    wrong = False
    for sid, wanted in expected.items():
        found = [one for one in statements if one.get("Sid") == sid]
        problem = _difference(found[0], wanted, carrier) if found else "is missing"
        if problem:
            wrong = True
            yield finding(f"In the policy of {what} the statement {sid} {problem}.", DO)
    others = [one for one in statements if one.get("Sid") not in expected and one.get("Effect") == "Allow"]
    if others:
        wrong = True
        names = ", ".join(one.get("Sid") or "without a Sid" for one in others)
        yield finding(
            f"The policy of {what} allows what the template does not: statement {names}.",
            "Remove the statement unless you know why it is there.",
        )
    if not wrong:
        yield ok(f"The policy of {what} has all its statements.")


def _difference(found: Any, wanted: Expected, carrier: str) -> str:
    if found.get("Effect") != wanted.effect or set(_list(found.get("Action", []))) != set(wanted.actions):
        return "is about something else"
    principal = found.get("Principal")
    named = _list(next(iter(principal.values()))) if isinstance(principal, dict) else [principal]
    if {_account_or_name(one) for one in named} != set(wanted.principals):
        return "is about somebody else"
    parts = {one.rpartition(carrier)[2] if carrier in one else one for one in _list(found.get("Resource", []))}
    if parts != set(wanted.parts) and parts != {EVERYBODY}:
        return "is about another part"
    conditions = {
        (operator, key): values
        for operator, keys in found.get("Condition", {}).items()
        for key, texts in keys.items()
        if (values := set(_list(texts)) - {NOBODY})
    }
    expected = {place: set(values) for place, values in wanted.conditions.items() if values}
    if conditions.keys() != expected.keys():
        return "has another condition"
    if not all(_same(conditions[place], expected[place]) for place in expected):
        return "names others in its condition than the stack's parameters and roles"
    return ""


def _account_or_name(principal: str) -> str:
    """SNS writes an account that a policy names as the ARN of its root."""
    return principal.split(":")[4] if principal.endswith(":root") else principal


def _same(found: set[str], wanted: set[str]) -> bool:
    if len(wanted) == 1 and (ending := next(iter(wanted))).startswith("*"):
        return len(found) == 1 and next(iter(found)).endswith(ending[1:])
    return found == wanted


def _of_persons(at: Examined) -> frozenset[str]:
    """The roles of the functions that do what persons ask: of the API, and of the console where there is one."""
    return _roles(at, "ApiRole", *({CONSOLE_ROLE} & at.resources.keys()))


def _roles(at: Examined, *names: str) -> frozenset[str]:
    """The ARNs of the functions' roles."""
    account = at.caller.split(":")[4]
    partition = at.caller.split(":")[1]
    roles = (at.resources.get(name, ("", "missing"))[1] for name in names)
    return frozenset(f"arn:{partition}:iam::{account}:role/{role}" for role in roles)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
