"""What the console's part promises: none by default, pages for whoever logs in, and sessions that only it writes."""

import json

import pytest

from kulanz.application.door.routes import Role
from kulanz.config.serve_console import ConsoleConfig
from kulanz_console.hosted.login import read_groups
from tests.template.resolved import ACCOUNT_ID, CONSOLE, POOL, REGION, Json, Stack, refused, translated

ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT_ID}:role/administrator"
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete")
OF_THE_CONSOLE = {
    name for name in translated()["Resources"] if name.startswith(("Console", "ServeConsole", "Sessions"))
}  # with the pool
OF_THE_POOL = {name for name in OF_THE_CONSOLE if name.startswith("ConsolePool")}


def settings(stack: Stack) -> dict[str, str]:
    variables = stack.properties("ServeConsoleFunction")["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items()}


def routes(stack: Stack) -> dict[str, Json]:
    found = stack.of_type("AWS::ApiGatewayV2::Route").values()
    return {one["RouteKey"]: one for one in found if "/console" in one["RouteKey"]}


def test_nothing_of_it_is_there_by_default(stack: Stack) -> None:
    assert OF_THE_CONSOLE & set(stack.resources) == set()
    assert "ServeConsoleRole" not in json.dumps(stack.resources)
    assert routes(stack) == {}


@pytest.mark.parametrize(
    ("parameters", "there"), [(CONSOLE, OF_THE_CONSOLE - OF_THE_POOL), (POOL, OF_THE_CONSOLE)], ids=["provider", "pool"]
)
def test_it_comes_with_a_provider_or_a_pool(parameters: dict[str, str], there: set[str]) -> None:
    assert OF_THE_CONSOLE & set(Stack(parameters).resources) == there


def test_what_a_provider_needs_is_what_was_stated() -> None:
    stated = {
        "ConsoleScope": "openid groups", "ConsoleGroupsClaim": "roles", "ConsoleGroups": '{"support": ["care"]}',
    }  # fmt: skip
    found = ConsoleConfig.read(settings(Stack({**CONSOLE, **stated})))
    assert (found.console_issuer, found.console_client_id, found.console_host) == tuple(CONSOLE.values())
    assert (found.console_scope, found.console_groups_claim) == ("openid groups", "roles")
    assert found.console_secret == "kulanz/console"
    assert read_groups(found.console_groups) == {"care": {Role.SUPPORT}}


def test_the_pool_is_the_provider_where_it_is_asked_for() -> None:
    stack = Stack({**POOL, "ConsoleGroupsClaim": "roles", "ConsoleScope": "openid groups"})
    host = f"Api.execute-api.{REGION}.amazonaws.com"
    assert settings(stack)["CONSOLE_HOST"] == host
    found = ConsoleConfig.read({**settings(stack), "CONSOLE_HOST": host.lower()})  # as an API's id is
    assert found.console_issuer == f"https://cognito-idp.{REGION}.amazonaws.com/ConsolePool"
    assert (found.console_client_id, found.console_secret) == ("ConsolePoolClient", "ConsolePoolSecret")
    assert (found.console_scope, found.console_groups_claim) == ("openid", "cognito:groups")
    assert stack.properties("ConsolePoolSecret")["SecretString"] == "ConsolePoolClient.ClientSecret"
    readable = [
        item["Resource"]
        for item in stack.properties("ServeConsolePermissions")["PolicyDocument"]["Statement"]
        if item["Action"] == "secretsmanager:GetSecretValue"
    ]
    assert readable == ["ConsolePoolSecret"]


def test_the_groups_of_the_pool_have_the_roles_that_the_default_gives_them() -> None:
    stack = Stack(POOL)
    groups = {one["GroupName"] for one in stack.of_type("AWS::Cognito::UserPoolGroup").values()}
    given = read_groups(settings(stack)["CONSOLE_GROUPS"])
    assert given == {f"kulanz-{role}": {role} for role in Role}
    assert groups == set(given)


def test_nobody_signs_up_and_everybody_has_a_second_factor() -> None:
    pool = Stack(POOL).properties("ConsolePool")
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("ON", ["SOFTWARE_TOKEN_MFA"])
    assert pool["DeletionProtection"] == "ACTIVE"
    assert translated()["Resources"]["ConsolePool"]["DeletionPolicy"] == "Retain", "the people file names its persons"


def test_a_token_of_the_pool_changes_no_attribute_and_a_password_goes_to_its_own_page_alone() -> None:
    client = Stack({**POOL, "ConsoleHost": "credits.example.com"}).properties("ConsolePoolClient")
    assert (client["AllowedOAuthFlows"], client["AllowedOAuthScopes"]) == (["code"], ["openid"])
    assert client["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["WriteAttributes"] == ["locale"]
    assert client["GenerateSecret"] is True
    assert client["CallbackURLs"] == ["https://credits.example.com/console/callback"]
    assert client["LogoutURLs"] == ["https://credits.example.com/console/ended"]


def test_a_console_has_one_provider_and_is_known_to_it() -> None:
    rules = translated()["Rules"]
    assert rules["TheConsoleHasOneProvider"]["Assertions"][0]["Assert"] == {
        "Fn::Equals": [{"Ref": "ConsoleIssuer"}, ""]
    }
    assert set(rules) == {"TheConsoleHasOneProvider", "TheProviderKnowsTheConsole"}


def test_its_pages_lead_to_its_function_alone_and_its_function_hears_nobody_else(whole: Stack) -> None:
    found = routes(whole)
    assert set(found) == {"GET /console", "GET /console/{proxy+}", "POST /console/{proxy+}"}
    for one in found.values():
        assert (one["AuthorizationType"], one["Target"]) == ("NONE", "integrations/ConsoleIntegration")
    (permission,) = [
        one
        for one in whole.of_type("AWS::Lambda::Permission").values()
        if one["FunctionName"] == "ServeConsoleFunction"
    ]
    assert permission["SourceArn"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:Api/$default/*/console*"
    assert whole.properties("ConsoleIntegration")["IntegrationUri"] == "arn:ServeConsoleFunction"
    assert (
        whole.properties("ServeConsoleFunction")["Timeout"] * 1000
        < whole.properties("ConsoleIntegration")["TimeoutInMillis"]
    )


def test_every_other_route_stays_signed(whole: Stack) -> None:
    signed = {
        one["RouteKey"]: one for one in whole.of_type("AWS::ApiGatewayV2::Route").values() if one["ApiId"] == "Api"
    }
    assert {key for key, one in signed.items() if one["AuthorizationType"] != "AWS_IAM"} == set(routes(whole))


def test_it_runs_on_the_layers_of_the_others_and_one_more(whole: Stack) -> None:
    functions = whole.of_type("AWS::Lambda::Function")
    console = functions.pop("ServeConsoleFunction")["Layers"]
    for one in functions.values():
        assert console[: len(one["Layers"])] == one["Layers"]
        assert len(console) == len(one["Layers"]) + 1


@pytest.mark.parametrize("write", WRITES)
def test_only_its_function_writes_sessions(whole: Stack, write: str) -> None:
    """Whoever could write one could be anybody, with any role."""
    statements = whole.properties("SessionsTable")["ResourcePolicy"]["PolicyDocument"]["Statement"]
    for principal in (ADMINISTRATOR, "arn:ApiRole", "arn:ServeConsoleRole"):
        met = refused(statements, f"dynamodb:{write}", "SessionsTable", aws_PrincipalArn=principal)
        assert met is (principal != "arn:ServeConsoleRole")


def test_only_deployers_change_the_table_of_sessions() -> None:
    deployer = f"arn:aws:iam::{ACCOUNT_ID}:role/deploy"
    table = Stack({**CONSOLE, "DeployerArns": deployer}).properties("SessionsTable")
    statements = table["ResourcePolicy"]["PolicyDocument"]["Statement"]
    for principal, may in ((deployer, True), (ADMINISTRATOR, False), ("arn:ServeConsoleRole", False)):
        met = refused(statements, "dynamodb:PutResourcePolicy", "SessionsTable", aws_PrincipalArn=principal)
        assert met is not may


def test_sessions_expire_by_the_attribute_that_they_have(whole: Stack) -> None:
    table = whole.properties("SessionsTable")
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]


@pytest.mark.parametrize("queue", ["IncidentsQueue", "ChunksQueue", "SourcesQueue"])
def test_it_sends_where_the_api_sends(stack: Stack, whole: Stack, queue: str) -> None:
    for one, may in ((whole, True), (stack, False)):
        (statements,) = [
            policy["PolicyDocument"]["Statement"]
            for policy in one.of_type("AWS::SQS::QueuePolicy").values()
            if policy["Queues"] == [queue]
        ]
        sent = refused(statements, "sqs:SendMessage", f"arn:{queue}", aws_PrincipalArn="arn:ServeConsoleRole",
                       aws_SecureTransport="true")  # fmt: skip
        assert sent is not may
