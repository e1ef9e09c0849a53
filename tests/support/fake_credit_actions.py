"""What persons do with single credits, in memory, as their port says: all of it, or nothing."""

from kulanz.application.delivery.world import EntriesChange
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
