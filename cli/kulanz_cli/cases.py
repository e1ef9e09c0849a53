"""``kulanz cases``: what waits for a person, campaign by campaign, account by account, and one case with its steps."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import click

from kulanz.application.door.parameters import PARAMETERS
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.policy.explaining.benefits import worth_words
from kulanz_cli.command import AccountParameter, CampaignParameter, SubjectParameter
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, command, console, labelled, print_json, say, table
from kulanz_console.drawing.text import seconds

if TYPE_CHECKING:
    from kulanz.application.door.cases import CampaignCases, CaseAnswer, CaseItem, CasesAnswer, OwedAnswer, ProposedItem

CASES_VERSION = 1
MONTHS_BACK = 14
"""Without a month, cases of so many months are listed: an incident may be decided for 400 days unless the stack says
otherwise."""
SHOWN = 100
SHOWN_MOST = 10_000
KINDS = ("held", "referred", "conflict", "rejected")
_OF_ROW = frozenset({"conflict", "rejected"})

facts_option = click.option(
    "--fact", "facts", metavar="NAME=VALUE", multiple=True, help="A fact that the list leaves open; again for others."
)
subject_option = click.option(
    "--subject", type=SubjectParameter(), default=WHOLE_ACCOUNT,
    help="The line, service or premises, where the policy decides those.",
)  # fmt: skip

row_option = click.option(
    "--row", type=click.IntRange(min=0), metavar="BYTE",
    help="The contradicting or rejected row that starts at this byte of the list, as `kulanz cases CAMPAIGN` shows it.",
)  # fmt: skip


@click.command("cases", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="[CAMPAIGN]", type=CampaignParameter(), required=False)
@click.argument("account_id", metavar="[ACCOUNT]", type=AccountParameter(), required=False)
@click.option("--month", type=RouteParameter("month"), help="Only campaigns that this month opened, such as 2026-11.")
@click.option("--kind", type=click.Choice(KINDS), help="Only these of CAMPAIGN.")
@click.option("--limit", type=click.IntRange(1, SHOWN_MOST), default=SHOWN, show_default=True, help="Show at most.")
@click.option("--proposed", is_flag=True, help="Show decisions that wait for a second person.")
@subject_option
@row_option
@facts_option
@as_json
@pass_stack
def list_cases(
    stack: Stack, *, campaign_id: CampaignId | None, account_id: str | None, month: str | None, kind: str | None,
    limit: int, proposed: bool, subject: str, row: int | None, facts: Sequence[str], is_json: bool,
) -> None:  # fmt: skip
    """Show what waits for a person, and what it would owe.

    Without CAMPAIGN these are campaigns, by their deadline; with it, its cases; with ACCOUNT, one of them.

    A case has the policy's own steps, and what it would owe if a missing fact were known; --fact asks about a value.
    A row that contradicts the decided one, or that cannot be read, is named by --row; ACCOUNT is whose it is.
    Exits with 1 when nothing waits.
    """
    if proposed:
        found = _proposed(stack, is_json=is_json)
    elif campaign_id is None:
        found = _campaigns(stack, month, is_json=is_json)
    elif account_id is None:
        found = _cases(stack, campaign_id, kind, limit, is_json=is_json)
    else:
        found = _case(stack, campaign_id, account_id, subject, row, read_facts(facts), is_json=is_json)
    if not found:
        click.get_current_context().exit(EXIT_NO)


def read_facts(facts: Sequence[str]) -> Mapping[str, str]:
    """Facts as the command line has them. Raises UsageError, without a value."""
    found: dict[str, str] = {}
    for one in facts:
        name, sign, value = one.partition("=")
        if not sign or not name.strip() or not value.strip() or name in found:
            raise click.UsageError("a fact is written NAME=VALUE, each name once")
        found[name.strip()] = value.strip()
    if found and not PARAMETERS["facts"].is_valid(canonical_json(found)):
        raise click.UsageError(f"expected {PARAMETERS['facts'].expected}")
    return found


def _months(month: str | None) -> Iterator[str]:
    if month is not None:
        yield month
        return
    now = datetime.now(UTC)
    last = now.year * 12 + now.month - 1
    for number in range(last - MONTHS_BACK + 1, last + 1):
        yield f"{number // 12:04d}-{number % 12 + 1:02d}"


def _campaigns(stack: Stack, month: str | None, *, is_json: bool) -> bool:
    door = stack.door()
    found = [
        cast("CampaignCases", one)
        for named in _months(month)
        for page in door.pages("cases.of_month", month=named)
        for one in page["campaigns"]
    ]
    found.sort(key=lambda one: (one["decidable_until"], one["decided_at"], one["campaign"]))
    if is_json:
        print_json({"v": CASES_VERSION, "campaigns": found})
        return bool(found)
    if not found:
        say(console(), "nothing waits for a person")
        return False
    columns = [Column("campaign", is_label=True), *(Column(kind, is_number=True) for kind in KINDS), Column("until")]
    rows = [
        [one["campaign"], *(f"{one['waiting'].get(kind, 0):,}" for kind in KINDS), one["decidable_until"][:10]]
        for one in found
    ]
    table(console(), columns, rows)
    say(console(), "To see who waits:")
    command(console(), ["kulanz", "cases", found[0]["campaign"]])
    for one in found:
        if one["decided"]:
            said = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(one["decided"].items()))
            say(console(), f"{one['campaign']}: decided by hand: {said}", further=2)
        if one["later"]:
            named = ", ".join(f"{CampaignId.parse(one['campaign']).incident_id}/{seq}" for seq in one["later"])
            say(console(), f"{one['campaign']}: {named} may have decided these since", further=2)
        if one["closed"] is not None:
            say(console(), f"{one['campaign']}: {one['closed']['says']}", further=2)
    return True


def _proposed(stack: Stack, *, is_json: bool) -> bool:
    pages = stack.door().pages("cases.proposed")
    found = [cast("ProposedItem", one) for page in pages for one in page["proposed"]]
    if is_json:
        print_json({"v": CASES_VERSION, "proposed": found})
        return bool(found)
    if not found:
        say(console(), "nothing waits for a second person")
        return False
    columns = [Column("account", is_label=True), Column("campaign"), Column("would be"), Column("case")]
    hashes = [one["hash"][:HASH_DIGITS_SHOWN] for one in found]
    rows = [
        [_of_subject(one["account_id"], one["subject"]), one["campaign"], _came_to(one["by_hand"]["decision"]), named]
        for one, named in zip(found, hashes, strict=True)
    ]
    table(console(), columns, rows)
    for one, named in zip(found, hashes, strict=True):
        say(console(), f"{named}: by {one['person']}, until {seconds(one['waits_until'])}", further=2)
    return True


def _of_subject(account_id: str, subject: str) -> str:
    return account_id if subject == WHOLE_ACCOUNT else f"{account_id} {subject}"


def _cases(stack: Stack, campaign_id: CampaignId, kind: str | None, limit: int, *, is_json: bool) -> bool:
    found = list["CaseItem"]()
    last: CasesAnswer | None = None
    named = campaign_id.incident_id
    for page in stack.door().pages("cases.of_campaign", {"kind": kind}, incident=named, seq=campaign_id.seq):
        last = cast("CasesAnswer", page)
        found += last["cases"]
        if len(found) >= limit:
            break
    assert last is not None, "an answer has a page"
    more = last["next"] is not None or len(found) > limit
    found = found[:limit]
    if is_json:
        print_json({**last, "cases": found, "next": None, "more": more})
        return bool(found)
    out = console()
    if last["closed"] is not None:
        say(out, f"Nobody can decide these now: {last['closed']['says']}.", further=2)
    if not found:
        say(out, f"nothing of {campaign_id} waits for a person")
        return False
    say(out, f"Decided as of {seconds(last['decided_at'])}; to be decided by {seconds(last['decidable_until'])}.")
    columns = [Column("account", is_label=True), Column("why"), Column("reason"), Column("byte", is_number=True)]
    table(out, columns, [[_who(one), one["kind"], _reason(one), f"{one['row_offset']}"] for one in found])
    first = next((one for one in found if one["kind"] in ("held", "referred")), None)
    if first is not None:
        say(out, "To see one with its steps, and what it would owe:")
        command(out, ["kulanz", "cases", str(campaign_id), first["account_id"], *_subject(first["subject"])])
    torn = next((one for one in found if one["kind"] == "conflict"), None)
    if torn is not None:
        say(out, "To see what the contradicting row would come to:")
        of_row = [torn["account_id"], *_subject(torn["subject"]), "--row", str(torn["row_offset"])]
        command(out, ["kulanz", "cases", str(campaign_id), *of_row])
    rejected = next((one for one in found if one["kind"] == "rejected"), None)
    if rejected is not None:
        say(out, "A rejected row has no account. Correct it in the list, and request the list again.", further=2)
        say(out, "Or, where you know whose row it is:")
        command(out, ["kulanz", "cases", str(campaign_id), "ACCOUNT", "--row", str(rejected["row_offset"])])
    if more:
        say(console(stderr=True), f"These are {len(found)}, and there are more: --limit shows as many as it says.")
    return True


def _who(one: "CaseItem") -> str:
    if "account_id" not in one:
        return "(no account)"
    return _of_subject(one["account_id"], one["subject"])


def _reason(one: "CaseItem") -> str:
    return f"{one['reason']} ({one['field']})" if one.get("field") else one["reason"]


def _subject(subject: str) -> list[str]:
    return [] if subject == WHOLE_ACCOUNT else ["--subject", subject]


def ask_case(
    stack: Stack, campaign_id: CampaignId, account_id: str, subject: str, row: int | None, facts: Mapping[str, str]
) -> "CaseAnswer":
    """The case of an account as it stands, with what it would owe."""
    query = {
        "subject": subject, "facts": canonical_json(dict(facts)) if facts else None,
        "row": None if row is None else str(row),
    }  # fmt: skip
    named = campaign_id.incident_id
    found = stack.door().ask("cases.one", query, account=account_id, incident=named, seq=campaign_id.seq)
    return cast("CaseAnswer", found)


def _case(
    stack: Stack, campaign_id: CampaignId, account_id: str, subject: str, row: int | None, facts: Mapping[str, str],
    *, is_json: bool,
) -> bool:  # fmt: skip
    found = ask_case(stack, campaign_id, account_id, subject, row, facts)
    if is_json:
        print_json(dict(found))
    else:
        _show(found)
    return found["closed"] is None


def _show(found: "CaseAnswer") -> None:
    out = console()
    of_subject = "" if found["subject"] == WHOLE_ACCOUNT else f", {found['subject']}"
    what = found["kind"] if found["kind"] in _OF_ROW else found["status"]
    say(out, f"{what.upper()} account {found['account_id']}{of_subject}", "bold")
    labelled(out, "campaign", found["campaign"])
    labelled(out, "reason", found["reason"])
    labelled(out, "since", seconds(found["since"]))
    labelled(out, "decide by", seconds(found["decidable_until"]))
    labelled(out, "case", found["seen"][:HASH_DIGITS_SHOWN])
    _show_row(found)
    if found["closed"] is not None:
        labelled(out, "closed", found["closed"]["says"])
    if found["amended"]:
        labelled(out, "amended", "the incident was amended since: a further campaign decides by what it says now")
    for number, step in enumerate(found["steps"], 1):
        labelled(out, "why" if number == 1 else "", f"{number}. {step}")
    for fact in found["missing"]:
        choices = f": {', '.join(fact['choices'])}" if fact["choices"] else ""
        held = "; the policy holds the row for it" if fact["holds"] else ""
        labelled(out, "unknown", f"{fact['name']} ({fact['type']}{choices}){held}")
    for owed in found["would_owe"]:
        _show_owed(owed)
    if found["closed"] is None:
        ways = _ways(found)
        say(out, "To decide it, one of:" if len(ways) > 1 else "To decide it:")
        of_row = [*_subject(found["subject"]), *_row(found)]
        decide = ["kulanz", "decide", found["campaign"], found["account_id"], *of_row]
        for way in ways:
            command(out, [*decide, *way, "--reason", "..."])
    holding = next((fact for fact in found["missing"] if fact["holds"]), None)
    if not found["would_owe"] and holding is not None:
        say(out, "To see what it would owe:")
        named = [found["campaign"], found["account_id"], *_subject(found["subject"]), *_row(found)]
        command(out, ["kulanz", "cases", *named, "--fact", f"{holding['name']}=..."])


def _ways(found: "CaseAnswer") -> list[list[str]]:
    """How a case can be decided."""
    granting = [] if found["only_decline"] else [["--by-policy", "--fact", "..."]]
    if not found["only_decline"] and not found["no_amount"]:
        granting.append(["--amount", "5.00 EUR"])
    return [*granting, ["--decline"]]


def _row(found: "CaseAnswer") -> list[str]:
    return ["--row", str(found["row_offset"])] if found["kind"] in _OF_ROW else []


def _show_row(found: "CaseAnswer") -> None:
    """What stands in a row that contradicts the decided one, or that cannot be read."""
    if found["kind"] not in _OF_ROW:
        return
    out = console()
    said = ", ".join(f"{name} = {text}" for name, text in found["row"].items() if text)
    labelled(out, "row", f"at byte {found['row_offset']}: {said or 'nothing of it can be read'}")
    if found["expected"]:
        labelled(out, "expected", f"{found['field']}: {found['expected']}".removeprefix(": "))
    if found["stands"] is not None:
        labelled(out, "stands", _came_to(found["stands"]))
    if found["only_decline"] is not None:
        labelled(out, "only", f"to decline it: {found['only_decline']['says']}")


def _show_owed(owed: "OwedAnswer") -> None:
    out = console()
    stated = ", ".join(f"{name} = {value}" for name, value in owed["facts"].items())
    labelled(out, "with", f"{stated or 'the facts of the list'}: {_came_to(owed['decision'])}")
    for number, step in enumerate(owed["steps"], 1):
        labelled(out, "", f"{number}. {step}")


def _came_to(body: Mapping[str, Any] | None) -> str:
    if body is None:
        return "nothing more is owed"
    decision = Decision.from_body(dict(body))
    worth = ", ".join(worth_words(benefit) for benefit in decision.benefits)
    if decision.outcome in (Outcome.GRANTED, Outcome.OFFERED):
        return f"{decision.outcome.value} {worth} ({decision.reason})"
    return f"{decision.outcome.value} ({decision.reason})"
