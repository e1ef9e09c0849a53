"""What tells an approver that a plan is of the wrong list, though it balances: the incident, the list's age, rows that
repeat each other, and what a line came to before under the same policy.

A list in cents, a list of last month and a list that holds every row twice are right by themselves. Each differs from
something that is stored beside the plan.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypedDict

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.ports import CampaignIndex, CampaignStore, Uploads
from kulanz.domain.campaigns.campaign import Campaign, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.campaigns.repeats import Repeats
from kulanz.domain.campaigns.same_outage import is_same_content
from kulanz.domain.money import Size
from kulanz.domain.time import format_instant, parse_instant

LOOKED_AT_MOST = 20
"""Campaigns under the policy that are looked at, last first."""
TIMES_NAMED = 3
"""From so many times the average of before it is said how many times it is."""


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
    """Rows that name a subject again: `repeated` with the same facts, `contradicting` with others. `nearly_equal`:
    rows whose id differs from another's by zeros, letters' case or `.0` alone, and which are granted by themselves.

    They are those of `rows_looked_at`, a sample where `whole_list` is false. Each subject is granted once; the plan's
    sums count it each time.
    """

    rows_looked_at: int
    whole_list: bool
    repeated: int
    contradicting: int
    nearly_equal: int


class UsualReview(TypedDict):
    """What the granted lines of the campaign before under the same policy came to, and how many they were; money in
    minor units.

    `each` is what one came to, and `each_here` what one comes to in the plan, both in whole minor units. `times` is how
    many times as much that is, where it is at least three times.
    """

    campaign: str
    measure: str
    sum: str
    lines: int
    each: str
    each_here: str
    times: int | None


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
        "nearly_equal": repeats.nearly_equal,
    }


def uploaded_at(campaign: Campaign, uploads: Uploads) -> str | None:
    """When the list was put into the bucket; None where its version was deleted."""
    upload = uploads.pinned(campaign.pinned)
    return None if upload is None else format_instant(upload.at)


def is_older(uploaded: str | None, incident: IncidentReview) -> bool:
    """Whether a list was uploaded before its incident began: it is the list of another one then."""
    began = min(parse_instant(one["start"]) for one in incident["windows"])
    return uploaded is not None and parse_instant(uploaded) < began


def campaigns_before(campaign: Campaign, campaigns: CampaignStore, index: CampaignIndex) -> list[Campaign]:
    """The last campaigns of other incidents under any version of the campaign's policy, last first.

    What its own incident had before stands beside the plan's results already.
    """
    latest = index.latest_under(campaign.policy_id, campaign.decided_at, LOOKED_AT_MOST)
    others = [one.id for one in latest if one.id.incident_id != campaign.id.incident_id]
    return [found for one in others if (found := campaigns.campaign(one)) is not None]


def usual_review(campaign: Campaign, before: Sequence[Campaign]) -> list[UsualReview]:
    """What a line was granted in the last of the campaigns before that closed, and what one is to be granted here."""
    found = next((one for one in before if one.state is State.CLOSED), None)
    if found is None:
        return []
    lines, lines_here = _granted_lines(found), _granted_lines(campaign)
    sums, here = _granted_sums(found), _granted_sums(campaign)
    return [
        {
            "campaign": str(found.id), "measure": measure, "sum": str(size), "lines": lines,
            **_each(Fraction(size), lines, Fraction(here.get(measure, 0)), lines_here),
        }
        for measure, size in sorted(sums.items())
    ]  # fmt: skip


def same_list(campaign: Campaign, before: Sequence[Campaign]) -> list[str]:
    """The campaigns before whose list has the same content: probably theirs, uploaded again."""
    return [str(one.id) for one in before if is_same_content(one.pinned, campaign.pinned)]


def _granted_lines(campaign: Campaign) -> int:
    results = campaign.plan.totals.results()
    return sum(number for (row_result, _), number in results.items() if row_result is RowResult.GRANTED)


def _granted_sums(campaign: Campaign) -> dict[str, Size]:
    worth = campaign.plan.totals.worth()
    return {measure: size for (row_result, measure), size in worth.items() if row_result is RowResult.GRANTED}


class _Each(TypedDict):
    each: str
    each_here: str
    times: int | None


def _each(size: Fraction, lines: int, size_here: Fraction, lines_here: int) -> _Each:
    before = size / lines if lines else Fraction(0)
    here = size_here / lines_here if lines_here else Fraction(0)
    is_much = before > 0 and here >= before * TIMES_NAMED
    return {
        "each": str(round(before)),
        "each_here": str(round(here)),
        "times": round(here / before) if is_much else None,
    }
