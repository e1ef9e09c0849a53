"""What was received of upstream incidents, in memory, and everything that receiving it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from kulanz.application.drafts.draft_ports import (
    Confirmed,
    Delivery,
    Dismissed,
    Listed,
    SourcesSealed,
    Unread,
    Upstream,
)
from kulanz.application.ports import INDEXED_PER_PAGE, Outdated, Page, Refused, TryAgain
from kulanz.domain.drafts.following import Followed
from kulanz.domain.drafts.reported import Change, Part, latest_parts, order_text
from kulanz.sources.configuration import NO_SOURCES, Configuration, configuration_from_json


class FakeDrafts:
    """Parts by their incident and key; of one key the newest stays."""

    def __init__(self) -> None:
        self._parts: dict[Upstream, dict[str, Part]] = {}
        self._changes: dict[tuple[str, str], dict[str, Part]] = {}
        self._months: dict[str, dict[str, Upstream | Unread]] = {}
        self._confirmed: dict[tuple[Upstream, str], Confirmed] = {}
        self._dismissed: dict[tuple[Upstream, str], Dismissed] = {}
        self._followed: dict[tuple[Upstream, str], Followed] = {}
        self._listed: dict[str, dict[Upstream, Listed]] = {}
        self._settled: set[tuple[str, Upstream]] = set()

    def keep(self, of: Upstream, part: Part, received_at: datetime) -> None:
        self._months.setdefault(f"{received_at:%Y-%m}", {})[f"INCIDENT#{of.source}#{of.name}"] = of
        month = f"{received_at:%Y-%m}"
        self._listed.setdefault(month, {})[of] = Listed(of, received_at)
        self._settled.discard((month, of))
        held = self._parts.setdefault(of, {})
        before = [held[part.key]] if part.key in held else []
        (held[part.key],) = latest_parts([*before, part])

    def keep_change(self, source: str, part: Part, received_at: datetime) -> None:  # noqa: ARG002
        for change in part.reported.changes:
            place = f"{order_text(change.stamp.at)}#{part.key}"
            self._changes.setdefault((source, change.component), {})[place] = part

    def parts(self, of: Upstream) -> list[Part]:
        return [part for _, part in sorted(self._parts.get(of, {}).items())]

    def changes(self, source: str, component: str, first: datetime, last: datetime | None) -> list[Change]:
        return [
            change
            for _, part in sorted(self._changes.get((source, component), {}).items())
            for change in part.reported.changes
            if change.component == component and first <= change.stamp.at and (last is None or change.stamp.at <= last)
        ]

    def note_unread(self, unread: Unread) -> None:
        digest = sha256(unread.key.encode("utf-8", "surrogatepass")).hexdigest()
        self._months.setdefault(f"{unread.received_at:%Y-%m}", {})[f"UNREAD#{unread.source}#{digest}"] = unread

    def in_month(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Upstream | Unread]:
        listed = sorted(place for place in self._months.get(month, {}) if place > after)
        shown = listed[:most]
        return Page(tuple(self._months[month][place] for place in shown), shown[-1] if len(listed) > len(shown) else "")

    def unsettled(self, month: str) -> list[Listed]:
        return [one for one in self._listed.get(month, {}).values() if (month, one.of) not in self._settled]

    def settle(self, listed: Listed, now: datetime, *, is_settled: bool) -> None:
        month = f"{listed.received_at:%Y-%m}"
        if self._listed[month][listed.of].received_at != listed.received_at:
            return
        self._listed[month][listed.of] = replace(listed, looked_at=now)
        if is_settled:
            self._settled.add((month, listed.of))

    def followed(self, of: Upstream, service: str) -> Followed:
        return self._followed.get((of, service), Followed())

    def follow(self, of: Upstream, service: str, followed: Followed) -> None:
        before = self.followed(of, service)
        if before == followed:
            return
        if followed.count != before.count + 1:
            raise Outdated
        self._followed[(of, service)] = followed

    def confirmed(self, of: Upstream, service: str) -> Confirmed | None:
        return self._confirmed.get((of, service))

    def confirm(self, of: Upstream, service: str, confirmed: Confirmed) -> None:
        before = self._confirmed.get((of, service))
        if before == confirmed:
            return
        if confirmed.count != (1 if before is None else before.count + 1):
            raise Outdated
        self._confirmed[(of, service)] = confirmed

    def dismissed(self, of: Upstream, service: str) -> Dismissed | None:
        return self._dismissed.get((of, service))

    def dismiss(self, of: Upstream, service: str, dismissed: Dismissed) -> None:
        before = self._dismissed.get((of, service))
        if before == dismissed:
            return
        if dismissed.count != (1 if before is None else before.count + 1):
            raise Outdated
        self._dismissed[(of, service)] = dismissed


class FakeSources:
    """The published versions of the configuration of sources."""

    def __init__(self) -> None:
        self._published: dict[int, bytes] = {}

    def current(self) -> Configuration:
        return configuration_from_json(self._published[max(self._published)]) if self._published else NO_SOURCES

    anew = current

    def publish(self, version: int, content: bytes, by: str = "") -> bool:  # noqa: ARG002 - nobody asks it
        if version in self._published:
            if self._published[version] != content:
                raise SourcesSealed(f"version {version} of the configuration of sources is published otherwise")
            return False
        self._published[version] = content
        return True


class FakeBodies:
    """Bodies by key."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, source: str, body: bytes, received_at: datetime) -> str:
        key = f"upstream/{source}/{received_at:%Y-%m-%d}/{sha256(body).hexdigest()}"
        self.kept[key] = body
        return key

    def get(self, key: str) -> bytes:
        if key not in self.kept:
            raise Refused("the body of a delivery is not there any more")
        return self.kept[key]


class FakeDeliveries:
    """The queue of deliveries."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []

    def send(self, delivery: Delivery) -> None:
        self.sent.append(delivery)


class FakeSecrets:
    """Secrets of sources, as a cache that is not read anew has them until it is."""

    def __init__(self, secrets: Mapping[str, Sequence[str]]) -> None:
        self.stored = dict(secrets)
        self._cached = dict(secrets)

    def of(self, source: str, *, anew: bool = False) -> Sequence[str]:
        if anew:
            self._cached = dict(self.stored)
        return self._cached.get(source, ())


class FakePages:
    """What status pages show, by host and incident."""

    def __init__(self, shown: Mapping[tuple[str, str], bytes] | None = None) -> None:
        self.shown = dict(shown or {})

    def incident(self, host: str, incident: str) -> bytes:
        if (host, incident) not in self.shown:
            raise TryAgain("the status page answered 404")
        return self.shown[(host, incident)]
