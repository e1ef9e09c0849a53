"""Keeps what a delivery says of its incident. What cannot be read is noted with the reason, for a person.

It writes nothing about incidents or campaigns of Kulanz: drafts become these by a person alone.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from kulanz.application.drafts.draft_ports import (
    Bodies,
    Delivery,
    DraftStore,
    HeldSources,
    PublicPages,
    Unread,
    Upstream,
)
from kulanz.domain.canonical import no_constant
from kulanz.domain.drafts.draft import upstream_name
from kulanz.domain.drafts.reported import Part
from kulanz.domain.time import zone_of
from kulanz.sources.configuration import Configured
from kulanz.sources.reading import Reading, ReadSettings, SourceProblem

_ASKABLE = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII).fullmatch


class Kept(StrEnum):
    """What became of a delivery."""

    KEPT = "kept"
    NOTHING = "nothing"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """What became of a delivery, and the upstream incidents that it said something of."""

    became: Kept
    source: str = ""
    upstream: tuple[Upstream, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepingPorts:
    """The world of whoever reads deliveries."""

    sources: HeldSources
    bodies: Bodies
    drafts: DraftStore
    pages: PublicPages


def keep_delivery(delivery: Delivery, ports: KeepingPorts) -> KeptDelivery:
    """Keep what a delivery of the receiver says. Safe to repeat. Raises TryAgain, Refused."""
    configured = ports.sources.current().sources.get(delivery.source)
    if configured is None:  # the receiver knew it: it may have been published since
        configured = ports.sources.anew().sources.get(delivery.source)
    if configured is None:
        ports.drafts.note_unread(
            Unread(
                delivery.source,
                delivery.key,
                "source_unknown",
                "no such source is configured any more",
                delivery.received_at,
            )
        )
        return KeptDelivery(Kept.UNREAD)
    try:
        return _keep(json_of(ports.bodies.get(delivery.key)), configured, delivery.received_at, ports)
    except SourceProblem as problem:
        ports.drafts.note_unread(
            Unread(delivery.source, delivery.key, problem.reason, str(problem), delivery.received_at)
        )
        return KeptDelivery(Kept.UNREAD)


def keep_event(envelope: Mapping[str, Any], ports: KeepingPorts, now: datetime) -> KeptDelivery:
    """Keep what an event of a bus says: of AWS Health, or of a partner. Safe to repeat. Raises TryAgain, Refused."""
    event_source, account = str(envelope.get("source", "")), str(envelope.get("account", ""))
    configured = ports.sources.current().over_bus(event_source, account)
    if configured is None:  # nobody sends it again: a source may have been published since
        configured = ports.sources.anew().over_bus(event_source, account)
    if configured is None:
        return KeptDelivery(Kept.NOTHING)  # AWS Health tells every account of everything
    body = envelope.get("detail") if configured.partner == event_source else envelope
    try:
        return _keep(body, configured, now, ports)
    except SourceProblem as problem:
        key = f"event {str(envelope.get('id', ''))[:64]}"
        ports.drafts.note_unread(Unread(configured.name, key, problem.reason, str(problem), now))
        return KeptDelivery(Kept.UNREAD)


def json_of(body: bytes) -> object:
    """A body as JSON. Raises SourceProblem."""
    try:
        return json.loads(body, parse_constant=no_constant)
    except (ValueError, RecursionError):
        raise SourceProblem(
            "not_json", "expected JSON in UTF-8; the body was cut off, or is of another source"
        ) from None


def read_body(body: object, configured: Configured) -> Reading:
    """What a body says under a configuration. Raises SourceProblem."""
    zone = zone_of(configured.zone) if configured.zone else None
    settings = ReadSettings(zone, configured.began, configured.ended, configured.components_field)
    reading = configured.source.read(body, settings)
    if not configured.may_speak(reading.speaker):
        raise SourceProblem(
            "speaks_for_another",
            f"{configured.name} may not speak for what this is from; add it to speaks_for if it is yours"
            f" ({configured.source.speaks_for})",
        )
    return reading


def _keep(body: object, configured: Configured, received_at: datetime, ports: KeepingPorts) -> KeptDelivery:
    reading = read_body(body, configured)
    if configured.page:
        reading = _as_the_page_shows(reading, configured, ports.pages)
    upstream = list[Upstream]()
    for part in reading.parts:
        if part.incident:
            upstream.append(upstream_of(configured, part.incident))
            ports.drafts.keep(upstream[-1], part, received_at)
        else:
            ports.drafts.keep_change(configured.name, part, received_at)
    became = Kept.KEPT if reading.parts else Kept.NOTHING
    return KeptDelivery(became, configured.name, tuple(dict.fromkeys(upstream)))


def upstream_of(configured: Configured, incident: str) -> Upstream:
    """The upstream incident of an id, by its name in ids."""
    return Upstream(configured.name, upstream_name(incident, folds_case=configured.source.folds_case))


def ask_page(of: Upstream, configured: Configured, ports: KeepingPorts, now: datetime) -> None:
    """Keep what the page of a source shows of an incident now, where it shows anything new.

    Raises TryAgain where the page does not answer, and SourceProblem where what it shows cannot be read.
    """
    known = ports.drafts.parts(of)
    if not known:
        return
    for part in _shown(known[0].incident, configured, ports.pages):
        if part not in known:
            ports.drafts.keep(of, part, now)


def _as_the_page_shows(reading: Reading, configured: Configured, pages: PublicPages) -> Reading:
    """What the page itself shows of an incident: a delivery that nobody signed only hints that something changed."""
    parts = list[Part]()
    for part in reading.parts:
        if part.incident:
            parts += _shown(part.incident, configured, pages)
        else:
            parts.append(part)  # a component outside any incident: the page cannot be asked about it by its id
    return Reading(tuple(parts), reading.speaker)


def _shown(incident: str, configured: Configured, pages: PublicPages) -> Sequence[Part]:
    """What the page shows of an incident. Its host is the configuration's."""
    if _ASKABLE(incident) is None:
        raise SourceProblem("not_of_this_source", "expected an id of letters and digits")
    shown = read_body(json_of(pages.incident(configured.page, incident)), configured)
    if [one.incident for one in shown.parts] != [incident]:
        raise SourceProblem("page_differs", "the page shows another incident under this id")
    return shown.parts
