"""An answer about one account in words: how a subject stands now, and the facts of each decision."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kulanz.domain.campaigns.campaign import ENDED
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.earlier_decisions import CHANGED_SINCE_PLAN
from kulanz.domain.money import is_currency
from kulanz.domain.policy.explaining.benefits import due_words, worth_words
from kulanz_console.customer_notices import notices
from kulanz_console.drawing.said import Given, Said, joined
from kulanz_console.drawing.text import counted_as, seconds
from kulanz_console.drawing.worth import value_text
from kulanz_console.on_the_way import billing, late_from
from kulanz_console.port import DRAWN

if TYPE_CHECKING:
    from kulanz.application.door.accounts import AskAnswer, DecisionAnswer, LookedIn, StandingAnswer
    from kulanz.application.door.taken_back import TakenBackAnswer

_MEANING = {
    Outcome.GRANTED: "The account gets it.",
    Outcome.DECLINED: "The account does not get it.",
    Outcome.HELD: "Nothing is given for now: the policy holds it, for the reason that follows.",
    Outcome.REFERRED: "It waits for a manual review.",
    Outcome.OFFERED: "The account gets it when the customer accepts or claims it.",
}

NOTHING_IS_GRANTED = "nothing is granted"
SAID_BY_ITS_MEANING = frozenset({"declined", "held", "referred"})
"""States that the sentence of what they mean names already."""
_NOTHING_GRANTED = {
    "offer ended": "the offer has ended",
    "voided": "all of it was voided",
    "held": "held",
    "referred": "waits for a manual review",
    "declined": "declined",
}

_IN_A_SUMMARY = frozenset({"outcome", "reason", "money", "units"})

WITHDRAWN = "The incident was withdrawn. What was granted before stays granted, and no offer is open any more."

DIFFERS = "differs"

EXPLAINED = {
    DIFFERS: "The policy says something else of this row today; the stored decision stands. Both are shown.",
    "list_gone": "The pinned list was deleted, so that the steps cannot be shown again; the decision stands.",
    "row_unreadable": "The row cannot be read back from the pinned list; the decision stands.",
}


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
        if "by_hand" in self.content:
            stood = self.decision.benefits if self.decision.outcome is Outcome.GRANTED else ()
            return (*stood, *Decision.from_body(dict(self.content["by_hand"]["decision"])).benefits)
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


def what_words(standing: Standing) -> str:
    """What the state is about: the benefits, or the reason where there are none."""
    state, latest = standing.content["state"], standing.decisions[-1].decision
    if state in ("granted", "expired"):
        granted = standing.granted
        if len(granted) == 1 and "taken_back" not in granted[0].content:
            return worth(granted[0].granted)
        return sum_words({measure: size for measure, size in standing.content["granted"].items() if Decimal(size)})
    if state == "offered":
        return offered_words(standing)
    return worth(latest.benefits) or latest.reason


def is_about_worth(standing: Standing) -> bool:
    """Whether `what_words` are benefits, and not the code of a reason."""
    is_given = standing.content["state"] in ("granted", "expired", "offered")
    return is_given or bool(standing.decisions[-1].decision.benefits)


def names_subject(standing: Standing) -> bool:
    """Whether the subject belongs beside the title: not that of a whole account, nor an id that a page drew."""
    subject = standing.content["subject"]
    return subject != WHOLE_ACCOUNT and not subject.startswith(DRAWN)


def because(standing: Standing) -> str:
    """Why nothing is given, in the words that the policy has for customers; empty where it has none."""
    if standing.content["state"] not in SAID_BY_ITS_MEANING:
        return ""
    return standing.decisions[-1].content.get("because", "")


def now_words(standing: Standing) -> str:
    """What the state means at this moment."""
    content = standing.content
    until = "" if content["usable_until"] is None else seconds(content["usable_until"])
    match content["state"]:
        case "expired":
            return Said("expired on {until}", until=until) if until else "expired"
        case "granted":
            usable = Said("granted, usable until {until}", until=until) if until else "granted"
            gone = Said("of it, {sum} has expired", sum=sum_words(content["expired"])) if content["expired"] else ""
            more = Said("{offer} more is offered", offer=offered_words(standing)) if standing.offered else ""
            return joined("; ", (usable, gone, more))
        case "offered":
            granted = content["granted"]
            before = Said("{sum} was granted before, and has expired", sum=sum_words(granted)) if granted else ""
            return joined("; ", ("offered, and not accepted yet", before))
        case _:
            return joined("; ", (_NOTHING_GRANTED[content["state"]], NOTHING_IS_GRANTED))


def worth(benefits: Iterable[Benefit]) -> str:
    """What benefits come to."""
    return " + ".join(map(worth_words, benefits))


def offered_words(standing: Standing) -> str:
    """What can be accepted now: the whole of an offer, or what is left to claim beside what was granted at once."""
    decisions = [decided.decision for decided in standing.offered]
    offers = [one.benefits if one.outcome is Outcome.OFFERED else one.claimable for one in decisions]
    return worth(benefit for benefits in offers for benefit in benefits)


def sum_words(sums: Mapping[str, str]) -> str:
    """Sums of an answer by measure: exact texts, money in minor units."""
    return " + ".join(
        value_text(measure, int(size) if is_currency(measure) else Decimal(size))
        for measure, size in sorted(sums.items())
    )


def overpaid_words(standing: Standing) -> str:
    """What was given too much, and which campaign found it; empty where nothing is known to be."""
    found = standing.content["overpaid"]
    if found is None:
        return ""
    if found["sums"] is None:
        return Said(
            "campaign {campaign} found some accounts overpaid; an export of its plan has them",
            campaign=Given(found["campaign"]),
        )
    return Said(
        "{sum} more than is owed now, as campaign {campaign} found",
        sum=sum_words(found["sums"]), campaign=Given(found["campaign"]),
    )  # fmt: skip


def _is_all_taken_back(decided: Decided) -> bool:
    """Whether nothing is left of what a decision granted: then nothing of it is due."""
    credits_of = decided.content.get("credits", ())
    return bool(credits_of) and all(credit["state"] == "voided" for credit in credits_of)


def _taken_back(decided: Decided) -> str:
    """What a void left of a decision; empty where none took anything back."""
    if _is_all_taken_back(decided):
        return "The account does not get it: it was granted, and all of it was taken back."
    is_in_part = any(Decimal(credit["voided"]) for credit in decided.content.get("credits", ()))
    return "The account gets a part of it: the rest was taken back." if is_in_part else ""


def meaning(decided: Decided) -> str:
    """What a decision means for the account as it stands now, in a sentence."""
    return _taken_back(decided) or _by_hand(decided) or _meaning(decided)


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


_BY_HAND: Mapping[str, tuple[str, str]] = {
    "conflict": (
        "Two rows of the list contradict each other. A person looked at both: the account gets nothing more by that.",
        (
            "Two rows of the list contradict each other. A person looked at both: the account gets more by that than"
            " the row that was decided gave it."
        ),
    ),
    "rejected": (
        "Its row cannot be read. A person recognised the account and decided: it does not get it.",
        "Its row cannot be read. A person recognised the account and decided: it gets it.",
    ),
    "held": (
        "It was held for a manual review, and decided by hand since: the account does not get it.",
        "It was held for a manual review, and decided by hand since: the account gets it.",
    ),
}
"""What persons decided since, by the kind of the case: where it is not given, and where it is."""


def _by_hand(decided: Decided) -> str:
    """What a person decided since of a case; empty where nobody did."""
    if "by_hand" not in decided.content:
        return ""
    given = decided.content["by_hand"]["decision"]["outcome"] == Outcome.GRANTED
    kind = decided.content["by_hand"].get("kind")
    if kind == "conflict":
        return _BY_HAND["conflict"][given]
    if kind == "rejected":
        return _BY_HAND["rejected"][given]
    return _BY_HAND["held"][decided.is_granted]


def _hand(decided: Decided) -> Iterator[tuple[str, str]]:
    hand = decided.content.get("by_hand")
    if hand is None:
        return
    yield "by hand", Said(
        "{at}, by {role} and a second person: {title} ({reason})"
        if hand["persons"] > 1
        else "{at}, by {role}: {title} ({reason})",
        at=seconds(hand["at"]), role=hand["role"], title=Given(hand["title"]), reason=Given(hand["reason"]),
    )  # fmt: skip
    if hand["note"]:
        yield "note", Said("{note} (not for the customer)", note=Given(hand["note"]))
    if decided.granted:
        yield "granted", worth(decided.granted)


def facts(decided: Decided, answer: "AskAnswer") -> Iterator[tuple[str, str]]:
    """What is known of a decision, each fact with its name."""
    content, decision, offer = decided.content, decided.decision, decided.content["offer"]
    yield "meaning", meaning(decided)
    yield "reason", Given(decision.reason)
    yield from _hand(decided)
    if decided.is_granted:
        yield "granted at", seconds(content["effective_at"])
    if decision.claimable:
        accepted_at = None if offer is None else offer["accepted_at"]
        accepted = "" if accepted_at is None else Said("accepted {at}", at=seconds(accepted_at))
        yield "claimable", joined(", ", (worth(decision.claimable), accepted))
    if offer is not None and not offer["accepted"] and not offer["replaced"]:
        until = content["decision"].get("claim_until")
        yield "open until", "no end" if until is None else seconds(until)
    if content["expires_at"] is not None and content["status"] != Outcome.OFFERED:
        until = seconds(content["expires_at"])
        yield "usable until", Said("{until} (over)", until=until) if content["expired"] else until
    shown = decided.granted if "by_hand" in content else decision.benefits
    for benefit in shown:
        if benefit.due is not None and not _is_all_taken_back(decided):
            which = worth([benefit]) if len(shown) > 1 else ""
            yield "due", joined("; ", (joined(" ", (which, due_words(benefit.due))), late_from(content, benefit)))
        if benefit.restriction is not None:
            yield "usable for", Said("{restriction} of the policy", restriction=Given(benefit.restriction))
        yield from ((name, Given(text)) for name, text in benefit.terms.items())
    yield from billing(content)
    if decided.granted and "credits" not in content:  # nothing was assigned, voided or answered
        yield "billing", "in no delivery to billing yet"
    for one in content.get("taken_back", ()):
        yield _of_a_void(one)
    if "policy" in content:
        policy = content["policy"]
        as_of = seconds(content["decided_at"])
        yield "campaign", Said(
            "{campaign}, {state}, decided as of {at}",
            campaign=Given(content["campaign"]), state=content["campaign_state"].replace("_", " "), at=as_of,
        )  # fmt: skip
        yield "policy", Said(
            "{policy} version {version} ({hash})",
            policy=Given(policy["id"]), version=str(policy["version"]), hash=Given(policy["hash"][:12]),
        )  # fmt: skip
        yield "engine", _engine(content["engine"], answer["explained_by"])
    yield from notices(decided.content, decided.decision.notice, is_accepted=decided.is_accepted)


def _of_a_void(one: "TakenBackAnswer") -> tuple[str, str]:
    """What a void took back; or what the biller had taken back for it, and then undid."""
    sums = {measure: Decimal(size) for measure, size in one["sums"].items()}
    if any(size < 0 for size in sums.values()):
        again = sum_words({measure: f"{-size:f}" for measure, size in sums.items()})
        at = seconds(one["at"])
        return "given again", Said("{sum}, {at}: billing had taken it back, and has undone that", sum=again, at=at)
    return "taken back", Said(
        "{sum}, {at}, by the {role}, approved by {persons}: {reason}",
        sum=sum_words(one["sums"]), at=seconds(one["at"]), role=one["role"], reason=Given(one["reason"]),
        persons=counted_as(one["approved_by"], "person"),
    )  # fmt: skip


def _engine(decided_by: str, explained_by: str) -> str:
    """Which engine decided; and which one works out the steps, where that is another."""
    if decided_by == explained_by:
        return Given(decided_by)
    return Said(
        "{engine} decided; the steps are worked out by engine {other}, which may decide otherwise",
        engine=Given(decided_by), other=Given(explained_by),
    )  # fmt: skip


def differences(stored: Any, today: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Where two bodies differ, but for what a summary shows; each place with both texts."""
    if isinstance(stored, dict) and isinstance(today, dict):
        for name in sorted((stored.keys() | today.keys()) - _IN_A_SUMMARY):
            yield from differences(stored.get(name), today.get(name), f"{path} {name}".strip())
    elif isinstance(stored, list) and isinstance(today, list) and len(stored) == len(today):
        for number, (one, other) in enumerate(zip(stored, today, strict=True), 1):
            yield from differences(one, other, f"{path} {number}")
    elif not isinstance(stored, list) and stored != today:
        yield path, _value_text(stored), _value_text(today)


def _value_text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_value_text(one)}" for name, one in value.items())
    return "none" if value is None else str(value)


def summary(decision: Decision) -> str:
    """A decision in a few words."""
    return joined(" ", (decision.outcome.value, worth(decision.benefits), Given(f"({decision.reason})")))


def at_work(answer: "AskAnswer") -> list[str]:
    """The campaigns that can still change an answer, such as net-outage/1."""
    return [] if answer["final"] else [one["campaign"] for one in answer["campaigns"] if one["state"] not in ENDED]


def looked_in(campaigns: "list[LookedIn]") -> str:
    """Where the id was looked for: as an account in the ledger, and as a line in the lists that name lines."""
    counted = counted_as(len(campaigns), "campaign")
    places = [Said("the decisions of {campaigns} of the incident, as an account", campaigns=counted)]
    names = sorted({one["subject"] for one in campaigns if one["subject"] and one["searched"]})
    places += [Said("the lists of the incident, as {subject}", subject=Given(name)) for name in names]
    too_long = sorted(one["campaign"] for one in campaigns if one["subject"] and not one["searched"])
    if too_long:
        places.append(
            Said(
                "not in the list of {campaigns}, which is too long to be searched for a line",
                campaigns=Given(", ".join(too_long)),
            )
        )
    return joined("; ", places)


def what_nothing_means(campaign: "LookedIn") -> str:
    """What it says about an account that a campaign which has ended has no decision about it."""
    name, state = Given(campaign["campaign"]), campaign["state"]
    if not campaign["finished"]:
        return Said(
            "Campaign {campaign} ended ({state}) before its list was decided: that says nothing about the account.",
            campaign=name, state=state,
        )  # fmt: skip
    if campaign["may_have_expired"]:
        return Said(
            "Campaign {campaign} is so old that its decisions may have been deleted:"
            " that says nothing about the account.",
            campaign=name,
        )
    return Said("Campaign {campaign}: the account was not on its list, or its row was rejected.", campaign=name)
