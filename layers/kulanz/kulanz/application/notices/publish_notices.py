"""Projects committed decisions to the notices topic. Nothing is told that is not in the ledger."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.world import Booked
from kulanz.application.ports import CampaignStore, NoticeTopic, Refused, Troubles
from kulanz.domain.byhand.sizes import quantity_text
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import UNLIMITED, VOIDED, Decision, Notice, Outcome
from kulanz.domain.delivery.entries import CreditEntries
from kulanz.domain.delivery.taken import Taken, taken_of
from kulanz.domain.ledger.entries import Entry, read_decision
from kulanz.domain.money import Money, Size, format_amount, is_currency
from kulanz.domain.notices import Audience, NoticeMessage, Recipient, notice_id, pack_notices, voided_notice_id
from kulanz.domain.policy.document.document import NoticeText
from kulanz.domain.time import format_instant


@dataclass(frozen=True, slots=True)
class PublishPorts:
    """The world that publishing touches."""

    campaigns: CampaignStore
    topic: NoticeTopic
    troubles: Troubles


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as the ledger's stream has it: as it stands, and what was said of its credits before.

    `before` is None where the decision is new, or where all that is to be told of it is told again.
    """

    now: Booked
    before: CreditEntries | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What a batch became, for its log line."""

    decisions: int
    recipients: int
    messages: int


def publish_notices(
    records: Iterable[Recorded], ports: PublishPorts, recipients_per_message: int, cache: FrozenCache
) -> Published:
    """Publish a notice for every newly committed decision whose policy asks for one, and for what was newly taken back
    of one where its policy tells customers: at least once.

    Raises TryAgain when the topic refused some; Refused when a decision cannot be projected. Both come after everything
    that can be published was.
    """
    notices: list[tuple[Audience, Recipient]] = []
    templates: dict[Audience, NoticeText] = {}
    policies: dict[CampaignId, tuple[str, int]] = {}
    seen = unprojected = 0
    for record in records:
        seen += 1
        for told, recipient in _notices_of(record):
            campaign_id = record.now.entry.key.campaign
            policy = cache.find(campaign_id, ports.campaigns)
            template = None if policy is None else policy.templates(told.kind, told.locale)
            if policy is None or template is None:
                unprojected += 1
                continue
            audience = Audience(str(campaign_id), told.kind, told.locale, told.channel)
            templates[audience] = template
            policies[campaign_id] = policy.policy_id, policy.version
            notices.append((audience, recipient))
    messages: list[NoticeMessage] = pack_notices(notices, templates, policies, recipients_per_message)
    if messages:
        ports.topic.publish(messages)
    if unprojected:
        raise Refused(f"decisions that name a campaign or a text that does not exist: {unprojected}")
    return Published(seen, len(notices), len(messages))


def has_notice(record: Recorded) -> bool:
    """Whether a record has a notice."""
    return any(True for _ in _notices_of(record))


def _notices_of(record: Recorded) -> Iterator[tuple[Notice, Recipient]]:
    """What customers are told of a record, with the text that it needs."""
    entry = record.now.entry
    decision = read_decision(entry.body)
    told = decision.notice
    if told is None:
        return
    if record.before is None:
        values = notice_values(entry, decision)
        yield told, Recipient(notice_id(entry.key, told.kind), entry.key.account_id, values)
    if not record.now.notice_locale:
        return
    of_void = replace(told, kind=VOIDED, locale=record.now.notice_locale)
    known = {voided_notice_id(entry.key, one) for one in taken_of(entry, record.before or ())}
    for taken in taken_of(entry, record.now.entries):
        named = voided_notice_id(entry.key, taken)
        if taken.is_taken and named not in known:
            yield of_void, Recipient(named, entry.key.account_id, voided_values(decision, taken))


def voided_values(decision: Decision, taken: Taken) -> Mapping[str, str]:
    """What fills in the text about what was taken back: the first of it as an amount or a quantity, all of it, what is
    left of the decision, when, by which void, and the policy's own values.

    These were worked out when it was decided. So one that is named as one of ours does not stand for it.
    """
    own = {} if decision.notice is None else decision.notice.values
    values = {
        "reason": decision.reason,
        **{name: value for name, value in own.items() if name not in _HOW_MUCH},
        "taken_back": _sizes_text(taken.sizes),
        "left": _sizes_text(taken.left),
        "effective_at": format_instant(taken.at),
        "void": str(taken.void),
    }
    measure, size = next(iter(taken.sizes.items()))
    names = ("amount", "currency") if is_currency(measure) else ("quantity", "unit")
    return values | dict(zip(names, _in_words(size, measure), strict=True))


_HOW_MUCH = frozenset({"amount", "currency", "quantity", "unit"})


def _sizes_text(sizes: Mapping[str, Size]) -> str:
    """In any language: a unit is the policy's own word, as it is in `unit`."""
    return ", ".join(" ".join(_in_words(size, measure)) for measure, size in sizes.items())


def _in_words(size: Size, measure: str) -> tuple[str, str]:
    """How much it is and of what, as the notice of the decision said it. A measure says besides that something is
    unlimited, of which grants are counted, or how often it comes again.
    """
    if is_currency(measure):
        return format_amount(Money(int(size), measure)), measure
    unit, _, how = measure.partition(":")
    is_unlimited = size and how.rpartition(":")[2] == UNLIMITED
    return UNLIMITED if is_unlimited else quantity_text(size), unit


def notice_values(entry: Entry, decision: Decision) -> Mapping[str, str]:
    """What fills the text in: the first benefit's amount or quantity, the instants, and the policy's own values."""
    values: dict[str, str] = {"reason": decision.reason}
    if decision.benefits:
        first = decision.benefits[0]
        if first.money is not None:
            values |= {"amount": format_amount(first.money), "currency": first.money.currency}
        else:
            values |= {"quantity": first.quantity, "unit": first.unit}
        if first.due is not None:
            values["due"] = str(first.due)
        values["effective_at"] = format_instant(entry.effective_at)
    # An offer's own end stands in its body: once it is accepted, the item holds that of what was granted.
    expires_at = decision.claim_until if decision.outcome is Outcome.OFFERED else entry.expires_at
    if expires_at is not None:
        values["expires_at"] = format_instant(expires_at)
    if decision.notice is not None:
        values |= decision.notice.values
    return values
