"""A campaign as an answer of the API states it, in the values that the terminal shows and adds up."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz_console.drawing.figures import totals_of

if TYPE_CHECKING:
    from kulanz.application.campaigns.report import Figures
    from kulanz.application.door.campaigns import CampaignItem, PassProgress


@dataclass(frozen=True, slots=True)
class ShownPass:
    """How far a pass is, and what its receipts add up to."""

    totals: Totals
    bytes_done: int
    sent: int
    is_finished: bool


@dataclass(frozen=True, slots=True)
class ShownCampaign:
    """What is shown of a campaign while it is at work, and of its reconciliation."""

    id: CampaignId
    state: State
    reason: str
    keeps_history: bool
    rows_announced: int
    bytes_in_all: int
    plan: ShownPass
    apply: ShownPass

    @classmethod
    def of(cls, item: "CampaignItem") -> Self:
        """Read it from an answer."""
        report = item["report"]
        return cls(
            id=CampaignId.parse(item["campaign"]),
            state=State(item["state"]),
            reason=item["reason"],
            keeps_history=item["keeps_history"],
            rows_announced=report["list"]["rows_announced"],
            bytes_in_all=item["bytes_in_all"],
            plan=_pass(item["plan"], report["plan"]),
            apply=_pass(item["apply"], report["apply"]),
        )

    def progress(self, work: Pass) -> ShownPass:
        """One of the two passes."""
        return self.plan if work is Pass.PLAN else self.apply


def _pass(progress: "PassProgress", figures: "Figures") -> ShownPass:
    return ShownPass(totals_of(figures), progress["bytes_done"], progress["sent"], progress["finished"])
