"""What the API of incident sources promises: it is open to whoever signs, bounded, and keeps no secret of a path."""

import json
import re

from kulanz.adapters.public_pages import SECONDS_MOST
from kulanz.application.drafts.receive_delivery import DELIVERY_BYTES
from tests.template.resolved import ACCOUNT_ID, REGION, Stack, translated

ROUTES = {"POST /v1/sources/{source}", "POST /v1/sources/{source}/{secret}"}
DELIVERIES_PER_SECOND = 20
"""What a source may send, and what must be received without loss."""
SECONDS_OF_A_SLOW_DELIVERY = 0.25
"""Measured are 0.05 (docs/benchmarks.md), of the largest body."""
READERS_OF_A_MAPPING = 5
"""How many batches of a standard queue a mapping reads at first; AWS adds more while messages wait."""
SECONDS_OF_A_READING = 0.25
"""Of one delivery; measured are 0.12."""
LAMBDA_PAYLOAD_BYTES = 6 * 1024 * 1024


def test_its_routes_have_no_authoriser_and_lead_to_the_receiver_alone(stack: Stack) -> None:
    routes = [one for one in stack.of_type("AWS::ApiGatewayV2::Route").values() if one["ApiId"] == "SourcesApi"]
    assert {one["RouteKey"] for one in routes} == ROUTES
    assert {(one["AuthorizationType"], one["Target"]) for one in routes} == {
        ("NONE", "integrations/SourcesIntegration")
    }
    integration = stack.properties("SourcesIntegration")
    assert integration["IntegrationUri"] == "arn:ReceiveIncidentsFunction"
    assert integration["PayloadFormatVersion"] == "2.0"
    assert stack.properties("ReceiveIncidentsFunction")["Timeout"] * 1000 < integration["TimeoutInMillis"]


def test_only_this_api_invokes_the_receiver(stack: Stack) -> None:
    permissions = [
        one
        for one in stack.of_type("AWS::Lambda::Permission").values()
        if one["FunctionName"] == "ReceiveIncidentsFunction"
    ]
    assert [(one["Principal"], one["SourceArn"]) for one in permissions] == [
        ("apigateway.amazonaws.com", f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:SourcesApi/$default/*")
    ]


def test_every_route_is_throttled_by_itself_and_no_path_is_logged(stack: Stack) -> None:
    stage = stack.properties("SourcesApiStage")
    assert set(stage["RouteSettings"]) == ROUTES
    for settings in (stage["DefaultRouteSettings"], *stage["RouteSettings"].values()):
        assert set(settings) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
        assert settings["ThrottlingRateLimit"] >= DELIVERIES_PER_SECOND
        assert settings["ThrottlingBurstLimit"] >= settings["ThrottlingRateLimit"], "a whole second at once"
    assert set(json.loads(stage["AccessLogSettings"]["Format"])) == {"routeKey", "status", "requestId"}
    assert set(stack.resources["SourcesApiStage"]["DependsOn"]) == {"SourceRoute", "SourceWithSecretRoute"}


def test_any_reserved_concurrency_receives_twenty_deliveries_a_second() -> None:
    """Concurrency is rate times duration."""
    allowed = re.compile(translated()["Parameters"]["ReceiverConcurrency"]["AllowedPattern"])
    numbers = [number for number in range(1_001) if allowed.fullmatch(str(number))]
    least, most = min(filter(None, numbers)), max(numbers)
    assert least >= DELIVERIES_PER_SECOND * SECONDS_OF_A_SLOW_DELIVERY
    assert numbers == [0, *range(least, most + 1)]


def test_readers_keep_up_with_twenty_deliveries_a_second(stack: Stack) -> None:
    """A mapping begins with five readers, each with a batch of its own; nothing bounds them lower."""
    (mapping,) = [
        one
        for one in stack.of_type("AWS::Lambda::EventSourceMapping").values()
        if one["FunctionName"] == "DraftIncidentsFunction"
    ]
    assert "ScalingConfig" not in mapping
    assert READERS_OF_A_MAPPING / SECONDS_OF_A_READING >= DELIVERIES_PER_SECOND
    timeout = stack.properties("DraftIncidentsFunction")["Timeout"]
    assert mapping["BatchSize"] * SECONDS_MOST < timeout, "each delivery of a batch may ask a page that does not answer"


def test_concurrency_is_reserved_only_where_it_is_asked_for(stack: Stack) -> None:
    assert "ReservedConcurrentExecutions" not in stack.properties("ReceiveIncidentsFunction")
    reserved = Stack({"ReceiverConcurrency": "5"}).properties("ReceiveIncidentsFunction")
    assert reserved["ReservedConcurrentExecutions"] == "5"


def test_bodies_end_with_everything_else_that_failed(stack: Stack) -> None:
    rules = stack.properties("ListBucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [one for one in rules if one.get("Prefix") == "upstream/"]
    assert rule["ExpirationInDays"] == stack.parameters["FailureRetentionDays"]
    for function in ("ReceiveIncidentsFunction", "DraftIncidentsFunction"):
        assert stack.properties(function)["Environment"]["Variables"]["UPSTREAM_PREFIX"] == rule["Prefix"]


def test_a_body_in_base64_fits_into_an_invocation() -> None:
    assert DELIVERY_BYTES * 4 // 3 < LAMBDA_PAYLOAD_BYTES


def test_events_of_aws_health_are_those_of_the_accounts_own_bus(stack: Stack) -> None:
    rule = stack.properties("HealthRule")
    assert "EventBusName" not in rule
    assert rule["EventPattern"] == {"source": ["aws.health"], "detail-type": ["AWS Health Event"]}
