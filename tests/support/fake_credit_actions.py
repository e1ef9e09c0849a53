"""What persons do with single credits, in memory, as their port says: all of it, or nothing."""

from collections.abc import Sequence

from kulanz.application.delivery.world import ASKED_TOGETHER, Asking, EntriesChange
from kulanz.application.ports import Outdated
from kulanz.domain.delivery.dues import owe
from kulanz.domain.delivery.moved import Moves
from kulanz.domain.ledger.additions import Addition
from tests.support.fake_answers import FakeAnswers
from tests.support.fake_deliveries import FakeCredits
from tests.support.fakes import FakeCampaigns


class FakeCreditActions:
    """The credit actions over the fake entries, sums and additions."""

    def __init__(self, credits_: FakeCredits, answers: FakeAnswers, campaigns: FakeCampaigns) -> None:
        self._credits, self._answers, self._campaigns = credits_, answers, campaigns

    def write(self, change: EntriesChange, channel: str, moves: Moves, addition: Addition | None, ttl: int) -> None:
        assert ttl >= 0
        if self._campaigns.halt().is_on:
            raise Outdated
        added = self._campaigns.added_items
        if addition is not None:
            added.require_open(change.key.campaign, addition.at, addition.channel)
        if not FakeCredits.write_entries(self._credits, [change])[0]:
            raise Outdated
        self._answers.by_persons.setdefault(channel, Moves()).take_all(moves)
        for due, (number, size) in moves.dues.items():
            owe(self._answers.dues, due, number, size)
        if addition is not None:
            added.listed.append(addition)
            added.count(change.key.campaign, addition.at, {}, addition.channel)


class FakeReversals:
    """What is asked back, over the fake entries and additions."""

    def __init__(self, credits_: FakeCredits, campaigns: FakeCampaigns) -> None:
        self._credits, self._campaigns = credits_, campaigns

    def ask(self, asked: Sequence[Asking]) -> bool:
        assert 0 < len(asked) <= ASKED_TOGETHER
        assert len({(one.change.key.campaign, one.addition.channel) for one in asked}) == 1
        added, first = self._campaigns.added_items, asked[0].addition
        if self._campaigns.halt().is_on or any(self._credits.of(one.change.key) != one.change.before for one in asked):
            return False
        try:
            added.require_open(first.key.campaign, min(one.addition.at for one in asked), first.channel)
        except Outdated:
            return False
        for one in asked:
            assert FakeCredits.write_entries(self._credits, [one.change]) == [True]
            added.listed.append(one.addition)
            added.count(first.key.campaign, one.addition.at, {}, first.channel)
        return True
