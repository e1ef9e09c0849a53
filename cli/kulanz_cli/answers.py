"""Prints an answer about one account: as text for a support agent, or as JSON for a program."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rich.console import Console

from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.earlier_decisions import CHANGED_SINCE_PLAN
from kulanz.domain.money import is_currency
from kulanz.domain.policy.explaining.benefits import due_words, worth_words
from kulanz_cli.reconciliation import value_text
from kulanz_cli.terminal import command, counted_as, labelled, say

if TYPE_CHECKING:
    from kulanz.application.door.accounts import AskAnswer, DecisionAnswer, LookedIn, StandingAnswer

ANSWER_VERSION = 1

_MEANING = {
    Outcome.GRANTED: "The account gets it.",
    Outcome.DECLINED: "The account does not get it.",
    Outcome.HELD: "Nothing is given for now: the policy holds it, for the reason that follows.",
    Outcome.REFERRED: "It waits for a manual review.",
    Outcome.OFFERED: "The account gets it when the customer accepts or claims it.",
}
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
_NOTHING_GRANTED = {
    "offer ended": "the offer has ended",
    "voided": "all of it was voided",
    "held": "held",
    "referred": "waits for a manual review",
    "declined": "declined",
}
_IN_A_SUMMARY = frozenset({"outcome", "reason", "money", "units"})
_WITHDRAWN = "The incident was withdrawn. What was granted before stays granted, and no offer is open any more."
_DIFFERS = "differs"
_EXPLAINED = {
    _DIFFERS: "The policy says something else of this row today; the stored decision stands. Both are shown.",
    "list_gone": "The pinned list was deleted, so that the steps cannot be shown again; the decision stands.",
    "row_unreadable": "The row cannot be read back from the pinned list; the decision stands.",
}
_ANSWERED = ("account_id", "asked_at", "final", "found_as")
_OF_A_STANDING = (
    *("incident_id", "title", "began", "withdrawn", "subject", "state", "granted", "expired", "usable_until"),
)
_OF_A_DECISION = (
    *("campaign", "subject", "effective_at", "expires_at", "expired", "status", "decision", "remaining", "steps"),
    *("explained", "row_offset", "policy", "engine", "recomputed", "notice_id", "credits"),
)


@dataclass(frozen=True)
class Decided:
    """A decision of an answer, with what it was decided to be."""

    content: "DecisionAnswer"

    @cached_property
    def decision(self) -> Decision:
        """What was decided; it never changes."""
        return Decision.from_body(dict(self.content["decision"]))

    @property
    def recomputed(self) -> Decision | None:
        """What the policy says of the same row today, where that is something else."""
        return Decision.from_body(dict(self.content["recomputed"])) if "recomputed" in self.content else None

    @property
    def is_granted(self) -> bool:
        """Whether it is granted by now: at once, or because its offer was accepted."""
        return self.content["status"] == Outcome.GRANTED

    @property
    def is_accepted(self) -> bool:
        """Whether what was offered is granted by now: the body of a decision never changes, its status does."""
        return self.decision.outcome is Outcome.OFFERED and self.is_granted

    @property
    def granted(self) -> tuple[Benefit, ...]:
        """What is granted as it stands: at once, and what was claimable once it was accepted."""
        if not self.is_granted:
            return ()
        offer = self.content["offer"]
        claimed = self.decision.claimable if offer is not None and offer["accepted_at"] is not None else ()
        return (*self.decision.benefits, *claimed)

    @property
    def seq(self) -> int:
        """The number of its campaign."""
        return int(self.content["campaign"].rpartition("/")[2])


@dataclass(frozen=True)
class Standing:
    """How a subject stands with an incident, and all its decisions by campaign; the last one is the latest."""

    content: "StandingAnswer"
    decisions: tuple[Decided, ...]

    @property
    def granted(self) -> list[Decided]:
        """Those whose benefits are granted."""
        return [decided for decided in self.decisions if decided.is_granted]

    @property
    def offered(self) -> list[Decided]:
        """Those of which something can be accepted now."""
        return [decided for decided in self.decisions if decided.content["campaign"] in self.content["offered_by"]]


def standings(answer: "AskAnswer") -> list[Standing]:
    """The standings of an answer, each with its decisions."""
    every = [Decided(content) for content in answer["decisions"]]
    return [
        Standing(
            one, tuple(sorted((decided for decided in every if _is_of(decided, one)), key=lambda found: found.seq))
        )
        for one in answer["standings"]
    ]


def _is_of(decided: Decided, standing: "StandingAnswer") -> bool:
    incident_id = decided.content["campaign"].rpartition("/")[0]
    return (incident_id, decided.content["subject"]) == (standing["incident_id"], standing["subject"])


def answer_content(answer: "AskAnswer") -> dict[str, Any]:
    """The answer as JSON-able content; sums are exact texts, money in minor units."""
    content: dict[str, Any] = {
        "v": ANSWER_VERSION,
        **_part(answer, _ANSWERED),
        "standings": [_part(standing, _OF_A_STANDING) for standing in answer["standings"]],
        "decisions": [_part(decided, _OF_A_DECISION) for decided in answer["decisions"]],
        "campaigns": [_part(campaign, ("campaign", "state")) for campaign in answer["campaigns"]],
    }
    if not answer["decisions"]:
        content["listed_nowhere"] = answer["listed_nowhere"]
        content["rejected_rows"] = [campaign["rejected_rows"] for campaign in answer["campaigns"]]
    return content


def _part(content: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: content[name] for name in names if name in content}


def show_answer(answer: "AskAnswer", console: Console) -> None:
    """Print the answer for a person: for each incident how it stands now, then every decision with its reasons."""
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
                heading = f"Campaign {decided.content['campaign']}: {_summary(decided.decision)}{superseded}"
                say(console, heading, "bold", further=2)
            _show_decision(decided, standing, answer, console)
    if not answer["decisions"]:
        _show_nothing(answer, console)
    for campaign in answer["campaigns"]:
        if not answer["final"]:
            more = "" if answer["decisions"] else "; this can change"
            say(console, f"Campaign {campaign['campaign']} is {campaign['state']}{more}.")


def _show_standing(standing: Standing, answer: "AskAnswer", console: Console) -> None:
    """The state as of now, before any history."""
    content, granted = standing.content, standing.granted
    state, account, title = content["state"], answer["account_id"], content["title"]
    latest = standing.decisions[-1].decision
    if state in ("granted", "expired"):
        what = _worth(granted[0].granted) if len(granted) == 1 else _sum_words(content["granted"])
    elif state == "offered":
        what = _offered_words(standing)
    else:
        what = _worth(latest.benefits) or latest.reason
    say(console, f"{state.upper()} {what}", f"bold {_COLOUR[state]}")
    facts = {
        "account": account if content["subject"] == WHOLE_ACCOUNT else f"{account}, {content['subject']}",
        "incident": content["incident_id"] if title is None else f"{content['incident_id']}, {title}",
        "began": "" if content["began"] is None else _seconds(content["began"]),
        "now": f"{_now_words(standing)} (as of {_seconds(answer['asked_at'])})",
        "withdrawn": _WITHDRAWN if content["withdrawn"] else "",
        "in all": f"{_sum_words(content['granted'])}, by {len(granted)} campaigns" if len(granted) > 1 else "",
    }
    for name, text in facts.items():
        if text:
            labelled(console, name, text)


def _now_words(standing: Standing) -> str:
    """What the state means at this moment."""
    content = standing.content
    until = "" if content["usable_until"] is None else _seconds(content["usable_until"])
    match content["state"]:
        case "expired":
            return f"expired on {until}" if until else "expired"
        case "granted":
            usable = f", usable until {until}" if until else ""
            gone = f"; of it, {_sum_words(content['expired'])} has expired" if content["expired"] else ""
            more = f"; {_offered_words(standing)} more is offered" if standing.offered else ""
            return f"granted{usable}{gone}{more}"
        case "offered":
            granted = content["granted"]
            before = f"; {_sum_words(granted)} was granted before, and has expired" if granted else ""
            return f"offered, and not accepted yet{before}"
        case _:
            return f"{_NOTHING_GRANTED[content['state']]}; nothing is granted"


def _worth(benefits: Iterable[Benefit]) -> str:
    return " + ".join(map(worth_words, benefits))


def _offered_words(standing: Standing) -> str:
    """What can be accepted now: the whole of an offer, or what is left to claim beside what was granted at once."""
    decisions = [decided.decision for decided in standing.offered]
    offers = [one.benefits if one.outcome is Outcome.OFFERED else one.claimable for one in decisions]
    return _worth(benefit for benefits in offers for benefit in benefits)


def _sum_words(sums: Mapping[str, str]) -> str:
    return " + ".join(
        value_text(measure, int(size) if is_currency(measure) else Decimal(size))
        for measure, size in sorted(sums.items())
    )


def _seconds(at: str) -> str:
    """An instant for people, in whole seconds."""
    return at if "." not in at else f"{at.partition('.')[0]}Z"


def _show_decision(decided: Decided, standing: Standing, answer: "AskAnswer", console: Console) -> None:
    content = decided.content
    for name, text in _facts(decided, answer):
        labelled(console, name, text)
    offer = content["offer"]
    if offer is not None and offer["open"]:
        subject = [] if content["subject"] == WHOLE_ACCOUNT else ["--subject", content["subject"]]
        say(console, "to accept it:", "dim", indent=2)
        which = ["--campaign", str(decided.seq)] if len(standing.offered) > 1 else []
        incident_id = standing.content["incident_id"]
        words = ["kulanz", "accept", answer["account_id"], "--incident", incident_id, *subject, *which]
        command(console, words, indent=4)
    for number, step in enumerate(content["steps"], 1):
        labelled(console, "why" if number == 1 else "", f"{number}. {step}")
    if content["explained"] in _EXPLAINED:
        say(console, _EXPLAINED[content["explained"]], indent=2)
    if decided.recomputed is not None and content["explained"] == _DIFFERS:
        say(console, f"today: {_summary(decided.recomputed)}", indent=2)
        for path, stored, today in _differences(decided.decision.to_body(), decided.recomputed.to_body()):
            say(console, f"{path}: {stored}; today: {today}", indent=4, further=6)


def _taken_back(decided: Decided) -> str:
    """What a void left of a decision; empty where none took anything back."""
    states = {credit["state"] for credit in decided.content.get("credits", ())}
    if states == {"voided"}:
        return "The account does not get it: it was granted, and all of it was taken back."
    return "The account gets a part of it: the rest was taken back." if "voided" in states else ""


def _meaning(decided: Decided) -> str:
    offer, outcome = decided.content["offer"], decided.decision.outcome
    if decided.is_accepted:
        return "The customer accepted the offer; the account gets it."
    if outcome is Outcome.OFFERED and decided.content["superseded"]:
        return "It was offered and not accepted; a later campaign has decided since."
    if outcome is Outcome.OFFERED and offer is not None and offer["ended"]:
        return "It was offered and not accepted in time." if offer["late"] else "It was offered by a stopped campaign."
    if outcome is Outcome.HELD and decided.decision.reason == CHANGED_SINCE_PLAN:
        return "Nothing more is given for now: what was granted before changed while the plan waited for its approval."
    if outcome is Outcome.HELD and decided.decision.reason.endswith("_unknown"):
        return "Not decided: a fact that the policy needs is unknown, and nothing is guessed."
    return _MEANING[outcome]


def _facts(decided: Decided, answer: "AskAnswer") -> Iterator[tuple[str, str]]:
    content, decision, offer = decided.content, decided.decision, decided.content["offer"]
    yield "meaning", _taken_back(decided) or _meaning(decided)
    yield "reason", decision.reason
    if decision.outcome is Outcome.GRANTED or decided.is_accepted:
        yield "credited", _seconds(content["effective_at"])
    if decision.claimable:
        accepted_at = None if offer is None else offer["accepted_at"]
        accepted = "" if accepted_at is None else f", accepted {_seconds(accepted_at)}"
        yield "claimable", f"{_worth(decision.claimable)}{accepted}"
    if offer is not None and not offer["accepted"] and not offer["replaced"]:
        until = content["decision"].get("claim_until")
        yield "open until", "no end" if until is None else _seconds(until)
    if content["expires_at"] is not None and content["status"] != Outcome.OFFERED:
        yield "usable until", _seconds(content["expires_at"]) + (" (over)" if content["expired"] else "")
    for benefit in decision.benefits:
        if benefit.due is not None:
            yield "due", due_words(benefit.due)
        if benefit.restriction is not None:
            yield "usable for", f"{benefit.restriction} of the policy"
        yield from benefit.terms.items()
    yield from _billing(content)
    if "policy" in content:
        policy = content["policy"]
        as_of = _seconds(content["decided_at"])
        yield "campaign", f"{content['campaign']}, {content['campaign_state']}, decided as of {as_of}"
        yield "policy", f"{policy['id']} version {policy['version']} ({policy['hash'][:12]})"
        yield "engine", _engine(content["engine"], answer["explained_by"])
    notice = decision.notice
    if notice is None:
        yield "notice", "none: the policy has no text for this outcome, or chose no channel"
    else:
        yield "notice", f"{notice.kind}, in {notice.locale}, by {notice.channel}: {content['notice_id']}"


_ON_ITS_WAY = {
    "due": "is not delivered to billing yet",
    "assigned": "is in a delivery to billing",
    "sent": "was delivered to billing, which has not answered",
    "unknown": "was delivered to billing, and nobody knows whether it is booked",
    "accepted": "is booked by billing, and on no bill yet",
    "partly_applied": "is on a bill in part",
    "applied": "is on a bill",
    "rejected": "was rejected by billing",
    "taken_back": "was taken off its bill by billing",
    "written_off": "was written off",
    "voided": "was taken back",
}


def _billing(content: "DecisionAnswer") -> Iterator[tuple[str, str]]:
    """Where each credit stands on its way to the bill, and until when it has to be there."""
    for credit in content.get("credits", ()):
        said = f"{credit['amount']} {credit['measure']} {_ON_ITS_WAY[credit['state']]}"
        said += f" ({credit['code']})" if credit["code"] else ""
        if credit["delivery"]:
            sent = "not released" if credit["sent_at"] is None else f"sent {_seconds(credit['sent_at'])}"
            said += f"; {credit['delivery']}, {sent}"
        for part in credit["bills"]:
            said += f"; {part['amount']} on bill {part['bill']} of {part['billed_on'] or 'no known day'}"
        if credit["due"] is not None and credit["state"] not in ("applied", "written_off", "voided"):
            said += f"; {'late since' if credit['late'] else 'late from'} {_seconds(credit['due'])}"
        yield "billing", said


def _engine(decided_by: str, explained_by: str) -> str:
    """Which engine decided; and which one works out the steps, where that is another."""
    if decided_by == explained_by:
        return decided_by
    return f"{decided_by} decided; the steps are worked out by engine {explained_by}, which may decide otherwise"


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


def _show_nothing(answer: "AskAnswer", console: Console) -> None:
    say(console, f"NOTHING DECIDED about account {answer['account_id']}", "bold")
    campaigns = answer["campaigns"]
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
        labelled(console, "began", _seconds(incident["began"]))
    if not campaigns:
        say(console, "The incident has no campaign: nobody was decided about.", indent=2)
        return
    say(console, f"Looked in: {_looked_in(campaigns)}.", indent=2)
    if answer["listed_nowhere"]:
        say(console, "The account was not on the list, or its row was rejected.", indent=2)
    elif answer["final"]:
        for campaign in campaigns:
            say(console, _what_nothing_means(campaign), indent=2)
    say(console, "Which rows were rejected, and why:", indent=2)
    for campaign in campaigns:
        command(console, ["kulanz", "rejected", campaign["campaign"]], indent=4)
        say(console, campaign["rejected_rows"], "dim", indent=4)


def _looked_in(campaigns: "list[LookedIn]") -> str:
    """Where the id was looked for: as an account in the ledger, and as a line in the lists that name lines."""
    counted = counted_as(len(campaigns), "campaign")
    places = [f"the decisions of {counted} of the incident, as an account"]
    names = sorted({one["subject"] for one in campaigns if one["subject"] and one["searched"]})
    places += [f"the lists of the incident, as {name}" for name in names]
    too_long = sorted(one["campaign"] for one in campaigns if one["subject"] and not one["searched"])
    if too_long:
        places.append(f"not in the list of {', '.join(too_long)}, which is too long to be searched for a line")
    return "; ".join(places)


def _what_nothing_means(campaign: "LookedIn") -> str:
    """What it says about an account that a campaign which has ended has no decision about it."""
    name, state = campaign["campaign"], campaign["state"]
    if not campaign["finished"]:
        return f"Campaign {name} ended ({state}) before its list was decided: that says nothing."
    if campaign["may_have_expired"]:
        return f"Campaign {name} is so old that its decisions may have been deleted: that says nothing."
    return f"Campaign {name}: the account was not on its list, or its row was rejected."
