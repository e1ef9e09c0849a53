"""What the queues promise: no message is lost, none is worked twice at a time, and none comes from a stranger."""

import pytest

from tests.template.resolved import ACCOUNT_ID, Json, Stack, as_list, refused, role_statements

LAST_STOPS = {
    "IncidentsDeadLetterQueue": "incident events that were given up",
    "ChunksDeadLetterQueue": "chunks that were given up",
    "RejectedQueue": "refused events, for people to read",
    "SourcesDeadLetterQueue": "deliveries of incident sources that were given up",
}
"""Queues that nothing consumes, so that nothing can fail on their messages."""
SQS_KEEPS_AT_MOST_SECONDS = 1_209_600


def sources(stack: Stack) -> list[tuple[str, Json, Json]]:
    """Each queue that a function consumes: its name, the mapping and the function."""
    found = []
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        queue = mapping["EventSourceArn"].removeprefix("arn:")
        if queue in stack.of_type("AWS::SQS::Queue"):
            found.append((queue, mapping, stack.properties(mapping["FunctionName"])))
    return found


def test_every_working_queue_has_a_function(stack: Stack) -> None:
    assert {queue for queue, _, _ in sources(stack)} == {"IncidentsQueue", "ChunksQueue", "SourcesQueue"}


def test_a_message_stays_hidden_for_six_lives_of_its_function(stack: Stack) -> None:
    for queue, _, function in sources(stack):
        assert stack.properties(queue)["VisibilityTimeout"] >= 6 * function["Timeout"], queue


def test_a_throttled_message_does_not_join_the_dead_letters_soon(stack: Stack) -> None:
    """An account with ten concurrent executions throttles workers; each time the message counts as received."""
    for queue, _, _ in sources(stack):
        assert stack.properties(queue)["RedrivePolicy"]["maxReceiveCount"] >= 10, queue


def test_every_queue_has_dead_letters_or_is_a_last_stop(stack: Stack) -> None:
    for queue, properties in stack.of_type("AWS::SQS::Queue").items():
        if queue in LAST_STOPS:
            assert "RedrivePolicy" not in properties, queue
        else:
            assert properties["RedrivePolicy"]["deadLetterTargetArn"].removeprefix("arn:") in LAST_STOPS, queue


def test_a_message_waits_as_long_as_sqs_allows(stack: Stack) -> None:
    for queue, properties in stack.of_type("AWS::SQS::Queue").items():
        assert properties["MessageRetentionPeriod"] == SQS_KEEPS_AT_MOST_SECONDS, queue


def test_a_chunk_is_worked_alone_and_the_workers_are_counted() -> None:
    stack = Stack({"MaximumConcurrency": "17"})
    mappings = {queue: mapping for queue, mapping, _ in sources(stack)}
    assert mappings["ChunksQueue"]["BatchSize"] == 1
    assert mappings["ChunksQueue"]["ScalingConfig"] == {"MaximumConcurrency": "17"}
    assert stack.properties("GrantCreditsFunction")["Environment"]["Variables"]["MAXIMUM_CONCURRENCY"] == "17"


def test_one_bad_event_does_not_repeat_the_others_of_its_batch(stack: Stack) -> None:
    for queue, mapping, _ in sources(stack):
        if mapping["BatchSize"] > 1:
            assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], queue


def test_a_chunk_that_goes_on_is_not_taken_for_a_runaway_loop(stack: Stack) -> None:
    assert stack.properties("GrantCreditsFunction")["RecursiveLoop"] == "Allow"


def test_messages_are_encrypted_where_they_wait(stack: Stack) -> None:
    for queue, properties in stack.of_type("AWS::SQS::Queue").items():
        assert properties["SqsManagedSseEnabled"] is True, queue


def policies_of(stack: Stack, queue: str) -> list[Json]:
    policies = stack.of_type("AWS::SQS::QueuePolicy").values()
    return [policy for policy in policies if queue in policy["Queues"]]


@pytest.mark.parametrize("queue", ["IncidentsQueue", "ChunksQueue", "SourcesQueue", *LAST_STOPS])
def test_plain_http_is_refused(stack: Stack, queue: str) -> None:
    (policy,) = policies_of(stack, queue)  # a second one would replace the first
    assert {
        "Sid": "RefusePlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    } in policy["PolicyDocument"]["Statement"]


RULES = {
    "IncidentsQueue": "IncidentRule",
    "IncidentsDeadLetterQueue": "IncidentRule",
    "SourcesQueue": "HealthRule",
    "SourcesDeadLetterQueue": "HealthRule",
}
"""The rule that each queue gets events from."""


def test_only_the_rule_of_this_stack_is_let_in_by_a_queue(stack: Stack) -> None:
    for queue in stack.of_type("AWS::SQS::Queue"):
        (policy,) = policies_of(stack, queue)
        allowed = [item for item in policy["PolicyDocument"]["Statement"] if item["Effect"] == "Allow"]
        assert bool(allowed) == (queue in RULES), queue
        for statement in allowed:
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert as_list(statement["Action"]) == ["sqs:SendMessage"]
            assert statement["Resource"] == f"arn:{queue}"
            (operator, keys), *others = statement["Condition"].items()
            assert (operator, list(keys), others) == ("ArnEquals", ["aws:SourceArn"], [])
            assert as_list(keys["aws:SourceArn"]) == [stack.arn(RULES[queue])]


ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT_ID}:role/administrator"
OPERATOR = f"arn:aws:iam::{ACCOUNT_ID}:role/on-call"
FUNCTION_ROLES = ("OpenCampaignRole", "GrantCreditsRole", "PublishNoticesRole", "AdvanceCampaignRole")


def may_send(stack: Stack, queue: str, **caller: str) -> bool:
    """Whether the queue lets somebody pass whom IAM itself permits everything, over HTTPS."""
    (policy,) = policies_of(stack, queue)
    statements = policy["PolicyDocument"]["Statement"]
    return not refused(statements, "sqs:SendMessage", f"arn:{queue}", aws_SecureTransport="true", **caller)


@pytest.mark.parametrize("parameters", [{}, {"OperatorArns": OPERATOR}])
def test_an_event_comes_through_the_rule_alone_and_so_past_the_publishers_lists(parameters: dict[str, str]) -> None:
    stack = Stack(parameters)
    assert may_send(stack, "IncidentsQueue", aws_SourceArn=stack.arn("IncidentRule"))
    assert may_send(stack, "IncidentsQueue", aws_PrincipalArn=OPERATOR) == bool(parameters)
    assert not may_send(stack, "IncidentsQueue", aws_PrincipalArn=ADMINISTRATOR)
    assert not may_send(stack, "IncidentsQueue", aws_SourceArn="arn:rule/other/rule")
    assert not any(may_send(stack, "IncidentsQueue", aws_PrincipalArn=stack.arn(role)) for role in FUNCTION_ROLES)


@pytest.mark.parametrize("parameters", [{}, {"OperatorArns": OPERATOR}])
def test_a_chunk_comes_from_a_function_that_sends_chunks_or_from_an_operator(parameters: dict[str, str]) -> None:
    stack = Stack(parameters)
    senders = {role for role in FUNCTION_ROLES if may_send(stack, "ChunksQueue", aws_PrincipalArn=stack.arn(role))}
    permitted = {
        role
        for role in FUNCTION_ROLES
        for statement in role_statements(stack, role)
        if "sqs:SendMessage" in as_list(statement["Action"]) and "arn:ChunksQueue" in as_list(statement["Resource"])
    }
    assert senders == permitted == set(FUNCTION_ROLES) - {"PublishNoticesRole"}
    assert may_send(stack, "ChunksQueue", aws_PrincipalArn=OPERATOR) == bool(parameters)
    assert not may_send(stack, "ChunksQueue", aws_PrincipalArn=ADMINISTRATOR)


def test_an_event_that_cannot_be_delivered_joins_the_dead_letters(stack: Stack) -> None:
    (target,) = stack.properties("IncidentRule")["Targets"]
    assert target["Arn"] == "arn:IncidentsQueue"
    dead_letters = stack.properties("IncidentsQueue")["RedrivePolicy"]["deadLetterTargetArn"]
    assert target["DeadLetterConfig"] == {"Arn": dead_letters}


@pytest.mark.parametrize("parameters", [{}, {"OperatorArns": OPERATOR}])
def test_a_delivery_comes_from_the_receiver_or_over_a_bus_alone(parameters: dict[str, str]) -> None:
    """A message says by itself whose delivery it is: whoever could send one would speak for every source."""
    stack = Stack(parameters)
    assert may_send(stack, "SourcesQueue", aws_SourceArn=stack.arn("HealthRule"))
    assert may_send(stack, "SourcesQueue", aws_PrincipalArn=stack.arn("ReceiveIncidentsRole"))
    assert may_send(stack, "SourcesQueue", aws_PrincipalArn=stack.arn("ApiRole")), "to move dead letters back"
    assert may_send(stack, "SourcesQueue", aws_PrincipalArn=OPERATOR) == bool(parameters)
    assert not may_send(stack, "SourcesQueue", aws_PrincipalArn=ADMINISTRATOR)
    assert not may_send(stack, "SourcesQueue", aws_SourceArn="arn:rule/other/rule")
    assert not may_send(stack, "SourcesQueue", aws_PrincipalArn=stack.arn("DraftIncidentsRole"))


def test_a_partners_bus_is_let_in_where_it_is_named() -> None:
    bus = "aws.partner/pagerduty.com/acme"
    stack = Stack({"PartnerBusName": bus})
    rule = stack.properties("PartnerRule")
    assert (rule["EventBusName"], rule["EventPattern"]) == (bus, {"source": [bus]})
    assert may_send(stack, "SourcesQueue", aws_SourceArn=stack.arn("PartnerRule"))
    assert "PartnerRule" not in Stack().resources
