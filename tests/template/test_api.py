"""What the API's resources promise: a signed route for each line of the table, and a policy for each role."""

import json
from fnmatch import fnmatchcase

import pytest

from kulanz.adapters.table_policies import is_closed
from kulanz.application.door.routes import ROUTES, Role, Route
from tests.template.resolved import ACCOUNT_ID, REGION, Json, Stack, as_list, refused

INVOKE = "execute-api:Invoke"
POLICY_CHARACTERS = 6_144
"""What IAM takes as a managed policy, without white space."""
DEPLOYER = f"arn:aws:iam::{ACCOUNT_ID}:role/deploy"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT_ID}:role/administrator"
WRITERS = {
    "CreditsTable": {"GrantCreditsRole", "ApiRole", "ServeConsoleRole"},
    "CampaignsTable": {"OpenCampaignRole", "GrantCreditsRole", "PublishNoticesRole", "AdvanceCampaignRole", "ApiRole"}
    | {"ServeConsoleRole", "DraftIncidentsRole"},
}
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")
CONTROLS = ("UpdateTable", "UpdateTimeToLive", "DeleteTable", "PutResourcePolicy", "DeleteResourcePolicy")


def route_arn(route: Route, path: str) -> str:
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:Api/$default/{route.method}{path}"


def policy_of(stack: Stack, role: Role) -> Json:
    return stack.properties(f"{role.value.title()}Policy")["PolicyDocument"]


def permits(stack: Stack, role: Role, action: str, resource: str) -> bool:
    return any(
        action in as_list(item["Action"]) and any(fnmatchcase(resource, one) for one in as_list(item["Resource"]))
        for item in policy_of(stack, role)["Statement"]
    )


def test_the_gateway_has_the_routes_of_the_table_each_signed_and_no_other(stack: Stack) -> None:
    routes = [one for one in stack.of_type("AWS::ApiGatewayV2::Route").values() if one["ApiId"] == "Api"]
    assert sorted(route["RouteKey"] for route in routes) == sorted(route.key for route in ROUTES)
    assert {route["AuthorizationType"] for route in routes} == {"AWS_IAM"}
    assert {route["Target"] for route in routes} == {"integrations/ApiIntegration"}


@pytest.mark.parametrize(("table", "setting"), [("CreditsTable", "CREDITS"), ("CampaignsTable", "CAMPAIGNS")])
def test_the_watch_compares_a_tables_policy_with_what_is_deployed(whole: Stack, table: str, setting: str) -> None:
    deployed = whole.properties(table)["ResourcePolicy"]["PolicyDocument"]
    settings = whole.properties("AdvanceCampaignFunction")["Environment"]["Variables"]
    writers = set(settings[f"{setting}_WRITERS"].split(","))

    assert is_closed(deployed, writers)
    assert writers == {f"arn:{role}" for role in WRITERS[table]}
    assert not is_closed(deployed, writers | {"arn:Other"})


def test_no_value_that_a_caller_chooses_stands_before_a_fixed_word() -> None:
    """IAM's `*` crosses `/`: a value in the middle could be the words of another route."""
    for route in ROUTES:
        parts = [part.startswith("{") for part in route.path.split("/")]
        assert parts == sorted(parts), route.path


def test_routes_of_one_work_and_method_have_the_same_roles() -> None:
    """So a policy that permits them together permits to each role what the table says, and no more."""
    by_work: dict[tuple[str, str], set[frozenset[Role]]] = {}
    for route in ROUTES:
        by_work.setdefault((route.method, route.work), set()).add(route.roles)
    assert {work: roles for work, roles in by_work.items() if len(roles) > 1} == {}


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_its_routes_and_no_other_also_with_words_of_others_as_values(stack: Stack, role: Role) -> None:
    for route in ROUTES:
        for value in ("x", "pause", "approvals", "stops", "a/b"):
            path = "/".join(value if part.startswith("{") else part for part in route.path.split("/"))
            assert permits(stack, role, INVOKE, route_arn(route, path)) is (role in route.roles), (role, path)


@pytest.mark.parametrize("role", Role)
def test_a_role_can_find_the_stack_and_its_policy_fits(stack: Stack, role: Role) -> None:
    by_name = f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/kulanz/*"
    """What IAM is asked for where the command names the stack: the star is a part of it."""
    assert permits(stack, role, "cloudformation:DescribeStacks", by_name)
    assert not permits(stack, role, "cloudformation:DescribeStacks", by_name.replace("/kulanz/", "/kulanz-2/"))
    assert len(json.dumps(policy_of(stack, role), separators=(",", ":"))) <= POLICY_CHARACTERS // 2
    output = stack.template["Outputs"][f"{role.value.title()}PolicyArn"]
    assert output["Value"] == {"Ref": f"{role.value.title()}Policy"}


def test_support_asks_accepts_and_decides_cases_and_nothing_else(stack: Stack) -> None:
    works = {(route.method, route.work) for route in ROUTES if Role.SUPPORT in route.roles}
    deciding = {("GET", "cases"), ("PUT", "case-decisions"), ("PUT", "case-approvals")}
    giving = {("GET", "goodwill"), ("PUT", "goodwill")}
    assert works == {("GET", "accounts"), ("PUT", "acceptances")} | deciding | giving
    actions = {action for item in policy_of(stack, Role.SUPPORT)["Statement"] for action in as_list(item["Action"])}
    assert actions == {INVOKE, "cloudformation:DescribeStacks"}


def test_an_auditor_changes_nothing() -> None:
    """An export that an auditor begins is a copy of what it reads."""
    works = {(route.method, route.work) for route in ROUTES if Role.AUDITOR in route.roles}
    assert {work for work in works if work[0] != "GET"} == {("PUT", "exports")}
    assert all(Role.AUDITOR in route.roles for route in ROUTES if route.method == "GET")


@pytest.mark.parametrize(("role", "key"), [(Role.REQUESTER, "lists/a.csv"), (Role.PUBLISHER, "policies/a/1.json")])
def test_what_is_uploaded_lies_under_its_own_prefix(stack: Stack, role: Role, key: str) -> None:
    for one in Role:
        assert permits(stack, one, "s3:PutObject", f"arn:ListBucket/{key}") is (one is role)


def test_requests_are_bounded_and_logged_without_a_path(stack: Stack) -> None:
    stage = stack.properties("ApiStage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert set(stage["DefaultRouteSettings"]) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert set(logged) == {"routeKey", "status", "caller", "requestId"}
    assert "path" not in stage["AccessLogSettings"]["Format"].lower()
    assert not stage["AccessLogSettings"]["DestinationArn"].endswith(":*")


def test_the_function_answers_before_the_gateway_gives_up(stack: Stack) -> None:
    assert stack.properties("ApiFunction")["Timeout"] * 1000 < stack.properties("ApiIntegration")["TimeoutInMillis"]
    assert stack.properties("ApiIntegration")["PayloadFormatVersion"] == "2.0"


def test_only_this_api_invokes_its_function(stack: Stack) -> None:
    permissions = [
        one for one in stack.of_type("AWS::Lambda::Permission").values() if one["FunctionName"] == "ApiFunction"
    ]
    assert [(one["Principal"], one["SourceArn"]) for one in permissions] == [
        ("apigateway.amazonaws.com", f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:Api/$default/*")
    ]
    for role in Role:
        assert not permits(stack, role, "lambda:InvokeFunction", "arn:ApiFunction")


# Closed tables


def statements(stack: Stack, table: str) -> list[Json]:
    found: list[Json] = stack.properties(table)["ResourcePolicy"]["PolicyDocument"]["Statement"]
    return found


@pytest.mark.parametrize("table", WRITERS)
@pytest.mark.parametrize("write", WRITES)
def test_only_the_functions_that_write_a_table_may(whole: Stack, table: str, write: str) -> None:
    roles = set(whole.of_type("AWS::IAM::Role"))
    others = [ADMINISTRATOR, f"arn:aws:iam::{ACCOUNT_ID}:root", f"arn:aws:iam::{ACCOUNT_ID}:role/my-ApiRole"]
    for principal, may in [
        *((f"arn:{role}", role in WRITERS[table]) for role in roles),
        *((other, False) for other in others),
    ]:
        assert refused(
            statements(whole, table), f"dynamodb:{write}", table, aws_PrincipalArn=principal
        ) is not may, principal  # fmt: skip


@pytest.mark.parametrize("table", WRITERS)
def test_every_role_that_may_write_a_table_by_its_own_policy_is_let_through(whole: Stack, table: str) -> None:
    """And no other: what a table's policy lists and what the roles hold is one list."""
    writing = set()
    for policy in whole.of_type("AWS::IAM::Policy").values():
        for item in policy["PolicyDocument"]["Statement"]:
            writes = {f"dynamodb:{write}" for write in WRITES} & set(as_list(item["Action"]))
            if writes and f"arn:{table}" in as_list(item["Resource"]):
                writing |= set(policy["Roles"])
    assert writing == WRITERS[table]


@pytest.mark.parametrize("table", WRITERS)
@pytest.mark.parametrize("control", CONTROLS)
def test_only_deployers_change_a_table_where_they_are_listed(stack: Stack, table: str, control: str) -> None:
    listed = Stack({"DeployerArns": DEPLOYER})
    for principal, may in ((DEPLOYER, True), (ADMINISTRATOR, False), ("arn:ApiRole", False)):
        met = refused(statements(listed, table), f"dynamodb:{control}", table, aws_PrincipalArn=principal)
        assert met is not may
    assert not refused(statements(stack, table), f"dynamodb:{control}", table, aws_PrincipalArn=ADMINISTRATOR)


@pytest.mark.parametrize("table", WRITERS)
def test_a_table_can_be_read_by_whoever_iam_permits(stack: Stack, table: str) -> None:
    for read in ("GetItem", "Query", "Scan", "ExportTableToPointInTime", "RestoreTableToPointInTime"):
        assert not refused(statements(stack, table), f"dynamodb:{read}", table, aws_PrincipalArn=ADMINISTRATOR)


def test_the_tables_policies_fit(stack: Stack) -> None:
    for table in WRITERS:
        document = json.dumps(stack.properties(table)["ResourcePolicy"]["PolicyDocument"])
        assert len(document) < 10 * 1024, "DynamoDB takes 20 KB"


def test_a_function_and_its_mappings_wait_for_its_permissions() -> None:
    for name, resource in Stack().template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":  # those of the API and the console wait for what they share
            assert as_list(resource["DependsOn"]) == [name.replace("Function", "Permissions")]
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            assert list(resource["Properties"]["FunctionName"]) == ["Ref"], "it comes after the function"


def references(value: Json) -> set[str]:
    """The resources that a part of the template names."""
    if isinstance(value, list):
        return set().union(*map(references, value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, item in value.items():
        if key == "Ref":
            found.add(item)
        elif key == "Fn::GetAtt":
            found.add(item.partition(".")[0] if isinstance(item, str) else item[0])
        elif key == "Fn::Sub":
            text, extra = (item, {}) if isinstance(item, str) else item
            parts = text.split("${")[1:]
            found |= {part.partition("}")[0].partition(".")[0] for part in parts} - set(extra)
            found |= references(extra)
        else:
            found |= references(item)
    return found


def test_no_resource_needs_itself_by_whatever_way() -> None:
    """CloudFormation refuses a circle: a table that names a role that names the table."""
    resources = Stack().template["Resources"]
    needs = {
        name: (references(resource) | set(as_list(resource.get("DependsOn", [])))) & set(resources)
        for name, resource in resources.items()
    }
    done: set[str] = set()
    while ready := [name for name, needed in needs.items() if name not in done and needed <= done]:
        done |= set(ready)
    assert set(needs) - done == set()
