"""``kulanz doctor``: checks a deployed stack, says what each finding means and what to do."""

from collections import Counter
from collections.abc import Iterable

import click
from rich.console import Console

from kulanz_cli.doctor import clock, deployed, doors, functions, policies, stores, writes
from kulanz_cli.doctor.examined import Check, Checked, Examined, Verdict, examine
from kulanz_cli.settings import ANSWER_CODES, EXIT_NO, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, counted_as, labelled, print_json, say

CHECKS: dict[str, Check] = {
    "deployment": deployed.deployed,
    "confirmation": stores.confirmation,
    "tables": stores.tables,
    "bucket": stores.bucket,
    "policy of the bucket": policies.bucket,
    "policy of the bus": policies.bus,
    "policies of the queues": policies.queues,
    "put on the bus": doors.bus,
    "send to the queues": doors.queues,
    "code": functions.code,
    "event source mappings": functions.mappings,
    "logs": functions.logs,
    "alarms": functions.alarms,
    "concurrency": functions.concurrency,
    "write quotas": functions.write_quotas,
    "test decision": writes.decision,
    "clock": clock.clock,
}
"""In the order in which a finding of one explains findings of the next."""
LABEL_COLUMNS = 13


@click.command("doctor", epilog=ANSWER_CODES)
@as_json
@pass_stack
def doctor(stack: Stack, is_json: bool) -> None:
    """Check a deployed stack, and say what to do about each finding.

    Run it with the role that deploys the stack, after every deployment. It grants nothing and changes no setting; it
    writes one test decision, which it removes, and tries doors that must be shut.
    """
    at = Examined(stack)
    found: list[Checked] = []
    for one in examine(at, CHECKS):
        found.append(one)
        if not is_json:
            _show(console(), one)
    _end(found, is_json)


def _show(out: Console, one: Checked) -> None:
    verdict = one.result.verdict
    label = verdict.upper() if verdict is Verdict.FINDING else verdict.value
    labelled(out, label, one.result.says, columns=LABEL_COLUMNS)
    if one.result.do:
        labelled(out, "", f"To do: {one.result.do}", columns=LABEL_COLUMNS)


def _end(found: Iterable[Checked], is_json: bool) -> None:
    counts = Counter(one.result.verdict for one in found)
    if is_json:
        print_json({"v": 1, "findings": counts[Verdict.FINDING], "results": [_as_json(one) for one in found]})
    else:
        findings = counted_as(counts[Verdict.FINDING], "finding")
        say(console(), f"{counts[Verdict.OK]} ok, {findings}, {counts[Verdict.NOT_SHOWN]} cannot be shown here")
    if counts[Verdict.FINDING]:
        click.get_current_context().exit(EXIT_NO)


def _as_json(one: Checked) -> dict[str, str]:
    result = one.result
    return {"check": one.check, "verdict": result.verdict.value, "says": result.says, "do": result.do}
