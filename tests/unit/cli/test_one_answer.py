"""One answer says what an account has now, what was taken back, by which role and why, and what the customer was told.

Over every way in which that comes about: by the policy, by a person, as goodwill, and after a void.
"""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from kulanz.application.delivery.ask_void import inline_file
from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from tests.support.by_hand import DISCRETION, decide
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID
from tests.support.world import ANNA, BEN
from tests.support.world_door import WorldDoor
from tests.support.world_stack import WorldStack, run
from tests.support.world_voids import approved, asked, run_voids, void_ports
from tests.unit.application.cases.test_waiting import closed

GOODWILL = {"EUR": {"alone": {"decision": "50.00", "person_month": "60.00", "account_month": "55.00"}}}
NOT_SENT = "not told what was decided by hand; whoever decided it tells the customer"
NOT_SENT_BACK = "not told what was taken back; whoever asked for that tells the customer"
BACK = "taken back {}, 2026-03-01T"
WHY = "by the requester, approved by 1 person: it was the wrong list"


def nothing(_: WorldStack) -> None:
    """The policy decided, and nobody did anything."""


def by_hand(account: str, **body: object) -> Callable[[WorldStack], None]:
    """A person decides the account's case."""

    def act(stack: WorldStack) -> None:
        assert decide(stack.served, account, **body).status == 200  # type: ignore[arg-type]

    return act


def goodwill(stack: WorldStack) -> None:
    """A person gives goodwill."""
    body = {"amount": "20.00", "measure": "EUR", "reason": "known_fact", "ticket": "T-1"}
    assert stack.served.put("goodwill/granted-1/T-1", body).status == 200


def void(account: str, campaign: str = CAMPAIGN, subject: str = WHOLE_ACCOUNT) -> Callable[[WorldStack], None]:
    """What the account was given is taken back."""

    def act(stack: WorldStack) -> None:
        world = stack.world
        named = CampaignId.parse(campaign)
        file = inline_file(VoidId(named, "wrong-list"), [(account, subject)], void_ports(world))
        one = asked(world, ANNA, file, campaign=campaign)
        run_voids(world)
        approved(world, one, BEN)
        run_voids(world)

    return act


def torn(stack: WorldStack) -> None:
    """A person decides the row that contradicts the decided one."""
    (case,) = stack.served.get(f"cases/campaign/{CAMPAIGN}", kind="conflict").content["cases"]
    by_hand("torn-1", row=case["row_offset"])(stack)


class Way(NamedTuple):
    """What happened to an account, and what its answer says: how it stands, and texts among its facts and steps."""

    account: str
    acts: tuple[Callable[[WorldStack], None], ...]
    stands: str
    says: tuple[str, ...]


GRANTED = {"fee": "30.00"}
WAYS: Mapping[str, Way] = {
    "granted by the policy": Way("granted-1", (nothing,), "granted", ("notice granted, in de",)),
    "declined by the policy": Way("declined-1", (nothing,), "declined", ("notice none: the policy has no text",)),
    "held": Way("held-2", (nothing,), "held", ("notice held, in de",)),
    "granted by hand": Way(
        "held-2", (by_hand("held-2", facts=GRANTED),), "granted",
        ("by hand", "granted 3.00 EUR", "notice held, in de", NOT_SENT),
    ),
    "declined by hand": Way("held-2", (by_hand("held-2", way="decline"),), "declined", ("does not get it", NOT_SENT)),
    "a contradicting row": Way("torn-1", (torn,), "granted", ("gets more by that", NOT_SENT)),
    "goodwill": Way(
        "granted-1", (goodwill,), "granted",
        ("Given by a person of the role support.", "none: Kulanz tells the customer nothing of goodwill"),
    ),
    "voided": Way(
        "granted-1", (void("granted-1"),), "voided",
        ("all of it was taken back", BACK.format("2.99 EUR + 20 call minutes"), WHY, "Taken back on 2026-03-01:",
         "notice granted, in de", NOT_SENT_BACK),
    ),
    "granted by hand, and voided": Way(
        "held-2", (by_hand("held-2", facts=GRANTED), void("held-2")), "voided",
        (BACK.format("3.00 EUR + 20 call minutes"), WHY, NOT_SENT, NOT_SENT_BACK),
    ),
    "goodwill, and voided": Way(
        "granted-1", (goodwill, void("granted-1", "goodwill-2026-03/1", "T-1")), "voided",
        (BACK.format("20.00 EUR"), WHY, NOT_SENT_BACK),
    ),
}  # fmt: skip


def stack_of() -> WorldStack:
    """A closed campaign, and a discretion file."""
    stack = WorldStack(closed())
    stack.served = WorldDoor(stack.world)
    stack.discretion().publish(1, discretion_json({**DISCRETION, "goodwill": GOODWILL}))
    return stack


def test_the_command_the_api_and_the_steps_say_what_an_account_has_and_what_was_taken_back() -> None:
    wrong: dict[str, object] = {}
    for name, way in WAYS.items():
        stack = stack_of()
        for act in way.acts:
            act(stack)
        shown = run(stack, "ask", way.account)
        text = read(shown.stdout)
        missing = [part for part in way.says if part not in text]
        content = json.loads(run(stack, "ask", way.account, "--json").stdout)
        states = {one["state"] for one in content["standings"]}
        backs = [back for one in content["decisions"] for back in one.get("taken_back", ())]
        is_void = "voided" in name
        if missing or way.stands not in states or bool(backs) != is_void or shown.exit_code:
            wrong[name] = (missing, states, backs, shown.output if missing else "")
        if is_void and {(one["role"], one["approved_by"]) for one in backs} != {("requester", 1)}:
            wrong[name] = backs
        if any(len(line) > 80 for line in shown.stdout.splitlines()):
            wrong[name] = shown.stdout
        for person in (ANNA, BEN):
            if person in shown.stdout or person.rpartition("/")[2] in text:
                wrong[name] = "a person is named"
    assert wrong == {}, INCIDENT_ID
