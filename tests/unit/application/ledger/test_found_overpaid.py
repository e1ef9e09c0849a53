"""What is said to be overpaid is what the plan of the latest campaign found, and nothing of what that held."""

from dataclasses import replace
from functools import cache

import pytest

from kulanz.application.campaigns.filed_reads import FiledReads, LineRead
from kulanz.application.campaigns.read_history import Read
from kulanz.application.ledger import found_overpaid as module
from kulanz.application.ledger.found_overpaid import OverpaidPorts, found_overpaid
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign
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


def test_it_is_found_of_each_row_in_whichever_part_of_the_list_and_its_plan_that_stands() -> None:
    made = world(chunk_bytes=256)  # four rows each
    names = [f"name-{number:02}-{'x' * 46}" for number in range(16)]
    decided(made, "in-1", 2, dict.fromkeys(names, "20.00"))
    decided(made, "in-1", 2, {name: f"{10 - number}.00" for number, name in enumerate(names[:10])}, revision=2)
    assert len(made.campaign("in-1/2").chunks) > 2
    less = {name: (("EUR", 500 + 50 * number),) for number, name in enumerate(names[:10])}
    assert {name: found(made, name) for name in names} == {**dict.fromkeys(names), **less}


def test_it_is_found_wherever_the_list_has_its_column_of_account_ids() -> None:
    made = world()
    for revision, fee in ((1, "20.00"), (2, "10.00")):
        made.lists.upload(f"lists/{revision}.csv", f"fee,account_id,excluded\n{fee},less,no\n".encode())
        made.publish(
            event(
                incident_id="in-1", windows=outage(2), policy=POLICY_ID, key=f"lists/{revision}.csv", rows=1,
                revision=revision,
            )
        )  # fmt: skip
        made.run_until_quiet()
    assert found(made, "less") == (("EUR", 500),)


def test_of_a_list_that_is_gone_too_long_or_planned_otherwise_it_is_said_that_there_is_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = _amended()
    entries = made.ledger.of_account("less", "in-1")
    size = made.campaign("in-1/2").pinned.size

    def came() -> tuple[str, Overpaid | None] | None:
        ports = OverpaidPorts(made.campaigns, made.lists, made.archive)
        told = found_overpaid(entries, ports)
        return None if told is None else (str(told.campaign), told.sums)

    monkeypatch.setattr(module, "SEARCHED_BYTES_MOST", size)
    assert came() == ("in-1/2", (("EUR", 500),))
    monkeypatch.setattr(module, "SEARCHED_BYTES_MOST", size - 1)
    assert came() == ("in-1/2", None)
    monkeypatch.setattr(module, "SEARCHED_BYTES_MOST", size)
    with monkeypatch.context() as otherwise:
        otherwise.setattr(Campaign, "planned_otherwise", lambda _: "engine_changed: x")
        assert came() == ("in-1/2", None)

    def gone(*_: object) -> bytes:
        raise PinnedVersionGone("lists/in-1-2.csv")

    monkeypatch.setattr(made.lists, "read", gone)
    assert came() == ("in-1/2", None)
