"""The roles and resource policies of the template, enforced: campaigns go through over HTTPS with exactly these.

So are the roles of persons: each reaches its own routes of the API and no others.

MiniStack asks for three actions that AWS does not have, and does not know as conditions the source of an event, the
enclosing transaction and the header If-None-Match. A role that has the real action
gets the invented one, and what rests on these conditions is left out; nothing else is changed.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from rich.console import Console

from kulanz.adapters.delivery_table import DynamoDeliveries
from kulanz.adapters.s3 import S3Policies
from kulanz.application.door.routes import ROUTES, Role
from kulanz.application.ports import PublishingForbidden
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz_cli.direct import DirectStack
from kulanz_cli.doctor import doors, policies
from kulanz_cli.doctor.examined import Examined, Verdict, examine
from kulanz_cli.send import send
from kulanz_cli.watch import CampaignBars
from kulanz_local import drive
from kulanz_local.cases import CASES
from kulanz_local.deployment import build, deploy
from kulanz_local.embedded import ACCOUNT_ID, REGION, EmbeddedAws, aws_session
from kulanz_local.lists import write_list
from tests.pipeline.conftest import SMALL_CHUNK_BYTES, WORKERS, Deployed
from tests.pipeline.signed import Caller
from tests.pipeline.storms import STORMS, assert_every_cap_is_kept, granted, storms_of_a_year
from tests.support.fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider
from tests.support.reading import read
from tests.support.served_provider import Visitor, certificate, served
from tests.support.world_stack import run
from tests.template.resolved import as_list

pytestmark = pytest.mark.ministack

INVENTED_BY_MINISTACK = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sns:Publish": "sns:PublishBatch",
    "dynamodb:PartiQLInsert": "dynamodb:BatchExecuteStatement",
}
"""For a batch AWS asks for the left action; MiniStack for the right one too, on no resource in particular."""
UNKNOWN_TO_MINISTACK = {"events:source", "dynamodb:EnclosingOperation", "dynamodb:LeadingKeys"}
PUBLISHER, ADMINISTRATOR = "rules-desk", "administrator"
ACCOUNTS_PER_LIST = 150
SEED = 7
LONGEST_SECONDS = 240


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate, and its key."""
    return certificate(tmp_path_factory.mktemp("provider"))


@pytest.fixture(scope="module")
def provider(certified: tuple[Path, Path]) -> Iterator[FakeProvider]:
    """The company's provider of logins."""
    with served(*certified) as found:
        yield found


@pytest.fixture(scope="module")
def enforcing(provider: FakeProvider, certified: tuple[Path, Path]) -> Iterator[Deployed]:
    """The stack on an AWS that checks every call of every function, with a console for whoever logs in."""
    build()
    trusts = {"SSL_CERT_FILE": str(certified[0])}
    with (
        EmbeddedAws(enforcing=True, function_environment=trusts) as aws,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AWS_CA_BUNDLE", str(aws.certificate))
        publishers = f"arn:aws:iam::{ACCOUNT_ID}:user/{PUBLISHER}"
        parameters = {
            "MaximumConcurrency": WORKERS, "ChunkBytes": SMALL_CHUNK_BYTES, "PolicyPublisherArns": publishers,
            "DeliveryChannel": "billing:topic", "ConsoleIssuer": provider.issuer, "ConsoleClientId": CLIENT_ID,
        }  # fmt: skip
        outputs = deploy(aws.endpoint, parameters=parameters)
        deployed = Deployed(aws, outputs, aws_session())
        adapt_roles(deployed)
        yield deployed


def adapt_roles(deployed: Deployed) -> None:
    iam = deployed.session.client("iam", endpoint_url=deployed.aws.endpoint)
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        for policy_name in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document: Any = iam.get_role_policy(RoleName=name, PolicyName=policy_name)["PolicyDocument"]
            granted = {action for item in document["Statement"] for action in as_list(item["Action"])}
            invented = [INVENTED_BY_MINISTACK[action] for action in granted & set(INVENTED_BY_MINISTACK)]
            for statement in document["Statement"]:
                asked = {key for keys in statement.get("Condition", {}).values() for key in keys}
                if asked and asked <= UNKNOWN_TO_MINISTACK:
                    del statement["Condition"]
            if invented:
                document["Statement"].append({"Effect": "Allow", "Action": invented, "Resource": "*"})
            iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(document))


def said_yes(stack: DirectStack, campaign_id: CampaignId) -> list[str]:
    """Who approved a campaign's plan, the first one first: the table has them by ids, which are drawn."""
    return [one.person for one in sorted(stack.campaigns().actions(campaign_id), key=lambda one: one.at)]


def logged(stack: Any) -> Iterator[str]:
    logs = stack.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            yield event["message"]


def test_both_cases_and_three_incidents_under_one_yearly_cap_go_through_with_the_permissions_of_the_template(
    enforcing: Deployed, tmp_path: Path
) -> None:
    stack = drive.stack_of(enforcing.aws)
    queue = subscribed(stack, enforcing.outputs.credits_topic_arn)
    for case in CASES:
        path = tmp_path / Path(case.key).name
        rows = write_list(case.maker, ACCOUNTS_PER_LIST, SEED, path).rows
        assert drive.run_kulanz(stack, "policy", "publish", str(case.policy)) == 0
        send(drive.completed_event(stack, case, path, rows), stack)
    storms = storms_of_a_year(stack, tmp_path)
    for storm in storms:
        send(storm, stack)
    identities = [CampaignId(incident_id, 1) for incident_id in (*(case.incident_id for case in CASES), *STORMS)]

    def denied_nothing() -> None:
        denied = [line for line in logged(stack) if "AccessDenied" in line or "AuthorizationError" in line]
        assert not denied, denied[0]

    with CampaignBars(Console(quiet=True)) as bars:
        campaigns = drive.follow(stack, identities, bars, LONGEST_SECONDS, denied_nothing)
    assert {(campaign.state, campaign.state_reason) for campaign in campaigns} == {(State.CLOSED, "balanced")}
    paid = granted(stack)
    assert_every_cap_is_kept(paid, campaigns[len(CASES) :])
    for storm in storms:
        send(storm, stack)
    drive.wait_until_quiet(stack, [enforcing.outputs.chunks_queue_url], LONGEST_SECONDS)
    deliveries = DynamoDeliveries(stack.client("dynamodb"), enforcing.outputs.campaigns_table_name)
    drive.wait_until("the deliveries", LONGEST_SECONDS, lambda: not deliveries.open_deliveries())
    assert granted(stack) == paid, "the same events once more change nothing"
    assert drive.run_kulanz(stack, "ask", "fi-00000", "--incident", STORMS[0]) == 0
    denied_nothing()
    expected = {one.id.serial: one.sums.number for one in deliveries.of_channel("billing")}
    assert len(expected) >= len(CASES)
    assert {serial: len(ids) for serial, ids in received(stack, queue, sum(expected.values())).items()} == expected


def subscribed(stack: DirectStack, topic_arn: str) -> str:
    """A queue of billing that hears the credits topic."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:billing"
    may_send = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**may_send, "Resource": arn}]}
    attributes = {"Policy": json.dumps(policy)}
    url: str = stack.client("sqs").create_queue(QueueName="billing", Attributes=attributes)["QueueUrl"]
    stack.client("sns").subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    return url


def received(stack: DirectStack, queue: str, most: int) -> dict[int, set[str]]:
    """The ids of the credits that came, by the serial of their delivery; as long as there are more."""
    found: dict[int, set[str]] = {}
    while sum(map(len, found.values())) < most:
        messages = stack.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            content = json.loads(message["Body"])
            found.setdefault(content["serial"], set()).update(one["credit_id"] for one in content["credits"])
        if not messages:
            break
    return found


PROBE = """
import os
import boto3
from botocore.exceptions import ClientError

def handle(event, context):
    refusals = []
    for service, call, arguments in event:
        try:
            getattr(boto3.client(service), call)(**arguments)
        except ClientError as error:
            refusals.append(error.response["Error"]["Code"])
        else:
            refusals.append(None)
    return refusals
"""


def test_a_worker_may_not_do_what_the_template_does_not_grant(enforcing: Deployed) -> None:
    """Otherwise the test above would prove nothing."""
    functions = enforcing.session.client("lambda", endpoint_url=enforcing.aws.endpoint)
    worker = functions.get_function_configuration(FunctionName=enforcing.outputs.grant_credits_function_name)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("probe.py", PROBE)
    functions.create_function(
        FunctionName="probe",
        Runtime=worker["Runtime"],
        Role=worker["Role"],
        Handler="probe.handle",
        Code={"ZipFile": code.getvalue()},
        Layers=[layer["Arn"] for layer in worker["Layers"]],
        Timeout=60,
    )
    bucket, ledger = enforcing.outputs.list_bucket_name, enforcing.outputs.credits_table_name
    key = {"pk": {"S": "ACCOUNT#1"}, "sk": {"S": "DECISION#1"}}
    calls = [
        ("dynamodb", "delete_item", {"TableName": ledger, "Key": key}),
        ("dynamodb", "scan", {"TableName": ledger}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "lists/mine.csv", "Body": "account_id"}),
        ("s3", "delete_object", {"Bucket": bucket, "Key": CASES[0].key}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "campaigns/x/report.json", "Body": "{}"}),
        ("s3", "put_object", {"Bucket": bucket, "Key": "policies/mine/1.json", "Body": "{}", "IfNoneMatch": "*"}),
    ]
    answer = functions.invoke(FunctionName="probe", Payload=json.dumps(calls))["Payload"].read()
    refused = ["AccessDeniedException", "AccessDeniedException", "AccessDenied", "AccessDenied", None, "AccessDenied"]
    assert json.loads(answer) == refused


def user_session(deployed: Deployed, name: str, action: str) -> boto3.Session:
    """The session of a user whom IAM itself permits an action everywhere."""
    iam = deployed.session.client("iam", endpoint_url=deployed.aws.endpoint)
    iam.create_user(UserName=name)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="everything", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.Session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name=REGION
    )


def user_client(deployed: Deployed, name: str) -> Any:
    """S3 as a user sees it whom IAM itself permits everything there."""
    return user_session(deployed, name, "s3:*").client("s3", endpoint_url=deployed.aws.endpoint)


def test_only_a_listed_publisher_publishes_policies_and_nobody_hides_one(enforcing: Deployed) -> None:
    bucket = enforcing.outputs.list_bucket_name
    owner = enforcing.session.client("s3", endpoint_url=enforcing.aws.endpoint)
    document = json.loads(owner.get_bucket_policy(Bucket=bucket)["Policy"])
    known = [item for item in document["Statement"] if item["Sid"] != "APublishedPolicyIsNeverReplaced"]
    assert len(known) == len(document["Statement"]) - 1
    owner.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**document, "Statement": known}))

    publisher, administrator = (user_client(enforcing, name) for name in (PUBLISHER, ADMINISTRATOR))
    with pytest.raises(PublishingForbidden):
        S3Policies(administrator, bucket, "policies/").publish("five", 1, b"{}")
    assert S3Policies(publisher, bucket, "policies/").publish("five", 1, b"{}")
    for client in (publisher, administrator):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket=bucket, Key="policies/five/1.json")
    administrator.put_object(Bucket=bucket, Key="lists/five.csv", Body=b"account_id\n")


def test_a_direct_send_is_refused_to_an_administrator_and_doctor_shows_it(enforcing: Deployed) -> None:
    session = user_session(enforcing, "deployer", "*")
    at = Examined(DirectStack("kulanz", endpoint_url=enforcing.aws.endpoint, make_client=session.client))
    checks = {"policies": policies.queues, "send": doors.queues}
    found = [one.result for one in examine(at, checks)]
    assert [result for result in found if result.verdict is not Verdict.OK] == []
    assert [result.says for result in found if "direct send" in result.says] == [
        "A direct send to the incidents queue is refused.",
        "A direct send to the chunk queue is refused.",
    ]


# The roles of persons


def person(deployed: Deployed, name: str, *policies: str) -> Caller:
    """An IAM user with some policies and nothing else."""
    iam = deployed.session.client("iam", endpoint_url=deployed.aws.endpoint)
    iam.create_user(UserName=name)
    for arn in policies:
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Caller(deployed.aws, deployed.outputs, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))


def role_policies(deployed: Deployed) -> dict[Role, str]:
    """The managed policy of each role, by the stack's outputs."""
    stacks = deployed.session.client("cloudformation", endpoint_url=deployed.aws.endpoint).describe_stacks()["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for stack in stacks for one in stack.get("Outputs", [])}
    return {role: outputs[f"{role.value.title()}PolicyArn"] for role in Role}


VALUES: tuple[Mapping[str, str], ...] = (
    {},
    {"incident": "pause", "account": "stops", "id": "approvals", "policy": "campaigns"},
    {"incident": "repairs", "account": "requests", "id": "campaigns", "policy": "one"},
)
"""Values of paths: harmless ones, and the words of other routes."""
HARMLESS = {
    "account": "a-1", "channel": "billing", "currency": "EUR", "day": "2026-11-29", "draft": "it-a1-voice",
    "file": "0123456789ab", "id": "an-id", "incident": "an-incident", "month": "2026-11", "policy": "a-policy",
    "queue": "chunks", "revision": "1", "seq": "1", "serial": "1", "version": "1",
    "goodwill": "T-1", "void": "wrong-list",
}  # fmt: skip


@pytest.fixture(scope="module")
def callers(enforcing: Deployed) -> Mapping[Role, Caller]:
    """A person for each role."""
    return {role: person(enforcing, f"person-{role}", arn) for role, arn in role_policies(enforcing).items()}


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_its_own_routes_and_no_others(callers: Mapping[Role, Caller], role: Role) -> None:
    """Whether the function answers, with whatever: an empty body changes nothing and names what it lacks."""
    for route in ROUTES:
        for values in VALUES if route.names else VALUES[:1]:
            path = route.path
            for name in route.names:
                path = path.replace(f"{{{name}}}", values.get(name, HARMLESS[name]))
            answered = callers[role].call(route.method, path, None if route.method == "GET" else {"not": "a body"})
            if role in route.roles:
                assert not answered.is_of_the_gateway, (path, answered)
                assert answered.status < 500, (path, answered)
            else:
                assert (answered.status, answered.is_of_the_gateway) == (403, True), (path, answered)


def test_nobody_without_a_signature_or_a_role_reaches_anything(enforcing: Deployed) -> None:
    key = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    nobody = [
        Caller(enforcing.aws, enforcing.outputs, None),
        Caller(enforcing.aws, enforcing.outputs, key),
        person(enforcing, "person-without-a-role"),
    ]
    for caller in nobody:
        for route in ROUTES:
            path = re.sub(r"{(\w+)}", lambda found: HARMLESS[found[1]], route.path)
            answered = caller.call(route.method, path)
            assert (answered.status, answered.is_of_the_gateway) == (403, True), (path, answered)


def test_a_route_that_there_is_not_is_the_gateways_to_refuse(callers: Mapping[Role, Caller]) -> None:
    caller = callers[Role.AUDITOR]
    asked = (("GET", "/v1/nothing"), ("GET", "/v2/campaigns/open"), ("POST", "/v1/campaigns/open"), ("GET", "/"))
    for method, path in asked:
        answered = caller.call(method, path)
        assert (answered.status in (403, 404), answered.is_of_the_gateway) == (True, True), (path, answered)


def test_support_answers_did_they_get_it_and_why(enforcing: Deployed, callers: Mapping[Role, Caller]) -> None:
    """By the campaigns that the first test of this module ran."""
    incident = CASES[0].incident_id
    ledger = enforcing.session.client("dynamodb", endpoint_url=enforcing.aws.endpoint)
    found = ledger.scan(TableName=enforcing.outputs.credits_table_name)["Items"]
    decided = [
        item["pk"]["S"].partition("#")[2] for item in found if item["sk"]["S"].startswith(f"DECISION#{incident}#")
    ]
    answered = callers[Role.SUPPORT].call("GET", f"/v1/accounts/{decided[0]}?incident={incident}")
    assert answered.status == 200
    (decision,) = answered.content["decisions"]
    assert decision["explained"] == "agrees"
    assert decision["steps"]


# The command with a role's policy and nothing else


def commanding(deployed: Deployed, role: Role) -> DirectStack:
    """The stack as the command of a new person sees it, who has one role."""
    iam = deployed.session.client("iam", endpoint_url=deployed.aws.endpoint)
    name = f"commander-{role}"
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=role_policies(deployed)[role])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    keys = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    return DirectStack(
        "kulanz", region=REGION, endpoint_url=deployed.aws.endpoint, make_client=session.client, credentials=keys
    )


CAMPAIGN_OF_CASE = f"{CASES[0].incident_id}/1"
NEEDS_ROLE: Mapping[Role, tuple[tuple[tuple[str, ...], str], ...]] = {
    Role.SUPPORT: (
        (("campaigns",), "requester"),
        (("watch", CAMPAIGN_OF_CASE), "requester"),
        (("rejected", CAMPAIGN_OF_CASE), "requester"),
        (("pause", CAMPAIGN_OF_CASE, "--reason", "r"), "operator"),
        (("notices", "status", CASES[0].incident_id), "operator"),
        (("log", CAMPAIGN_OF_CASE), "auditor"),
        (("policy", "list", "--published"), "requester"),
    ),
    Role.OPERATOR: (
        (("ask", "a-1"), "support"),
        (("accept", "a-1", "--incident", CASES[0].incident_id), "support"),
        (("log", CAMPAIGN_OF_CASE), "auditor"),
    ),
}


@pytest.mark.parametrize("role", NEEDS_ROLE)
def test_a_command_that_lacks_a_role_says_which(enforcing: Deployed, role: Role) -> None:
    stack = commanding(enforcing, role)
    for words, needed in NEEDS_ROLE[role]:
        refused = run(stack, *words)
        assert (refused.exit_code, refused.stdout) == (3, ""), words
        assert "lack the role" in read(refused.stderr), words
        assert needed in read(refused.stderr), words
    allowed = ("ask", "nobody") if role is Role.SUPPORT else ("notices", "status", CASES[0].incident_id)
    result = run(stack, *allowed)
    assert (result.exit_code, result.stderr) == (1 if role is Role.SUPPORT else 0, "")


# The console, for persons who log in


@pytest.fixture
def listed(enforcing: Deployed, provider: FakeProvider, tmp_path: Path) -> DirectStack:
    """The stack with the console's secret, and a people file that says who logs in."""
    stack = drive.stack_of(enforcing.aws)
    stack.client("secretsmanager").create_secret(Name="kulanz/console", SecretString=CLIENT_SECRET)
    persons = {name: {"ids": [f"login:{provider.issuer}#{name}"]} for name in ("anna", "ben")}
    path = tmp_path / "people.yaml"
    path.write_text(json.dumps({"kulanz_people": 1, "version": 1, "persons": persons}))  # JSON is YAML
    assert drive.run_kulanz(stack, "people", "publish", str(path)) == 0
    return stack


def test_whoever_logs_in_approves_answers_and_closes_the_month_with_the_permissions_of_the_template(
    enforcing: Deployed, provider: FakeProvider, listed: DirectStack, tmp_path: Path
) -> None:
    gateway = f"{enforcing.aws.endpoint}/_aws/execute-api/{enforcing.outputs.api_id}/$default"
    host = enforcing.outputs.console_url.removeprefix("https://").removesuffix("/console")

    def visitor(host: str = host) -> Visitor:
        return Visitor(gateway, host, enforcing.aws.certificate)

    assert visitor().get("/")[0] == 401
    assert visitor("evil.example").get("/")[0] == 421
    assert visitor().sign_in(provider, "mallory", "staff")[0] == 403, "in none of the groups"

    case, campaign_id = CASES[0], CampaignId("console-outage", 1)
    assert drive.run_kulanz(listed, "policy", "publish", str(case.policy)) == 0
    path = tmp_path / Path(case.key).name
    rows = write_list(case.maker, ACCOUNTS_PER_LIST, SEED + 1, path)
    event = drive.completed_event(listed, case, path, rows.rows)
    send({**event, "detail": {**event["detail"], "incident_id": campaign_id.incident_id}}, listed)

    def state() -> State | None:
        campaign = listed.campaigns().campaign(campaign_id)
        return None if campaign is None else campaign.state

    drive.wait_until("the plan", LONGEST_SECONDS, lambda: state() is State.AWAITING_APPROVAL)
    plan = f"/plan/{campaign_id}"
    agent = visitor()
    assert agent.sign_in(provider, "carla", "kulanz-support")[0] == 200
    assert agent.get(plan)[0] == 403, "support approves nothing, and sees no plan"
    for name, leads_to in (("anna", plan), ("ben", f"/campaign/{campaign_id}")):
        approver = visitor()
        assert approver.sign_in(provider, name, "kulanz-approver")[0] == 200
        assert approver.submit(plan, f"{plan}/approve")[:2] == (303, f"/console{leads_to}")
    drive.wait_until("the end of the campaign", LONGEST_SECONDS, lambda: state() is State.CLOSED)
    approvals = said_yes(listed, campaign_id)
    assert approvals == [f"login:{provider.issuer}#{name}" for name in ("anna", "ben")]

    account = rows.examples["granted"]
    status, text = agent.get(f"/account?{urlencode({'id': account})}")
    assert (status, account in text, campaign_id.incident_id in text) == (200, True, True)
    controller = visitor()
    assert controller.sign_in(provider, "dora", "kulanz-finance")[0] == 200
    status, text = controller.get(f"/month?month={datetime.now(UTC):%Y-%m}")
    assert (status, str(campaign_id) in text) == (200, True)
    form = {"form_token": ""}
    assert controller.post(f"{plan}/approve", form)[0] == 403, "neither the token nor the role"

    before = dict(agent.cookies)
    assert agent.submit("/account", "/end")[0] == 200
    agent.cookies = before
    assert agent.get("/account")[0] == 401, "an ended session is ended for everybody who has its cookie"
    problems = [line for line in logged(listed) if "AccessDenied" in line or "a page could not be made" in line]
    assert problems == []
