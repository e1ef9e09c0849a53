"""How matters stand now: what an account, or a line of it, has of an incident, over all campaigns and by the clock.

A decision never changes. What becomes of it does: offers are accepted or end, benefits end, a later campaign decides
anew, an incident is withdrawn. That is worked out here, from the decisions and the clock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from kulanz.application.ledger.answer import AnsweredDecision
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import is_offer, is_taken, is_voided, net_worth

type Sums = Mapping[str, int | Decimal]
"""Minor units of a currency, or quantities of a unit, by what they are measured in."""


class Now(StrEnum):
    """Where an account stands with an incident."""

    GRANTED = "granted"
    EXPIRED = "expired"
    OFFERED = "offered"
    OFFER_ENDED = "offer ended"
    VOIDED = "voided"
    DECLINED = "declined"
    HELD = "held"
    REFERRED = "referred"


_OF_OUTCOME = {Outcome.DECLINED: Now.DECLINED, Outcome.HELD: Now.HELD, Outcome.REFERRED: Now.REFERRED}


@dataclass(frozen=True, slots=True)
class Standing:
    """What one subject has of one incident. `decisions` are all of them, by campaign; the last one is the latest.

    `offered` are those with something that can be accepted now. `granted` is the sum of all campaigns, less what was
    voided, of which `expired` has ended by the clock. `usable_until` is the latest end of what is left;
    None where nothing ends it.
    """

    incident_id: str
    subject: str
    decisions: Sequence[AnsweredDecision]
    state: Now
    offered: Sequence[AnsweredDecision]
    granted: Sums
    expired: Sums
    usable_until: datetime | None

    @property
    def latest(self) -> AnsweredDecision:
        return self.decisions[-1]

    def is_superseded(self, decided: AnsweredDecision) -> bool:
        """Whether a later campaign has decided anew since. What was granted before that still counts."""
        if is_offer(decided.entry) and not is_taken(decided.entry):
            return decided.has_ended
        return decided is not self.latest and not is_granted(decided)


def is_granted(decided: AnsweredDecision) -> bool:
    """Whether it is granted by now: at once, or because its offer was accepted."""
    return decided.entry.status is Outcome.GRANTED


def offer_has_ended(decided: AnsweredDecision) -> bool:
    """Whether an offer cannot be accepted any more, because its time is over or its campaign was stopped."""
    campaign = decided.campaign
    stands = campaign is not None and campaign.state in (State.APPLYING, State.CLOSED)
    is_untaken = is_offer(decided.entry) and not is_taken(decided.entry)
    return is_untaken and (decided.has_ended or decided.is_late or not stands)


def offer_is_open(decided: AnsweredDecision) -> bool:
    """Whether something of a decision can be accepted now."""
    return is_offer(decided.entry) and not is_taken(decided.entry) and not offer_has_ended(decided)


def standings(decisions: Iterable[AnsweredDecision]) -> Iterator[Standing]:
    """How each subject stands with each incident, in the order of the decisions."""
    by_subject: dict[tuple[str, str], list[AnsweredDecision]] = {}
    for decided in decisions:
        by_subject.setdefault((decided.entry.key.incident_id, decided.entry.key.subject), []).append(decided)
    for (incident_id, subject), found in by_subject.items():
        in_order = sorted(found, key=lambda decided: decided.entry.key.seq)
        granted = [decided for decided in in_order if is_granted(decided) and not is_voided(decided.entry)]
        lasting = [decided for decided in granted if not decided.expired]
        ends = [decided.entry.expires_at for decided in lasting or granted]
        yield Standing(
            incident_id=incident_id,
            subject=subject,
            decisions=in_order,
            state=_state(in_order, granted, lasting),
            offered=[decided for decided in in_order if offer_is_open(decided)],
            granted=_sums(granted),
            expired=_sums(decided for decided in granted if decided.expired),
            usable_until=None if None in ends else max((end for end in ends if end is not None), default=None),
        )


def _state(
    decisions: Sequence[AnsweredDecision], granted: Sequence[AnsweredDecision], lasting: Sequence[AnsweredDecision]
) -> Now:
    if lasting:
        return Now.GRANTED
    if any(map(offer_is_open, decisions)):
        return Now.OFFERED
    if granted:
        return Now.EXPIRED
    if is_voided(decisions[-1].entry):
        return Now.VOIDED
    return _OF_OUTCOME.get(decisions[-1].entry.status, Now.OFFER_ENDED)


def _sums(decisions: Iterable[AnsweredDecision]) -> Sums:
    sums: dict[str, int | Decimal] = {}
    for decided in decisions:
        for measure, size in net_worth(decided.entry).items():
            sums[measure] = sums.get(measure, 0) + size
    return {measure: size for measure, size in sums.items() if size}
