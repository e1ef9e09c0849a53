"""`kulanz doctor`: a healthy stack passes, and each check notices what it is for."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from click.testing import CliRunner, Result

from kulanz.domain.confirmation import Tables
from kulanz.domain.ledger.entries import DecisionKey
from kulanz_cli.doctor.doors import PARTITION, PLACE
from kulanz_cli.doctor.examined import Examined
from kulanz_cli.main import main
from tests.support.healthy_aws import CONSOLE_FUNCTION, NOW, HealthyAws, off_by, refusal
from tests.template.resolved import ACCOUNT_ID, CONSOLE, POOL

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role"
LISTS = {
    "PublisherArns": f"{ROLE}/desk,arn:aws:iam::999999999999:role/billing",
    "CampaignPublisherArns": "arn:aws:iam::999999999999:role/billing",
    "PolicyPublisherArns": f"{ROLE}/rules-desk",
    "OperatorArns": f"{ROLE}/on-call",
    "DeployerArns": f"{ROLE}/deployers",
}


def run(aws: HealthyAws, *words: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *words], obj=aws, prog_name="kulanz")


def findings(aws: HealthyAws) -> list[tuple[str, str]]:
    result = run(aws, "--json")
    content = json.loads(result.stdout)
    found = [(one["check"], one["says"]) for one in content["results"] if one["verdict"] == "finding"]
    assert result.exit_code == (1 if found else 0)
    assert content["findings"] == len(found)
    assert all(one["do"] for one in content["results"] if one["verdict"] == "finding")
    return found


@pytest.mark.parametrize(
    "parameters",
    [{}, LISTS, {"DeletionProtection": "false"}, {**LISTS, **CONSOLE}, POOL],
    ids=["default", "lists", "open", "console", "pool"],
)
def test_the_template_as_it_is_deployed_has_no_finding(parameters: dict[str, str]) -> None:
    """The policies are the template's own: a statement that changes there has to change in the check."""
    aws = HealthyAws(parameters)
    assert findings(aws) == []
    assert aws.items == {}


def without(policy: Any, sid: str) -> None:
    policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != sid]


def statement(policy: Any, sid: str) -> Any:
    return next(one for one in policy["Statement"] if one["Sid"] == sid)


def allow_everybody(policy: Any) -> None:
    policy["Statement"].append({"Sid": "ForTests", "Effect": "Allow", "Principal": "*", "Action": "*"})


def table(**changes: Any) -> Callable[[HealthyAws], None]:
    return lambda aws: aws.replies["dynamodb.describe_table"]["Table"].update(changes)


def answer(name: str, value: Any) -> Callable[[HealthyAws], None]:
    return lambda aws: aws.replies.update({name: value})


def other_release(aws: HealthyAws) -> None:
    aws._outputs = replace(aws.outputs, stack_version="0.0.9")


def unremovable(aws: HealthyAws) -> None:
    aws.take_items()
    aws.replies["dynamodb.delete_item"] = refusal("ProvisionedThroughputExceededException", "DeleteItem")


EXPIRES_LISTS = {"ID": "Cheaper", "Status": "Enabled", "Expiration": {"Days": 30}, "Filter": {"Prefix": ""}}
FAULTS: list[tuple[str, str, Callable[[HealthyAws], object]]] = [
    ("deployment", "release 0.0.9, this command", other_release),
    ("deployment", "rolled back", lambda aws: setattr(aws, "state", "UPDATE_ROLLBACK_COMPLETE")),
    ("deployment", "under way", lambda aws: setattr(aws, "state", "UPDATE_IN_PROGRESS")),
    ("deployment", "did not end well", lambda aws: setattr(aws, "state", "UPDATE_ROLLBACK_FAILED")),
    ("confirmation", "nobody has confirmed", lambda aws: setattr(aws.confirmed, "given", None)),
    ("confirmation", "replaced or restored", lambda aws: setattr(aws.confirmed, "found", Tables("other", "other"))),
    ("tables", "can be deleted", table(DeletionProtectionEnabled=False)),
    ("tables", "not encrypted", table(SSEDescription={})),
    ("tables", "no stream with both images", table(StreamSpecification={"StreamEnabled": False})),
    (
        "tables",
        "no stream with both images",
        table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}),
    ),
    (
        "tables",
        "Point-in-time recovery",
        answer("dynamodb.describe_continuous_backups", {"ContinuousBackupsDescription": {}}),
    ),
    (
        "tables",
        "decisions deletes nothing",
        lambda aws: aws.expiry.update(credits_table={"TimeToLiveStatus": "DISABLED"}),
    ),
    ("tables", "by another attribute", lambda aws: aws.expiry["credits_table"].update(AttributeName="until")),
    (
        "tables",
        "campaigns lets items expire",
        lambda aws: aws.expiry.update(campaigns_table={"TimeToLiveStatus": "ENABLED", "AttributeName": "x"}),
    ),
    ("bucket", "keeps no versions", answer("s3.get_bucket_versioning", {"Status": "Suspended"})),
    (
        "bucket",
        "no default encryption",
        answer("s3.get_bucket_encryption", refusal("ServerSideEncryptionConfigurationNotFoundError", "x")),
    ),
    (
        "bucket",
        "made public",
        answer("s3.get_public_access_block", refusal("NoSuchPublicAccessBlockConfiguration", "x")),
    ),
    (
        "bucket",
        "made public",
        lambda aws: aws.edit(
            "s3.get_public_access_block", "PublicAccessBlockConfiguration", "BlockPublicAcls", value=False
        ),
    ),
    (
        "bucket",
        "(Cheaper) expires more",
        lambda aws: aws.replies["s3.get_bucket_lifecycle_configuration"]["Rules"].append(EXPIRES_LISTS),
    ),
    (
        "bucket",
        "kept for ever",
        answer("s3.get_bucket_lifecycle_configuration", refusal("NoSuchLifecycleConfiguration", "x")),
    ),
    ("bucket", "replicated to another", answer("s3.get_bucket_replication", {"ReplicationConfiguration": {}})),
    (
        "policy of the bucket",
        "NothingIsReplicatedIntoThisBucket is missing",
        lambda aws: without(aws.bucket_policy, "NothingIsReplicatedIntoThisBucket"),
    ),
    (
        "policy of the bucket",
        "RefusePlainHttp is missing",
        answer("s3.get_bucket_policy", refusal("NoSuchBucketPolicy", "x")),
    ),
    (
        "policy of the bucket",
        "has another condition",
        lambda aws: statement(aws.bucket_policy, "APublishedPolicyIsNeverReplaced").pop("Condition"),
    ),
    (
        "policy of the bucket",
        "is about something else",
        lambda aws: statement(aws.bucket_policy, "KeepWhatDecisionsRestOn").update(Effect="Allow"),
    ),
    ("policy of the bucket", "ForTests", lambda aws: allow_everybody(aws.bucket_policy)),
    ("policy of the bus", "NobodyElseMayPublish is missing", answer("events.describe_event_bus", {})),
    (
        "policy of the bus",
        "names others in its condition",
        lambda aws: statement(aws.bus_policy, "NobodyElseMayPublish")["Condition"]["ArnNotEquals"].update(
            {"aws:PrincipalArn": [f"{ROLE}/mallory"]}
        ),
    ),
    (
        "policies of the queues",
        "NobodyElseMaySend is missing",
        lambda aws: without(aws.queue_policies["incidents_queue_url"], "NobodyElseMaySend"),
    ),
    (
        "policies of the queues",
        "names others in its condition",
        lambda aws: statement(aws.queue_policies["chunks_queue_url"], "OnlyFunctionsAndOperatorsMaySend")["Condition"][
            "ArnNotEquals"
        ]["aws:PrincipalArn"].append(f"{ROLE}/mallory"),
    ),
    (
        "put on the bus",
        "took an event in the name of kulanz",
        answer("events.put_events", {"Entries": [{"EventId": "1"}]}),
    ),
    ("send to the queues", "incidents queue took a message", answer("sqs.send_message", {"MessageId": "1"})),
    ("code", "different layers", lambda aws: aws.functions["grant_credits"].update(Layers=[{"Arn": "packages:2"}])),
    ("code", "open_campaign is Failed", lambda aws: [found.update(State="Failed") for found in aws.functions.values()]),
    ("code", "run time zones 2001a", lambda aws: aws.running.update(time_zones="2001a")),
    ("code", "run engine 1", lambda aws: aws.running.update(engine="1")),
    ("code", "clock", lambda aws: aws.running.update(now=(NOW - timedelta(hours=1)).isoformat())),
    (
        "code",
        "advance_campaign does not run: Runtime.ImportModuleError",
        lambda aws: aws.broken.add("advance_campaign"),
    ),
    ("code", "grant_credits does not run", lambda aws: aws.broken.add("grant_credits")),
    (
        "policy of the bucket",
        "KeepWhatDecisionsRestOn is about another part",
        lambda aws: statement(aws.bucket_policy, "KeepWhatDecisionsRestOn")["Resource"].pop(),
    ),
    (
        "policy of the bus",
        "OnlyAdvanceCampaignSpeaksForKulanz is about somebody else",
        lambda aws: statement(aws.bus_policy, "OnlyAdvanceCampaignSpeaksForKulanz").update(Principal={"AWS": ROLE}),
    ),
    (
        "policy of the bus",
        "OnlyCampaignPublishersMayOpenCampaigns names others in its condition",
        lambda aws: aws.template.parameters.update(CampaignSources=["billing", "crm"]),
    ),
    (
        "policies of the queues",
        "TheRuleMaySend names others in its condition",
        lambda aws: statement(aws.queue_policies["incidents_queue_url"], "TheRuleMaySend")["Condition"].update(
            ArnEquals={"aws:SourceArn": "arn:aws:events:eu-central-1:1:rule/mine"}
        ),
    ),
    ("code", "older than this command", lambda aws: setattr(aws, "running", None)),
    ("event source mappings", "is Disabled", lambda aws: aws.mappings["open_campaign"][0].update(State="Disabled")),
    (
        "event source mappings",
        "ended with: PROBLEM",
        lambda aws: aws.mappings["advance_campaign"][0].update(LastProcessingResult="PROBLEM: Function call failed"),
    ),
    (
        "event source mappings",
        "1 event source mapping where the stack makes 2",
        lambda aws: aws.mappings["publish_notices"].pop(),
    ),
    (
        "event source mappings",
        "may run 50 workers",
        lambda aws: aws.mappings["grant_credits"][0].update(ScalingConfig={"MaximumConcurrency": 50}),
    ),
    ("logs", "advance_campaign are missing", lambda aws: aws.replies["logs.describe_log_groups"]["logGroups"].pop()),
    (
        "logs",
        "not kept for 90 days",
        lambda aws: aws.edit("logs.describe_log_groups", "logGroups", 0, "retentionInDays", value=None),
    ),
    ("alarms", "No topic hears", lambda aws: aws.template.parameters.update(AlarmTopicArn="")),
    ("alarms", "are missing", lambda aws: aws.replies["cloudwatch.describe_alarms"]["MetricAlarms"].pop()),
    (
        "alarms",
        "switched off",
        lambda aws: aws.edit("cloudwatch.describe_alarms", "MetricAlarms", 0, "ActionsEnabled", value=False),
    ),
    (
        "alarms",
        "ring now",
        lambda aws: aws.edit("cloudwatch.describe_alarms", "MetricAlarms", 0, "StateValue", value="ALARM"),
    ),
    ("alarms", "no alarms", lambda aws: setattr(aws, "resources", dict)),
    (
        "concurrency",
        "may run 10 functions",
        answer("lambda.get_account_settings", {"AccountLimit": {"UnreservedConcurrentExecutions": 10}}),
    ),
    ("write quotas", "TargetWriteRate 4,000", answer("dynamodb.describe_limits", {"TableMaxWriteCapacityUnits": 1000})),
    ("write to the tables", "decisions took an item", HealthyAws.take_items),
    ("write to the tables", "campaigns took an item", HealthyAws.take_items),
    ("write to the tables", "could not be removed", unremovable),
    (
        "policies of the tables",
        "table of decisions the statement OnlyFunctionsWriteItems is missing",
        answer("dynamodb.get_resource_policy", refusal("PolicyNotFoundException", "GetResourcePolicy")),
    ),
    (
        "policies of the tables",
        "names others in its condition",
        lambda aws: statement(aws.table_policies["campaigns_table"], "OnlyFunctionsWriteItems")["Condition"][
            "ArnNotEquals"
        ]["aws:PrincipalArn"].append(f"{ROLE}/mallory"),
    ),
    (
        "policies of the tables",
        "is about something else",
        lambda aws: statement(aws.table_policies["credits_table"], "OnlyFunctionsWriteItems")["Action"].remove(
            "dynamodb:PartiQLInsert"
        ),
    ),
    ("clock", "clock is", answer("dynamodb.list_tables", off_by(400))),
]


@pytest.mark.parametrize(("check", "says", "make"), FAULTS, ids=[f"{check}: {says}" for check, says, _ in FAULTS])
def test_a_check_notices_what_it_is_for(check: str, says: str, make: Callable[[HealthyAws], object]) -> None:
    aws = HealthyAws()
    make(aws)
    assert [text for name, text in findings(aws) if name == check and says in text]
    assert [line for line in run(aws).stdout.splitlines() if len(line) > 80 and " " in line.strip()] == []


def answers_503(aws: HealthyAws) -> None:
    aws.login = {"statusCode": 503, "headers": {}}


def everybody_writes_sessions(aws: HealthyAws) -> None:
    without(aws.table_policies["SessionsTable"], "OnlyFunctionsWriteItems")


FAULTS_OF_THE_CONSOLE: list[tuple[str, str, Callable[[HealthyAws], object]]] = [
    ("console", "does not reach its provider", answers_503),
    ("console", "serve_console does not run: Runtime.ImportModuleError", lambda aws: aws.broken.add(CONSOLE_FUNCTION)),
    (
        "console",
        "has no secret kulanz/console",
        answer("secretsmanager.describe_secret", refusal("ResourceNotFoundException", "DescribeSecret")),
    ),
    ("console", "table of sessions deletes nothing", lambda aws: aws.expiry.update(SessionsTable={})),
    ("policies of the tables", "table of sessions the statement OnlyFunctionsWriteItems", everybody_writes_sessions),
    (
        "policies of the tables",
        "table of decisions the statement OnlyFunctionsWriteItems names others",
        lambda aws: statement(aws.table_policies["credits_table"], "OnlyFunctionsWriteItems")["Condition"][
            "ArnNotEquals"
        ]["aws:PrincipalArn"].remove(f"{ROLE}/ServeConsoleRole"),
    ),
]


def test_a_check_notices_what_is_wrong_with_the_console() -> None:
    for check, says, make in FAULTS_OF_THE_CONSOLE:
        aws = HealthyAws(CONSOLE)
        make(aws)
        assert [text for name, text in findings(aws) if name == check and says in text], says


def test_a_call_that_fails_stops_no_other_check() -> None:
    aws = HealthyAws()
    aws.replies["s3.get_bucket_versioning"] = refusal("AccessDenied", "GetBucketVersioning")
    aws.replies["logs.describe_log_groups"] = ReadTimeoutError(endpoint_url="https://logs")
    found = dict(findings(aws))
    assert found.keys() == {"bucket", "logs"}
    assert "you may not call GetBucketVersioning" in found["bucket"]
    assert "did not answer (ReadTimeoutError)" in found["logs"]


def test_a_stack_of_an_older_release_that_lacks_a_parameter_is_told() -> None:
    aws = HealthyAws()
    del aws.template.parameters["NoticeWorkers"]
    assert [check for check, says in findings(aws) if "no parameter NoticeWorkers" in says] == ["concurrency"]


@pytest.mark.parametrize("fails", [KeyboardInterrupt(), refusal("InternalServerError", "PutItem")])
def test_an_item_that_a_table_took_is_removed_whatever_happens(fails: BaseException) -> None:
    aws = HealthyAws()
    aws.take_items()
    put = aws.replies["dynamodb.put_item"]

    def failing(**given: Any) -> Any:
        put(**given)  # the reply is lost, the item is there
        raise fails

    aws.replies["dynamodb.put_item"] = failing
    run(aws)
    assert aws.items == {}


def test_what_another_program_than_aws_cannot_show_is_no_finding() -> None:
    aws = HealthyAws()
    aws.endpoint = "http://127.0.0.1:4566"
    aws.replies["events.put_events"] = {"Entries": [{}]}
    aws.replies["sqs.send_message"] = {"MessageId": "1"}
    aws.take_items()
    aws.table_policies = {name: {} for name in aws.table_policies}
    aws.replies["dynamodb.describe_limits"] = refusal("UnknownOperationException", "DescribeLimits")
    assert findings(aws) == []
    assert aws.items == {}
    assert run(aws).stdout.count("not shown") == 9
    taken = [given["QueueUrl"] for name, given in aws.calls if name == "send_message"]
    assert taken
    assert not any("ncidents" in url for url in taken), "it would leave a refused event"


def test_a_refusal_that_is_no_explicit_deny_shows_nothing_about_the_policy() -> None:
    aws = HealthyAws()
    aws.replies["events.put_events"] = refusal("AccessDeniedException", "PutEvents", "no policy allows it")
    result = run(aws)
    assert result.exit_code == 0
    assert " ".join(result.stdout.split()).count("your own permissions may have refused it") == 2


def test_a_caller_who_may_publish_or_send_tries_no_door_that_is_open_to_him() -> None:
    aws = HealthyAws({"PublisherArns": f"{ROLE}/path/deployers", "OperatorArns": f"{ROLE}/deployers"})
    assert findings(aws) == []
    tried = [given["Entries"][0]["Source"] for name, given in aws.calls if name == "put_events"]
    assert tried == ["kulanz"]
    assert "send_message" not in [name for name, _ in aws.calls]


@pytest.mark.parametrize(
    ("arn", "is_listed"),
    [
        (f"{ROLE}/deployers", True),
        (f"{ROLE}/a/path/deployers", True),
        (f"{ROLE}/others", False),
        ("arn:aws:iam::999999999999:role/deployers", False),
        (f"arn:aws:iam::{ACCOUNT_ID}:user/deployers", False),
    ],
)
def test_a_session_is_its_role(arn: str, is_listed: bool) -> None:
    assert Examined(HealthyAws()).is_caller_in([arn]) is is_listed


def test_no_stream_filter_matches_the_test_item_and_no_account_has_its_key() -> None:
    mappings = HealthyAws().template.of_type("AWS::Lambda::EventSourceMapping").values()
    patterns = [
        json.loads(one["Pattern"]) for each in mappings for one in each.get("FilterCriteria", {}).get("Filters", [])
    ]
    places = [place for pattern in patterns for place in pattern["dynamodb"]["NewImage"]["sk"]["S"]]
    assert len(places) == 5
    for place in places:
        assert place != PLACE if isinstance(place, str) else not PLACE.startswith(place["prefix"])
    with pytest.raises(ValueError, match=r"."):
        DecisionKey.parse(f"{PARTITION}1", PLACE)
    assert not DecisionKey("1", "i", "", 1).partition.startswith(PARTITION)
