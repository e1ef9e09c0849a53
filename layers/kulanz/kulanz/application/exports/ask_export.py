"""Begins an export: a person's word that the rows of a campaign be written down, in parts, to be fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from kulanz.application.campaigns.control_campaign import has_begun, may_write_until
from kulanz.application.campaigns.report import law_lines
from kulanz.application.delivery.campaign_law import LawPorts, is_moving, law_at
from kulanz.application.exports.ports import ExportQueue, ExportStore
from kulanz.application.ports import CampaignStore, ExportMessage
from kulanz.domain.byhand.goodwill import month_begins
from kulanz.domain.campaigns.campaign import Campaign, Pass, State
from kulanz.domain.canonical import canonical_json
from kulanz.domain.delivery.law import Counted
from kulanz.domain.exports.export import LANES, Export
from kulanz.domain.exports.figures import Of
from kulanz.domain.identifiers import month_of_goodwill
from kulanz.domain.refusal import WithReason
from kulanz.domain.time import format_instant, microseconds_of


class ExportRefused(WithReason):
    """There is nothing to export as matters stand. `reason` is a code; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class AskPorts:
    """The world that beginning an export touches."""

    campaigns: CampaignStore
    exports: ExportStore
    queue: ExportQueue
    counters: LawPorts


def ask_export(campaign: Campaign, export_id: str, asked_by: str, ports: AskPorts, now: datetime) -> Export:
    """Begin an export, or send the first chunks of one that was begun again: what is written stays. Safe to repeat.

    Raises ExportRefused.
    """
    of = exported_of(campaign, ports.campaigns, now)
    asked = Export(campaign.id, export_id, of, asked_by, now)
    if of is Of.LEDGER:
        counters = counters_digest(law_at(campaign, ports.counters, now))
        asked = replace(asked, counters=counters, span=_span(campaign, now))
    export = ports.exports.begin(asked)
    ports.queue.send_exports(
        ExportMessage(campaign.id, export_id, chunk) for chunk in range(min(LANES, export.chunks(campaign)))
    )
    return export


def _span(campaign: Campaign, now: datetime) -> int:
    """How much time is exported instead of a campaign's list: of goodwill its month until now, and of others none.

    Whatever else was added to a campaign has a line of its list.
    """
    month = month_of_goodwill(campaign.id.incident_id)
    return max(0, microseconds_of(now) - microseconds_of(month_begins(month))) + 1 if month else 0


def counters_digest(counted: Mapping[str, Counted]) -> str:
    """A digest of where counters have what a campaign granted: another one where any of them has moved."""
    return sha256(canonical_json({"measures": law_lines(counted)}).encode()).hexdigest()


def compared_law(campaign: Campaign, export: Export, ports: LawPorts) -> Mapping[str, Counted] | None:
    """The campaign's counters as of an export, where nothing has moved them since it was begun, nor does now.

    None where something did: an export reads decisions one after the other, and counters all at once.
    """
    counted = law_at(campaign, ports, export.asked_at)
    return None if counters_digest(counted) != export.counters or is_moving(campaign, ports) else counted


def exported_of(campaign: Campaign, campaigns: CampaignStore, now: datetime) -> Of:
    """What an export of a campaign shows: its plan until the execution begins, the ledger once that is over.

    Raises ExportRefused while neither is complete, and where the plan can no longer be worked out.
    """
    if month_of_goodwill(campaign.id.incident_id):  # its month has nothing to plan, and is never executed
        return Of.LEDGER
    if not campaign.is_finished(Pass.PLAN):
        raise ExportRefused("not_planned", f"the plan of {campaign.id} is not complete; wait until it is")
    if has_begun(campaign.id, campaigns):
        if campaign.state in (State.APPLYING, State.PAUSED):
            raise ExportRefused(
                "executing", f"{campaign.id} is {campaign.state}: its execution is not over; wait until it has ended"
            )
        until = may_write_until(campaign, campaigns)
        if until is not None and now < until:
            text = f"workers of {campaign.id} may write until {format_instant(until)}; export it after that"
            raise ExportRefused("executing", text)
        return Of.LEDGER
    if changed := campaign.planned_otherwise():
        raise ExportRefused(
            changed.partition(":")[0], f"{changed}. The rows of this plan cannot be worked out any more; replan it"
        )
    return Of.PLAN
