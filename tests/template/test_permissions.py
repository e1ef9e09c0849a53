"""What the roles promise: each function may do what its calls need, on what they are about, and nothing else."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from botocore import xform_name

from kulanz.adapters.case_table import row_key
from kulanz.adapters.index_items import additions_partition
from kulanz.adapters.messaging import EVENT_SOURCE
from kulanz.domain.campaigns.campaign import CampaignId
from tests.template.resolved import PROJECT, Json, Stack, as_list, role_statements

ROLES = {
    "open_campaign": "OpenCampaignRole",
    "grant_credits": "GrantCreditsRole",
    "publish_notices": "PublishNoticesRole",
    "advance_campaign": "AdvanceCampaignRole",
    "api": "ApiRole",
    "serve_console": "ServeConsoleRole",
    "receive_incidents": "ReceiveIncidentsRole",
    "draft_incidents": "DraftIncidentsRole",
}

type Grant = tuple[str, str]
"""An action, and the place it may be done."""

LISTS = "arn:ListBucket/lists/*"
INLINE = "arn:ListBucket/inline/*"
POLICIES = "arn:ListBucket/policies/*"
DELIVERIES = "arn:ListBucket/deliveries/*"
CAMPAIGNS = "arn:ListBucket/campaigns/*"
EXPORTS = "arn:ListBucket/exports/*"
ACKNOWLEDGEMENTS = "arn:ListBucket/acknowledgements/*"
ANSWERS = "arn:ListBucket/answers/*"
REJECTED = "arn:ListBucket/rejected/*"
UPSTREAM = "arn:ListBucket/upstream/*"
SOURCES = "arn:ListBucket/policies/_sources/*"
SECRETS = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:kulanz/sources/*"
SECRET_OF_THE_CONSOLE = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:kulanz/console-??????"
CREDITS_TABLE = "arn:CreditsTable"
CAMPAIGNS_TABLE = "arn:CampaignsTable"
SESSIONS_TABLE = "arn:SessionsTable"
BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/kulanz"

LOOKED_INTO = ("RejectedQueue", "IncidentsDeadLetterQueue", "ChunksDeadLetterQueue", "SourcesDeadLetterQueue")

CALLS: dict[str, dict[str, set[Grant]]] = {
    "open_campaign": {
        "head_object": {
            *(("s3:GetObject", LISTS), ("s3:GetObjectVersion", LISTS)),
            *(("s3:GetObject", INLINE), ("s3:GetObjectVersion", INLINE)),
        },
        "get_object": {
            *(("s3:GetObject", LISTS), ("s3:GetObjectVersion", LISTS)),
            *(("s3:GetObject", INLINE), ("s3:GetObjectVersion", INLINE)),
            *(("s3:GetObject", POLICIES), ("s3:GetObjectVersion", POLICIES)),
        },
        "put_object": {("s3:PutObject", INLINE), ("s3:PutObject", REJECTED)},
        "list_object_versions": {("s3:ListBucketVersions", "arn:ListBucket")},
        "get_item": {("dynamodb:GetItem", CAMPAIGNS_TABLE)},
        "describe_table": {("dynamodb:DescribeTable", CREDITS_TABLE), ("dynamodb:DescribeTable", CAMPAIGNS_TABLE)},
        "query": {("dynamodb:Query", CAMPAIGNS_TABLE)},
        "update_item": {("dynamodb:UpdateItem", CAMPAIGNS_TABLE)},
        "transact_write_items": {
            *(("dynamodb:PutItem", CAMPAIGNS_TABLE), ("dynamodb:UpdateItem", CAMPAIGNS_TABLE)),
            ("dynamodb:DeleteItem", CAMPAIGNS_TABLE),
        },
        "send_message": {("sqs:SendMessage", "arn:RejectedQueue")},
        "send_message_batch": {("sqs:SendMessage", "arn:ChunksQueue")},
    },
    "grant_credits": {
        "get_object": {
            *(("s3:GetObjectVersion", LISTS), ("s3:GetObjectVersion", INLINE)),
            *(("s3:GetObjectVersion", ACKNOWLEDGEMENTS), ("s3:GetObject", CAMPAIGNS), ("s3:GetObject", DELIVERIES)),
        },
        "publish_batch": {("sns:Publish", "CreditsTopic")},
        "put_object": {
            *(("s3:PutObject", CAMPAIGNS), ("s3:PutObject", DELIVERIES), ("s3:PutObject", EXPORTS)),
            ("s3:PutObject", ANSWERS),
        },
        "update_item": {("dynamodb:UpdateItem", CAMPAIGNS_TABLE)},
        "batch_execute_statement": {
            *(("dynamodb:PartiQLInsert", CREDITS_TABLE), ("dynamodb:PartiQLUpdate", CREDITS_TABLE)),
        },
        "batch_get_item": {("dynamodb:BatchGetItem", CREDITS_TABLE)},
        "get_item": {("dynamodb:GetItem", CAMPAIGNS_TABLE)},
        "query": {("dynamodb:Query", CAMPAIGNS_TABLE), ("dynamodb:Query", CREDITS_TABLE)},
        "transact_write_items": {
            *(("dynamodb:PutItem", CAMPAIGNS_TABLE), ("dynamodb:UpdateItem", CAMPAIGNS_TABLE)),
            *(("dynamodb:PutItem", CREDITS_TABLE), ("dynamodb:UpdateItem", CREDITS_TABLE)),
            ("dynamodb:ConditionCheckItem", CAMPAIGNS_TABLE),
        },
        "send_message_batch": {("sqs:SendMessage", "arn:ChunksQueue")},
    },
    "publish_notices": {
        "get_item": {("dynamodb:GetItem", CAMPAIGNS_TABLE)},
        "update_item": {("dynamodb:UpdateItem", CAMPAIGNS_TABLE)},
        "publish_batch": {("sns:Publish", "NoticesTopic")},
    },
    "advance_campaign": {
        "put_object": {("s3:PutObject", CAMPAIGNS), ("s3:PutObject", DELIVERIES)},
        "get_item": {("dynamodb:GetItem", CAMPAIGNS_TABLE)},
        "query": {("dynamodb:Query", CAMPAIGNS_TABLE), ("dynamodb:Query", CREDITS_TABLE)},
        "update_item": {("dynamodb:UpdateItem", CAMPAIGNS_TABLE)},
        "transact_write_items": {
            *(("dynamodb:PutItem", CAMPAIGNS_TABLE), ("dynamodb:UpdateItem", CAMPAIGNS_TABLE)),
            *(("dynamodb:DeleteItem", CAMPAIGNS_TABLE), ("dynamodb:ConditionCheckItem", CAMPAIGNS_TABLE)),
        },
        "put_item": {("dynamodb:PutItem", CAMPAIGNS_TABLE)},
        "describe_table": {("dynamodb:DescribeTable", CREDITS_TABLE), ("dynamodb:DescribeTable", CAMPAIGNS_TABLE)},
        "get_resource_policy": {
            *(("dynamodb:GetResourcePolicy", CREDITS_TABLE), ("dynamodb:GetResourcePolicy", CAMPAIGNS_TABLE)),
        },
        "scan": {("dynamodb:Scan", CAMPAIGNS_TABLE)},
        "list_objects_v2": {("s3:ListBucket", "arn:ListBucket")},
        "get_object": {
            ("s3:GetObject", "arn:ListBucket/aws/lambda/*"),
            *(("s3:GetObjectVersion", LISTS), ("s3:GetObjectVersion", INLINE)),
        },
        "batch_get_item": {("dynamodb:BatchGetItem", CREDITS_TABLE)},
        "send_message_batch": {("sqs:SendMessage", "arn:ChunksQueue")},
        "put_events": {("events:PutEvents", BUS)},
    },
    "api": {
        "head_object": {
            *(("s3:GetObject", LISTS), ("s3:GetObjectVersion", LISTS)),
            *(("s3:GetObject", INLINE), ("s3:GetObjectVersion", INLINE)),
            *(("s3:GetObject", ACKNOWLEDGEMENTS), ("s3:GetObjectVersion", ACKNOWLEDGEMENTS)),
        },
        "get_object": {
            *(("s3:GetObject", LISTS), ("s3:GetObjectVersion", LISTS)),
            *(("s3:GetObject", INLINE), ("s3:GetObjectVersion", INLINE)),
            *(("s3:GetObject", POLICIES), ("s3:GetObjectVersion", POLICIES)),
            *(("s3:GetObject", CAMPAIGNS), ("s3:GetObjectVersion", CAMPAIGNS)),
            *(("s3:GetObject", ANSWERS), ("s3:GetObjectVersion", ANSWERS)),
        },
        "generate_presigned_url": {("s3:GetObject", CAMPAIGNS), ("s3:GetObject", EXPORTS)},
        "list_objects_v2": {("s3:ListBucket", "arn:ListBucket")},
        "put_object": {("s3:PutObject", INLINE)},
        "get_item": {("dynamodb:GetItem", CAMPAIGNS_TABLE), ("dynamodb:GetItem", CREDITS_TABLE)},
        "put_item": {("dynamodb:PutItem", CAMPAIGNS_TABLE), ("dynamodb:PutItem", CREDITS_TABLE)},
        "update_item": {("dynamodb:UpdateItem", CAMPAIGNS_TABLE), ("dynamodb:UpdateItem", CREDITS_TABLE)},
        "query": {("dynamodb:Query", CAMPAIGNS_TABLE), ("dynamodb:Query", CREDITS_TABLE)},
        "scan": {("dynamodb:Scan", CREDITS_TABLE), ("dynamodb:Scan", CAMPAIGNS_TABLE)},
        "batch_get_item": {("dynamodb:BatchGetItem", CREDITS_TABLE)},
        "describe_table": {("dynamodb:DescribeTable", CREDITS_TABLE), ("dynamodb:DescribeTable", CAMPAIGNS_TABLE)},
        "transact_write_items": {
            *(("dynamodb:PutItem", CAMPAIGNS_TABLE), ("dynamodb:UpdateItem", CAMPAIGNS_TABLE)),
            *(("dynamodb:PutItem", CREDITS_TABLE), ("dynamodb:UpdateItem", CREDITS_TABLE)),
            ("dynamodb:DeleteItem", CAMPAIGNS_TABLE),
            *(("dynamodb:ConditionCheckItem", CAMPAIGNS_TABLE), ("dynamodb:ConditionCheckItem", CREDITS_TABLE)),
        },
        "send_message_batch": {("sqs:SendMessage", "arn:ChunksQueue")},
        "send_message": {
            *(("sqs:SendMessage", "arn:IncidentsQueue"), ("sqs:SendMessage", "arn:ChunksQueue")),
            ("sqs:SendMessage", "arn:SourcesQueue"),
        },
        "receive_message": {("sqs:ReceiveMessage", f"arn:{queue}") for queue in LOOKED_INTO},
        "delete_message": {("sqs:DeleteMessage", f"arn:{queue}") for queue in LOOKED_INTO},
        "change_message_visibility": {("sqs:ChangeMessageVisibility", "arn:RejectedQueue")},
        "invoke": {
            ("lambda:InvokeFunction", "arn:AdvanceCampaignFunction"),
            ("lambda:InvokeFunction", "arn:PublishNoticesFunction"),
        },
    },
    "receive_incidents": {
        "list_objects_v2": {("s3:ListBucket", "arn:ListBucket")},
        "get_object": {("s3:GetObject", SOURCES)},
        "get_secret_value": {("secretsmanager:GetSecretValue", SECRETS)},
        "put_object": {("s3:PutObject", UPSTREAM)},
        "send_message": {("sqs:SendMessage", "arn:SourcesQueue")},
    },
    "draft_incidents": {
        "list_objects_v2": {("s3:ListBucket", "arn:ListBucket")},
        "get_object": {("s3:GetObject", SOURCES), ("s3:GetObject", UPSTREAM)},
        "put_item": {("dynamodb:PutItem", CAMPAIGNS_TABLE)},
        "get_item": {("dynamodb:GetItem", CAMPAIGNS_TABLE)},
        "query": {("dynamodb:Query", CAMPAIGNS_TABLE)},
        "put_events": {("events:PutEvents", BUS)},
        "publish_batch": {("sns:Publish", "NoticesTopic")},
    },
}
"""The calls that each function's adapters make, and what AWS asks for each."""
OF_THE_CONSOLE: dict[str, set[Grant]] = {
    "get_item": {("dynamodb:GetItem", SESSIONS_TABLE)},
    "put_item": {("dynamodb:PutItem", SESSIONS_TABLE)},
    "update_item": {("dynamodb:UpdateItem", SESSIONS_TABLE)},
    "delete_item": {("dynamodb:DeleteItem", SESSIONS_TABLE)},
    "get_secret_value": {("secretsmanager:GetSecretValue", SECRET_OF_THE_CONSOLE)},
}
"""The calls that are the console's own; for its pages it has the use cases of the API."""
CALLS["serve_console"] = {
    call: CALLS["api"].get(call, set()) | OF_THE_CONSOLE.get(call, set()) for call in {*CALLS["api"], *OF_THE_CONSOLE}
}

TELLS_MISSING_FROM_FORBIDDEN = {("s3:ListBucket", "arn:ListBucket"), ("s3:ListBucketVersions", "arn:ListBucket")}
"""Without these S3 answers 403 for an object or version that does not exist."""


def polling(queue: str) -> set[Grant]:
    """What Lambda's poller does with the function's role."""
    return {(f"sqs:{action}", f"arn:{queue}") for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}


def reading_stream(table: str) -> set[Grant]:
    """What Lambda's poller does on a stream, and with the records that the function gave up."""
    actions = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    return {(f"dynamodb:{action}", f"arn:{table}/stream/*") for action in actions} | {
        ("s3:PutObject", "arn:ListBucket/aws/lambda/*"),
        ("s3:ListBucket", "arn:ListBucket"),
    }


BESIDES: dict[str, set[Grant]] = {
    "open_campaign": polling("IncidentsQueue") | TELLS_MISSING_FROM_FORBIDDEN,
    "grant_credits": polling("ChunksQueue") | TELLS_MISSING_FROM_FORBIDDEN,
    "publish_notices": reading_stream("CreditsTable") | reading_stream("CampaignsTable"),
    "advance_campaign": reading_stream("CampaignsTable") | TELLS_MISSING_FROM_FORBIDDEN,
    "api": TELLS_MISSING_FROM_FORBIDDEN,
    "serve_console": TELLS_MISSING_FROM_FORBIDDEN,
    "receive_incidents": set(),
    "draft_incidents": polling("SourcesQueue"),
}
TRACES = {("xray:PutTraceSegments", "*"), ("xray:PutTelemetryRecords", "*")}
"""X-Ray has no resources that these could name: the only wildcard there is."""


def logs(role: str) -> set[Grant]:
    group = f"arn:{role.removesuffix('Role')}LogGroup"
    return {("logs:CreateLogStream", group), ("logs:PutLogEvents", group)}


def granted(statement: Json) -> set[Grant]:
    return {
        (action, resource) for action in as_list(statement["Action"]) for resource in as_list(statement["Resource"])
    }


@pytest.mark.parametrize(("function", "role"), ROLES.items())
def test_a_role_holds_what_its_function_calls_and_nothing_else(whole: Stack, function: str, role: str) -> None:
    needed = set().union(*CALLS[function].values()) | BESIDES[function] | logs(role) | TRACES
    given = set().union(*map(granted, role_statements(whole, role)))
    assert given == needed


@pytest.mark.parametrize("role", ROLES.values())
def test_each_statement_says_its_purpose_once(whole: Stack, role: str) -> None:
    statements = list(role_statements(whole, role))
    purposes = [statement["Sid"] for statement in statements]
    assert len(purposes) == len(set(purposes))
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert "ManagedPolicyArns" not in whole.properties(role)


@pytest.mark.parametrize("role", ROLES.values())
def test_no_action_is_a_wildcard_and_no_resource_but_where_there_is_none(whole: Stack, role: str) -> None:
    for statement in role_statements(whole, role):
        assert not any("*" in action for action in as_list(statement["Action"])), statement["Sid"]
        if "*" in as_list(statement["Resource"]):
            assert statement["Sid"] == "WriteTraces"


@pytest.mark.parametrize("role", ROLES.values())
def test_only_lambda_takes_a_role(whole: Stack, role: str) -> None:
    (statement,) = whole.properties(role)["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }


def test_advance_campaign_speaks_under_our_own_source_only(whole: Stack) -> None:
    (statement,) = [
        item for item in role_statements(whole, "AdvanceCampaignRole") if item["Action"] == "events:PutEvents"
    ]
    assert statement["Condition"] == {"StringEquals": {"events:source": EVENT_SOURCE}}


def test_what_reads_deliveries_writes_drafts_and_no_incident_or_campaign(whole: Stack) -> None:
    """Never money by machine: what it may write lies in partitions that no campaign reads."""
    (statement,) = [
        item
        for item in role_statements(whole, "DraftIncidentsRole")
        if ("dynamodb:PutItem", CAMPAIGNS_TABLE) in granted(item)
    ]
    assert statement["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["UPSTREAM#*", "COMPONENT#*", "DRAFTS#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


@pytest.mark.parametrize("role", ["GrantCreditsRole", "AdvanceCampaignRole"])
def test_what_is_read_beside_the_decisions_of_a_list_begins_as_the_role_allows(whole: Stack, role: str) -> None:
    """The stand-in for AWS does not know this condition."""
    (statement,) = [item for item in role_statements(whole, role) if ("dynamodb:Query", CREDITS_TABLE) in granted(item)]
    allowed = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    campaign = CampaignId("net-outage", 3)
    for read in (additions_partition(campaign), row_key(campaign, 7)["pk"]["S"]):
        assert [one for one in allowed if fnmatchcase(read, one)], read


def test_a_decision_is_put_in_a_transaction_only(whole: Stack) -> None:
    """A put alone could replace a decision; in the transaction it is conditional on there being none."""
    (statement,) = [
        item
        for item in role_statements(whole, "GrantCreditsRole")
        if ("dynamodb:PutItem", CREDITS_TABLE) in granted(item)
    ]
    assert statement["Condition"] == {
        "ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}
    }


@pytest.mark.parametrize("role", ROLES.values())
def test_nothing_is_deleted_but_in_a_transaction(whole: Stack, role: str) -> None:
    for statement in role_statements(whole, role):
        if ("dynamodb:DeleteItem", SESSIONS_TABLE) in granted(statement):
            assert statement["Resource"] == SESSIONS_TABLE, "a session is ended, and no more"
        elif "dynamodb:DeleteItem" in as_list(statement["Action"]):
            assert statement["Action"] == "dynamodb:DeleteItem"
            assert statement["Condition"] == {
                "ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]}
            }


def calls_in(path: Path) -> Iterator[str]:
    """The AWS calls of an adapter: methods of `self._client`, and the one operation that is sent without it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_OPERATION":
            yield xform_name(ast.literal_eval(node.value))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "_client":
            yield node.attr


def test_the_table_of_calls_names_every_call_that_an_adapter_makes() -> None:
    made = {call for path in (PROJECT / "layers/kulanz/kulanz/adapters").glob("*.py") for call in calls_in(path)}
    assert made == set().union(*(calls for function, calls in CALLS.items() if function != "serve_console"))
    assert set(calls_in(PROJECT / "functions/serve_console/kept.py")) == set(OF_THE_CONSOLE)


@pytest.mark.parametrize("role", ROLES.values())
def test_no_function_can_publish_or_remove_a_policy(whole: Stack, role: str) -> None:
    changing = ("s3:Put", "s3:Delete", "s3:*", "*")
    for statement in role_statements(whole, role):
        if any(action.startswith(changing) for action in as_list(statement["Action"])):
            places = as_list(statement["Resource"])
            assert not [place for place in places if fnmatchcase("arn:ListBucket/policies/a/1.json", place)]
