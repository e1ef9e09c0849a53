"""Begins an export: a person's word that the rows of a campaign be written down, in parts, to be fetched."""

from dataclasses import dataclass
from datetime import datetime

from kulanz.application.campaigns.control_campaign import has_begun, may_write_until
from kulanz.application.exports.ports import ExportQueue, ExportStore
from kulanz.application.ports import CampaignStore, ExportMessage
from kulanz.domain.campaigns.campaign import Campaign, Pass, State
from kulanz.domain.exports.export import LANES, Export
from kulanz.domain.exports.figures import Of
from kulanz.domain.refusal import WithReason
from kulanz.domain.time import format_instant


class ExportRefused(WithReason):
    """There is nothing to export as matters stand. `reason` is a code; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class AskPorts:
    """The world that beginning an export touches."""

    campaigns: CampaignStore
    exports: ExportStore
    queue: ExportQueue


def ask_export(campaign: Campaign, export_id: str, asked_by: str, ports: AskPorts, now: datetime) -> Export:
    """Begin an export, or send the first chunks of one that was begun again: what is written stays. Safe to repeat.

    Raises ExportRefused.
    """
    export = ports.exports.begin(
        Export(campaign.id, export_id, exported_of(campaign, ports.campaigns, now), asked_by, now)
    )
    ports.queue.send_exports(
        ExportMessage(campaign.id, export_id, chunk) for chunk in range(min(LANES, len(campaign.chunks)))
    )
    return export


def exported_of(campaign: Campaign, campaigns: CampaignStore, now: datetime) -> Of:
    """What an export of a campaign shows: its plan until the execution begins, the ledger once that is over.

    Raises ExportRefused while neither is complete, and where the plan can no longer be worked out.
    """
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
