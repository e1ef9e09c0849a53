"""Troubles beside the fake campaigns, and batches of records that were given up."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from kulanz.application.ports import GivenUpBatch, OpenCampaign, Refused
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from tests.support.fakes import FakeCampaigns


class FakeTroubles:
    """What waits for a person until it is repaired; it stands with the campaigns, as in their table."""

    def __init__(self, campaigns: FakeCampaigns) -> None:
        self._campaigns = campaigns
        self._looked_at: set[str] = set()

    def troubles(self) -> list[Trouble]:
        return [trouble for _, trouble in sorted(self._campaigns.troubles.items())]

    def note(self, kind: TroubleKind, on: str, now: datetime) -> None:
        known = self._campaigns.troubles.get((kind, on), Trouble(kind, on, now, now))
        self._campaigns.troubles[kind, on] = replace(known, found_at=now)

    def repaired(self, kind: TroubleKind, on: str, began_at: datetime) -> None:
        known = self._campaigns.troubles.get((kind, on))
        if known is not None and known.found_at < began_at:
            del self._campaigns.troubles[kind, on]

    def note_seen(self, seen: OpenCampaign) -> None:
        self._campaigns.note_seen(seen)

    def has_looked_at(self, key: str) -> bool:
        return key in self._looked_at

    def note_looked_at(self, key: str) -> None:
        self._looked_at.add(key)


class FakeGivenUp:
    """Batches that were given up, by their keys; None is one that nobody can read."""

    def __init__(self) -> None:
        self.batches: dict[str, GivenUpBatch | None] = {}

    def keys(self) -> Iterator[str]:
        return iter(list(self.batches))

    def batch(self, key: str) -> GivenUpBatch | None:
        if key in self.batches and self.batches[key] is None:
            raise Refused("this is no batch of records that a function gave up")
        return self.batches.get(key)


class FakeTablePolicies:
    """Tables that are closed, but for those that a test opens."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def open_tables(self) -> list[str]:
        return list(self.opened)
