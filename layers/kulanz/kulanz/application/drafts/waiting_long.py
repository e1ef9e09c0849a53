"""The drafts that a person was asked for long ago, for the list of what waits."""

from dataclasses import dataclass
from datetime import datetime

from kulanz.application.drafts.draft_ports import DraftStore
from kulanz.application.drafts.read_drafts import read_drafts, unsettled_now
from kulanz.domain.drafts.following import WAITS_LONG_AFTER, Waits, waits_for
from kulanz.sources.configuration import Configuration

LONG_WAITING_MOST = 25
"""Upstream incidents that are looked at for the list of what waits: each is worked out anew."""


@dataclass(frozen=True, slots=True)
class LongWaiting:
    """A draft that has waited for a person since then, and why."""

    draft_id: str
    waits: Waits
    since: datetime


def waiting_long(sources: Configuration, store: DraftStore, now: datetime) -> list[LongWaiting]:
    """The drafts that a person was asked for a day ago or longer and that still wait, by when something came last.

    At most `LONG_WAITING_MOST` upstream incidents are looked at.
    """
    found = list[LongWaiting]()
    listed = sorted(unsettled_now(store, now), key=lambda one: (one.received_at, one.of.source, one.of.name))
    for of in list(dict.fromkeys(one.of for one in listed))[:LONG_WAITING_MOST]:
        configured = sources.sources.get(of.source)
        if configured is None or configured.is_stopped:
            continue
        for draft in read_drafts(of, configured, store):
            service = "" if draft.rule is None else draft.rule.name
            confirmed = store.confirmed(of, service) if service else None
            dismissed = store.dismissed(of, service)
            waits = waits_for(
                draft,
                None if confirmed is None else confirmed.digest,
                None if dismissed is None else dismissed.digest,
            )
            asked_at = store.followed(of, service).asked_at
            if waits is not Waits.NO and asked_at is not None and now - asked_at >= WAITS_LONG_AFTER:
                found.append(LongWaiting(draft.id, waits, asked_at))
    return found
