"""``kulanz plan``, ``approve`` and ``reject``: what a plan will do, and a person's yes or no to it."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import click
from rich.console import Console

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.money import measure_words
from kulanz.domain.time import MICROSECOND, parse_instant
from kulanz_cli.command import CampaignParameter, action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.drafts import length
from kulanz_cli.outcomes import ACTION_CODES, ANSWER_CODES
from kulanz_cli.reconciliation import value_text
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, command, console, counted_as, labelled, print_json, say, table
from kulanz_console.drawing.text import seconds
from kulanz_console.drawing.worth import coarser_ranges

if TYPE_CHECKING:
    from kulanz.application.budgets.review import BudgetReview
    from kulanz.application.campaigns.plausible_plan import RepeatsReview, UsualReview
    from kulanz.application.campaigns.review_plan import ListReview, PlanReview

BAR_CELLS = 24
LARGEST_PRINTED = 10
WINDOWS_PRINTED = 3
SAME_PRINTED = 2
HASH_PATTERN_CHARACTERS = 64

type Callback = Callable[..., None]
"""What a command does."""


@click.command("plan", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@as_json
@pass_stack
def show_plan(stack: Stack, campaign_id: CampaignId, is_json: bool) -> None:
    """Show what the plan of CAMPAIGN will do, before you approve it.

    The figures are those of its dry run: nothing has been granted by a plan that waits.
    """
    found = stack.door().ask("approvals.plan", incident=campaign_id.incident_id, seq=campaign_id.seq)
    if is_json:
        print_json(found)
    else:
        _show(cast("PlanReview", found), console())


def _reason(_: click.Context, parameter: click.Parameter, value: str | None) -> str:
    if value is not None:
        must_be_a_reason(value, parameter.opts[0])
    return value or ""


class HashParameter(click.ParamType[str]):
    """The hash of a plan, or its first digits; in capitals as well."""

    name = "hash"

    def __init__(self, shown_by: str) -> None:
        self.shown_by = shown_by

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Which command shows it."""
        return f"`{self.shown_by}` shows the hash."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say how it is written, and which command shows it."""
        digits = str(value).lower()
        if not HASH_DIGITS_SHOWN <= len(digits) <= HASH_PATTERN_CHARACTERS or set(digits) - set("0123456789abcdef"):
            shown = f"its first {HASH_DIGITS_SHOWN} digits or all {HASH_PATTERN_CHARACTERS}"
            self.fail(f"expected the plan's hash, {shown}: `{self.shown_by}` shows it", param, ctx)
        return digits


def hash_option(shown_by: str) -> Callable[[Callback], Callback]:
    """The option --plan of a command, and which command shows that hash."""
    help_text = f"The plan's hash, as `{shown_by}` shows it."
    return click.option("--plan", "plan_hash", required=True, type=HashParameter(shown_by), help=help_text)


plan_hash = hash_option("kulanz plan")


@click.command("approve", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@plan_hash
@click.option("--limit", "limits", multiple=True, help="An exceeded limit that you accept; once for each.")
@click.option("--break-glass", "glass", callback=_reason, help="Why you alone must be enough; the log keeps it.")
@under_id
@as_json
@pass_stack
def approve_campaign(
    stack: Stack,
    campaign_id: CampaignId,
    plan_hash: str,
    limits: Sequence[str],
    glass: str,
    given_id: str | None,
    is_json: bool,
) -> None:
    """Approve the plan of CAMPAIGN. With the last approval that it needs, its credits are granted."""
    body = {"action": "approve", "plan_hash": plan_hash, "limits": sorted(set(limits)), "break_glass": glass}
    _act(stack, campaign_id, body, given_id, is_json=is_json)


@click.command("reject", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@plan_hash
@click.option("--reason", required=True, callback=_reason, help="Why, for the campaign's log; no customer's data.")
@under_id
@as_json
@pass_stack
def reject_campaign(
    stack: Stack, campaign_id: CampaignId, plan_hash: str, reason: str, given_id: str | None, is_json: bool
) -> None:
    """Reject the plan of CAMPAIGN. The campaign ends, and nothing is granted."""
    body = {"action": "reject", "plan_hash": plan_hash, "reason": reason}
    _act(stack, campaign_id, body, given_id, is_json=is_json)


@click.command("replan", epilog=ACTION_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--reason", required=True, callback=_reason, help="Why, for the campaign's log; no customer's data.")
@under_id
@as_json
@pass_stack
def replan_campaign(stack: Stack, campaign_id: CampaignId, reason: str, given_id: str | None, is_json: bool) -> None:
    """Plan the list of CAMPAIGN again, as the next campaign of its incident.

    It reads the same version of the list, and everything else as it stands now. A plan that still waits is cancelled.
    """
    _act(stack, campaign_id, {"action": "replan", "reason": reason}, given_id, is_json=is_json)


def _act(
    stack: Stack, campaign_id: CampaignId, body: Mapping[str, Any], given_id: str | None, *, is_json: bool
) -> None:
    done = stack.door().act(
        "approvals.act",
        body,
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        id=given_id or action_id(body["action"], str(campaign_id)),
    )
    if is_json:
        print_json(done)
        return
    reason = f": {done['reason']}" if done["reason"] else ""
    say(console(), f"{done['campaign']} is {done['state']}{reason}", further=2)


def _show(found: "PlanReview", out: Console) -> None:
    given = [one["person"] for one in found["approvals"]]
    waits = found["state"] == State.AWAITING_APPROVAL
    needed = counted_as(found["persons_needed"], "person")
    asked = f"waits for {needed}, of whom {len(given)} approved" if waits else f"is {found['state']}"
    say(out, f"{found['campaign']} {asked}", "bold")
    policy = found["policy"]
    _show_incident(found, out)
    labelled(
        out, "policy", f"{policy['id']} {policy['version']} ({policy['hash'][:HASH_DIGITS_SHOWN]}): {policy['title']}"
    )
    _show_list(found, out)
    labelled(out, "requested", found["requester"] or f"no person: source {found['source']}")
    for person in given:
        labelled(out, "approved", person)
    for reason in found["reasons"]:
        labelled(out, "two persons", reason)
    if found["lone_operator"]:
        labelled(out, "lone operator", "this stack lets one person request and approve")
    labelled(out, "at most", _amounts(found["at_most"]) or "nothing")
    for usual in found["usual"]:
        labelled(out, "on average", _average(usual))
    if found["claimable"]:
        labelled(out, "of it claims", _amounts(found["claimable"]))
    for budget in found["budgets"]:
        labelled(out, "budget", budget_text(budget))
    labelled(out, "first due", found["first_due"] or "no day is stated")
    labelled(out, "approve before", seconds(found["approvable_until"]))
    if found["estimate"] is not None:
        delivered = found["delivery_usd"]
        more = "" if delivered is None else f", and {Decimal(delivered):.2f} USD for its way to bills"
        labelled(out, "AWS cost", f"{Decimal(found['estimate']['usd']):.2f} USD{more}")
    for limit in found["exceeded"]:
        labelled(out, "outside limit", f"{limit['name']}: {limit['figures']}")
    _show_results(found, out)
    _show_amounts(found, out)
    _show_largest(found, out)
    if waits:
        _show_commands(found, out)


def _show_incident(found: "PlanReview", out: Console) -> None:
    """What failed, when and for how long: what the list, the policy and the amounts must fit."""
    incident = found["incident"]
    labelled(out, "incident", incident["title"])
    for window in incident["windows"][:WINDOWS_PRINTED]:
        if window["end"] is None:
            labelled(out, "", f"since {window['start']}")
            continue
        lasted = parse_instant(window["end"]) - parse_instant(window["start"])
        labelled(out, "", f"{window['start']} to {window['end']}, {length(lasted // MICROSECOND)}")
    more = len(incident["windows"]) - WINDOWS_PRINTED
    if more > 0:
        labelled(out, "", f"and {more} more windows")
    labelled(out, "cause", incident["cause"] or "none is stated")


def _show_list(found: "PlanReview", out: Console) -> None:
    """The list, and what tells that it may be the wrong one."""
    pinned = found["list"]
    labelled(out, "list", pinned["key"])
    labelled(out, "version", pinned["version_id"])
    labelled(out, "uploaded", _uploaded(pinned))
    if pinned["same_as"]:
        others = ", ".join(pinned["same_as"][:SAME_PRINTED])
        labelled(out, "same list", f"the same content as the list of {others}: is it THAT one?")
    labelled(out, "rows", f"{pinned['rows']:,} announced, {found['subjects']:,} would get something")
    if repeated := _repeated(found["repeats"]):
        labelled(out, "repeated", repeated)
    if nearly := _nearly_equal(found["repeats"]):
        labelled(out, "nearly equal", nearly)


def _uploaded(pinned: "ListReview") -> str:
    """When the list came, and whether that was before what it is the list of."""
    if pinned["uploaded_at"] is None:
        return "its version was deleted"
    at = seconds(pinned["uploaded_at"])
    return f"{at}, BEFORE the incident began: is it the list of another one?" if pinned["is_older"] else at


def _repeated(repeats: "RepeatsReview") -> str:
    """How many rows name a subject again; empty where none does."""
    again = repeats["repeated"] + repeats["contradicting"]
    text = f"{again:,} of {_looked_at(repeats)} name a subject AGAIN; each is granted once"
    return f"{text}, the figures below count it each time" if again else ""


def _nearly_equal(repeats: "RepeatsReview") -> str:
    """How many rows have nearly another row's id; empty where none has."""
    nearly = repeats["nearly_equal"]
    text = f"{nearly:,} of {_looked_at(repeats)} have an id that differs from another row's by zeros, case or .0 ALONE"
    return f"{text}; each is granted by itself" if nearly else ""


def _looked_at(repeats: "RepeatsReview") -> str:
    of = "rows" if repeats["whole_list"] else "rows looked at, a sample,"
    return f"{repeats['rows_looked_at']:,} {of}"


def _average(usual: "UsualReview") -> str:
    """What a granted line comes to, here and in the last campaign under the same policy."""
    here, before = (value_text(usual["measure"], Decimal(size)) for size in (usual["each_here"], usual["each"]))
    text = f"{here} a granted line; {before} in {usual['campaign']}, the last under this policy"
    return text if usual["times"] is None else f"{text}: {usual['times']:,} TIMES as much"


def budget_text(budget: "BudgetReview") -> str:
    """What is left of a month's budget, and whether that is enough."""
    currency, month, limit, left = budget["currency"], budget["month"], budget["limit"], budget["left"]
    if limit is None or left is None:
        return f"none is set for {currency} in {month}"
    is_left = f"{value_text(currency, Decimal(left))} left of {value_text(currency, Decimal(limit))} in {month}"
    if budget["is_reserved"]:
        return f"{is_left}, beside what this campaign reserved"
    if Decimal(budget["set_free"]):
        is_left = f"{is_left}; its start sets {value_text(currency, Decimal(budget['set_free']))} free"
    return is_left if budget["is_enough"] else f"{is_left}: not enough"


def _amounts(sums: dict[str, str]) -> str:
    return " + ".join(value_text(measure, Decimal(size)) for measure, size in sums.items())


def _show_results(found: "PlanReview", out: Console) -> None:
    before = f"in {found['compared_with']}" if found["compared_with"] else ""
    columns = [
        Column("result", is_label=True), Column("reason", is_label=True, is_text=True), Column("lines", is_number=True)
    ]  # fmt: skip
    rows = [[one["result"], one["reason"], f"{one['lines']:,}"] for one in found["results"]]
    rows.append(["all", "", f"{found['lines']:,}"])
    if before:
        columns.append(Column(before, is_number=True))
        rows = [
            [*row, f"{one:,}"]
            for row, one in zip(rows, [*_lines_before(found), sum(_lines_before(found))], strict=True)
        ]
    table(out, columns, rows, last="bold")
    sums = [[one["result"], *_sum(one["measure"], one["sum"], one["before"])] for one in found["sums"]]
    if sums:
        columns = [Column("result"), Column("sum", is_number=True)]
        columns += [Column(before, is_number=True)] * bool(before)
        table(out, columns, sums)


def _lines_before(found: "PlanReview") -> list[int]:
    return [one["before"] or 0 for one in found["results"]]


def _sum(measure: str, size: str, before: str | None) -> list[str]:
    return [value_text(measure, Decimal(one)) for one in (size, before) if one is not None]


def _show_amounts(found: "PlanReview", out: Console) -> None:
    """A bar for each range of amounts, of each result and measure; nothing where all are the same."""
    for one in found["amounts"]:
        if one["smallest"] == one["largest"]:
            continue
        say(out, f"{one['result']}, {one['reason'] or 'all reasons'}, {measure_words(one['measure'])}: lines by amount")
        ranges = coarser_ranges(one)
        most = max(lines for _, lines in ranges)
        columns = [Column("amount", is_number=True), Column("lines", is_number=True), Column("")]
        bars = [[amount, f"{lines:,}", "#" * max(1, BAR_CELLS * lines // most)] for amount, lines in ranges]
        table(out, columns, bars)


def _show_largest(found: "PlanReview", out: Console) -> None:
    largest = found["largest"]
    if not largest:
        return
    columns = [
        Column("largest", is_number=True), Column("lines", is_number=True), Column("first account"),
        Column("subject", spare=1), Column("at byte", is_number=True, spare=2),
    ]  # fmt: skip
    rows = [
        [value_text(one["measure"], Decimal(one["amount"])), f"{one['lines']:,}", one["account"], one["subject"],
         f"{one['offset']:,}"]
        for one in largest[:LARGEST_PRINTED]
    ]  # fmt: skip
    table(out, columns, rows)


def _show_commands(found: "PlanReview", out: Console) -> None:
    named = [word for limit in found["exceeded"] for word in ("--limit", limit["name"])]
    short = found["plan_hash"][:HASH_DIGITS_SHOWN]
    say(out, "If you agree with all of it, or not:")
    command(out, ["kulanz", "approve", found["campaign"], "--plan", short, *named])
    command(out, ["kulanz", "reject", found["campaign"], "--plan", short, "--reason", "..."])
