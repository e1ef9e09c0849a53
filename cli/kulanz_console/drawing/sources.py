"""What the page is made of: answers of the API, as they were given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.document.frozen import document_from_json, freeze, policy_hash

if TYPE_CHECKING:
    from kulanz.application.campaigns.report import LawLine, ReportContract
    from kulanz.application.campaigns.review_plan import PlanReview
    from kulanz.application.door.campaigns import CampaignAnswer, LogLine

READINGS_TRIED = 1_024
"""Combinations of a policy's readings. Policies of the rulebook have fewer than ten."""


@dataclass(frozen=True, slots=True)
class Sources:
    """One campaign, as the API answers it. `made_at` is when it was asked.

    All figures and the state are those of `report`. `is_whole` is False where amounts could not be measured for an
    answer. `law` is where what was granted is by then. `plan` is None where none was filed. `title` is the incident's,
    empty where it states none. `policy` is the published document; None where it is gone.
    """

    campaign: "CampaignAnswer"
    report: "ReportContract"
    is_whole: bool
    law: "Sequence[LawLine]"
    log: "Sequence[LogLine]"
    plan: "PlanReview | None"
    title: str
    policy: Mapping[str, Any] | None
    made_at: datetime


def readings(document: Mapping[str, Any], frozen_hash: str) -> Mapping[str, str] | None:
    """The readings with which a published policy has the hash of a campaign's: empty where it has none to choose from.

    None where it has that hash with none of them: the text is then not shown to be what the campaign decided by.
    """
    try:
        found = document_from_json(json.dumps(document).encode())
        parameters = found.policy.parameters
        choices = product(*(parameter.choices for parameter in parameters.values()))
        for chosen in islice(choices, READINGS_TRIED):
            stated = dict(zip(parameters, chosen, strict=True))
            if policy_hash(freeze(found, stated)) == frozen_hash:
                return stated
    except PolicyError:
        return None
    return None
