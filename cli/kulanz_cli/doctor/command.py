"""``kulanz doctor``: checks a deployed stack, says what each finding means and what to do."""

from collections import Counter
from collections.abc import Sequence
from decimal import ROUND_UP, Decimal

import click
from rich.console import Console

from kulanz_cli.direct import DirectStack
from kulanz_cli.doctor import clock, deployed, doors, functions, hosted, policies, stores, streams
from kulanz_cli.doctor.examined import Check, Checked, Examined, Verdict, examine
from kulanz_cli.doctor.thorough import BY_HAND, STEPS
from kulanz_cli.doctor.thorough import checks as steps
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_direct_stack
from kulanz_cli.terminal import console, counted_as, labelled, print_json, say

CHECKS: dict[str, Check] = {
    "deployment": deployed.deployed,
    "confirmation": stores.confirmation,
    "tables": stores.tables,
    "bucket": stores.bucket,
    "policy of the bucket": policies.bucket,
    "policy of the bus": policies.bus,
    "policies of the queues": policies.queues,
    "policies of the tables": policies.tables,
    "put on the bus": doors.bus,
    "send to the queues": doors.queues,
    "write to the tables": doors.tables,
    "code": functions.code,
    "event source mappings": functions.mappings,
    "streams": streams.streams,
    "permissions": streams.permissions,
    "notices topic": streams.topic,
    "credits topic": streams.credits_topic,
    "console": hosted.console,
    "logs": functions.logs,
    "alarms": functions.alarms,
    "concurrency": functions.concurrency,
    "write quotas": functions.write_quotas,
    "clock": clock.clock,
}
"""In the order in which a finding of one explains findings of the next."""
LABEL_COLUMNS = 13
SMALLEST_COST = Decimal("0.01")


@click.command("doctor", epilog=ANSWER_CODES)
@click.option("--thorough", is_flag=True, help="Try also what takes time, after saying how long and what it costs.")
@click.option("--yes", is_flag=True, help="Begin the thorough part without asking.")
@as_json
@pass_direct_stack
def doctor(stack: DirectStack, thorough: bool, yes: bool, is_json: bool) -> None:
    """Check a deployed stack, and say what to do about each finding.

    Run it with the role that deploys the stack, after every deployment. It grants nothing and changes no setting; it
    tries doors that must be shut.
    """
    if thorough and is_json and not yes:
        raise click.UsageError("--thorough with --json cannot ask; say --yes as well")
    at = Examined(stack)
    if thorough:
        _agreed(is_asked=not yes, is_json=is_json)
    found: list[Checked] = []
    for one in examine(at, CHECKS | steps() if thorough else CHECKS):
        found.append(one)
        if not is_json:
            _show(console(), one)
    _end(found, is_json, BY_HAND if thorough else ())


def _agreed(*, is_asked: bool, is_json: bool) -> None:
    """Say what the thorough part does, how long and for how much; ends here where the person does not agree."""
    cost = sum((step.usd for step in STEPS), Decimal(0))
    if not is_json:
        out = console()
        say(out, f"Takes up to {sum(step.minutes for step in STEPS)} minutes and costs {_price_text(cost)}:")
        for step in STEPS:
            say(out, f"- {step.name}: {step.does}; {step.minutes} min, {_price_text(step.usd)}", further=2)
    if is_asked:
        click.confirm("Begin?", abort=True)


def _price_text(cost: Decimal) -> str:
    return "nothing" if not cost else f"less than {max(SMALLEST_COST, cost.quantize(SMALLEST_COST, ROUND_UP))} USD"


def _show(out: Console, one: Checked) -> None:
    verdict = one.result.verdict
    label = verdict.upper() if verdict is Verdict.FINDING else verdict.value
    labelled(out, label, one.result.says, columns=LABEL_COLUMNS)
    if one.result.do:
        labelled(out, "", f"To do: {one.result.do}", columns=LABEL_COLUMNS)


def _end(found: Sequence[Checked], is_json: bool, by_hand: Sequence[str]) -> None:
    counts = Counter(one.result.verdict for one in found)
    if is_json:
        results = [_as_json(one) for one in found]
        print_json({"v": 1, "findings": counts[Verdict.FINDING], "results": results, "by_hand": list(by_hand)})
    else:
        findings = counted_as(counts[Verdict.FINDING], "finding")
        say(console(), f"{counts[Verdict.OK]} ok, {findings}, {counts[Verdict.NOT_SHOWN]} cannot be shown here")
        if by_hand:
            say(console(), "For you to try, in this order:")
        for number, text in enumerate(by_hand, 1):
            say(console(), f"{number}. {text}", indent=2, further=5)
    if counts[Verdict.FINDING]:
        click.get_current_context().exit(EXIT_NO)


def _as_json(one: Checked) -> dict[str, str]:
    result = one.result
    return {"check": one.check, "verdict": result.verdict.value, "says": result.says, "do": result.do}
