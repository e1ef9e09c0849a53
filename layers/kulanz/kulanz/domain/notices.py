"""What customers are to be told, projected from committed decisions and packed into messages.

One message holds recipients of one (campaign, kind, locale, channel): the template once, and for each recipient a
stable id, the account and the values to fill in. Addresses are the subscribers' own.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from typing import TypedDict

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import VOIDED
from kulanz.domain.delivery.taken import Taken
from kulanz.domain.drafts.following import Words
from kulanz.domain.incident_record import Revision
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.policy.document.document import NoticeText
from kulanz.domain.time import format_instant

NOTICE_VERSION = 1
NOTICE_MESSAGE_BYTES = 60 * 1024
"""Below SNS's 64 KB, above which a message is billed twice."""


class NoticePolicy(TypedDict):
    """Which policy decided."""

    id: str
    version: int


class NoticeTemplate(TypedDict):
    """The text of a notice; `{{ name }}` stands where a recipient's value `name` goes."""

    subject: str
    text: str


class NoticeRecipient(TypedDict):
    """One account to be told. `notice_id` is the same however often the notice is delivered."""

    notice_id: str
    account_id: str
    values: Mapping[str, str]


class NoticeContract(TypedDict):
    """A message of the notices topic. Its attributes kind, incident_id, locale and channel serve filter policies."""

    v: int
    kind: str
    campaign: str
    incident_id: str
    policy: NoticePolicy
    locale: str
    channel: str
    template: NoticeTemplate
    recipients: list[NoticeRecipient]


class NoticeIncident(TypedDict):
    """The facts of one revision of an incident. The last window has no `end` while the outage goes on."""

    revision: int
    title: str
    service: str
    functions: list[str]
    windows: list[dict[str, str | None]]
    cause: str | None


class StatusContract(TypedDict):
    """A message of the notices topic about an incident itself, for everybody: it has no recipients.

    `kind` is incident_declared, incident_updated, incident_resolved, incident_amended or incident_withdrawn. Messages
    may arrive in any order: the highest revision is the state of things.
    """

    v: int
    kind: str
    notice_id: str
    incident_id: str
    incident: NoticeIncident
    recorded_at: str
    recipients: list[NoticeRecipient]


class NoticeReported(TypedDict):
    """What a source reports of an incident, in words alone. The highest `number` is what it reported last.

    `course` is open, resolved, scheduled, under_way, completed, merged, cancelled or unknown.
    """

    number: int
    title: str
    service: str
    functions: list[str]
    course: str
    planned: bool


class ReportedContract(TypedDict):
    """A message of the notices topic about an incident that a source reports and that nobody has confirmed.

    `kind` is incident_reported. From the first message of another kind about this incident on, that kind counts alone.
    """

    v: int
    kind: str
    notice_id: str
    incident_id: str
    reported: NoticeReported
    reported_at: str
    recipients: list[NoticeRecipient]


@dataclass(frozen=True, slots=True, order=True)
class Audience:
    """What the recipients of one message share."""

    campaign: str
    kind: str
    locale: str
    channel: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """One account that is to be told about one decision."""

    notice_id: str
    account_id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """One message as it is published: JSON text of at most `NOTICE_MESSAGE_BYTES` bytes."""

    audience: Audience
    incident_id: str
    text: str
    recipients: int


def notice_id(key: DecisionKey, kind: str) -> str:
    """The id by which subscribers recognise a notice delivered twice: 128 bits over the decision's key and the kind."""
    return blake2b(f"{key}|{kind}".encode(), digest_size=16).hexdigest()


def voided_notice_id(key: DecisionKey, taken: Taken) -> str:
    """The id of what is told about a void, or about a credit that the biller has taken back for it.

    A void takes what it can of a decision at once. What it asked the biller for is void credit by credit, as each is
    answered, so that the places of the benefits tell these apart.
    """
    places = ",".join(map(str, taken.benefits))
    return blake2b(f"{key}|{VOIDED}|{taken.entry_id}|{places}".encode(), digest_size=16).hexdigest()


def status_notice(revision: Revision) -> NoticeMessage:
    """What is told about an incident when a revision of it is recorded; stale ones too, by their number.

    Raises ValueError for a revision whose facts fit no message; the event's contract allows none.
    """
    facts = json.loads(revision.content)
    content: StatusContract = {
        "v": NOTICE_VERSION,
        "kind": revision.detail_type.lower().replace(" ", "_"),
        "notice_id": status_notice_id(revision.incident_id, revision.number),
        "incident_id": revision.incident_id,
        "incident": {
            "revision": revision.number,
            "title": facts["title"],
            "service": facts["service"],
            "functions": facts["functions"],
            "windows": facts["windows"],
            "cause": facts["cause"],
        },
        "recorded_at": format_instant(revision.recorded_at),
        "recipients": [],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > NOTICE_MESSAGE_BYTES:
        raise ValueError(f"a status notice has over {NOTICE_MESSAGE_BYTES} bytes")
    return NoticeMessage(Audience("", content["kind"], "", ""), revision.incident_id, text, 0)


def reported_notice(incident_id: str, number: int, words: Words, said_at: datetime) -> NoticeMessage:
    """What is told of an incident that a source reports, before a person has said what was."""
    content: ReportedContract = {
        "v": NOTICE_VERSION,
        "kind": "incident_reported",
        "notice_id": blake2b(f"REPORTED#{incident_id}|{number}".encode(), digest_size=16).hexdigest(),
        "incident_id": incident_id,
        "reported": {
            "number": number,
            "title": words.title,
            "service": words.service,
            "functions": list(words.functions),
            "course": words.course,
            "planned": words.is_planned,
        },
        "reported_at": format_instant(said_at),
        "recipients": [],
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return NoticeMessage(Audience("", content["kind"], "", ""), incident_id, text, 0)


def status_notice_id(incident_id: str, revision: int) -> str:
    """The id by which subscribers recognise a status notice delivered twice: 128 bits over incident and revision."""
    return blake2b(f"INCIDENT#{incident_id}|{revision}".encode(), digest_size=16).hexdigest()


def pack_notices(
    notices: Iterable[tuple[Audience, Recipient]],
    templates: Mapping[Audience, NoticeText],
    policy: Mapping[CampaignId, tuple[str, int]],
    recipients_per_message: int,
) -> list[NoticeMessage]:
    """Messages for all `notices`, in a stable order, each within both limits.

    `policy` names each campaign's policy and version. Raises ValueError for a recipient that fits no message.
    """
    messages: list[NoticeMessage] = []
    ordered = sorted(notices, key=lambda notice: (notice[0], notice[1].notice_id))
    for audience, group in groupby(ordered, key=lambda notice: notice[0]):
        campaign = CampaignId.parse(audience.campaign)
        policy_id, policy_version = policy[campaign]
        template = templates[audience]
        head: NoticeContract = {
            "v": NOTICE_VERSION,
            "kind": audience.kind,
            "campaign": audience.campaign,
            "incident_id": campaign.incident_id,
            "policy": {"id": policy_id, "version": policy_version},
            "locale": audience.locale,
            "channel": audience.channel,
            "template": {"subject": template.subject, "text": template.text},
            "recipients": [],
        }
        opening = json.dumps(head, ensure_ascii=False, separators=(",", ":")).removesuffix("]}")
        for texts in _pages(opening, [recipient for _, recipient in group], recipients_per_message):
            text = opening + ",".join(texts) + "]}"
            messages.append(NoticeMessage(audience, campaign.incident_id, text, len(texts)))
    return messages


def _pages(opening: str, recipients: list[Recipient], recipients_per_message: int) -> Iterable[list[str]]:
    fixed = len(opening.encode()) + len("]}")
    page: list[str] = []
    used = fixed
    for recipient in recipients:
        content: NoticeRecipient = {
            "notice_id": recipient.notice_id,
            "account_id": recipient.account_id,
            "values": dict(recipient.values),
        }
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode()) + 1
        if fixed + size > NOTICE_MESSAGE_BYTES:
            raise ValueError(f"a notice with its template has over {NOTICE_MESSAGE_BYTES} bytes; shorten the template")
        if page and (used + size > NOTICE_MESSAGE_BYTES or len(page) >= recipients_per_message):
            yield page
            page, used = [], fixed
        page.append(text)
        used += size
    if page:
        yield page
