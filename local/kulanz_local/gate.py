"""The gate as the persons of the demo go through it: each action is a request to the API with their own keys."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz_cli.stack import Stack
from kulanz_local import drive
from kulanz_local.embedded import EmbeddedAws
from kulanz_local.persons import create_persons


class GateDiffers(Exception):
    """A person could not do what that person may do, or it came to something else; the text says what."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A person at the `kulanz` command."""

    name: str
    stack: Stack

    def kulanz(self, *words: str) -> str:
        """What a command prints. Raises GateDiffers where it does not end well."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            code = drive.run_kulanz(self.stack, *words)
        if code != 0:
            raise GateDiffers(f"`kulanz {' '.join(words)}`, as {self.name}, ended with {code}\n{printed.getvalue()}")
        return printed.getvalue()

    def plan_hash(self, campaign_id: CampaignId) -> str:
        """The hash of the plan that waits, as the plan's page shows it."""
        found: str = json.loads(self.kulanz("plan", str(campaign_id), "--json"))["plan_hash"]
        return found

    def approve(self, campaign_id: CampaignId) -> State:
        """Look at a plan and approve it; the state that the campaign is in then."""
        asked = ("approve", str(campaign_id), "--plan", self.plan_hash(campaign_id), "--json")
        return State(json.loads(self.kulanz(*asked))["state"])

    def reject(self, campaign_id: CampaignId, reason: str) -> None:
        """Look at a plan and reject it."""
        self.kulanz("reject", str(campaign_id), "--plan", self.plan_hash(campaign_id), "--reason", reason)

    def replan(self, campaign_id: CampaignId, reason: str) -> CampaignId:
        """Have the list of a rejected plan planned again; the campaign that does so."""
        made = json.loads(self.kulanz("replan", str(campaign_id), "--reason", reason, "--json"))
        return CampaignId.parse(made["campaign"])


def desks(aws: EmbeddedAws) -> tuple[Desk, Desk]:
    """The two persons, each with the stack as their own keys reach it."""
    keys = create_persons(aws.endpoint)
    anna, ben = (Desk(name, drive.stack_of_person(aws, *keys[name])) for name in ("anna", "ben"))
    return anna, ben


def approved_by_both(persons: tuple[Desk, Desk], campaign_id: CampaignId, state: Callable[[], State]) -> None:
    """Let both persons approve a plan: nothing begins with the first yes. Raises GateDiffers."""
    first, second = persons
    if (after := first.approve(campaign_id)) is not State.AWAITING_APPROVAL:
        raise GateDiffers(f"{campaign_id} is {after} after one person's approval; it needs two")
    if (stands := state()) is not State.AWAITING_APPROVAL:
        raise GateDiffers(f"{campaign_id} is {stands} before a second person approved it")
    if (after := second.approve(campaign_id)) is not State.APPLYING:
        raise GateDiffers(f"{campaign_id} is {after} after two persons' approvals; it should be executed")
