"""Keeps notices while the stack is halted: each campaign and incident that has any waits until they are published.

A stream forgets after a day, and a halt may last longer. What is noted here waits in `kulanz campaigns` for a person,
who publishes the notices again from the ledger after the halt. Subscribers recognise those that they know by their ids.
"""

from collections.abc import Iterable
from datetime import datetime

from kulanz.application.notices.publish_notices import Recorded, has_notice
from kulanz.application.ports import CampaignStore, Troubles
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.incident_record import Revision


def kept_by_halt(
    records: Iterable[Recorded],
    revisions: Iterable[Revision],
    campaigns: CampaignStore,
    troubles: Troubles,
    now: datetime,
) -> bool:
    """Whether the stack is halted; then it is noted whose notices are to be published later. Safe to repeat."""
    if not campaigns.halt().is_on:
        return False
    with_notices = {record.now.entry.key.campaign for record in records if has_notice(record)}
    for campaign_id in sorted(map(str, with_notices)):
        troubles.note(TroubleKind.NOTICES, campaign_id, now)
    for incident_id in sorted({revision.incident_id for revision in revisions}):
        troubles.note(TroubleKind.STATUS, incident_id, now)
    return True
