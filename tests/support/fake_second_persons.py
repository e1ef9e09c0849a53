"""What waits for a second person, over the fake cases and the fake goodwill, as its port says."""

from dataclasses import replace
from datetime import datetime

from kulanz.application.cases.second_persons import Asked, Waiting
from tests.support.fake_cases import FakeCases
from tests.support.fake_goodwill import FakeGoodwill


class FakeSecondPersons:
    """What waits; `reminded` has what was announced, and `forgotten` what waits no more because its time was over."""

    def __init__(self, cases: FakeCases, goodwill: FakeGoodwill) -> None:
        self._cases, self._goodwill = cases, goodwill
        self.reminded: dict[tuple[Asked, str], str] = {}
        self.forgotten: set[tuple[Asked, str]] = set()

    def waiting(self) -> list[Waiting]:
        found = [Waiting(Asked.CASE, one.hash, one.hand.at) for one in self._cases.proposals("", 10_000)[0]]
        for name in self._goodwill.waiting():
            one = self._goodwill.goodwill(name)
            assert one is not None, "what waits has a record"
            found.append(Waiting(Asked.GOODWILL, name, one.asked_at))
        return [
            replace(one, reminded=self.reminded.get((one.asked, one.name), ""))
            for one in found
            if (one.asked, one.name) not in self.forgotten
        ]

    def remember(self, one: Waiting, since: datetime, reminded: str) -> None:  # noqa: ARG002
        if (one.asked, one.name) in {(other.asked, other.name) for other in self.waiting()}:
            self.reminded[one.asked, one.name] = reminded

    def forget(self, one: Waiting) -> None:
        self.forgotten.add((one.asked, one.name))
