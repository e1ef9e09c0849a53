"""Projects committed decisions to the notices topic. Nothing is told that is not in the ledger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.ports import CampaignStore, NoticeTopic, Refused, Troubles
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.entries import Entry, read_decision
from kulanz.domain.money import format_amount
from kulanz.domain.notices import Audience, NoticeMessage, Recipient, notice_id, pack_notices
from kulanz.domain.policy.document.document import NoticeText
from kulanz.domain.time import format_instant


@dataclass(frozen=True, slots=True)
class PublishPorts:
    """The world that publishing touches."""

    campaigns: CampaignStore
    topic: NoticeTopic
    troubles: Troubles


@dataclass(frozen=True, slots=True)
class Published:
    """What a batch became, for its log line."""

    decisions: int
    recipients: int
    messages: int


def publish_notices(
    entries: Iterable[Entry], ports: PublishPorts, recipients_per_message: int, cache: FrozenCache
) -> Published:
    """Publish a notice for every newly committed decision whose policy asks for one, at least once.

    Raises TryAgain when the topic refused some; Refused when a decision cannot be projected. Both come after everything
    that can be published was.
    """
    notices: list[tuple[Audience, Recipient]] = []
    templates: dict[Audience, NoticeText] = {}
    policies: dict[CampaignId, tuple[str, int]] = {}
    seen = unprojected = 0
    for entry in entries:
        seen += 1
        decision = read_decision(entry.body)
        if decision.notice is None:
            continue
        policy = cache.find(entry.key.campaign, ports.campaigns)
        template = None if policy is None else policy.templates(decision.notice.kind, decision.notice.locale)
        if policy is None or template is None:
            unprojected += 1
            continue
        told = decision.notice
        audience = Audience(str(entry.key.campaign), told.kind, told.locale, told.channel)
        templates[audience] = template
        policies[entry.key.campaign] = policy.policy_id, policy.version
        notices.append((audience, _recipient(entry, decision, told.kind)))
    messages: list[NoticeMessage] = pack_notices(notices, templates, policies, recipients_per_message)
    if messages:
        ports.topic.publish(messages)
    if unprojected:
        raise Refused(f"decisions that name a campaign or a text that does not exist: {unprojected}")
    return Published(seen, len(notices), len(messages))


def _recipient(entry: Entry, decision: Decision, kind: str) -> Recipient:
    return Recipient(notice_id(entry.key, kind), entry.key.account_id, notice_values(entry, decision))


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
