"""Tells an answer about one account: as text for a support agent, or as JSON for a program."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from rich.console import Console

from kulanz.application.ledger.answer import SEARCHED_BYTES_MOST, Answer, AnsweredDecision, Explained
from kulanz.application.ledger.standing import (
    Now,
    Standing,
    Sums,
    is_granted,
    offer_has_ended,
    offer_is_open,
    standings,
)
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, Pass
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import granted_benefits, is_offer, is_taken
from kulanz.domain.notices import notice_id
from kulanz.domain.policy.explaining.benefits import due_words, worth_words
from kulanz.domain.time import format_instant
from kulanz_cli.reconciliation import value_text
from kulanz_cli.terminal import command, counted_as, labelled, say

ANSWER_VERSION = 1

_MEANING = {
    Outcome.GRANTED: "The account gets it.",
    Outcome.DECLINED: "The account does not get it.",
    Outcome.HELD: "Nothing is given for now: the policy holds it, for the reason that follows.",
    Outcome.REFERRED: "It waits for a manual review.",
    Outcome.OFFERED: "The account gets it when the customer accepts or claims it.",
}
_COLOUR = {
    Now.GRANTED: "green",
    Now.EXPIRED: "yellow",
    Now.DECLINED: "red",
    Now.HELD: "yellow",
    Now.REFERRED: "cyan",
    Now.OFFERED: "magenta",
    Now.OFFER_ENDED: "yellow",
}
_NOTHING_GRANTED = {
    Now.OFFER_ENDED: "the offer has ended",
    Now.HELD: "held",
    Now.REFERRED: "waits for a manual review",
    Now.DECLINED: "declined",
}
_IN_A_SUMMARY = frozenset({"outcome", "reason", "money", "units"})
_WITHDRAWN = "The incident was withdrawn. What was granted before stays granted, and no offer is open any more."
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
        "found_as": answer.found_as or None,
        "standings": [_standing_content(standing, answer) for standing in standings(answer.decisions)],
        "decisions": [_decision_content(decided) for decided in answer.decisions],
        "campaigns": [{"campaign": str(campaign.id), "state": campaign.state.value} for campaign in answer.campaigns],
    }
    if not answer.decisions:
        content["listed_nowhere"] = answer.is_final() and answer.is_listed_nowhere()
        content["rejected_rows"] = [_problems_place(campaign, bucket) for campaign in answer.campaigns]
    return content


def _standing_content(standing: Standing, answer: Answer) -> dict[str, Any]:
    told = answer.incidents.get(standing.incident_id)
    return {
        "incident_id": standing.incident_id,
        "title": None if told is None else told.title,
        "began": None if told is None else format_instant(told.began),
        "withdrawn": told is not None and told.is_withdrawn,
        "subject": standing.subject,
        "state": standing.state.value,
        "granted": {measure: str(size) for measure, size in sorted(standing.granted.items())},
        "expired": {measure: str(size) for measure, size in sorted(standing.expired.items())},
        "usable_until": None if standing.usable_until is None else format_instant(standing.usable_until),
    }


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
    """Print the answer for a person: for each incident how it stands now, then every decision with its reasons."""
    if answer.found_as:
        say(console, f"{answer.found_as} is a line of account {answer.account_id}, by the list of the incident.")
    for number, standing in enumerate(standings(answer.decisions)):
        if number:
            say(console, "")
        _show_standing(standing, answer, console)
        for decided in standing.decisions:
            if len(standing.decisions) > 1:
                say(console, "")
                superseded = "; a later campaign has decided since" if standing.is_superseded(decided) else ""
                say(
                    console,
                    f"Campaign {decided.entry.key.campaign}: {_summary(decided.decision)}{superseded}",
                    "bold",
                    further=2,
                )
            _show_decision(decided, standing, answer.account_id, console)
    if not answer.decisions:
        _show_nothing(answer, bucket, console)
    for campaign in answer.campaigns:
        if not answer.is_final():
            told = "" if answer.decisions else "; this can change"
            say(console, f"Campaign {campaign.id} is {campaign.state}{told}.")


def _show_standing(standing: Standing, answer: Answer, console: Console) -> None:
    """The state as of now, before any history."""
    granted = [decided for decided in standing.decisions if is_granted(decided)]
    latest, told = standing.latest.decision, answer.incidents.get(standing.incident_id)
    if standing.state in (Now.GRANTED, Now.EXPIRED):
        one = granted_benefits(granted[0].entry)
        what = _worth(one) if len(granted) == 1 else _sum_words(standing.granted)
    elif standing.state is Now.OFFERED:
        what = _offered_words(standing)
    else:
        what = _worth(latest.benefits) or latest.reason
    say(console, f"{standing.state.upper()} {what}", f"bold {_COLOUR[standing.state]}")
    account = answer.account_id
    facts = {
        "account": account if standing.subject == WHOLE_ACCOUNT else f"{account}, {standing.subject}",
        "incident": standing.incident_id if told is None else f"{standing.incident_id}, {told.title}",
        "began": "" if told is None else _seconds(told.began),
        "now": f"{_now_words(standing)} (as of {_seconds(answer.asked_at)})",
        "withdrawn": _WITHDRAWN if told is not None and told.is_withdrawn else "",
        "in all": f"{_sum_words(standing.granted)}, by {len(granted)} campaigns" if len(granted) > 1 else "",
    }
    for name, text in facts.items():
        if text:
            labelled(console, name, text)


def _now_words(standing: Standing) -> str:
    """What the state means at this moment."""
    match standing.state:
        case Now.EXPIRED:
            return f"expired on {_seconds(standing.usable_until)}" if standing.usable_until else "expired"
        case Now.GRANTED:
            until = f", usable until {_seconds(standing.usable_until)}" if standing.usable_until else ""
            gone = f"; of it, {_sum_words(standing.expired)} has expired" if standing.expired else ""
            more = f"; {_offered_words(standing)} more is offered" if standing.offered else ""
            return f"granted{until}{gone}{more}"
        case Now.OFFERED:
            before = f"; {_sum_words(standing.granted)} was granted before, and has expired" if standing.granted else ""
            return f"offered, and not accepted yet{before}"
        case _:
            return f"{_NOTHING_GRANTED[standing.state]}; nothing is granted"


def _worth(benefits: Iterable[Benefit]) -> str:
    return " + ".join(map(worth_words, benefits))


def _offered_words(standing: Standing) -> str:
    """What can be accepted now: the whole of an offer, or what is left to claim beside what was granted at once."""
    decisions = [decided.decision for decided in standing.offered]
    offers = [one.benefits if one.outcome is Outcome.OFFERED else one.claimable for one in decisions]
    return _worth(benefit for benefits in offers for benefit in benefits)


def _sum_words(sums: Sums) -> str:
    return " + ".join(value_text(measure, size) for measure, size in sorted(sums.items()))


def _seconds(at: datetime) -> str:
    """An instant for people, in whole seconds."""
    return format_instant(at.replace(microsecond=0))


def _show_decision(decided: AnsweredDecision, standing: Standing, account_id: str, console: Console) -> None:
    for name, text in _facts(decided, is_superseded=standing.is_superseded(decided)):
        labelled(console, name, text)
    if offer_is_open(decided):
        key = decided.entry.key
        subject = [] if key.subject == WHOLE_ACCOUNT else ["--subject", key.subject]
        say(console, "to accept it:", "dim", indent=2)
        which = ["--campaign", str(key.seq)] if len(standing.offered) > 1 else []
        command(console, ["kulanz", "accept", account_id, "--incident", key.incident_id, *subject, *which], indent=4)
    for number, step in enumerate(decided.steps, 1):
        labelled(console, "why" if number == 1 else "", f"{number}. {step}")
    if decided.explained in _EXPLAINED:
        say(console, _EXPLAINED[decided.explained], indent=2)
    if decided.recomputed is not None and decided.explained is Explained.DIFFERS:
        say(console, f"today: {_summary(decided.recomputed)}", indent=2)
        for path, stored, today in _differences(decided.decision.to_body(), decided.recomputed.to_body()):
            say(console, f"{path}: {stored}; today: {today}", indent=4, further=6)


def _is_accepted(decided: AnsweredDecision) -> bool:
    """Whether what was offered is granted by now: a decision's body never changes, its item's status does."""
    return decided.decision.outcome is Outcome.OFFERED and is_granted(decided)


def _meaning(decided: AnsweredDecision, *, is_superseded: bool) -> str:
    if _is_accepted(decided):
        return "The customer accepted the offer; the account gets it."
    if decided.decision.outcome is Outcome.OFFERED and is_superseded:
        return "It was offered and not accepted; a later campaign has decided since."
    if decided.decision.outcome is Outcome.OFFERED and offer_has_ended(decided):
        return (
            "It was offered and not accepted in time." if decided.is_late else "It was offered by a stopped campaign."
        )
    if decided.decision.outcome is Outcome.HELD and decided.decision.reason.endswith("_unknown"):
        return "Not decided: a fact that the policy needs is unknown, and nothing is guessed."
    return _MEANING[decided.decision.outcome]


def _facts(decided: AnsweredDecision, *, is_superseded: bool) -> list[tuple[str, str]]:
    entry, decision, campaign = decided.entry, decided.decision, decided.campaign
    facts = [
        ("meaning", _meaning(decided, is_superseded=is_superseded)),
        ("reason", decision.reason),
    ]
    if decision.outcome is Outcome.GRANTED or _is_accepted(decided):
        facts.append(("credited", _seconds(entry.effective_at)))
    if decision.claimable:
        accepted = "" if entry.accepted_at is None else f", accepted {_seconds(entry.accepted_at)}"
        facts.append(("claimable", f"{_worth(decision.claimable)}{accepted}"))
    if is_offer(entry) and not is_taken(entry) and not decided.has_ended:
        until = decision.claim_until
        facts.append(("open until", "no end" if until is None else _seconds(until)))
    if entry.expires_at is not None and entry.status is not Outcome.OFFERED:
        facts.append(("usable until", _seconds(entry.expires_at) + (" (over)" if decided.expired else "")))
    for benefit in decision.benefits:
        if benefit.due is not None:
            facts.append(("due", due_words(benefit.due)))
        if benefit.restriction is not None:
            facts.append(("usable for", f"{benefit.restriction} of the policy"))
        facts.extend((name, text) for name, text in benefit.terms.items())
    if campaign is not None:
        policy = f"{campaign.policy_id} version {campaign.policy_version} ({campaign.policy_hash[:12]})"
        as_of = _seconds(campaign.decided_at)
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


def _summary(decision: Decision) -> str:
    return " ".join(
        part for part in (decision.outcome.value, _worth(decision.benefits), f"({decision.reason})") if part
    )


def _show_nothing(answer: Answer, bucket: str, console: Console) -> None:
    say(console, f"NOTHING DECIDED about account {answer.account_id}", "bold")
    if not answer.campaigns and not answer.incidents:
        say(
            console,
            "Looked in: the decisions of all incidents, under this very account id.",
            indent=2,
        )
        say(console, "Nothing else can be searched without an incident; name it with --incident.", indent=2)
        return
    for incident_id, told in answer.incidents.items():
        labelled(console, "incident", f"{incident_id}, {told.title}")
        labelled(console, "began", _seconds(told.began))
    if not answer.campaigns:
        say(console, "The incident has no campaign: nobody was decided about.", indent=2)
        return
    say(console, f"Looked in: {_looked_in(answer)}.", indent=2)
    if answer.is_final() and answer.is_listed_nowhere():
        say(console, "The account was not on the list, or its row was rejected.", indent=2)
    elif answer.is_final():
        for campaign in answer.campaigns:
            say(console, _what_nothing_means(campaign, answer.asked_at), indent=2)
    say(console, "Which rows were rejected, and why:", indent=2)
    for campaign in answer.campaigns:
        command(console, ["kulanz", "rejected", str(campaign.id)], indent=4)
        say(console, _problems_place(campaign, bucket), "dim", indent=4)


def _looked_in(answer: Answer) -> str:
    """Where the id was looked for: as an account in the ledger, and as a line in the lists that name lines."""
    counted = counted_as(len(answer.campaigns), "campaign")
    places = [f"the decisions of {counted} of the incident, as an account"]
    names = sorted({one.subject for one in answer.campaigns if one.subject and one.pinned.size <= SEARCHED_BYTES_MOST})
    places += [f"the lists of the incident, as {name}" for name in names]
    too_long = sorted(str(one.id) for one in answer.campaigns if one.subject and one.pinned.size > SEARCHED_BYTES_MOST)
    if too_long:
        places.append(f"not in the list of {', '.join(too_long)}, which is too long to be searched for a line")
    return "; ".join(places)


def _what_nothing_means(campaign: Campaign, now: datetime) -> str:
    """What it says about an account that a campaign which has ended has no decision about it."""
    if not campaign.is_finished(Pass.APPLY):
        return f"Campaign {campaign.id} ended ({campaign.state}) before its list was decided: that says nothing."
    if now >= campaign.decidable_until:
        return f"Campaign {campaign.id} is so old that its decisions may have been deleted: that says nothing."
    return f"Campaign {campaign.id}: the account was not on its list, or its row was rejected."
