"""The audit log of a campaign, an incident or a policy: from who published a policy to who accepted an offer.

What was done to a campaign or an incident as a whole comes first, in the order of time. Acceptances follow in theirs:
there can be as many as accounts, so they come a page at a time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from kulanz.application.ports import CampaignIndex, CampaignStore, Page, Uploads
from kulanz.domain.audit import (
    AuditEntry,
    acceptance_entry,
    change_entry,
    opening_entry,
    published_entry,
    revision_entry,
    uploaded_entry,
)
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.ledger.additions import Addition, AdditionKind

ENTRIES_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class LogPorts:
    """The world that the audit log is read from."""

    campaigns: CampaignStore
    index: CampaignIndex
    uploads: Uploads


class NothingLogged(Exception):
    """There is no such campaign, incident or policy."""


def campaign_log(campaign_id: CampaignId, ports: LogPorts, after: str = "") -> Page[AuditEntry]:
    """A campaign from its policy, list and incident to its end, then what its customers accepted.

    Raises NothingLogged.
    """
    campaign = ports.campaigns.campaign(campaign_id)
    if campaign is None:
        raise NothingLogged
    begun: list[AuditEntry] = []
    if not after:
        begun = _in_time([*_brought(campaign, ports), *_revisions(campaign, ports), *_moved(campaign, ports)])
    additions = ports.index.additions(campaign_id, after, ENTRIES_PER_PAGE)
    return Page((*begun, *map(_accepted, additions.found)), additions.after)


def incident_log(incident_id: str, ports: LogPorts, after: str = "") -> Page[AuditEntry]:
    """An incident's revisions and campaigns, then what customers accepted, a campaign after the other.

    Raises NothingLogged.
    """
    campaigns = ports.campaigns.campaigns_of(incident_id)
    begun: list[AuditEntry] = []
    if not after:
        begun = [revision_entry(revision) for revision in ports.campaigns.revisions(incident_id)]
        if not begun:
            raise NothingLogged
        for campaign in campaigns:
            begun += [*_brought(campaign, ports), *_moved(campaign, ports)]
    seq, _, behind = after.partition(":")
    waiting = [campaign.id for campaign in campaigns if campaign.id.seq >= int(seq or 0)]
    found = _in_time(dict.fromkeys(begun))  # a policy that several campaigns are under was published once
    for number, campaign_id in enumerate(waiting):
        page = ports.index.additions(campaign_id, behind, ENTRIES_PER_PAGE)
        found += map(_accepted, page.found)
        if page.after:
            return Page(tuple(found), f"{campaign_id.seq}:{page.after}")
        if len(found) >= ENTRIES_PER_PAGE and number + 1 < len(waiting):
            return Page(tuple(found), f"{waiting[number + 1].seq}:")
        behind = ""
    return Page(tuple(found), "")


def policy_log(policy_id: str, ports: LogPorts, after: str = "") -> Page[AuditEntry]:
    """Who published a policy's versions, and who requested the campaigns under them. Raises NothingLogged."""
    published: list[AuditEntry] = []
    if not after:
        uploads = ports.uploads.policies(policy_id)
        published = [published_entry(policy_id, version, one.at, one.by) for version, one in uploads]
    page = ports.index.campaigns_under(policy_id, after, ENTRIES_PER_PAGE)
    if not after and not published and not page.found:
        raise NothingLogged
    requested = (_requested(one.id, ports) for one in page.found)
    found = [*published, *(entry for entry in requested if entry is not None)]
    return Page(tuple(_in_time(found)), page.after)


def _in_time(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    return sorted(entries, key=lambda entry: entry.at)


def _brought(campaign: Campaign, ports: LogPorts) -> Iterator[AuditEntry]:
    """Who published the policy that decides, and who uploaded the list that is decided."""
    policy = ports.uploads.policy(campaign.policy_id, campaign.policy_version)
    if policy is not None:
        yield published_entry(campaign.policy_id, campaign.policy_version, policy.at, policy.by)
    pinned = ports.uploads.pinned(campaign.pinned)
    if pinned is not None:
        yield uploaded_entry(campaign.pinned, pinned.at, pinned.by)


def _revisions(campaign: Campaign, ports: LogPorts) -> Iterator[AuditEntry]:
    return map(revision_entry, ports.campaigns.revisions(campaign.id.incident_id))


def _moved(campaign: Campaign, ports: LogPorts) -> Iterator[AuditEntry]:
    for change in ports.campaigns.log(campaign.id):
        is_opening = change.source is None
        yield opening_entry(campaign, change) if is_opening else change_entry(campaign.id, change)


def _requested(campaign_id: CampaignId, ports: LogPorts) -> AuditEntry | None:
    campaign = ports.campaigns.campaign(campaign_id)
    return None if campaign is None else next(iter(_moved(campaign, ports)))


def _accepted(addition: Addition) -> AuditEntry:
    action = "sent a credit to another channel" if addition.channel else _ADDED[addition.kind]
    return replace(acceptance_entry(addition.key, addition.at, addition.actor), action=action)


_ADDED = {
    AdditionKind.ACCEPTED: "accepted",
    AdditionKind.DECIDED: "granted by hand",
    AdditionKind.RECOGNISED: "granted for a rejected row",
    AdditionKind.GOODWILL: "gave goodwill",
    AdditionKind.AGAIN: "sent a credit again",
    AdditionKind.REVERSAL: "asked back what the biller has",
}
"""What an addition was, as the log of its campaign has it."""
