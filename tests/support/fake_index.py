"""The index over the fake stores: worked out from what they hold, so that it is never behind."""

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime

from kulanz.application.ports import INDEXED_PER_PAGE, Indexed, OpenCampaign, Page
from kulanz.domain.audit import AuditEntry, acceptance_entry, budget_entry, change_entry, opening_entry, revision_entry
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.time import microseconds_of
from tests.support.fake_cases import FakeCases
from tests.support.fake_offers import FakeOffers
from tests.support.fakes import FakeCampaigns

EVERY = 1_000_000


class FakeIndex:
    """What spans incidents and campaigns."""

    def __init__(self, campaigns: FakeCampaigns, offers: FakeOffers, cases: FakeCases | None = None) -> None:
        self._campaigns, self._offers, self._cases = campaigns, offers, cases
        self.others: list[AuditEntry] = []
        """What is logged by itself, because it changes nothing that these stores hold."""

    def open_campaigns(self) -> list[OpenCampaign]:
        return self._campaigns.open_campaigns()

    def campaigns_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[CampaignId]]:
        return _page(self._opened(lambda one: _month(one.decided_at) == month), after, most)

    def incidents_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[str]]:
        first: dict[str, datetime] = {}
        for revision in self._campaigns.recorded:
            first.setdefault(revision.incident_id, revision.recorded_at)
        found = [Indexed(at, incident_id) for incident_id, at in first.items() if _month(at) == month]
        return _page([(one.at, one.id, one) for one in found], after, most)

    def campaigns_under(
        self, policy_id: str, after: str = "", most: int = INDEXED_PER_PAGE
    ) -> Page[Indexed[CampaignId]]:
        return _page(self._opened(lambda one: one.policy_id == policy_id), after, most)

    def latest_under(self, policy_id: str, before: datetime, most: int) -> list[Indexed[CampaignId]]:
        found = self._opened(lambda one: one.policy_id == policy_id and one.decided_at < before)
        return [one for *_, one in sorted(found, key=lambda one: one[:2], reverse=True)[:most]]

    def audit_of_day(self, day: date, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[AuditEntry]:
        return self._audit(lambda entry: entry.at.astimezone(UTC).date() == day, after, most)

    def audit_of_actor(self, actor: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[AuditEntry]:
        return self._audit(lambda entry: entry.is_by_caller and entry.actor == actor, after, most)

    def additions(self, campaign_id: CampaignId, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Addition]:
        found = [
            Addition(AdditionKind.ACCEPTED, key, at, actor)
            for key, actor, at in self._offers.accepted
            if key.campaign == campaign_id
        ]
        found += [] if self._cases is None else self._cases.additions(campaign_id)
        found += [one for one in self._campaigns.added_items.by_hand if one.key.campaign == campaign_id]
        found += [one for one in self._campaigns.added_items.listed if one.key.campaign == campaign_id]
        named = [(one.at, f"{one.key.account_id}#{one.key.subject}#{one.benefit}", one) for one in found]
        return _page(named, after, most)

    def additions_from(
        self, campaign_id: CampaignId, start: datetime, after: str = "", most: int = INDEXED_PER_PAGE
    ) -> Page[Addition]:
        return self.additions(campaign_id, after or f"{microseconds_of(start):020d}", most)

    def last_addition(self, campaign_id: CampaignId) -> Addition | None:
        found = self.additions(campaign_id, most=sys.maxsize).found
        return found[-1] if found else None

    def _all(self) -> list[Campaign]:
        found = [self._campaigns.campaign(one) for one in self._campaigns.all_campaigns()]
        return [one for one in found if one is not None]

    def _opened(self, is_wanted: Callable[[Campaign], bool]) -> list[tuple[datetime, str, Indexed[CampaignId]]]:
        wanted = [one for one in self._all() if is_wanted(one)]
        return [(one.decided_at, str(one.id), Indexed(one.decided_at, one.id)) for one in wanted]

    def _audit(self, is_wanted: Callable[[AuditEntry], bool], after: str, most: int) -> Page[AuditEntry]:
        found = [revision_entry(revision) for revision in self._campaigns.recorded]
        for campaign in self._all():
            opening, *changes = self._campaigns.log(campaign.id)
            found += [opening_entry(campaign, opening), *(change_entry(campaign.id, change) for change in changes)]
        found += self.others
        found += [budget_entry(one) for one in self._campaigns.budget_items.settings.values()]
        found += [acceptance_entry(key, at, actor) for key, actor, at in self._offers.accepted]
        found += [] if self._cases is None else self._cases.audit_entries()
        places = [(one.at, f"{one.about}#{one.on}#{one.place}", one) for one in found if is_wanted(one)]
        return _page(places, after, most)


def _month(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m}"


def _page[Found](found: Iterable[tuple[datetime, str, Found]], after: str, most: int) -> Page[Found]:
    """The first of what follows `after`, by instant and then by name."""
    places = sorted((f"{microseconds_of(at):020d}#{name}", one) for at, name, one in found)
    rest = [(place, one) for place, one in places if place > after]
    return Page(tuple(one for _, one in rest[:most]), rest[most - 1][0] if len(rest) > most else "")
