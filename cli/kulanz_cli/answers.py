"""Tells an answer about one account: as text for a support agent, or as JSON for a program."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Console

from kulanz.application.ledger.answer import Answer, AnsweredDecision, Explained
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, Pass, State
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger import is_offer, is_taken
from kulanz.domain.notices import notice_id
from kulanz.domain.policy.explaining.explanation import due_words, worth_words
from kulanz.domain.time import format_instant
from kulanz_cli.terminal import command, labelled, say

ANSWER_VERSION = 1

_MEANING = {
    Outcome.GRANTED: "The account gets it.",
    Outcome.DECLINED: "The account does not get it.",
    Outcome.HELD: "Nothing is given for now: the policy holds it, for the reason that follows.",
    Outcome.REFERRED: "A person decides this account.",
    Outcome.OFFERED: "The account gets it when the customer accepts or claims it.",
}
_COLOUR = {
    Outcome.GRANTED: "green",
    Outcome.DECLINED: "red",
    Outcome.HELD: "yellow",
    Outcome.REFERRED: "cyan",
    Outcome.OFFERED: "magenta",
}
_IN_A_SUMMARY = frozenset({"outcome", "reason", "money", "units"})
_EXPLAINED = {
    Explained.DIFFERS: "The policy says something else of this row today; the stored decision stands. Both are shown.",
    Explained.LIST_GONE: "The pinned list was deleted, so that the steps cannot be shown again; the decision stands.",
    Explained.ROW_UNREADABLE: "The row cannot be read back from the pinned list; the decision stands.",
}


def answer_content(answer: Answer, bucket: str, now: datetime) -> dict[str, Any]:
    """The answer as JSON-able content; sums are exact texts, money in minor units."""
    content: dict[str, Any] = {
        "v": ANSWER_VERSION,
        "account_id": answer.account_id,
        "asked_at": format_instant(now),
        "final": answer.is_final(),
        "decisions": [_decision_content(decided) for decided in answer.decisions],
        "campaigns": [{"campaign": str(campaign.id), "state": campaign.state.value} for campaign in answer.campaigns],
    }
    if not answer.decisions:
        content["listed_nowhere"] = answer.is_final() and answer.is_listed_nowhere()
        content["rejected_rows"] = [_problems_place(campaign, bucket) for campaign in answer.campaigns]
    return content


def _decision_content(decided: AnsweredDecision) -> dict[str, Any]:
    entry, decision = decided.entry, decided.decision
    content: dict[str, Any] = {
        "campaign": str(entry.key.campaign),
        "subject": entry.key.subject,
        "effective_at": format_instant(entry.effective_at),
        "expires_at": None if entry.expires_at is None else format_instant(entry.expires_at),
        "expired": decided.expired,
        "status": entry.status.value,
        "decision": decision.to_body(),
        "remaining": [None if left is None else str(left) for left in entry.remaining],
        "steps": list(decided.steps),
        "explained": decided.explained.value,
        "row_offset": entry.origin,
    }
    if decided.campaign is not None:
        content["policy"] = _policy_content(decided.campaign)
        content["engine"] = decided.campaign.engine
    if decided.recomputed is not None and decided.explained is Explained.DIFFERS:
        content["recomputed"] = decided.recomputed.to_body()
    if decision.notice is not None:
        content["notice_id"] = notice_id(entry.key, decision.notice.kind)
    return content


def _policy_content(campaign: Campaign) -> dict[str, Any]:
    return {"id": campaign.policy_id, "version": campaign.policy_version, "hash": campaign.policy_hash}


def _problems_place(campaign: Campaign, bucket: str) -> str:
    return f"s3://{bucket}/{campaign.id.folder}/problems/"


def show_answer(answer: Answer, bucket: str, console: Console) -> None:
    """Print the answer for a person."""
    for decided in answer.decisions:
        _show_decision(decided, answer.account_id, console)
    if not answer.decisions:
        _show_nothing(answer, bucket, console)
    for campaign in answer.campaigns:
        if not answer.is_final():
            told = "" if answer.decisions else "; this can change"
            say(console, f"Campaign {campaign.id} is {campaign.state}{told}.")


def _is_accepted(decided: AnsweredDecision) -> bool:
    """Whether what was offered is granted by now: a decision's body never changes, its item's status does."""
    return decided.decision.outcome is Outcome.OFFERED and decided.entry.status is Outcome.GRANTED


def _has_fallen(decided: AnsweredDecision) -> bool:
    """Whether an offer cannot be accepted any more, because its time is over or its campaign was stopped."""
    campaign = decided.campaign
    stands = campaign is not None and campaign.state in (State.APPLYING, State.CLOSED)
    return is_offer(decided.entry) and not is_taken(decided.entry) and (decided.is_late or not stands)


def _show_decision(decided: AnsweredDecision, account_id: str, console: Console) -> None:
    decision = decided.decision
    worth = " + ".join(worth_words(benefit) for benefit in decision.benefits)
    outcome = Outcome.GRANTED if _is_accepted(decided) else decision.outcome
    say(console, f"{outcome.value.upper()} {worth or decision.reason}", f"bold {_COLOUR[outcome]}")
    for name, text in _facts(decided, account_id):
        labelled(console, name, text)
    for number, step in enumerate(decided.steps, 1):
        labelled(console, "why" if number == 1 else "", f"{number}. {step}")
    if decided.explained in _EXPLAINED:
        say(console, _EXPLAINED[decided.explained], indent=2)
    if decided.recomputed is not None and decided.explained is Explained.DIFFERS:
        say(console, f"today: {_summary(decided.recomputed)}", indent=2)
        for path, stored, today in _differences(decision.to_body(), decided.recomputed.to_body()):
            say(console, f"{path}: {stored}; today: {today}", indent=4, further=6)


def _meaning(decided: AnsweredDecision) -> str:
    if _is_accepted(decided):
        return "The customer accepted the offer; the account gets it."
    if decided.decision.outcome is Outcome.OFFERED and decided.has_ended:
        return "It was offered and not accepted; a later campaign has decided since."
    if decided.decision.outcome is Outcome.OFFERED and _has_fallen(decided):
        return (
            "It was offered and not accepted in time." if decided.is_late else "It was offered by a stopped campaign."
        )
    if decided.decision.outcome is Outcome.HELD and decided.decision.reason.endswith("_unknown"):
        return "Not decided: a fact that the policy needs is unknown, and nothing is guessed."
    return _MEANING[decided.decision.outcome]


def _facts(decided: AnsweredDecision, account_id: str) -> list[tuple[str, str]]:
    entry, decision, campaign = decided.entry, decided.decision, decided.campaign
    facts = [
        ("account", account_id if entry.key.subject == WHOLE_ACCOUNT else f"{account_id}, {entry.key.subject}"),
        ("meaning", _meaning(decided)),
        ("reason", decision.reason),
    ]
    if decision.outcome is Outcome.GRANTED or _is_accepted(decided):
        facts.append(("credited", format_instant(entry.effective_at)))
    if decision.claimable:
        claimable = " + ".join(worth_words(benefit) for benefit in decision.claimable)
        accepted = "" if entry.accepted_at is None else f", accepted {format_instant(entry.accepted_at)}"
        facts.append(("claimable", f"{claimable}{accepted}"))
    if is_offer(entry) and not is_taken(entry) and not decided.has_ended:
        facts += _to_accept(decided, account_id)
    if entry.expires_at is not None and entry.status is not Outcome.OFFERED:
        facts.append(("usable until", format_instant(entry.expires_at) + (" (over)" if decided.expired else "")))
    for benefit in decision.benefits:
        if benefit.due is not None:
            facts.append(("due", due_words(benefit.due)))
        if benefit.restriction is not None:
            facts.append(("usable for", f"{benefit.restriction} of the policy"))
        facts.extend((name, text) for name, text in benefit.terms.items())
    if campaign is not None:
        policy = f"{campaign.policy_id} version {campaign.policy_version} ({campaign.policy_hash[:12]})"
        as_of = format_instant(campaign.decided_at)
        facts.append(("campaign", f"{campaign.id}, {campaign.state}, decided as of {as_of}"))
        facts.append(("policy", policy))
        facts.append(("engine", _engine(campaign)))
    if decision.notice is not None:
        told = decision.notice
        facts.append(("notice", f"{told.kind}, in {told.locale}, by {told.channel}: {notice_id(entry.key, told.kind)}"))
    else:
        facts.append(("notice", "none: the policy has no text for this outcome, or chose no channel"))
    return facts


def _engine(campaign: Campaign) -> str:
    """Which engine decided; and which one works out the steps, where that is another."""
    if campaign.engine == ENGINE_VERSION:
        return campaign.engine
    return f"{campaign.engine} decided; the steps are worked out by engine {ENGINE_VERSION}, which may decide otherwise"


def _differences(stored: Any, today: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Where two bodies differ, but for what a summary shows; each place with both texts."""
    if isinstance(stored, dict) and isinstance(today, dict):
        for name in sorted((stored.keys() | today.keys()) - _IN_A_SUMMARY):
            yield from _differences(stored.get(name), today.get(name), f"{path} {name}".strip())
    elif isinstance(stored, list) and isinstance(today, list) and len(stored) == len(today):
        for number, (one, other) in enumerate(zip(stored, today, strict=True), 1):
            yield from _differences(one, other, f"{path} {number}")
    elif not isinstance(stored, list) and stored != today:
        yield path, _value_text(stored), _value_text(today)


def _value_text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value_text(one)}" for name, one in value.items())
    return "none" if value is None else str(value)


def _to_accept(decided: AnsweredDecision, account_id: str) -> list[tuple[str, str]]:
    """Until when an offer can be accepted, and how, while it stands."""
    key, until = decided.entry.key, decided.decision.claim_until
    facts = [("open until", "no end" if until is None else format_instant(until))]
    subject = "" if key.subject == WHOLE_ACCOUNT else f" --subject {key.subject}"
    if not _has_fallen(decided):
        facts.append(("to accept", f"kulanz accept {account_id} --incident {key.incident_id}{subject}"))
    return facts


def _summary(decision: Decision) -> str:
    worth = " + ".join(worth_words(benefit) for benefit in decision.benefits)
    return " ".join(part for part in (decision.outcome.value, worth, f"({decision.reason})") if part)


def _show_nothing(answer: Answer, bucket: str, console: Console) -> None:
    say(console, f"NOTHING DECIDED about account {answer.account_id}", "bold")
    if not answer.campaigns:
        say(console, "No campaign is known; name the incident with --incident to learn more.", indent=2)
        return
    if answer.is_final() and answer.is_listed_nowhere():
        say(console, "The account was not on the list, or its row was rejected.", indent=2)
    elif answer.is_final():
        for campaign in answer.campaigns:
            say(console, _what_nothing_means(campaign, answer.asked_at), indent=2)
    say(console, "Which rows were rejected, and why:", indent=2)
    for campaign in answer.campaigns:
        command(console, ["kulanz", "rejected", str(campaign.id)], indent=4)
        say(console, _problems_place(campaign, bucket), "dim", indent=4)


def _what_nothing_means(campaign: Campaign, now: datetime) -> str:
    """What it says about an account that a campaign which has ended has no decision about it."""
    if not campaign.is_finished(Pass.APPLY):
        return f"Campaign {campaign.id} ended ({campaign.state}) before its list was decided: that says nothing."
    if now >= campaign.decidable_until:
        return f"Campaign {campaign.id} is so old that its decisions may have been deleted: that says nothing."
    return f"Campaign {campaign.id}: the account was not on its list, or its row was rejected."
