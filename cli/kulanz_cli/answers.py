"""Prints an answer about one account: as text for a support agent, or as JSON for a program."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console

from kulanz.domain.decision import Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz_cli.terminal import command, counted_as, labelled, say
from kulanz_console.answered import (
    DIFFERS,
    EXPLAINED,
    WITHDRAWN,
    Decided,
    Standing,
    at_work,
    differences,
    facts,
    looked_in,
    now_words,
    overpaid_words,
    standings,
    sum_words,
    summary,
    what_nothing_means,
    what_words,
)
from kulanz_console.drawing.text import seconds

if TYPE_CHECKING:
    from kulanz.application.door.accounts import AskAnswer, Withheld

ANSWER_VERSION = 1

_COLOUR = {
    "granted": "green",
    "expired": "yellow",
    "declined": "red",
    "held": "yellow",
    "referred": "cyan",
    "offered": "magenta",
    "offer ended": "yellow",
    "voided": "yellow",
}
_ANSWERED = ("account_id", "asked_at", "final", "found_as")
_OF_A_STANDING = (
    *("incident_id", "title", "began", "withdrawn", "subject", "state", "granted", "expired", "usable_until"),
    "overpaid",
)
_OF_A_DECISION = (
    *("campaign", "subject", "effective_at", "expires_at", "expired", "status", "decision", "remaining", "steps"),
    *("explained", "row_offset", "policy", "engine", "recomputed", "notice_id", "credits", "taken_back", "by_hand"),
)


def answer_content(answer: "AskAnswer") -> dict[str, Any]:
    """The answer as JSON-able content; sums are exact texts, money in minor units."""
    content: dict[str, Any] = {
        "v": ANSWER_VERSION,
        **_part(answer, _ANSWERED),
        "standings": [_part(standing, _OF_A_STANDING) for standing in answer["standings"]],
        "decisions": [_part(decided, _OF_A_DECISION) for decided in answer["decisions"]],
        "campaigns": [_part(campaign, ("campaign", "state")) for campaign in answer["campaigns"]],
    }
    if answer["withheld"] is not None:
        content["withheld"] = answer["withheld"]
    if not answer["decisions"]:
        content["listed_nowhere"] = answer["listed_nowhere"]
        content["rejected_rows"] = [campaign["rejected_rows"] for campaign in answer["campaigns"]]
    return content


def _part(content: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: content[name] for name in names if name in content}


def show_answer(answer: "AskAnswer", console: Console, incident_id: str | None = None) -> None:
    """Print the answer for a person: for each incident how it stands now, then every decision with its reasons.

    `incident_id` is the incident that was asked about, where one was.
    """
    if answer["found_as"]:
        say(console, f"{answer['found_as']} is a line of account {answer['account_id']}, by the list of the incident.")
    for number, standing in enumerate(standings(answer)):
        if number:
            say(console, "")
        _show_standing(standing, answer, console)
        for decided in standing.decisions:
            if len(standing.decisions) > 1:
                say(console, "")
                superseded = "; a later campaign has decided since" if decided.content["superseded"] else ""
                heading = f"Campaign {decided.content['campaign']}: {summary(decided.decision)}{superseded}"
                say(console, heading, "bold", further=2)
            _show_decision(decided, standing, answer, console)
    if answer["withheld"] is not None:
        _show_withheld(answer["account_id"], answer["withheld"], console)
    elif not answer["decisions"]:
        _show_nothing(answer, console, incident_id)
    for campaign in answer["campaigns"]:
        if not answer["final"]:
            is_settled = answer["decisions"] or campaign["campaign"] not in at_work(answer)
            more = "" if is_settled else "; this can change"
            say(console, f"Campaign {campaign['campaign']} is {campaign['state']}{more}.")


def _show_withheld(account_id: str, withheld: "Withheld", console: Console) -> None:
    """What is not shown, because the id changed hands after it."""
    older = counted_as(withheld["decisions"], "decision")
    say(console, f"Not shown: {older} from before {withheld['before']}. A list says that the id changed hands then.")
    say(console, "The role auditor sees all of them:")
    command(console, ["kulanz", "ask", account_id, "--past"])


def _show_standing(standing: Standing, answer: "AskAnswer", console: Console) -> None:
    """The state as of now, before any history."""
    content, granted = standing.content, standing.granted
    state, account, title = content["state"], answer["account_id"], content["title"]
    say(console, f"{state.upper()} {what_words(standing)}", f"bold {_COLOUR[state]}")
    facts = {
        "account": account if content["subject"] == WHOLE_ACCOUNT else f"{account}, {content['subject']}",
        "incident": content["incident_id"] if title is None else f"{content['incident_id']}, {title}",
        "began": "" if content["began"] is None else seconds(content["began"]),
        "now": f"{now_words(standing)} (as of {seconds(answer['asked_at'])})",
        "withdrawn": WITHDRAWN if content["withdrawn"] else "",
        "overpaid": overpaid_words(standing),
        "in all": f"{sum_words(content['granted'])}, by {len(granted)} campaigns" if len(granted) > 1 else "",
    }
    for name, text in facts.items():
        if text:
            labelled(console, name, text)


def _show_decision(decided: Decided, standing: Standing, answer: "AskAnswer", console: Console) -> None:
    content = decided.content
    for name, text in facts(decided, answer):
        labelled(console, name, text)
    offer = content["offer"]
    if offer is not None and offer["open"]:
        subject = [] if content["subject"] == WHOLE_ACCOUNT else ["--subject", content["subject"]]
        say(console, "to accept it:", "dim", indent=2)
        which = ["--campaign", str(decided.seq)] if len(standing.offered) > 1 else []
        incident_id = standing.content["incident_id"]
        words = ["kulanz", "accept", answer["account_id"], "--incident", incident_id, *subject, *which]
        command(console, words, indent=4)
    if _waits_for_a_person(decided, standing):
        subject = [] if content["subject"] == WHOLE_ACCOUNT else ["--subject", content["subject"]]
        say(console, "to see what is missing, and decide it:", "dim", indent=2)
        command(console, ["kulanz", "cases", content["campaign"], answer["account_id"], *subject], indent=4)
    for number, step in enumerate(content["steps"], 1):
        labelled(console, "why" if number == 1 else "", f"{number}. {step}")
    if content["explained"] in EXPLAINED:
        say(console, EXPLAINED[content["explained"]], indent=2)
    if decided.recomputed is not None and content["explained"] == DIFFERS:
        say(console, f"today: {summary(decided.recomputed)}", indent=2)
        for path, stored, today in differences(decided.decision.to_body(), decided.recomputed.to_body()):
            say(console, f"{path}: {stored}; today: {today}", indent=4, further=6)


def _waits_for_a_person(decided: Decided, standing: Standing) -> bool:
    """Whether a decision is a case: it is what stands, and a person may decide it."""
    is_latest = decided is standing.decisions[-1] and not standing.content["withdrawn"]
    return is_latest and decided.content["status"] in (Outcome.HELD, Outcome.REFERRED)


def _show_nothing(answer: "AskAnswer", console: Console, incident_id: str | None) -> None:
    say(console, f"NOTHING DECIDED about account {answer['account_id']}", "bold")
    campaigns = answer["campaigns"]
    if incident_id is not None and not answer["incidents"]:
        say(console, f"The incident {incident_id} is not recorded on this stack. Is its id right? A month's:", indent=2)
        command(console, ["kulanz", "incidents", "--month", answer["asked_at"][: len("2026-11")]], indent=4)
        say(console, "All about the account, whatever the incident:", indent=2)
        command(console, ["kulanz", "ask", answer["account_id"]], indent=4)
        return
    if not campaigns and not answer["incidents"]:
        say(
            console,
            "Looked in: the decisions of all incidents, under this very account id.",
            indent=2,
        )
        say(console, "Nothing else can be searched without an incident; name it with --incident.", indent=2)
        return
    for incident in answer["incidents"]:
        labelled(console, "incident", f"{incident['incident_id']}, {incident['title']}")
        labelled(console, "began", seconds(incident["began"]))
    if not campaigns:
        say(console, "The incident has no campaign: nobody was decided about.", indent=2)
        return
    say(console, f"Looked in: {looked_in(campaigns)}.", indent=2)
    if answer["listed_nowhere"]:
        say(console, "The account was not on the list, or its row was rejected.", indent=2)
    elif answer["final"]:
        for campaign in campaigns:
            say(console, what_nothing_means(campaign), indent=2)
    with_rejected = [campaign for campaign in campaigns if campaign["rejected"]]
    if with_rejected:
        say(console, "Which rows were rejected, and why:", indent=2)
    for campaign in with_rejected:
        command(console, ["kulanz", "rejected", campaign["campaign"]], indent=4)
        say(console, campaign["rejected_rows"], "dim", indent=4)
