"""Halts the whole stack, and lifts the halt: then every campaign that was at work goes on where it stopped.

Workers, starts and acceptances look at the halt's record; nothing has to be told of it. A worker that meets a halt
gives its chunk up and notes that the campaign's chunks are to be sent again, so that nothing is lost whoever dies when.
"""

from dataclasses import dataclass

from kulanz.application.ports import (
    ATTEMPTS_AGAINST_OTHERS,
    CampaignIndex,
    CampaignStore,
    Outdated,
    PeopleStore,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import Pass, State
from kulanz.domain.halt import Halt, HaltAction, HaltRefused, Verb, after, persons_to_lift
from kulanz.domain.people.caller import Caller, Door, must_be_person
from kulanz.domain.people.people import NOBODY_LISTED, People, approver_problem


@dataclass(frozen=True, slots=True)
class HaltPorts:
    """The world that the halt touches. A stack with a `lone_operator` has one person to lift it."""

    campaigns: CampaignStore
    index: CampaignIndex
    people: PeopleStore
    lone_operator: bool = False
    door: Door = Door.IAM


def change_halt(action: HaltAction, caller: Caller, ports: HaltPorts) -> Halt:
    """Set the halt, or say that it may be lifted; the halt as it is then. The same action again changes nothing.

    `action.person` is the id of the caller. Raises PersonNeeded for a machine that lifts, HaltRefused, and TryAgain
    when its record keeps changing.
    """
    people, needed = _who_may(action, caller, ports), persons_to_lift(lone_operator=ports.lone_operator)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        halt = ports.campaigns.halt()
        if any(action.is_same_request(known) for known in (halt.set, *halt.lifts) if known is not None):
            return halt
        changed = after(halt, action, people, needed)
        try:
            ports.campaigns.change_halt(halt, changed, action)
        except Outdated:
            continue
        if halt.is_on and not changed.is_on:
            send_again(ports)
        return changed
    raise TryAgain("the halt's record keeps changing")


def _who_may(action: HaltAction, caller: Caller, ports: HaltPorts) -> People:
    """The people file that a lift is compared by; it is set without one, so that no file can prevent that."""
    if action.verb is Verb.SET:
        return NOBODY_LISTED
    person, people = must_be_person(caller), ports.people.current()
    if problem := approver_problem(person, people, ports.door, action.at):
        raise HaltRefused("may_not_lift", problem)
    return people


def send_again(ports: HaltPorts) -> None:
    """Note that the chunks of every campaign at work are to be sent again, which wakes advance_campaign to do it.

    Whatever is left out because this died is found by the watch: a worker that met the halt has noted the same.
    """
    for one in ports.index.open_campaigns():
        campaign = ports.campaigns.campaign(one.id)
        if campaign is not None and campaign.state is State.APPLYING:
            ports.campaigns.mark_dispatched(campaign, Pass.APPLY, 0)
