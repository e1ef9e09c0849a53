"""The functions: what they run, what feeds them, where they log, who hears the alarms, and the account's quotas."""

import json
from collections.abc import Iterator, Mapping
from itertools import batched
from typing import Any

from kulanz.domain.time import parse_instant
from kulanz.versions import VERSIONS_ASKED, versions
from kulanz_cli.doctor.clock import SKEW_MOST_SECONDS, now
from kulanz_cli.doctor.examined import Examined, Result, finding, ok
from kulanz_cli.terminal import counted_as

SHARDS_LEAST = 4
"""A new on-demand table's stream has this many shards or more; each has a worker of its own."""
OTHER_FUNCTIONS = 2
"""open_campaign and advance_campaign."""
NO_LIMIT = 1_000_000
"""TargetWriteRate: no table reaches it."""
ASKED = "advance_campaign"
"""The function that says what it runs."""
MAPPINGS = {"open_campaign": 1, "grant_credits": 1, "publish_notices": 2, "advance_campaign": 1, "draft_incidents": 1}
ALARMS_PER_CALL = 100
FINE = ("OK", "No records processed")
CAPACITY = "its capacities are others"


def names(at: Examined) -> dict[str, str]:
    """The functions by their names in the documents."""
    outputs = at.outputs
    return {
        "open_campaign": outputs.open_campaign_function_name,
        "grant_credits": outputs.grant_credits_function_name,
        "publish_notices": outputs.publish_notices_function_name,
        "advance_campaign": outputs.advance_campaign_function_name,
        "draft_incidents": outputs.draft_incidents_function_name,
    }


def code(at: Examined) -> Iterator[Result]:
    """What code runs: one function is asked, and all have the same layers and runtime."""
    client, functions = at.client("lambda"), names(at)
    shared: dict[tuple[Any, ...], list[str]] = {}
    for name, physical in functions.items():
        found = client.get_function_configuration(FunctionName=physical)
        layers = tuple(layer["Arn"] for layer in found.get("Layers", []))
        kind = (layers, found.get("Runtime"), tuple(found.get("Architectures", ["x86_64"])))
        shared.setdefault(kind, []).append(name)
        if found.get("State", "Active") not in ("Active", "Inactive"):
            yield finding(f"{name} is {found['State']}: {found.get('StateReason', 'no reason given')}", "Deploy again.")
    if len(shared) == 1:
        yield ok("All functions run the same layers on the same runtime.")
    else:
        groups = " / ".join(", ".join(group) for group in shared.values())
        yield finding(
            f"Functions run different layers or runtimes: {groups}. Two of them may decide differently.",
            "Deploy again; a deployment stopped midway, or a function was changed by hand.",
        )
    yield from _asked(client, functions[ASKED])
    for name, physical in functions.items():
        if name != ASKED:
            yield _started(client, name, physical)


def _started(client: Any, name: str, function: str) -> Result:
    """A function that is handed no records imports everything, reads its settings, and does nothing."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"Records": []}).encode())
    content = json.loads(answer["Payload"].read() or b"null")
    return _broken(name, content) if "FunctionError" in answer else ok(f"{name} starts.")


def _broken(name: str, content: Any) -> Result:
    kind = content.get("errorType", "an error") if isinstance(content, dict) else "an error"
    return finding(
        f"{name} does not run: {kind}.",
        "Read its log. Where it cannot import a module, the layers were built for another processor or Python:"
        " sam build, then deploy again.",
    )


def _asked(client: Any, function: str) -> Iterator[Result]:
    answer = client.invoke(FunctionName=function, Payload=json.dumps(VERSIONS_ASKED).encode())
    content = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer:
        yield _broken(ASKED, content)
        return
    if not isinstance(content, dict):
        yield finding(
            "The functions' code does not answer which release it is: it is older than this command.", "Deploy again."
        )
        return
    here = versions(now())
    wrong = False
    for name in ("release", "engine", "time_zones"):
        if content.get(name) != here[name]:
            wrong = True
            yield finding(
                f"The functions run {name.replace('_', ' ')} {content.get(name)}, this command {here[name]}: what it"
                " checks and explains may differ from what they decide.",
                "Use the command of the stack's release, or build and deploy this one.",
            )
    skew = abs((parse_instant(str(content["now"])) - now()).total_seconds())
    if skew > SKEW_MOST_SECONDS:
        wrong = True
        yield finding(f"The functions' clock and this machine's are {skew:,.0f} s apart.", "Set this machine's clock.")
    if not wrong:
        yield ok(
            f"The functions run engine {content['engine']} with time zones {content['time_zones']} on Python"
            f" {content['python']} ({content['machine']}), as this command does."
        )


def mappings(at: Examined) -> Iterator[Result]:
    """What feeds the functions: switched on, and how the last batch ended."""
    client = at.client("lambda")
    for name, physical in names(at).items():
        pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=physical)
        found = [one for page in pages for one in page["EventSourceMappings"]]
        problems = [problem for one in found for problem in _mapping_problems(name, one)]
        if len(found) != MAPPINGS[name]:
            has = f"{name} has {counted_as(len(found), 'event source mapping')} where the stack makes {MAPPINGS[name]}"
            if len(found) > MAPPINGS[name]:
                problems.append(finding(f"{has}: something else feeds it too.", "Find out who added it, and why."))
            else:
                problems.append(finding(f"{has}: not everything reaches it.", "Deploy again."))
        yield from problems
        if not problems:
            yield ok(f"What feeds {name} is switched on.")
    workers = client.list_event_source_mappings(FunctionName=at.outputs.grant_credits_function_name)
    for one in workers["EventSourceMappings"]:
        limit, wanted = one.get("ScalingConfig", {}).get("MaximumConcurrency"), at.parameter("MaximumConcurrency")
        if str(limit) != wanted:
            yield finding(
                f"grant_credits may run {limit or 'any number of'} workers, the stack says {wanted}: together they may"
                " write more than TargetWriteRate.",
                "Deploy again.",
            )


def _mapping_problems(name: str, one: Mapping[str, Any]) -> Iterator[Result]:
    if one.get("State") not in ("Enabled", "Enabling", "Creating", "Updating"):
        yield finding(
            f"A mapping of {name} is {one.get('State')}: what waits there is not worked.",
            f"Find out who switched it off and why; then: aws lambda update-event-source-mapping --uuid {one['UUID']}"
            " --enabled",
        )
    last = str(one.get("LastProcessingResult") or "No records processed")
    if not last.startswith(FINE):
        yield finding(f"The last batch for {name} ended with: {last}", f"Read the log of {name}.")


def logs(at: Examined) -> Iterator[Result]:
    """Each function's log group, kept as long as the parameter says."""
    prefix, wanted = f"/aws/lambda/{at.stack.name}/", at.parameter("LogRetentionDays")
    pages = at.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    kept = {
        one["logGroupName"].removeprefix(prefix): one.get("retentionInDays") for p in pages for one in p["logGroups"]
    }
    wrong = [name for name in names(at) if str(kept.get(name)) != wanted]
    if wrong:
        yield finding(
            f"The logs of {', '.join(wrong)} are missing, or not kept for {wanted} days.",
            f"aws logs put-retention-policy --log-group-name {prefix}NAME --retention-in-days {wanted}",
        )
    else:
        yield ok(f"The functions' logs are kept for {wanted} days.")


def alarms(at: Examined) -> Iterator[Result]:
    """Every alarm of the template is there, on, and reaches somebody."""
    topic = at.parameter("AlarmTopicArn")
    if not topic:
        yield finding(
            "No topic hears the alarms: a stopped campaign is noticed when somebody looks.",
            "Deploy with AlarmTopicArn, a topic without encryption or with a key of your own.",
        )
    wanted = {physical: name for name, (kind, physical) in at.resources.items() if kind == "AWS::CloudWatch::Alarm"}
    found: dict[str, Any] = {}
    for some in batched(wanted, ALARMS_PER_CALL, strict=False):
        answer = at.client("cloudwatch").describe_alarms(AlarmNames=list(some), MaxRecords=ALARMS_PER_CALL)
        found |= {one["AlarmName"]: one for one in answer["MetricAlarms"]}
    problems = {
        "are missing": ([name for physical, name in wanted.items() if physical not in found], "Deploy again."),
        "are switched off or send nowhere": (
            [wanted[one] for one, alarm in found.items() if not _is_heard(alarm, topic)],
            "aws cloudwatch enable-alarm-actions, or deploy again.",
        ),
        "ring now": (
            [wanted[one] for one, alarm in found.items() if alarm.get("StateValue") == "ALARM"],
            "docs/operations.md, Alarms, says what each means.",
        ),
    }
    if not wanted:
        yield finding("The stack has no alarms.", "Deploy the template unchanged.")
    for what, (some_names, do) in problems.items():
        if some_names:
            yield finding(f"Alarms {what}: {', '.join(sorted(some_names))}.", do)
    if wanted and not any(some_names for some_names, _ in problems.values()):
        yield ok(f"All {len(wanted)} alarms are there and quiet.")


def _is_heard(alarm: Mapping[str, Any], topic: str) -> bool:
    return not topic or (bool(alarm.get("ActionsEnabled", True)) and topic in alarm.get("AlarmActions", []))


def concurrency(at: Examined) -> Iterator[Result]:
    """How many functions the account may run at once, against what the parameters ask for."""
    limit = at.client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    workers, notices = (int(at.parameter(name)) for name in ("MaximumConcurrency", "NoticeWorkers"))
    wanted = workers + notices * SHARDS_LEAST + OTHER_FUNCTIONS
    says = f"{limit:,} functions at once; chunks, notices and the others use up to {wanted}"
    if limit >= wanted:
        yield ok(f"The account may run {says}.")
    else:
        yield at.only_on_aws(
            finding(
                f"The account may run {says}: campaigns start late and chunks become dead letters.",
                "Ask AWS for more (quota Concurrent executions), or deploy with MaximumConcurrency 2, NoticeWorkers 1.",
            ),
            CAPACITY,
        )


def write_quotas(at: Examined) -> Iterator[Result]:
    """How much one table of this account may write, against the parameters."""
    limits = at.client("dynamodb").describe_limits()
    most = limits["TableMaxWriteCapacityUnits"]
    rate, warm = (int(at.parameter(name)) for name in ("TargetWriteRate", "WarmWriteUnitsPerSecond"))
    wrong = [
        f"{name} {value:,}"
        for name, value in (("TargetWriteRate", 0 if rate == NO_LIMIT else rate), ("WarmWriteUnitsPerSecond", warm))
        if value > most
    ]
    if wrong:
        yield finding(
            f"One table of this account may write {most:,} units a second, less than {' and '.join(wrong)}: inserts are"
            " throttled, and chunks take longer than their time.",
            "Ask AWS for more (quota of DynamoDB: write throughput of a table), or lower the parameter.",
        )
    else:
        yield ok(f"One table may write {most:,} units a second; the stack asks for no more.")
    if warm < rate < NO_LIMIT:
        yield ok(f"A new table takes {warm:,} units a second and doubles under load up to TargetWriteRate {rate:,}.")
