"""Says what has become of drafts: asks persons on the bus, and publishes status notices where a source may.

Both begin with what stands in the drafts' own records, so a delivery that came twice is said once, and what could not
be said is said by the next watch. Nothing here records an incident, counts a window, or opens a campaign.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypedDict

from kulanz.application.drafts.draft_ports import DraftStore, Upstream
from kulanz.application.drafts.keep_delivery import KeepingPorts, KeptDelivery, ask_page
from kulanz.application.drafts.read_drafts import read_drafts, unsettled_now
from kulanz.application.ports import Announcement, Announcer, NoticeTopic, Outdated, Refused, TryAgain
from kulanz.domain.canonical import canonical_json
from kulanz.domain.drafts.draft import Draft
from kulanz.domain.drafts.following import Followed, Waits, may_still_change, waits_for, words_of
from kulanz.domain.notices import reported_notice
from kulanz.sources.configuration import Configured
from kulanz.sources.reading import SourceProblem

DRAFT_WAITING = "Incident Draft Waiting"
WAITING_VERSION = 1
WATCHED_MOST = 200
"""Upstream incidents that one watch looks at, those first that were looked at longest ago: some reads for each."""
POLLED_MOST = 20
"""Pages that one watch asks, each for ten seconds at most: together less than the time of the function."""
FOLLOWED_AT_ONCE_MOST = 10
"""How often the drafts of an upstream incident are read again because another reader of deliveries has just said
something of them. Each time that one has come further; a message that fails comes again after twelve minutes only."""
SECONDS_FOR_ONE = 15.0
"""What is kept of the function's time for the incident that is looked at last: its page may take ten seconds."""


class DraftWaiting(TypedDict):
    """The detail of *Incident Draft Waiting*. `asked` are the names of the people file that the configuration has.

    It holds nothing that the source wrote: no title, no text, no component.
    """

    v: int
    draft: str
    digest: str
    source: str
    service: str | None
    state: str
    windows: int
    asked: list[str]


class Records(Protocol):
    """What is read of incidents and of the halt, consistently."""

    def has_incident(self, incident_id: str) -> bool:
        """Whether an incident of this id was recorded: then a person has spoken."""

    def is_halted(self) -> bool:
        """Whether the stack is halted."""


@dataclass(frozen=True, slots=True)
class FollowPorts:
    """The world of whoever follows drafts."""

    keeping: KeepingPorts
    records: Records
    announcer: Announcer
    topic: NoticeTopic

    @property
    def drafts(self) -> DraftStore:
        """What was received."""
        return self.keeping.drafts


@dataclass(frozen=True, slots=True)
class Followable:
    """What following the drafts of one upstream incident found."""

    waiting: tuple[str, ...]
    is_settled: bool


@dataclass(frozen=True, slots=True)
class WatchedDrafts:
    """What one watch found. `waiting` are the drafts that wait for a person; `failed` says why some could not be
    looked at. `is_whole`: it looked at everything that is not settled.
    """

    waiting: tuple[str, ...]
    polled: int
    failed: tuple[tuple[str, str], ...]
    is_whole: bool


def follow_kept(kept: KeptDelivery, ports: FollowPorts, now: datetime) -> None:
    """Say what is new of the drafts that a delivery said something of. Safe to repeat. Raises TryAgain, Refused."""
    configured = ports.keeping.sources.current().sources.get(kept.source)
    if configured is None:
        return
    for of in kept.upstream:
        follow_drafts(of, configured, ports, now)


def follow_drafts(of: Upstream, configured: Configured, ports: FollowPorts, now: datetime) -> Followable:
    """Say what is new of each draft of an upstream incident. Safe to repeat. Raises TryAgain, Refused."""
    for _ in range(FOLLOWED_AT_ONCE_MOST):
        with suppress(Outdated):
            return _follow_all(of, configured, ports, now)
    raise TryAgain("a draft is followed by many at once")


def _follow_all(of: Upstream, configured: Configured, ports: FollowPorts, now: datetime) -> Followable:
    waiting, is_settled = [], True
    for draft in read_drafts(of, configured, ports.drafts):
        service = "" if draft.rule is None else draft.rule.name
        waits, is_said = _follow(of, service, draft, configured, ports, now)
        if waits is not Waits.NO:
            waiting.append(draft.id)
        is_settled = is_settled and is_said and not (configured.page and may_still_change(draft, now))
    return Followable(tuple(waiting), is_settled and not waiting)


def _follow(
    of: Upstream, service: str, draft: Draft, configured: Configured, ports: FollowPorts, now: datetime
) -> tuple[Waits, bool]:
    """Ask and publish what has not been yet: why the draft waits, and whether all is said. Raises Outdated."""
    confirmed = ports.drafts.confirmed(of, service) if service else None
    followed = ports.drafts.followed(of, service)
    dismissed = ports.drafts.dismissed(of, service)
    dismissed_digest = None if dismissed is None else dismissed.digest
    waits = waits_for(draft, None if confirmed is None else confirmed.digest, dismissed_digest)
    is_other = followed.asked is not waits or (waits is Waits.CHANGED and followed.digest != draft.digest)
    if is_other:
        if waits is not Waits.NO:
            ports.announcer.announce(Announcement(DRAFT_WAITING, _waiting_text(draft, waits, configured)))
        asked_at = None if waits is Waits.NO else now
        followed = _changed(of, service, followed, ports, asked=waits, digest=draft.digest, asked_at=asked_at)
    if not configured.notices or draft.digest == dismissed_digest:
        return waits, True
    return waits, _say(of, service, draft, followed, ports, now)


def _say(of: Upstream, service: str, draft: Draft, followed: Followed, ports: FollowPorts, now: datetime) -> bool:
    """Publish the words of a draft until a person has said what was; whether nothing is left to be said.

    The words are numbered and stored before they are published: what is published again is the same notice.
    """
    words = words_of(draft)
    if words is None or ports.records.has_incident(draft.id):
        return True
    if ports.records.is_halted():
        return False  # the watch says it when the halt is lifted
    if not followed.is_sent:
        followed = _published(of, service, draft.id, followed, ports)
    if words != followed.words:
        number = followed.number + 1
        followed = _changed(of, service, followed, ports, words=words, number=number, said_at=now, is_sent=False)
        _published(of, service, draft.id, followed, ports)
    return True


def _published(of: Upstream, service: str, draft_id: str, followed: Followed, ports: FollowPorts) -> Followed:
    if followed.words is None or followed.said_at is None:
        raise Refused("the record of a draft's status notice has no words")
    ports.topic.publish([reported_notice(draft_id, followed.number, followed.words, followed.said_at)])
    return _changed(of, service, followed, ports, is_sent=True)


def _changed(of: Upstream, service: str, followed: Followed, ports: FollowPorts, **changes: object) -> Followed:
    after = replace(followed, count=followed.count + 1, **changes)  # type: ignore[arg-type]
    ports.drafts.follow(of, service, after)
    return after


def _waiting_text(draft: Draft, waits: Waits, configured: Configured) -> str:
    detail: DraftWaiting = {
        "v": WAITING_VERSION,
        "draft": draft.id,
        "digest": draft.digest,
        "source": configured.name,
        "service": None if draft.rule is None else draft.rule.text,
        "state": waits.value,
        "windows": len(draft.windows),
        "asked": [] if draft.rule is None else list(draft.rule.asked),
    }
    return canonical_json(detail)


def watch_drafts(ports: FollowPorts, now: datetime, seconds_left: Callable[[], float]) -> WatchedDrafts:
    """Look at every upstream incident of this month and the last that is not settled, as if a delivery had come.

    Where the source has a page, it is asked again: a delivery that was lost, and a correction that none was sent of,
    are found so. Safe to repeat, and beside the readers of deliveries.
    """
    sources = ports.keeping.sources.current().sources
    waiting, polled, failed, looked_at = list[str](), 0, list[tuple[str, str]](), 0
    unsettled = unsettled_now(ports.drafts, now)
    for listed in sorted(unsettled, key=lambda one: (one.looked_at or one.received_at, one.of.source, one.of.name)):
        if looked_at == WATCHED_MOST or seconds_left() < SECONDS_FOR_ONE:
            break
        looked_at += 1
        configured = sources.get(listed.of.source)
        if configured is None or configured.is_stopped:
            ports.drafts.settle(listed, now, is_settled=True)
            continue
        is_settled, name = False, f"{listed.of.source}-{listed.of.name}"
        try:
            if configured.page and polled < POLLED_MOST and _is_to_poll(listed.of, configured, ports, now):
                polled += 1
                ask_page(listed.of, configured, ports.keeping, now)
        except (TryAgain, SourceProblem) as error:
            failed.append((name, f"{type(error).__name__}: {error}"))
        try:
            found = follow_drafts(listed.of, configured, ports, now)
            waiting += found.waiting
            is_settled = found.is_settled
        except (TryAgain, Refused) as error:
            failed.append((name, f"{type(error).__name__}: {error}"))
        ports.drafts.settle(listed, now, is_settled=is_settled)  # where not, the others come first the next time
    return WatchedDrafts(tuple(dict.fromkeys(waiting)), polled, tuple(failed), looked_at == len(unsettled))


def _is_to_poll(of: Upstream, configured: Configured, ports: FollowPorts, now: datetime) -> bool:
    return any(may_still_change(draft, now) for draft in read_drafts(of, configured, ports.drafts))
