"""What tells an approver that a plan is of the wrong list, though it balances: the incident, the list's age, rows that
repeat each other, and what a line came to before under the same policy.

A list in cents, a list of last month and a list that holds every row twice are right by themselves. Each differs from
something that is stored beside the plan.
"""

from collections.abc import Iterator
from typing import TypedDict

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.ports import CampaignIndex, CampaignStore, Uploads
from kulanz.domain.campaigns.campaign import Campaign, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.campaigns.repeats import Repeats
from kulanz.domain.time import format_instant

LOOKED_AT_MOST = 20
"""Campaigns under the policy that are looked at for one that closed, last first."""


class ReviewedWindow(TypedDict):
    """A stretch of the outage, half-open; `end` is null while it lasts."""

    start: str
    end: str | None


class IncidentReview(TypedDict):
    """The incident that is decided, as the campaign was opened for it."""

    title: str
    revision: int
    windows: list[ReviewedWindow]
    cause: str | None


class RepeatsReview(TypedDict):
    """Rows that name a subject again: `repeated` with the same facts, `contradicting` with others.

    They are those of `rows_looked_at`, a sample where `whole_list` is false. Each subject is granted once; the plan's
    sums count it each time.
    """

    rows_looked_at: int
    whole_list: bool
    repeated: int
    contradicting: int


class UsualReview(TypedDict):
    """What the granted lines of the campaign before under the same policy came to, and how many they were; money in
    minor units.
    """

    campaign: str
    measure: str
    sum: str
    lines: int


def incident_review(campaign: Campaign, campaigns: CampaignStore) -> IncidentReview:
    """The incident of a campaign, as it is decided."""
    incident = thaw_incident(campaigns.frozen(campaign.id).incident)
    return {
        "title": incident.title,
        "revision": incident.revision,
        "windows": [
            {"start": format_instant(one.start), "end": None if one.end is None else format_instant(one.end)}
            for one in incident.windows
        ],
        "cause": incident.cause,
    }


def repeats_review(repeats: Repeats) -> RepeatsReview:
    """How often rows repeat each other."""
    return {
        "rows_looked_at": repeats.rows,
        "whole_list": repeats.is_whole,
        "repeated": repeats.repeated,
        "contradicting": repeats.contradicting,
    }


def uploaded_at(campaign: Campaign, uploads: Uploads) -> str | None:
    """When the list was put into the bucket; None where its version was deleted."""
    upload = uploads.pinned(campaign.pinned)
    return None if upload is None else format_instant(upload.at)


def usual_review(campaign: Campaign, campaigns: CampaignStore, index: CampaignIndex) -> list[UsualReview]:
    """What a line was granted in the last campaign before this one that closed under any version of its policy.

    None of its own incident: what that came to stands beside the plan's results already.
    """
    found = next(_closed_before(campaign, campaigns, index), None)
    if found is None:
        return []
    worth, results = found.plan.totals.worth(), found.plan.totals.results()
    lines = sum(number for (row_result, _), number in results.items() if row_result is RowResult.GRANTED)
    return [
        {"campaign": str(found.id), "measure": measure, "sum": str(size), "lines": lines}
        for (row_result, measure), size in sorted(worth.items())
        if row_result is RowResult.GRANTED
    ]


def _closed_before(campaign: Campaign, campaigns: CampaignStore, index: CampaignIndex) -> Iterator[Campaign]:
    for one in index.latest_under(campaign.policy_id, campaign.decided_at, LOOKED_AT_MOST):
        before = None if one.id.incident_id == campaign.id.incident_id else campaigns.campaign(one.id)
        if before is not None and before.state is State.CLOSED:
            yield before
