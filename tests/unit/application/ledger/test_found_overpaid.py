"""What is said to be overpaid is what the plan of the latest campaign found, and nothing of what that held."""

from dataclasses import replace
from functools import cache

import pytest

from kulanz.application.campaigns.filed_reads import FiledReads, LineRead
from kulanz.application.campaigns.read_history import Read
from kulanz.application.ledger.found_overpaid import OverpaidPorts, found_overpaid
from kulanz.domain.campaigns.reconciliation import Overpaid
from kulanz.domain.decision import Outcome
from kulanz.domain.policy.deciding import history as history_module
from kulanz.domain.policy.deciding.history import HISTORY_FULL, HISTORY_SETTLED, NO_HISTORY
from tests.support.small_campaign import event
from tests.support.world import World
from tests.support.yearly_cap import POLICY_ID, outage, world

OFTEN, ONCE = "often", "once"


def decided(made: World, incident_id: str, day: int, fees: dict[str, str], revision: int = 1) -> None:
    """A campaign over accounts with their fees; `-` is an account that is excluded."""
    lines = [f"{name},{fee.strip('-')},{'yes' if fee.startswith('-') else 'no'}\n" for name, fee in fees.items()]
    key = f"lists/{incident_id}-{revision}.csv"
    made.lists.upload(key, "".join(["account_id,fee,excluded\n", *lines]).encode())
    made.publish(
        event(
            incident_id=incident_id, windows=outage(day), policy=POLICY_ID, key=key, rows=len(fees), revision=revision
        )
    )
    made.run_until_quiet()


def found(made: World, account: str) -> Overpaid | None:
    """What is said of an account's decisions about the first incident."""
    came = found_overpaid(
        made.ledger.of_account(account, "in-1"), OverpaidPorts(made.campaigns, made.lists, made.archive)
    )
    return None if came is None else came.sums


def test_nothing_is_found_of_a_subject_whose_full_history_held_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    decided(made, "in-1", 2, {OFTEN: "20.00", ONCE: "20.00"})
    for number in (2, 3, 4):
        decided(made, f"in-{number}", number + 1, {OFTEN: "1.00"})
    kept = {key.account_id: len(one.to_text()) for key, one in made.ledger.all_histories().items()}
    monkeypatch.setattr(history_module, "HISTORY_BYTES", kept[ONCE])
    assert kept[ONCE] < kept[OFTEN]
    decided(made, "in-1", 2, {OFTEN: "10.00", ONCE: "10.00"}, revision=2)
    assert (found(made, OFTEN), found(made, ONCE)) == (None, (("EUR", 500),))


@cache
def _amended() -> World:
    made = world()
    decided(made, "in-1", 2, {"less": "20.00", "excluded": "20.00", "same": "20.00"})
    decided(made, "in-1", 2, {"less": "10.00", "excluded": "-20.00", "same": "20.00"}, revision=2)
    return made


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ("", {"less": (("EUR", 500),), "excluded": (("EUR", 1_000),), "same": None}),
        (
            HISTORY_SETTLED,
            {"less": None, "excluded": (("EUR", 1_000),), "same": None},
        ),  # it held what would give something
        (HISTORY_FULL, {"less": None, "excluded": None, "same": None}),
    ],
)
def test_only_what_the_plan_held_has_nothing_found(
    held: str, expected: dict[str, Overpaid | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _amended()

    def planned(_: FiledReads, __: int) -> LineRead:
        return LineRead(Read(NO_HISTORY, held), None)

    monkeypatch.setattr(FiledReads, "planned", planned)
    assert {account: found(made, account) for account in expected} == expected


@pytest.mark.parametrize("seq", [2, 3])
@pytest.mark.parametrize("outcome", list(Outcome))
def test_nothing_is_said_while_the_latest_campaigns_own_decision_waits_for_a_person(outcome: Outcome, seq: int) -> None:
    """That person decides what is owed. What waits of another campaign says nothing of what this one found."""
    made = _amended()
    (first,) = made.ledger.of_account("less", "in-1")
    other = replace(first, key=replace(first.key, seq=seq), status=outcome)
    came = found_overpaid([first, other], OverpaidPorts(made.campaigns, made.lists, made.archive))
    waits = seq == 2 and outcome in (Outcome.HELD, Outcome.REFERRED)
    assert (came is None) is waits
    assert came is None or (came.campaign.seq, came.sums) == (2, (("EUR", 500),))
