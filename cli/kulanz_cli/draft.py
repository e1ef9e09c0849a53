"""``kulanz draft``: what a source reports of an incident, drawn to scale, and a person's confirmation of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from kulanz.application.door.drafts import DraftAnswer
from kulanz.domain.campaigns.campaign import ENDED, CampaignId
from kulanz.domain.time import MICROSECOND, TimeError, format_instant, parse_instant
from kulanz_cli.command import IncidentParameter, action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.drafts import length
from kulanz_cli.list_parts import parts_among, with_parts
from kulanz_cli.outcomes import ANSWER_CODES, Unusable
from kulanz_cli.send import with_list
from kulanz_cli.sending import checked, state_now
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, command, console, labelled, print_json, say, table
from kulanz_console.drawing.text import seconds

DIGEST_DIGITS_SHOWN = 12
DIGEST_DIGITS = 64
DRAWN_CELLS = 56
"""Cells of a drawn timeline: with its name it fits 80 columns."""
LETTERS = {"major": "#", "partial": "+", "degraded": ".", "unstated": "*", "planned": "=", "unknown": "?"}
COUNTED = {"proposed": "as configured", "major": "major", "partial": "major and partial", "whole": "start to resolved"}
MARKS = {
    "start_unknown": "a component was impaired before its first report: when that began is not known",
    "start_assumed": "a start is assumed: no report says when it began",
    "end_assumed": "an end is assumed: no report says when the component worked again",
    "end_missing": "the incident is over, and nothing says when",
    "timeline_broken": "a component's status changed between two reports",
    "times_contradict": "the times contradict each other: it ends before it starts",
    "time_unreadable": "a time could not be read",
    "time_without_zone": "a time has no zone; the configuration says which one was taken",
    "status_unknown": "the source uses a status that is not known here; it counts as nothing",
    "reopened": "it was reopened",
    "merged": "it was merged into another incident",
    "cancelled": "it was cancelled",
    "planned": "it is planned work",
    "not_begun": "it has not begun",
    "backdated": "it was written down, or changed, afterwards",
    "component_changed": "it was moved to another service of the source",
    "component_unmapped": "a component is not mapped to a service",
    "paging_times": "the times are those of paging, not those of customers",
    "written_times": "the start is when it was written down",
    "supplier": "it is a supplier's incident",
    "below_minimum": "an outage is shorter than the configured minimum",
    "no_window": "nothing counts as an outage by the configuration",
}


def _digest(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (
        DIGEST_DIGITS_SHOWN <= len(value) <= DIGEST_DIGITS and not set(value) - set("0123456789abcdef")
    ):
        shown = f"the draft's digest, as `kulanz draft` shows it: {DIGEST_DIGITS_SHOWN} digits or all {DIGEST_DIGITS}"
        raise click.BadParameter(f"expected {shown}", param=parameter)
    return value


def _window(_: click.Context, parameter: click.Parameter, values: Sequence[str]) -> list[dict[str, str | None]]:
    found = []
    for value in values:
        start, slash, end = value.partition("/")
        try:
            if not slash:
                raise TimeError("expected a slash between them")  # noqa: TRY301
            found.append(
                {
                    "start": format_instant(parse_instant(start)),
                    "end": None if end == ".." else format_instant(parse_instant(end)),
                }
            )
        except TimeError as error:
            raise click.BadParameter(f"START/END, or START/.. while it lasts: {error}", param=parameter) from None
    return found


@click.command("draft", epilog=ANSWER_CODES)
@click.argument("draft_id", metavar="ID", type=IncidentParameter())
@click.option("--confirm", "is_confirmed", is_flag=True, help="Record the incident; needs --draft and its windows.")
@click.option("--dismiss", "is_dismissed", is_flag=True, help="Nothing is to be recorded of it; needs --reason.")
@click.option("--draft", "digest", callback=_digest, help="The draft's digest, as `kulanz draft` shows it.")
@click.option("--windows", "chosen", type=click.Choice([*COUNTED]), help="Which windows count.")
@click.option("--window", "given", multiple=True, callback=_window, help="Your own window START/END; once for each.")
@click.option("--cause", help="The cause, in a word that the policy knows.")
@click.option("--title", help="The title; without it the source's.")
@click.option("--function", "functions", multiple=True, help="A function of the service; without any the draft's.")
@click.option("--reason", help="Why you decide so; the audit log keeps it.")
@click.option(
    "--list", "list_paths", multiple=True, type=click.Path(exists=True, path_type=Path),
    help="The list of affected accounts: with it a campaign is requested.",
)  # fmt: skip
@click.option("--policy", help="The policy of the campaign, ID/VERSION; without it the suggested one.")
@click.option("--rows", type=click.IntRange(min=1), help="Your control total; without it the list's lines are counted.")
@under_id
@as_json
@pass_stack
def draft(
    stack: Stack,
    draft_id: str,
    *,
    is_confirmed: bool,
    is_dismissed: bool,
    digest: str | None,
    chosen: str | None,
    given: list[dict[str, str | None]],
    cause: str | None,
    title: str | None,
    functions: Sequence[str],
    reason: str | None,
    list_paths: Sequence[Path],
    policy: str | None,
    rows: int | None,
    given_id: str | None,
    is_json: bool,
) -> None:
    """Show the draft ID, confirm it as an incident, or dismiss it.

    Its windows are drawn to scale, with the field that each instant came from. Nothing is recorded before --confirm.
    You are the requester of the campaign that --list requests; it waits for its approval like any other.

    What is dismissed waits for nobody, until its source reports something else.
    """
    door = stack.door()
    found: Any = door.ask("drafts.one", draft=draft_id)
    if is_dismissed:
        if is_confirmed or reason is None:
            raise click.UsageError("--dismiss needs --reason, and stands without --confirm")
        _only_with_confirm(chosen, given, cause, title, functions, list_paths, policy, rows)
        must_be_a_reason(reason)
        _must_be_seen(found, digest)
        body = {"action": "dismiss", "digest": found["digest"], "reason": reason}
        # Dismissed again after it has changed, it is another action.
        named = given_id or action_id("dismiss", draft_id, found["digest"])
        done = door.act("drafts.confirm", body, draft=draft_id, id=named)
        if is_json:
            print_json(done)
        else:
            say(console(), f"Dismissed: {draft_id}. It is listed again when its source reports something else.")
        return
    if not is_confirmed:
        _only_with_confirm(digest, chosen, given, list_paths, policy, rows)
        if is_json:
            print_json(found)
        else:
            show_draft(found, console())
            _show_how(found, console())
        return
    body = _confirmation(found, digest, chosen, given)
    stated = {"cause": cause, "title": title, "reason": reason, "functions": list(functions) or None}
    body |= {name: value for name, value in stated.items() if value is not None}
    if list_paths:
        body["campaign"] = _campaign(found, body, stack, parts_among(list_paths), policy, rows)
    elif policy is not None or rows is not None:
        raise click.UsageError("--policy and --rows belong to --list")
    answer = dict(door.act("drafts.confirm", body, draft=draft_id, id=given_id or action_id("confirm", draft_id)))
    if answer["campaign"] is not None:
        answer["state"] = state_now(door, CampaignId.parse(answer["campaign"]), answer["state"])
    if is_json:
        print_json(answer)
    else:
        _show_confirmed(answer, console())


def _only_with_confirm(*given: object) -> None:
    if any(one for one in given):
        raise click.UsageError("these options belong to --confirm")


def _confirmation(
    found: Mapping[str, Any], digest: str | None, chosen: str | None, given: Sequence[Mapping[str, str | None]]
) -> dict[str, Any]:
    """What the person says: which draft, and which windows."""
    if digest is None:
        raise click.UsageError("--confirm needs --draft, the draft's digest as `kulanz draft` shows it")
    _must_be_seen(found, digest)
    if (chosen is None) is not bool(given):
        raise click.UsageError("--confirm needs either --windows or --window, once for each window")
    windows: list[Any] = list(given)
    if chosen is not None:
        listed = found["windows"] if chosen == "proposed" else found["by"][chosen]
        windows = [
            {"start": one["start"]["at"], "end": None if one["end"] is None else one["end"]["at"]} for one in listed
        ]
    if not windows:
        raise Unusable(f"the draft has no window for {chosen}; give your own with --window START/END")
    return {"digest": found["digest"], "windows": windows}


def _must_be_seen(found: Mapping[str, Any], digest: str | None) -> None:
    """Raise Unusable where a draft is another one than was looked at, by its digest; None names none."""
    if digest is not None and not found["digest"].startswith(digest):
        raise Unusable("the draft has changed since you looked at it; look again")


def _campaign(
    found: Mapping[str, Any], body: Mapping[str, Any], stack: Stack, parts: Sequence[Path], policy: str | None,
    rows: int | None,
) -> dict[str, Any]:  # fmt: skip
    """The request of the campaign, with its list uploaded. All that the stack would refuse is looked at before."""
    named = policy or found["suggested"].get("policy")
    policy_id, slash, version = (named or "").partition("/")
    if not slash or not version.isdigit():
        raise click.UsageError("--list needs --policy ID/VERSION: the configuration suggests none")
    key = found["suggested"].get("list")
    affected = {"s3": {"key": key}} if key and len(parts) == 1 else {}
    campaign: dict[str, Any] = {"policy": {"id": policy_id, "version": int(version)}, "affected": affected}
    has_ended = all(window["end"] is not None for window in body["windows"])
    event = {
        "source": found["source"],
        "detail-type": "Incident Resolved" if has_ended else "Incident Declared",
        "detail": {
            "incident_id": found["draft"],
            "revision": 1,
            "title": body.get("title") or found["title"] or found["draft"],
            "service": found["service"] or "-",
            "functions": body.get("functions", found["functions"]),
            "windows": body["windows"],
            "cause": body.get("cause"),
            "campaign": campaign,
        },
    }
    notes = console(stderr=True)
    for note in checked(event, stack.door(), parts):
        say(notes, note, further=2)
    completed = with_list(event, stack, parts[0], rows) if len(parts) == 1 else with_parts(event, stack, parts, rows)
    request: dict[str, Any] = completed["detail"]["campaign"]
    return request


def _show_confirmed(answer: Mapping[str, Any], out: Console) -> None:
    say(out, f"Recorded: incident {answer['incident_id']}, revision {answer['revision']}.")
    if answer["campaign"] is None:
        say(out, "No campaign was requested.")
        return
    if answer["state"] in ENDED:
        say(out, f"Campaign {answer['campaign']} was opened for it, and has ended ({answer['state']}). See it:")
    else:
        say(out, f"Campaign {answer['campaign']} is open ({answer['state']}). Follow it:")
    command(out, ["kulanz", "watch", answer["campaign"]])


def show_draft(found: DraftAnswer, out: Console) -> None:
    """Print a draft: what it is about, its timelines to scale, what each way of counting comes to, and its marks."""
    say(out, f"{found['draft']}: {found['title'] or 'without a title'}", "bold", further=2)
    labelled(out, "source", f"{found['kind']}, incident {found['upstream_id']}, {found['course'] or 'state not known'}")
    if found["service"] is not None:
        functions = ", ".join(found["functions"])
        labelled(out, "service", found["service"] + (f" ({functions})" if functions else ""))
    suggested = [
        f"{name} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in found["suggested"].items()
        if value
    ]
    if suggested:
        labelled(out, "suggested", "; ".join(suggested))
    for name in ("began", "ended"):
        stamp = found["began"] if name == "began" else found["ended"]
        if stamp is not None:
            labelled(out, name, f"{stamp['at']} ({stamp['field']})")
    _draw(found, out)
    totals: Mapping[str, int | None] = {**found["totals_microseconds"]}  # type: ignore[dict-item]
    rows = []
    for name, text in COUNTED.items():
        windows = found["windows"] if name == "proposed" else found["by"][name]
        rows.append((name, text, length(totals[name]) if windows else "none", f"{len(windows)}"))
    columns = [Column("--windows"), Column("what counts"), Column("outage", is_number=True)]
    table(out, [*columns, Column("windows", is_number=True)], rows)
    for window in found["windows"]:
        end = window["end"]
        until = "it goes on" if end is None else f"{_assumed(end)}{end['at']} ({end['field']})"
        say(
            out, f"proposed: {_assumed(window['start'])}{window['start']['at']} ({window['start']['field']})", further=4
        )
        say(out, f"to {until}", indent=2, further=4)
    for one in found["unmapped"]:
        say(out, f"not mapped: {one['component']} ({one['name']})", further=2)
    for mark in found["marks"]:
        say(out, f"! {MARKS[mark]}", further=2)
    if found["confirmed"] is not None:
        said = found["confirmed"]
        say(out, f"confirmed as revision {said['revision']} by {said['by']} at {seconds(said['at'])}", further=2)
    last = found.get("dismissed")
    if last is not None:
        say(out, f"dismissed by {last['by']} at {seconds(last['at'])}: {last['reason']}", further=2)
    for change in found["changed"]:
        say(out, f"since then: {change}", further=2)


def _show_how(found: Mapping[str, Any], out: Console) -> None:
    if found["problem"]:
        say(out, f"It cannot be confirmed: {found['problem']}.", further=2)
        say(out, "If nothing is to be recorded of it:")
        short = found["digest"][:DIGEST_DIGITS_SHOWN]
        command(out, ["kulanz", "draft", found["draft"], "--dismiss", "--draft", short, "--reason", "..."])
        return
    say(out, "To confirm it, with the windows that count:")
    windows = "proposed" if found["windows"] else "major|partial|whole"
    short = found["digest"][:DIGEST_DIGITS_SHOWN]
    command(out, ["kulanz", "draft", found["draft"], "--confirm", "--draft", short, "--windows", windows])
    if found["confirmed"] is None or found["confirmed"]["digest"] != found["digest"]:
        say(out, "If nothing is to be recorded of it:")
        command(out, ["kulanz", "draft", found["draft"], "--dismiss", "--draft", short, "--reason", "..."])


def _assumed(stamp: Mapping[str, Any]) -> str:
    return "~" if stamp["assumed"] else ""


def _draw(found: DraftAnswer, out: Console) -> None:
    """The timeline of each component, to scale: a cell is the degree that most of its time had."""
    spans = [span for one in found["components"] for span in one["spans"]]
    instants = [parse_instant(stamp["at"]) for span in spans for stamp in (span["start"], span["end"]) if stamp]
    instants += [parse_instant(stamp["at"]) for stamp in (found["began"], found["ended"]) if stamp]
    if not spans or len(set(instants)) < 2:  # noqa: PLR2004 - a line has two ends
        return
    first, last = min(instants), max(instants)
    width = min(DRAWN_CELLS, max(10, out.width - 24))
    left, right = f"{first:%m-%d %H:%M:%S}", f"{last:%m-%d %H:%M:%S}"
    say(out, left + right.rjust(width - len(left)), "dim", indent=18, further=18)
    for one in found["components"]:
        cells = "".join(_cell(one["spans"], first, last, number, width) for number in range(width))
        name = (one["name"] or one["component"])[:14]
        say(out, f"{name:<14}  {cells}", indent=2, further=2)
    used = dict.fromkeys(span["degree"] for span in spans)
    legend = ", ".join(f"{LETTERS[degree]} {degree}" for degree in used)
    say(out, f"{legend}, - operational; a cell is {length(_cell_length(first, last, width) // MICROSECOND)}", indent=18)


def _cell_length(first: datetime, last: datetime, width: int) -> timedelta:
    return (last - first) / width


def _cell(spans: Sequence[Mapping[str, Any]], first: datetime, last: datetime, number: int, width: int) -> str:
    """The letter of the degree that most of a cell's time had; a dash where that is none."""
    start, end = (first + (last - first) * place / width for place in (number, number + 1))
    found: dict[str, timedelta] = {}
    for span in spans:
        began = max(start, parse_instant(span["start"]["at"]))
        ended = end if span["end"] is None else min(end, parse_instant(span["end"]["at"]))
        if ended > began:
            found[span["degree"]] = found.get(span["degree"], timedelta()) + (ended - began)
    if not found or sum(found.values(), timedelta()) * 2 < end - start:
        return "-"
    return LETTERS[max(found, key=lambda degree: found[degree])]
