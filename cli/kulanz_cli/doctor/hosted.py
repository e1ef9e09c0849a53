"""The console that the stack serves, where it serves one: it starts, and finds its secret and its provider."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from kulanz.adapters.aws import error_code
from kulanz_cli.doctor.examined import Examined, Result, finding, ok
from kulanz_cli.doctor.stores import sessions

FUNCTION, SESSIONS, POOL = "ServeConsoleFunction", "SessionsTable", "ConsolePool"
ROOT = "/console"
SEE_OTHER = 303
HOST, SECRET = "CONSOLE_HOST", "CONSOLE_SECRET"
ATTACH = "docs/console.md, Serve it with the stack, says how."


def console(at: Examined) -> Iterator[Result]:
    """Nothing where the stack serves no console."""
    if FUNCTION not in at.resources:
        return
    client, function = at.client("lambda"), at.resources[FUNCTION][1]
    settings = client.get_function_configuration(FunctionName=function).get("Environment", {}).get("Variables", {})
    yield _secret(at, str(settings.get(SECRET, "")))
    yield _login(client, function, str(settings.get(HOST, "")))
    yield sessions(at, at.resources[SESSIONS][1])


def _secret(at: Examined, name: str) -> Result:
    """Whether the client's secret is there; it is not read."""
    try:
        at.client("secretsmanager").describe_secret(SecretId=name)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return finding(f"Secrets Manager has no secret {name}: nobody can sign in to the console.", ATTACH)
    return ok("The secret of the console is there.")


def _login(client: Any, function: str, host: str) -> Result:
    """What a browser that wants to sign in is answered: it is led to the provider, which the function must reach."""
    request = {
        "version": "2.0", "rawPath": f"{ROOT}/login", "rawQueryString": "", "headers": {"host": host}, "cookies": [],
        "isBase64Encoded": False,
        "requestContext": {"requestId": "kulanz-doctor", "http": {"method": "GET", "path": f"{ROOT}/login"}},
    }  # fmt: skip
    answer = client.invoke(FunctionName=function, Payload=json.dumps(request).encode())
    content = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer or not isinstance(content, dict):
        kind = content.get("errorType", "an error") if isinstance(content, dict) else "an error"
        return finding(
            f"serve_console does not run: {kind}.",
            "Read its log: a setting that it does not understand is named there. Where it cannot import a module, sam"
            " build and deploy again.",
        )
    led_to = urlsplit(str(content.get("headers", {}).get("location", ""))).hostname
    if content.get("statusCode") != SEE_OTHER or not led_to:
        return finding(
            "The console does not reach its provider of logins, or the provider names another issuer.",
            f"The log of serve_console says which. ConsoleIssuer is what the provider says of itself. {ATTACH}",
        )
    return ok(f"The console at https://{host}{ROOT} leads to its provider, {led_to}.")
