"""Looks at drafts: worked out from all that was received, under the configuration that holds now."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from kulanz.application.drafts.draft_ports import DraftStore, Listed, Upstream
from kulanz.domain.drafts.draft import Draft, drafts_of, joined_range
from kulanz.domain.drafts.reported import Change, Part
from kulanz.sources.configuration import Configured


def read_drafts(of: Upstream, configured: Configured, store: DraftStore) -> tuple[Draft, ...]:
    """The drafts of an upstream incident, one for each mapped service; none where nothing was received of it."""
    parts = store.parts(of)
    if not parts:
        return ()
    return drafts_of(parts, outside_changes(of.source, parts, store), configured.mapping, of.name)


def outside_changes(source: str, parts: Iterable[Part], store: DraftStore) -> list[Change]:
    """The changes of an incident's components that came without an incident and may belong to it."""
    among = joined_range(parts)
    if among is None:
        return []
    return [
        change
        for component in sorted(among.components)
        for change in store.changes(source, component, among.first, among.last)
    ]


def unsettled_now(store: DraftStore, now: datetime) -> list[Listed]:
    """The upstream incidents of this month and the last of which something may still have to be said."""
    months = (now, now.replace(day=1) - timedelta(days=1))
    return [one for month in months for one in store.unsettled(f"{month:%Y-%m}")]
