"""What commands print about three months, whole, and the code that they end with.

A test that looks for one figure does not see that another beside it is wrong. The months are those whose pages are
compared whole; whoever changes what a command says reads the difference to the approved text.
"""

import shlex
from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path

import pytest

from kulanz_cli import budget, cases, drafts, incidents, ledger, month
from tests.support.approved import must_be_as_approved
from tests.support.months import Month, dirty, on_bills, waiting_for_persons, worked, worked_month
from tests.support.world_stack import WorldStack, run

OF_A_MONTH = (
    "campaigns", "campaigns --month 2026-03", "campaigns --month 2026-02", "incidents --month 2026-03",
    "drafts --month 2026-03", "cases", "cases --month 2026-03", "cases --proposed", "deliveries",
    "deliveries --channel billing", "overdue", "month 2026-03", "month 2026-02", "acknowledgements --channel billing",
    "budget show", "log --day 2026-03-01", "policy list --published",
)  # fmt: skip
OF_A_CAMPAIGN = (
    "watch {campaign} --seconds 1", "plan {campaign}", "rejected {campaign}", "cases {campaign}",
    "deliveries --campaign {campaign}", "log {campaign}", "credits {campaign}", "ledger check {campaign}",
    "budget reserved {campaign}", "campaigns {incident}", "log --incident {incident}",
)  # fmt: skip
CAMPAIGNS: Mapping[Month, tuple[str, ...]] = {
    waiting_for_persons: ("net-outage/1", "second/1"),
    on_bills: ("net-outage/1",),
    dirty: ("before/1", "dirty/1", "dirty/2", "beside/1"),
    worked: ("first/1", "first/2", "second/2", "third/1", "goodwill-2026-03/1"),
}
MORE: Mapping[Month, tuple[str, ...]] = {
    waiting_for_persons: (
        *("ask granted-1", "ask held-1", "ask referred-1", "ask prepaid-1", "ask torn-1", "ask nobody"),
        *("ask granted-1 --incident net-outage", "cases net-outage/1 held-1", "cases net-outage/1 referred-1"),
        *("cases net-outage/1 --row 20245", "draft it-0a1b2c3d4e5f-voice", "draft it-planned00001-voice"),
        *("log --policy net-credit", "void net-outage/1"),
    ),
    on_bills: ("ask a-1", "ask a-2", "ask a-3", "ask a-3 --incident net-outage", "deliveries --one billing/1"),
    dirty: (
        *("ask written-1", "ask offered-2", "ask capped-3", "ask changed-0", "ask accepted-1", "ask difference-2"),
        *("ask unchanged-3", "ask declined-4", "ask held-5", "ask rejected-6", "cases dirty/2 changed-1"),
        *("cases dirty/2 --kind conflict", "cases dirty/2 --limit 3", "rejected dirty/2 --limit 5"),
    ),
    worked: (
        *("ask a-1", "ask a-2", "ask a-3", "ask a-4", "ask a-5", "ask b-1", "ask b-2", "ask c-1", "ask c-2", "ask e-1"),
        *("ask h-1", "void first/1", "void first/2", "void goodwill-2026-03/1", "log --policy worked"),
        *("deliveries --one billing/1", "deliveries --one billing/3", "log --day 2026-03-02", "month 2026-04"),
    ),
}
READ_THE_CLOCK = (budget, cases, drafts, incidents, ledger, month)


@pytest.mark.parametrize("shown", CAMPAIGNS)
def test_what_each_command_prints_of_a_month_is_as_it_was_read_and_approved(
    shown: Month, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = []
    with shown() as (world, door):

        class Clock(datetime):
            @classmethod
            def now(cls, _: tzinfo | None = None) -> datetime:  # type: ignore[override] # the world's instant
                return world.now

        for module in READ_THE_CLOCK:
            monkeypatch.setattr(module, "datetime", Clock)
        stack = WorldStack(world)
        stack.served = door
        for command in (*OF_A_MONTH, *_of_campaigns(CAMPAIGNS[shown]), *MORE[shown]):
            done = run(stack, *shlex.split(command))
            assert all(len(line) <= 80 for line in done.output.splitlines()), command
            said.append(f"$ kulanz {command}\n{done.output.rstrip()}\n[{done.exit_code}]")
    must_be_as_approved("\n\n".join(said) + "\n", Path(__file__).with_name(f"commands_{shown.__name__}.txt"))


def test_what_each_person_is_told_while_a_month_is_worked_is_as_it_was_read_and_approved() -> None:
    must_be_as_approved("\n\n".join(worked_month().told) + "\n", Path(__file__).with_name("told_while_working.txt"))


def _of_campaigns(campaigns: tuple[str, ...]) -> list[str]:
    return [
        command.format(campaign=campaign, incident=campaign.partition("/")[0])
        for campaign in campaigns
        for command in OF_A_CAMPAIGN
    ]
