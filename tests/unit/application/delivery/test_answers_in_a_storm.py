"""Whatever a biller does wrong and whoever dies: its bills hold each credit at most once, and once in the end."""

from contextlib import closing
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.standing import CreditState
from tests.fake_biller.biller import Biller, Faults
from tests.fake_biller.reading import Refused
from tests.support.billed import CHANNEL, SIZE, BilledWorld

ACCOUNTS = 6
AMOUNT = Decimal("5.00")
ROUNDS_TO_BE_QUIET = 12

STEPS = ("deliver", "take", "cycle", "void", "answers", "again", "faults")


class Storm:
    """A schedule of the biller's faults, our crashes and everybody's repetitions, by a seed."""

    def __init__(self, seed: int, biller: Biller) -> None:
        self.random = Random(seed)
        self.world = BilledWorld(ACCOUNTS)
        self.biller = biller
        self.taken = 0
        self.written = 0
        known = [key.account_id for key in self.world.keys if self.random.random() < 0.8]
        biller.open_accounts([(account, "USD", "20.00") for account in known])
        self.day = 1
        self.owner = {credit_id(key, 0, attempt): key.account_id for key in self.world.keys for attempt in range(1, 20)}

    def step(self, what: str) -> None:
        """One step."""
        match what:
            case "deliver":
                self.world.deliver()
            case "take":
                self.take(self.random.choice([self.taken + 1, max(1, self.taken), self.taken + 2]))
            case "cycle":
                self.day += 1
                self.biller.run_cycle(f"2027-01-{self.day:02d}" if self.day < 28 else "2027-02-01")
            case "void":
                bills = [line[0] for line in self.biller.on_bills()]
                if bills:
                    self.biller.void(self.random.choice(bills), "2027-01-28")
            case "answers":
                self.hear(self.biller.write_answers())
            case "again" if self.written:
                self.hear(self.biller.file_again(self.random.randrange(1, self.written + 1)))
            case "faults":
                self.biller.set_faults(faults(self.random))
            case _:
                pass
        self.must_hold()

    def take(self, serial: int) -> None:
        """Hand a delivery over, whichever it is."""
        try:
            came = self.biller.take(CHANNEL, serial, self.world.files.get(serial, {}))
        except Refused:
            return
        if came != "lost":
            self.taken = max(self.taken, serial)

    def hear(self, content: bytes, random: Random | None = None) -> None:
        """Work an answer file, with workers that die."""
        self.written += 1
        self.world.hear(content, random or self.random)

    def on_bills(self) -> dict[str, Decimal]:
        """What the bills hold of each of our decisions, under all ids that it ever had."""
        found: dict[str, Decimal] = {}
        for _, credit, _, amount, _ in self.biller.on_bills():
            found[self.owner[credit]] = found.get(self.owner[credit], Decimal(0)) + amount
        return found

    def must_hold(self) -> None:
        """What holds at any moment."""
        assert all(amount <= AMOUNT for amount in self.on_bills().values())
        assert self.world.by_counters() == self.world.by_entries()
        assert self.world.rejected_by_counters() == self.world.rejected_by_entries()
        states = [self.world.standing(key).state for key in self.world.keys]
        assert self.world.owed()[0] == sum(one not in (CreditState.APPLIED, CreditState.DUE) for one in states)
        for key in self.world.keys:  # nothing is said to be on a bill that never was
            stands = self.world.standing(key)
            assert int(stands.applied) <= 100 * self.biller.applied_in_all(credit_id(key, 0, stands.attempt))

    def be_quiet(self) -> None:
        """Everybody does what is right until nothing moves any more."""
        self.biller.set_faults(Faults())
        self.biller.open_accounts([(key.account_id, "USD", "20.00") for key in self.world.keys])
        for done in range(ROUNDS_TO_BE_QUIET):
            self.world.deliver()
            for serial in sorted(self.world.files):
                if serial > self.taken:
                    self.take(serial)
            self.biller.run_cycle("2027-02-28")
            self.hear(self.biller.write_answers())
            if not done:  # what it spoilt it says again
                for number in range(1, self.written + 1):
                    self.world.hear(self.biller.file_again(number))
            if self.world.by_entries() == {CreditState.APPLIED: SIZE * ACCOUNTS}:
                return


def faults(random: Random) -> Faults:
    """Some faults, none of which lies about a part of an amount: nobody could notice that."""
    partial = random.random() < 0.4
    return Faults.of(
        {
            "seed": random.randrange(1_000),
            "rejects": {"frozen": 150, "closed": 150} if random.random() < 0.4 else {},
            "percent_applied": 50 if partial else 100,
            "lines_twice": random.choice([0, 500]),
            "lines_of_others": random.choice([0, 300]),
            "other_order": random.random() < 0.5,
            "other_amounts": 0 if partial else random.choice([0, 300]),
            "held_back": random.choice([0, 0, 2]),
            "loses_deliveries": random.choice([0, 400]),
        }
    )


def storm(seed: int, steps: list[str]) -> None:
    with closing(Biller(":memory:")) as biller:
        found = Storm(seed, biller)
        for step in steps:
            found.step(step)
        found.be_quiet()
        found.must_hold()
        assert found.on_bills() == {key.account_id: AMOUNT for key in found.world.keys}
        assert found.world.by_entries() == {CreditState.APPLIED: SIZE * ACCOUNTS}
        assert found.world.owed() == (0, 0)


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(12))
def test_bills_hold_each_credit_once_after_any_storm(seed: int) -> None:
    random = Random(seed)
    storm(seed, random.choices(STEPS, weights=[3, 4, 3, 1, 4, 2, 2], k=25))


@pytest.mark.property
@given(st.integers(0, 10_000), st.lists(st.sampled_from(STEPS), max_size=15))
def test_bills_hold_each_credit_once_after_any_schedule(seed: int, steps: list[str]) -> None:
    storm(seed, steps)
