"""``kulanz decide``, ``approve-case`` and ``reject-case``: a person decides what the policy held or referred."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Decision
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.policy.explaining.benefits import worth_words
from kulanz_cli.cases import ask_case, facts_option, read_facts, row_option, subject_option
from kulanz_cli.command import AccountParameter, CampaignParameter, action_id, under_id
from kulanz_cli.control import must_be_a_reason
from kulanz_cli.outcomes import ACTION_CODES, Unusable
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import command, console, labelled, print_json, say

if TYPE_CHECKING:
    from kulanz.application.door.cases import HandAnswer, ProposedItem

_campaign = click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
_account = click.argument("account_id", metavar="ACCOUNT", type=AccountParameter())


@click.command("decide", epilog=ACTION_CODES)
@_campaign
@_account
@subject_option
@row_option
@facts_option
@click.option("--by-policy", is_flag=True, help="What the policy comes to, with the facts stated by --fact.")
@click.option("--amount", metavar="AMOUNT", help="Another amount or number of units, such as '5.00 EUR'.")
@click.option("--decline", is_flag=True, help="Nothing is given.")
@click.option("--reason", required=True, metavar="CODE", help="A reason of the discretion file.")
@click.option("--note", default="", help="Why, in your words; it is kept with the decision, and not for the customer.")
@click.option("--case", "seen", metavar="HASH", help="The case as `kulanz cases CAMPAIGN ACCOUNT` showed it.")
@under_id
@as_json
@pass_stack
def decide_case(
    stack: Stack, *, campaign_id: CampaignId, account_id: str, subject: str, row: int | None, facts: Sequence[str],
    by_policy: bool, amount: str | None, decline: bool, reason: str, note: str, seen: str | None, given_id: str | None,
    is_json: bool,
) -> None:  # fmt: skip
    """Decide the case of ACCOUNT in CAMPAIGN: once, for a listed reason.

    State --by-policy, --amount or --decline. An amount is beside what earlier campaigns granted. Above your limit it
    waits for a second person.
    """
    if sum([by_policy, amount is not None, decline]) != 1:
        raise click.UsageError("state one of --by-policy, --amount and --decline")
    stated = read_facts(facts)
    if stated and not by_policy:
        raise click.UsageError("--fact belongs to --by-policy")
    body: dict[str, Any] = {"reason": reason, "note": note, "subject": subject}
    if by_policy:
        body |= {"way": "policy", "facts": dict(stated)}
    elif decline:
        body |= {"way": "decline"}
    else:
        size, space, measure = (amount or "").strip().partition(" ")
        if not space or not measure.strip():
            raise click.UsageError("an amount is written with its currency or unit, such as '5.00 EUR'")
        body |= {"way": "amount", "amount": size, "measure": measure.strip()}
    if row is not None:
        body["row"] = row
    body["seen"] = _seen(stack, campaign_id, account_id, subject, row, seen)
    found = stack.door().act(
        "cases.decide",
        body,
        account=account_id,
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        id=given_id or action_id("decide", account_id, str(campaign_id), subject),
    )
    _show(cast("HandAnswer", found), is_json=is_json)


def _seen(
    stack: Stack, campaign_id: CampaignId, account_id: str, subject: str, row: int | None, seen: str | None
) -> str:
    """The case as it stands now; where somebody looked at it before, it must be that very one."""
    now = ask_case(stack, campaign_id, account_id, subject, row, {})["seen"]
    if seen is not None and (len(seen) < HASH_DIGITS_SHOWN or not now.startswith(seen)):
        raise Unusable("the case has changed since it was looked at; look at it again with kulanz cases")
    return now


_case_hash = click.option("--case", "case_hash", metavar="HASH", required=True, help="As `kulanz decide` printed it.")


@click.command("approve-case", epilog=ACTION_CODES)
@_campaign
@_account
@subject_option
@_case_hash
@under_id
@as_json
@pass_stack
def approve_case(
    stack: Stack, *, campaign_id: CampaignId, account_id: str, subject: str, case_hash: str, given_id: str | None,
    is_json: bool,
) -> None:  # fmt: skip
    """Agree, as the second person, to how a case is decided. It is decided then."""
    body = {"action": "agree"}
    _second(stack, campaign_id, account_id, subject, case_hash, body, given_id, is_json=is_json)


@click.command("reject-case", epilog=ACTION_CODES)
@_campaign
@_account
@subject_option
@_case_hash
@click.option("--reason", required=True, help="Why; no customer's data.")
@under_id
@as_json
@pass_stack
def reject_case(
    stack: Stack, *, campaign_id: CampaignId, account_id: str, subject: str, case_hash: str, reason: str,
    given_id: str | None, is_json: bool,
) -> None:  # fmt: skip
    """Reject, as the second person, how a case would be decided. The case stays open."""
    must_be_a_reason(reason)
    body = {"action": "reject", "reason": reason}
    _second(stack, campaign_id, account_id, subject, case_hash, body, given_id, is_json=is_json)


def _second(
    stack: Stack, campaign_id: CampaignId, account_id: str, subject: str, case_hash: str, body: dict[str, str],
    given_id: str | None, *, is_json: bool,
) -> None:  # fmt: skip
    proposed = _proposed(stack, campaign_id, account_id, subject)
    if len(case_hash) < HASH_DIGITS_SHOWN or not proposed["hash"].startswith(case_hash):
        raise Unusable("another decision of this case waits by now; look at it with kulanz cases --proposed")
    done = stack.door().act(
        "cases.second",
        body | {"hash": proposed["hash"], "subject": subject},
        account=account_id,
        incident=campaign_id.incident_id,
        seq=campaign_id.seq,
        id=given_id or action_id(body["action"], account_id, str(campaign_id), subject),
    )
    _show(cast("HandAnswer", done), is_json=is_json)


def _proposed(stack: Stack, campaign_id: CampaignId, account_id: str, subject: str) -> "ProposedItem":
    for page in stack.door().pages("cases.proposed"):
        for one in page["proposed"]:
            if (one["campaign"], one["account_id"], one["subject"]) == (str(campaign_id), account_id, subject):
                return cast("ProposedItem", one)
    raise Unusable("nothing of this case waits for a second person")


def _show(found: "HandAnswer", *, is_json: bool) -> None:
    if is_json:
        print_json(dict(found))
        return
    out, hand = console(), found["by_hand"]
    if hand is None:
        say(out, "rejected: the case stays open")
        return
    decision = Decision.from_body(dict(hand["decision"]))
    worth = ", ".join(worth_words(benefit) for benefit in decision.benefits)
    came_to = f"{decision.outcome.value} {worth}".strip()
    if found["state"] == "decided":
        say(out, f"decided: {came_to}")
        return
    say(out, f"waits for a second person: {came_to}", "bold")
    labelled(out, "reason", f"{hand['title']} ({hand['reason']})")
    subject = [] if found["subject"] == WHOLE_ACCOUNT else ["--subject", found["subject"]]
    named = [found["campaign"], found["account_id"], *subject, "--case", str(found["hash"])[:HASH_DIGITS_SHOWN]]
    say(out, "The second person types one of:")
    command(out, ["kulanz", "approve-case", *named])
    command(out, ["kulanz", "reject-case", *named, "--reason", "..."])
