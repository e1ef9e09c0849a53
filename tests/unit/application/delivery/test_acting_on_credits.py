"""What a person does with one credit: what is written of it, who is named there, and how much room it must leave."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.application.delivery.act_on_credit import (
    BYTES_TO_COME,
    ENTRIES_TO_COME,
    Acted,
    CreditAction,
    CreditPorts,
    CreditRefused,
    act_on_credit,
)
from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.entries import (
    ENTRIES_BYTES,
    ENTRIES_MOST,
    CreditEntries,
    CreditEntry,
    EntryKind,
    entries_text,
)
from kulanz.domain.delivery.moved import Moves
from kulanz.domain.delivery.standing import CreditState, add_entry
from kulanz.domain.gate.settings import SAFE, GateSettings
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import (
    DecisionKey,
    Entry,
    benefits_granted,
    decision_body,
    read_decision,
    remaining_of,
)
from kulanz.domain.money import Money
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.billed import CAMPAIGN, CHANNEL, GRANTED_AT
from tests.support.fake_answers import FakeAnswers
from tests.support.fake_credit_actions import FakeCreditActions
from tests.support.fake_deliveries import FakeCredits
from tests.support.fakes import FakeCampaigns, FakeLedger
from tests.support.world import ANNA, BEN

KEY = DecisionKey("A-7", CAMPAIGN.incident_id, "-", CAMPAIGN.seq)
SIZES = (500, 730, 910)
TTL = 4_102_444_800
NOW = GRANTED_AT + timedelta(days=9)
LETTERS = Channel("letters")


class Actions(FakeCreditActions):
    """The actions, and what was written last."""

    written: tuple[EntriesChange, str, Moves, Addition | None, int]

    def write(self, change: EntriesChange, channel: str, moves: Moves, addition: Addition | None, ttl: int) -> None:
        super().write(change, channel, moves, addition, ttl)
        self.written = change, channel, moves, addition, ttl


@dataclass
class Desk:
    """One decision of three credits, with what stands of them, and persons who act on these."""

    stands: CreditEntries
    settings: GateSettings = SAFE
    credits: FakeCredits = field(init=False)
    actions: Actions = field(init=False)

    def __post_init__(self) -> None:
        ledger, campaigns = FakeLedger(), FakeCampaigns()
        ledger.insert([decision()])
        self.credits, answers = FakeCredits(ledger), FakeAnswers({})
        self.actions = Actions(self.credits, answers, campaigns)
        self.ports = CreditPorts(
            campaigns, self.credits, self.actions, answers, self.settings, NOBODY_LISTED, channels={"letters": LETTERS}
        )
        self.say(*self.stands)

    def say(self, *entries: CreditEntry) -> None:
        """Something more is said of the decision's credits."""
        before = self.credits.of(KEY)
        assert FakeCredits.write_entries(self.credits, [EntriesChange(KEY, before, (*before, *entries))]) == [True]

    def act(
        self,
        name: str,
        person: str = ANNA,
        kind: EntryKind = EntryKind.SEND_AGAIN,
        account: str = "",
        channel: str = "",
        place: int = 1,
    ) -> Acted:
        """A person does something with a credit: the second one, where none is named."""
        action = CreditAction(name, kind, KEY, credit_id(KEY, place), account, channel)
        return act_on_credit(action, Person(person), self.ports, NOW)


def decision() -> Entry:
    """A decision that grants three amounts."""
    found = Decision(Outcome.GRANTED, "credit", tuple(Benefit(Money(size, "USD"), component="x") for size in SIZES))
    body = decision_body(CAMPAIGN, "2", "0" * 64, "0" * 32, found)
    return Entry(KEY, body, Outcome.GRANTED, remaining_of(found.benefits), GRANTED_AT, None, TTL, 0)


def assigned(*places: int, serial: int = 3) -> CreditEntry:
    """Some credits went to billing."""
    name = f"{CHANNEL}/{serial}"
    return CreditEntry(EntryKind.ASSIGNED, GRANTED_AT, "delivery", name, places, delivery=name)


def rejected(place: int, code: str = "C", serial: int = 3) -> CreditEntry:
    """Billing rejected a credit."""
    name, at = f"{CHANNEL}/{serial}", GRANTED_AT + timedelta(days=1)
    return CreditEntry(EntryKind.REJECTED, at, "a-file", f"{name}/{place}/r", (place,), delivery=name, code=code)


def sent_again(place: int) -> CreditEntry:
    """A person sent a credit again."""
    return CreditEntry(EntryKind.SEND_AGAIN, GRANTED_AT + timedelta(days=2), "person", f"by/{place}", (place,))


REJECTED = (assigned(1), rejected(1))


def test_what_is_sent_again_says_who_did_it_when_and_is_kept_as_long_as_its_decision() -> None:
    desk = Desk(REJECTED)
    acted = desk.act("anna-1", account="K-9")
    assert (acted.stands.state, acted.waits) == (CreditState.DUE, False)
    change, channel, moves, addition, ttl = desk.actions.written
    assert (change.key, change.before, change.after) == (KEY, REJECTED, desk.credits.of(KEY))
    new = change.after[-1]
    assert (new.kind, new.at, new.by, new.benefits) == (EntryKind.SEND_AGAIN, NOW, "person", (1,))
    assert (new.account, new.channel, channel, ttl) == ("K-9", "", CHANNEL, TTL)
    assert addition == Addition(AdditionKind.AGAIN, KEY, NOW, ANNA, 1, "")
    assert {place.campaign for place in moves.moved} == {CAMPAIGN}
    found = [one for sums in moves.moved.values() for one in sums.items() if isinstance(one[0], CreditState)]
    assert sorted(found) == [(CreditState.DUE, SIZES[1]), (CreditState.REJECTED, -SIZES[1])]


def test_what_goes_to_another_channel_is_counted_where_it_was_and_delivered_where_it_goes() -> None:
    desk = Desk(REJECTED)
    desk.act("anna-1", channel="letters")
    change, channel, _, addition, _ = desk.actions.written
    assert (change.after[-1].channel, channel) == (LETTERS.text, CHANNEL)
    assert addition == Addition(AdditionKind.AGAIN, KEY, NOW, ANNA, 1, LETTERS.text)


def test_what_is_written_off_is_no_addition_and_names_nobody() -> None:
    desk = Desk(REJECTED)
    assert desk.act("anna-1", kind=EntryKind.WRITTEN_OFF).stands.state is CreditState.WRITTEN_OFF
    change, _, _, addition, _ = desk.actions.written
    assert (change.after[-1].by, addition) == ("person", None)


def test_an_act_that_comes_again_waits_only_where_a_second_person_is_still_asked() -> None:
    desk = Desk(REJECTED)
    assert desk.act("anna-1").waits is False
    desk.say(assigned(1, serial=4), rejected(1, serial=4))
    stands = desk.credits.of(KEY)
    again = desk.act("anna-1")
    assert (again.stands.state, again.waits) == (CreditState.REJECTED, False), "it was done, and was rejected since"
    assert desk.credits.of(KEY) == stands
    asking = Desk(REJECTED, replace(SAFE, second_person_above={"USD": SIZES[1] - 1}))
    for _ in range(2):
        assert asking.act("anna-1", kind=EntryKind.WRITTEN_OFF).waits is True
    assert asking.credits.of(KEY)[-1].by == ANNA, "another person has to follow"
    assert asking.act("ben-1", BEN, EntryKind.WRITTEN_OFF).waits is False
    assert asking.act("anna-1", kind=EntryKind.WRITTEN_OFF).waits is False


@pytest.mark.parametrize(("above", "waits"), [(SIZES[1] - 1, True), (SIZES[1], False), (SIZES[1] + 1, False)])
@pytest.mark.parametrize("kind", [EntryKind.WRITTEN_OFF, EntryKind.SEND_AGAIN])
def test_one_person_is_enough_at_the_amount_and_not_above_it(kind: EntryKind, above: int, *, waits: bool) -> None:
    desk = Desk(REJECTED, replace(SAFE, second_person_above={"USD": above, "EUR": 0}))
    channel = "letters" if kind is EntryKind.SEND_AGAIN else ""
    assert desk.act("anna-1", kind=kind, channel=channel).waits is waits


@pytest.mark.parametrize(
    ("kind", "account", "channel"),
    [
        (EntryKind.SEND_AGAIN, "K-9", "letters"),
        (EntryKind.SEND_AGAIN, "", "letters"),
        (EntryKind.WRITTEN_OFF, "K-1", ""),
    ],
)
def test_a_second_person_who_says_something_else_is_another_first_one(
    kind: EntryKind, account: str, channel: str
) -> None:
    desk = Desk(REJECTED, replace(SAFE, second_person_above={"USD": 1}))
    assert desk.act("anna-1", account="K-1", channel="letters").waits is True
    assert desk.act("ben-1", BEN, kind, account, channel).waits is True
    assert desk.credits.of(KEY)[-1].by == BEN
    assert desk.act("ben-2", ANNA, kind, account, channel).waits is False


def test_what_was_asked_before_the_credit_was_rejected_anew_counts_no_more() -> None:
    desk = Desk(REJECTED, replace(SAFE, second_person_above={"USD": 1}))
    assert desk.act("anna-1", kind=EntryKind.WRITTEN_OFF).waits is True
    assert desk.act("anna-2").waits is False
    desk.say(assigned(1, serial=4), rejected(1, serial=4))
    assert desk.act("ben-1", BEN, EntryKind.WRITTEN_OFF).waits is True
    assert desk.act("anna-3", ANNA, EntryKind.WRITTEN_OFF).waits is False


@pytest.mark.parametrize("kind", [EntryKind.WRITTEN_OFF, EntryKind.SEND_AGAIN])
@pytest.mark.parametrize("other", [0, 2])
def test_a_second_person_is_one_who_says_it_of_the_very_same_credit(kind: EntryKind, other: int) -> None:
    stands = (assigned(0, 1, 2), rejected(0), rejected(1), rejected(2))
    desk = Desk(stands, replace(SAFE, second_person_above={"USD": 1}))
    channel = "letters" if kind is EntryKind.SEND_AGAIN else ""
    assert desk.act("anna-1", kind=kind, channel=channel, place=other).waits is True
    assert desk.act("ben-1", BEN, kind, channel=channel).waits is True, "nobody else has said it of this one"
    assert desk.act("anna-2", ANNA, kind, channel=channel).waits is False
    assert desk.act("ben-2", BEN, kind, channel=channel, place=other).waits is False


def test_what_was_asked_of_a_credit_stands_when_another_of_its_decision_is_delivered() -> None:
    desk = Desk((assigned(1), rejected(1)), replace(SAFE, second_person_above={"USD": 1}))
    assert desk.act("anna-1", kind=EntryKind.WRITTEN_OFF).waits is True
    desk.say(assigned(0, serial=4))
    assert desk.act("ben-1", BEN, EntryKind.WRITTEN_OFF).waits is False


def padded(entries: Sequence[CreditEntry], room: int) -> CreditEntries:
    """Entries whose last code is so long that, with what the act adds, so many bytes are left."""
    *first, last = entries
    new = CreditEntry(EntryKind.SEND_AGAIN, NOW, "person", f"by/{'0' * 10}", (1,))
    sizes = dict(enumerate(SIZES))
    left = ENTRIES_BYTES - len(entries_text(add_entry((*first, last), new, sizes).entries).encode()) - room
    assert left > 0
    return (*first, replace(last, code=last.code + "x" * left))


@pytest.mark.parametrize(
    ("stands", "waiting"),
    [
        (REJECTED, 1),
        ((assigned(0, 1, 2), rejected(1)), 1),
        ((assigned(0, 1), rejected(0), sent_again(0), rejected(1)), 2),
    ],
)
def test_what_is_sent_again_leaves_room_for_all_that_its_biller_can_answer(
    stands: tuple[CreditEntry, ...], waiting: int
) -> None:
    """For each credit that waits for its delivery again; one that is in none yet, or is at the biller, needs none."""
    just = waiting * BYTES_TO_COME
    assert Desk(padded(stands, just)).act("anna-1").stands.state is CreditState.DUE
    full = Desk(padded(stands, just - 1))
    with pytest.raises(CreditRefused) as refused:
        full.act("anna-1")
    assert refused.value.reason == "entries_full"
    assert full.act("anna-2", kind=EntryKind.WRITTEN_OFF).stands.state is CreditState.WRITTEN_OFF


LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
"""Its text is the shortest."""


def often(number: int) -> CreditEntries:
    """A credit that was rejected, after so many short entries in all that are of another one."""
    first = (assigned(0, 1), rejected(0), rejected(1))
    asked = [CreditEntry(EntryKind.WRITE_OFF_ASKED, LONG_AGO, "p", f"{place}", (0,)) for place in range(number - 3)]
    return (*first, *asked)


@pytest.mark.parametrize("number", [ENTRIES_MOST - ENTRIES_TO_COME - 1, ENTRIES_MOST - ENTRIES_TO_COME])
def test_there_are_never_more_entries_than_fit_with_those_to_come(number: int) -> None:
    desk = Desk(often(number))
    assert len(entries_text(desk.credits.of(KEY)).encode()) + BYTES_TO_COME + 100 < ENTRIES_BYTES
    if number + 1 + ENTRIES_TO_COME <= ENTRIES_MOST:
        assert desk.act("anna-1").stands.state is CreditState.DUE
        return
    with pytest.raises(CreditRefused) as refused:
        desk.act("anna-1")
    assert refused.value.reason == "entries_full"


def test_the_decision_of_these_tests_grants_what_they_say() -> None:
    benefits = benefits_granted(decision(), read_decision(decision().body))
    assert tuple(worth_of(one) for one in benefits) == tuple(("USD", size) for size in SIZES)
