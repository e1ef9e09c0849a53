"""`kulanz doctor`, whole: every sentence and every advice, of a healthy stack, of each fault, and outside AWS.

A finding is read by somebody whose stack may just have lost its protection. What is said of it, what is to be done, and
what is not said besides, is compared with an approved text; each edge of a check stands there from both sides.
"""

import io
import json
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from textwrap import wrap
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from click.testing import CliRunner

import kulanz
from kulanz.domain.confirmation import Confirmation, Occasion
from kulanz.versions import versions
from kulanz_cli.doctor import clock, command, functions
from kulanz_cli.doctor.command import CHECKS
from kulanz_cli.doctor.examined import Check, Examined, Verdict, examine
from kulanz_cli.doctor.functions import SHARDS_LEAST
from kulanz_cli.doctor.thorough import DRIFT_LONGEST_SECONDS, DRIFT_POLL_SECONDS, STEPS, checks
from kulanz_cli.main import main
from tests.support.approved import must_be_as_approved
from tests.support.healthy_aws import ACCOUNT, CONSOLE_FUNCTION, NOW, TABLES, HealthyAws, refusal
from tests.template.resolved import CONSOLE
from tests.unit.cli.test_doctor import EXPIRES_LISTS, FAULTS, FAULTS_OF_THE_CONSOLE, LISTS, answer, statement, table
from tests.unit.cli.test_doctor_streams import FAULTS as FAULTS_OF_STREAMS
from tests.unit.cli.test_doctor_streams import mapping, to_the_topic
from tests.unit.cli.test_doctor_thorough import healthy

type Make = Callable[[HealthyAws], object]


def invoked(aws: HealthyAws, content: Any, *, fails: bool = False) -> None:
    """Each function answers so."""
    error = {"FunctionError": "Unhandled"} if fails else {}
    aws.replies["lambda.invoke"] = lambda **_: {**error, "Payload": io.BytesIO(json.dumps(content).encode())}


def state(name: str) -> Make:
    return lambda aws: setattr(aws, "state", name)


def parameters(**given: Any) -> Make:
    return lambda aws: aws.template.parameters.update(given)


def rule(**changes: Any) -> Make:
    rules = "s3.get_bucket_lifecycle_configuration"
    return lambda aws: aws.replies[rules]["Rules"].append(EXPIRES_LISTS | changes)


def alarm(**changes: Any) -> Make:
    return lambda aws: aws.replies["cloudwatch.describe_alarms"]["MetricAlarms"][0].update(changes)


def subscriptions(*arns: str) -> Make:
    return answer("sns.list_subscriptions_by_topic", {"Subscriptions": [{"SubscriptionArn": arn} for arn in arns]})


def of_mapping(name: str, **changes: Any) -> Make:
    return lambda aws: aws.mappings[name][0].update(changes)


def units(most: int) -> Make:
    return answer("dynamodb.describe_limits", {"TableMaxWriteCapacityUnits": most})


def at_once(most: int) -> Make:
    return answer("lambda.get_account_settings", {"AccountLimit": {"UnreservedConcurrentExecutions": most}})


def both(*makes: Make) -> Make:
    return lambda aws: [make(aws) for make in makes]


def confirmed(occasion: Occasion) -> Make:
    return lambda aws: setattr(aws.confirmed, "given", Confirmation(TABLES, occasion, "grace", "moved", NOW))


EDGES: dict[str, Make] = {
    "deployment: created": state("CREATE_COMPLETE"),
    "deployment: imported": state("IMPORT_COMPLETE"),
    "deployment: import rolled back": state("IMPORT_ROLLBACK_COMPLETE"),
    "deployment: created in vain": state("ROLLBACK_COMPLETE"),
    "deployment: being cleaned up": state("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    "confirmation: confirmed again": confirmed(list(Occasion)[-1]),
    "tables: key of KMS changes": table(SSEDescription={"Status": "UPDATING"}),
    "tables: key of KMS goes": table(SSEDescription={"Status": "DISABLING"}),
    "tables: protected in words": table(DeletionProtectionEnabled="TRUE"),
    "tables: expiry begins": lambda aws: aws.expiry["credits_table"].update(TimeToLiveStatus="ENABLING"),
    "tables: expiry ends": lambda aws: aws.expiry["credits_table"].update(TimeToLiveStatus="DISABLING"),
    "tables: campaigns expire by and by": lambda aws: aws.expiry["campaigns_table"].update(
        TimeToLiveStatus="ENABLING", AttributeName="a"
    ),
    "bucket: no public access block": answer("s3.get_public_access_block", {"PublicAccessBlockConfiguration": {}}),
    "bucket: a rule that is off": rule(Status="Disabled"),
    "bucket: versions expire": rule(ID="V", Expiration=None, NoncurrentVersionExpiration={"NoncurrentDays": 1}),
    "bucket: lists are moved": rule(ID="T", Transitions=[], Filter={"Prefix": "lists/"}),
    "bucket: versions are moved": rule(ID="N", NoncurrentVersionTransitions=[], Prefix="policies/"),
    "bucket: two rules, one of ours": both(
        rule(Prefix="rejected/"), rule(ID="A"), rule(ID="B", Filter={"Prefix": "x"})
    ),
    "bucket: a rule of two prefixes is none of ours": rule(ID="", Filter={"And": {"Prefix": "exports/"}}),
    "bucket: one prefix is kept": lambda aws: aws.replies["s3.get_bucket_lifecycle_configuration"]["Rules"].pop(),
    "code: a function sleeps": lambda aws: aws.functions["grant_credits"].update(State="Inactive"),
    "code: a function is pending": lambda aws: aws.functions["grant_credits"].update(
        State="Pending", StateReason="Creating"
    ),
    "code: another processor": lambda aws: aws.functions["publish_notices"].update(Architectures=["arm64"]),
    "code: another Python": lambda aws: aws.functions["publish_notices"].update(Runtime="python3.12"),
    "code: three kinds": lambda aws: [
        aws.functions[name].update(Runtime=name) for name in ("publish_notices", "draft_incidents")
    ],
    "code: an error without a type": lambda aws: invoked(aws, {}, fails=True),
    "code: an error that is no object": lambda aws: invoked(aws, ["x"], fails=True),
    "code: another release runs": lambda aws: aws.running.update(release="0.0.9"),
    "code: another Python version runs": lambda aws: aws.running.update(python="3.12.1", machine="aarch64"),
    "code: clock of the functions, ahead": lambda aws: aws.running.update(now=(NOW + timedelta(hours=2)).isoformat()),
    "event source mappings: a mapping begins": of_mapping("grant_credits", State="Enabling"),
    "event source mappings: a mapping is made": of_mapping("grant_credits", State="Creating"),
    "event source mappings: a mapping changes": of_mapping("grant_credits", State="Updating"),
    "event source mappings: a mapping ends": of_mapping("grant_credits", State="Disabling"),
    "event source mappings: no records": of_mapping("grant_credits", LastProcessingResult="No records processed"),
    "event source mappings: one mapping too many": lambda aws: aws.mappings["open_campaign"].append(
        {"UUID": "u", "State": "Enabled"}
    ),
    "event source mappings: any number of workers": of_mapping("grant_credits", ScalingConfig={}),
    "logs: logs are kept for ever": lambda aws: [
        one.pop("retentionInDays") for one in aws.replies["logs.describe_log_groups"]["logGroups"]
    ],
    "logs: logs for another time": parameters(LogRetentionDays="30"),
    "alarms: an alarm sends elsewhere": alarm(AlarmActions=["arn:other"]),
    "alarms: an alarm without a word": alarm(ActionsEnabled=None),
    "alarms: an alarm lacks data": alarm(StateValue="INSUFFICIENT_DATA"),
    "alarms: alarms ring and send nowhere": both(
        alarm(StateValue="ALARM", AlarmActions=[]), parameters(AlarmTopicArn="")
    ),
    "concurrency: exactly enough at once": at_once(10 + 2 * SHARDS_LEAST + 2),
    "concurrency: one too few at once": at_once(9 + 2 * SHARDS_LEAST + 2),
    "write quotas: exactly the rate": both(
        units(4000), parameters(TargetWriteRate="4000", WarmWriteUnitsPerSecond="4000")
    ),
    "write quotas: one unit too few": both(
        units(3999), parameters(TargetWriteRate="4000", WarmWriteUnitsPerSecond="4000")
    ),
    "write quotas: warm is too much": both(
        units(3000), parameters(TargetWriteRate="3000", WarmWriteUnitsPerSecond="3001")
    ),
    "write quotas: no limit": both(units(5000), parameters(TargetWriteRate="1000000", WarmWriteUnitsPerSecond="4000")),
    "write quotas: nearly no limit": both(
        units(999_999), parameters(TargetWriteRate="999999", WarmWriteUnitsPerSecond="4000")
    ),
    "notices topic: some wait": subscriptions("PendingConfirmation", "a", "b"),
    "notices topic: two of three wait": subscriptions("PendingConfirmation", "PendingConfirmation", "c"),
    "credits topic: nobody hears of credits, some wait": to_the_topic(subscriptions("PendingConfirmation")),
    "notices topic: nobody hears": subscriptions(),
    "credits topic: another channel is a topic": parameters(OtherChannels="other:csv,third:topic"),
    "streams: nothing was looked into": answer(
        "cloudwatch.get_metric_statistics", {"Datapoints": [{"SampleCount": 0.0}]}
    ),
    "permissions: no permission at all": answer(
        "iam.simulate_principal_policy", {"EvaluationResults": [{"EvalDecision": "explicitDeny"}]}
    ),
    "streams: a table without a stream": table(LatestStreamArn=None),
    "streams: one more filter": mapping(
        "PublishNoticesFunctionRevisions",
        FilterCriteria={
            "Filters": [
                {"Pattern": json.dumps({"eventName": ["INSERT"]})},
                {"Pattern": json.dumps({"eventName": ["MODIFY"]})},
            ]
        },
    ),
    "policy of the bus: two statements more": lambda aws: aws.bus_policy["Statement"].extend(
        [{"Sid": "More", "Effect": "Allow"}, {"Effect": "Allow"}, {"Sid": "Less", "Effect": "Deny"}]
    ),
    "policy of the bus: one statement as an object": lambda aws: aws.bus_policy.update(
        Statement={"Sid": "One", "Effect": "Deny"}
    ),
    "policy of the bus: everything is meant": lambda aws: statement(aws.bus_policy, "NobodyElseMayPublish").update(
        Resource="*"
    ),
    "code: a function may not ask": answer(
        "lambda.get_function_configuration", refusal("UnauthorizedOperation", "Ask")
    ),
    "notices topic: a service does not answer": answer(
        "sns.get_topic_attributes", ConnectTimeoutError(endpoint_url="https://sns")
    ),
    "policy of the bus: a service is out of order": answer(
        "events.describe_event_bus", refusal("InternalError", "DescribeEventBus")
    ),
    "alarms: a call that is unknown": answer("cloudwatch.describe_alarms", refusal("UnknownThing", "DescribeAlarms")),
    "policies of the queues: a call that is none": answer(
        "sqs.get_queue_attributes", refusal("InvalidAction", "GetQueueAttributes")
    ),
    "put on the bus: an entry of the bus is refused": answer(
        "events.put_events", {"Entries": [{"EventId": "1"}, {"ErrorCode": "NotAuthorized"}]}
    ),
    "put on the bus: an entry of the bus fails": answer(
        "events.put_events", {"Entries": [{"ErrorCode": "InternalFailure"}]}
    ),
    "write to the tables: refused without a policy": answer(
        "dynamodb.put_item", refusal("AccessDeniedException", "PutItem")
    ),
    "clock: no Date header": answer("dynamodb.list_tables", {"ResponseMetadata": {}}),
}
OF_THE_CONSOLE: dict[str, Make] = {
    "led nowhere": lambda aws: setattr(aws, "login", {"statusCode": 303, "headers": {}}),
    "led by another answer": lambda aws: setattr(
        aws, "login", {"statusCode": 302, "headers": {"location": "https://login.example.com/"}}),
    "no answer": lambda aws: setattr(aws, "login", None),
    "an error without a type": lambda aws: setattr(aws, "broken", {CONSOLE_FUNCTION}),
    "secrets may not be seen": answer("secretsmanager.describe_secret", refusal("AccessDenied", "DescribeSecret")),
    "sessions expire by another attribute": lambda aws: aws.expiry.update(
        SessionsTable={"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}),
}  # fmt: skip
PARAMETERS: dict[str, dict[str, str]] = {
    "the lists are stated": LISTS, "nothing is protected": {"DeletionProtection": "false"},
    "a console": CONSOLE, "subscribers": {"SubscriberAccountIds": "999999999999"},
    "who may send and publish": {"PublisherArns": f"arn:aws:iam::{ACCOUNT}:role/deployers",
                                 "OperatorArns": f"arn:aws:iam::{ACCOUNT}:role/deployers"},
}  # fmt: skip


def told(aws: HealthyAws, made: Mapping[str, Check] = CHECKS) -> list[str]:
    """Each result with its check, verdict and advice; what is another on each machine is left out."""
    here = versions(datetime.now(UTC))
    varying = {
        f"on Python {platform.python_version()} ({platform.machine()})": "on Python as here",
        f"engine {here['engine']} with time zones {here['time_zones']}": "engine and time zones as here",
        f"release {kulanz.__version__}": "the release here",
        f"command {kulanz.__version__}": "command of the release here",
        f"command {here['time_zones']}": "command of the zones here",
        f"command {here['engine']}:": "command of its engine:",
    }  # fmt: skip
    found = []
    for one in examine(Examined(aws), made):
        result = one.result
        text = f"{one.check} | {result.verdict.value}: {result.says}{' To do: ' if result.do else ''}{result.do}"
        for value, name in varying.items():
            text = text.replace(value, name)
        text = re.sub(r"DOCTOR#[0-9a-f-]{36}", "DOCTOR#drawn", text)
        found.append(re.sub(r"[0-9,]+ s (apart|off)", r"N s \1", text))
    return found


def of(name: str, found: list[str], usual: list[str]) -> Iterator[str]:
    """What is said otherwise than of the usual stack."""
    yield f"# {name}"
    for text in found:
        if text not in usual:
            yield from wrap(text, 116, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
    lacking_ = len([text for text in usual if text not in found])
    yield f"  in place of {lacking_} of {len(usual)}"


def test_what_doctor_says_is_as_it_was_approved() -> None:
    usual = told(HealthyAws())
    said = [*of("a healthy stack", usual, [])]
    for name, given in PARAMETERS.items():
        said += of(name, told(HealthyAws(given)), usual)
    makes = {f"{check}: {says}": make for check, says, make in (*FAULTS, *FAULTS_OF_STREAMS)} | EDGES
    for name, make in makes.items():
        of_check = {check: CHECKS[check] for check in [name.partition(":")[0]]}
        aws = HealthyAws()
        make(aws)
        found = told(aws, of_check)
        said += of(name, found, [text for text in usual if text.startswith(tuple(of_check))])
        if any("| finding: " in text for text in found):
            elsewhere = HealthyAws()
            elsewhere.endpoint = "http://127.0.0.1:4566"
            make(elsewhere)
            said += list(of("outside AWS", [text for text in told(elsewhere, of_check) if text not in found], []))[1:-1]
    ours = {check: CHECKS[check] for check in ("console", "policies of the tables")}
    of_console = told(HealthyAws(CONSOLE), ours)
    faults = {says: make for _, says, make in FAULTS_OF_THE_CONSOLE} | OF_THE_CONSOLE
    for name, make in faults.items():
        aws = HealthyAws(CONSOLE)
        make(aws)
        said += of(f"console: {name}", told(aws, ours), of_console)
    must_be_as_approved("\n".join(said) + "\n", Path(__file__))


def called(aws: HealthyAws) -> list[str]:
    """What was asked of AWS, call by call, without what is another each time."""
    told(aws)
    found = []
    for name, given in aws.calls:
        text = json.dumps(given, sort_keys=True, default=str)
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "DRAWN", text)
        text = re.sub(r"20\d\d-\d\d-[-0-9T: .]+(\+00:00)?", "NOW", text)
        found.append(re.sub(r'"N": "\d+"', '"N": "SECONDS"', f"{name} {text}"))
    return found


def test_what_doctor_asks_and_sends_is_as_it_was_approved() -> None:
    """It tries doors of a stack in use: a message that some function would work, or an item that is read, does harm."""
    must_be_as_approved(
        "\n".join(called(HealthyAws({**CONSOLE, **LISTS}))) + "\n", Path(__file__).with_name("doctor_calls")
    )


def ran(aws: HealthyAws, *words: str, given: str = "") -> list[str]:
    """What the command prints, and its exit code."""
    result = CliRunner().invoke(main, ["doctor", *words], obj=aws, prog_name="kulanz", input=given)
    lines = [line.rstrip() for line in result.output.splitlines()]
    return [f"# {' '.join(words) or 'alone'}: exit {result.exit_code}", *lines]


def test_how_doctor_prints_and_ends_is_as_it_was_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its labels, advice, counts and exit codes, and what it asks before it begins what takes time."""
    few = {name: CHECKS[name] for name in ("notices topic", "write quotas", "alarms", "put on the bus")}
    monkeypatch.setattr(command, "CHECKS", few)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(command, "steps", lambda: checks(lambda _: None))

    def one(*makes: Make) -> HealthyAws:
        aws = healthy()
        both(*makes)(aws)
        return aws

    wrong = subscriptions(), units(3_000)
    said = [*ran(one()), *ran(one(*wrong)), *ran(one(*wrong), "--json"), *ran(one(subscriptions()), "--json")]
    said += [*ran(one(), "--thorough", given="n\n"), *ran(one(), "--thorough", "--yes")]
    said += ran(one(), "--thorough", "--json")
    said += [*ran(one(*wrong), "--thorough", given="y\n"), *ran(one(), "--thorough", "--yes", "--json")]
    must_be_as_approved("\n".join(said) + "\n", Path(__file__).with_name("doctor_prints"))


WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0, ""), (60, ""), (61, "61 s off"), (-60, ""), (-61, ""), (-62, "61 s off"), (3_600, "3,600 s off")],
)
def test_a_clock_may_be_a_minute_off(monkeypatch: pytest.MonkeyPatch, seconds: int, says: str) -> None:
    """A Date counts whole seconds, so that up to one more may have passed since."""
    monkeypatch.setattr(clock, "now", lambda: WHEN)
    aws = HealthyAws()
    date = format_datetime(WHEN + timedelta(seconds=seconds), usegmt=True)
    aws.replies["dynamodb.list_tables"] = {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}
    (found,) = examine(Examined(aws), {"clock": CHECKS["clock"]})
    assert (found.result.verdict is Verdict.FINDING) is bool(says)
    assert says in found.result.says


@pytest.mark.parametrize("seconds", [59, 62])
def test_the_functions_clock_may_be_a_minute_off(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    monkeypatch.setattr(functions, "now", lambda: WHEN)
    aws = HealthyAws()
    for sign in (1, -1):
        aws.running.update(now=(WHEN + sign * timedelta(seconds=seconds)).isoformat())
        found = [one for one in examine(Examined(aws), {"code": CHECKS["code"]}) if "clock" in one.result.says]
        assert [one.result.says for one in found] == [
            f"The functions' clock and this machine's are {seconds} s apart."
        ] * (seconds > 60)


@pytest.mark.parametrize(("age", "verdict"), [(29, Verdict.NOT_SHOWN), (31, Verdict.FINDING)])
def test_a_mapping_that_is_new_has_half_an_hour(age: int, verdict: Verdict) -> None:
    aws = HealthyAws()
    aws.replies["cloudwatch.get_metric_statistics"] = {"Datapoints": []}
    for one in aws.readers.values():
        one.update(LastModified=datetime.now(UTC) - timedelta(minutes=age))
    found = [one.result for one in examine(Examined(aws), {"streams": CHECKS["streams"]})]
    assert [one.verdict for one in found if "look" in one.says] == [verdict] * 3
    asked = [given for name, given in aws.calls if name == "get_metric_statistics"]
    assert {given["EndTime"] - given["StartTime"] for given in asked} == {timedelta(minutes=30)}
    assert {given["Period"] for given in asked} == {1800}


def test_what_the_thorough_part_says_is_said_whole() -> None:
    waits: list[float] = []
    aws = healthy()
    status = "cloudformation.describe_stack_drift_detection_status"
    drifts = "cloudformation.describe_stack_resource_drifts"
    pages = iter([[{"LogicalResourceId": "B"}], [{"LogicalResourceId": "A"}]])
    cases: dict[str, tuple[dict[str, Any], str]] = {
        "ok": ({}, "Every resource that CloudFormation can compare is as it was deployed."),
        "not all": ({status: {"DetectionStatus": "DETECTION_FAILED"}},
                    "CloudFormation could not compare all: no reason."),
        "not all, and why": ({status: {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": "x"}},
                             "CloudFormation could not compare all: x."),
        "changed, on two pages": (
            {drifts: lambda **given: {"StackResourceDrifts": next(pages)} | (
                {} if "NextToken" in given else {"NextToken": "2"})},
            "Changed since the deployment, by hand or by a tool: A, B."),
        "never": ({status: {"DetectionStatus": "DETECTION_IN_PROGRESS"}},
                  "CloudFormation compared for more than 600 s."),
    }  # fmt: skip
    for replies, says in cases.values():
        usual = dict(aws.replies)
        aws.replies |= replies
        (found,) = examine(Examined(aws), {"drift": checks(waits.append)["drift"]})
        aws.replies = usual
        assert found.result.says == says
    assert waits == [DRIFT_POLL_SECONDS] * int(DRIFT_LONGEST_SECONDS / DRIFT_POLL_SECONDS)
    (drift,) = (step for step in STEPS if step.name == "drift")
    assert drift.minutes * 60 == DRIFT_LONGEST_SECONDS
