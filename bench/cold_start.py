"""How much processor time a function needs until it is imported and has its clients, beside a bare client."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.row import Row
from bench.stacks import PROJECT
from bench.worker import CREDENTIALS
from kulanz_local.deployment import BUILT_TEMPLATE, SAM_FOLDER

IMPORTS = {
    "bare": "import boto3; boto3.client('dynamodb')",
    "ours": "import grant_credits.handler; from kulanz.adapters.aws import client; client('dynamodb')",
    "composed": "import grant_credits.handler as handler; handler._composed()",
    "api": (
        "import api.handler, kulanz.application.door.accounts; from kulanz.adapters.aws import client;"
        "from kulanz.adapters import campaign_table, ledger_table, s3; client('dynamodb'); client('s3')"
    ),
    "receiver": "import receive_incidents.handler as handler; handler._composed()",
    "reader": "import draft_incidents.handler as handler; handler._composed()",
    "console": (
        "import serve_console.handler as handler; from types import SimpleNamespace as Made;"
        "context = Made(function_name='f', memory_limit_in_mb=1769, invoked_function_arn='a', aws_request_id='r',"
        " get_remaining_time_in_millis=lambda: 29_000);"
        "page = handler.handle({'rawPath': '/console', 'headers': {'host': 'api.example'}, 'requestContext':"
        " {'http': {'method': 'GET'}}}, context); assert page['statusCode'] == 401"
    ),
}
"""The console answers whoever has not signed in yet: with its clients, a template and the page's texts."""
BASE_PYTHON = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
"""The interpreter without any packages of its own: those of the layers are measured."""
WORKER_ENVIRONMENT = {
    **CREDENTIALS,
    "CREDITS_TABLE": "credits",
    "CAMPAIGNS_TABLE": "campaigns",
    "LIST_BUCKET": "lists",
    "CHUNK_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/chunks",
    "IN_FLIGHT_CALLS": "4",
    "TARGET_WRITE_RATE": "4000",
    "MAXIMUM_CONCURRENCY": "10",
    "DECISION_RETENTION_DAYS": "1096",
    "BUDGET_ZONE": "UTC",
    "WARN_BEFORE_DAYS": "3",
    "POWERTOOLS_SERVICE_NAME": "kulanz",
    "POLICY_PREFIX": "policies/",
    "UPSTREAM_PREFIX": "upstream/",
    "SECRET_PREFIX": "kulanz/sources/",
    "SOURCES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/deliveries",
    "BUS_NAME": "kulanz",
    "NOTICES_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:notices",
    "CREDITS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:credits",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
}
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/queue"
CONSOLE_ENVIRONMENT = {
    **WORKER_ENVIRONMENT,
    **dict.fromkeys(
        ("CHUNKS_DEAD_LETTER_QUEUE_URL", "INCIDENTS_QUEUE_URL", "INCIDENTS_DEAD_LETTER_QUEUE_URL",
         "SOURCES_DEAD_LETTER_QUEUE_URL", "REJECTED_QUEUE_URL"), QUEUE,
    ),
    "ACCOUNT_ID": "123456789012", "LIST_PREFIX": "lists/", "ADVANCE_FUNCTION": "a", "PUBLISH_FUNCTION": "p",
    "CHUNK_BYTES": "1048576", "DECIDABLE_DAYS": "366", "NOTICES_PER_MESSAGE": "100", "LONE_OPERATOR": "false",
    "STACK_NAME": "kulanz", "SESSIONS_TABLE": "sessions", "CONSOLE_HOST": "api.example",
    "CONSOLE_ISSUER": "https://login.example", "CONSOLE_CLIENT_ID": "kulanz", "CONSOLE_SECRET": "kulanz/console",
    "CONSOLE_SCOPE": "openid", "CONSOLE_GROUPS_CLAIM": "groups", "CONSOLE_GROUPS": '{"support": ["care"]}',
}  # fmt: skip


def cold_start(repeats: int) -> list[Row]:
    """Processor time until a worker is imported and has its client, and until it has all its clients."""
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(repeats + 1):  # the first round writes the bytecode
        for name, code in IMPORTS.items():
            environment = CONSOLE_ENVIRONMENT if name == "console" else WORKER_ENVIRONMENT
            times[name].append(_start_seconds(sys.executable, code, environment))
    bare, ours, composed, api = (median(times[name][1:]) for name in ("bare", "ours", "composed", "api"))
    receiver, reader, console = (median(times[name][1:]) for name in ("receiver", "reader", "console"))
    return [
        Row(
            "cold start, import CPU ÷ bare boto3 client", "≤ 1.6",
            f"{ours * 1e3:.0f} ms = {ours / bare:.2f} (all three clients: {composed / bare:.2f})", "-",
            f"{bare * 1e3:.0f} ms", ours / bare <= 1.6,
        ),
        Row(
            "cold start of the API for its first ask, CPU ÷ bare boto3 client", "≤ 2.5",
            f"{api * 1e3:.0f} ms = {api / bare:.2f}", "-", f"{bare * 1e3:.0f} ms", api / bare <= 2.5,
        ),
        Row(
            "cold start of the receiver of deliveries with all its clients, CPU ÷ bare boto3 client", "≤ 2.5",
            f"{receiver * 1e3:.0f} ms = {receiver / bare:.2f} (the reader: {reader / bare:.2f})", "-",
            f"{bare * 1e3:.0f} ms", receiver / bare <= 2.5,
        ),
        Row(
            "cold start of the console with its first page, CPU ÷ bare boto3 client", "≤ 2.5",
            f"{console * 1e3:.0f} ms = {console / bare:.2f}", "-", f"{bare * 1e3:.0f} ms", console / bare <= 2.5,
        ),
        _bytecode(repeats),
    ]  # fmt: skip


def _start_seconds(python: str, code: str, environment: dict[str, str]) -> float:
    """Processor seconds of one process that runs `code`, without its end: a function has none in its time."""
    code = f"{code}; import os; os._exit(0)"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([python, "-s", "-c", code], check=True, env=environment, cwd=PROJECT)  # noqa: S603 - ourselves
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _bytecode(repeats: int) -> Row:
    """The same start from the built layers, with the bytecode that they carry and without it, in turn.

    Without it nothing is written either, as /opt cannot be written to in a function.
    """
    layers = [BUILT_TEMPLATE.parent / name / "python" for name in ("DependenciesLayer", "KulanzLayer")]
    times: dict[str, list[float]] = {"with": [], "without": []}
    with tempfile.TemporaryDirectory(prefix="kulanz-bench-", dir=SAM_FOLDER) as name:
        for place, layer in enumerate(layers):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(layer, Path(name) / str(place), ignore=ignored, copy_function=os.link)
        bare = [Path(name) / str(place) for place in range(len(layers))]
        for _ in range(repeats + 1):  # the first round reads the files into memory
            for kind, folders in (("with", layers), ("without", bare)):
                path = os.pathsep.join(map(str, [*folders, PROJECT / "functions"]))
                environment = {**WORKER_ENVIRONMENT, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
                times[kind].append(_start_seconds(BASE_PYTHON, IMPORTS["composed"], environment))
    compiled, source = (median(times[kind][1:]) for kind in ("with", "without"))
    return Row(
        "cold start from the built layers, with ÷ without their bytecode", "≤ 0.7",
        f"{compiled * 1e3:.0f} ms = {compiled / source:.2f}", "-", f"{source * 1e3:.0f} ms", compiled / source <= 0.7,
    )  # fmt: skip
