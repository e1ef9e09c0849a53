"""Writes that go by what they find: which incident is let go, how long a no is kept, and what was sent in which state.

And reads that are answered in part, or twice.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest

from kulanz.adapters import campaign_items, repairs
from kulanz.adapters.added_items import read_added
from kulanz.adapters.aws import CONFLICT_ATTEMPTS, ENTRY_ATTEMPTS
from kulanz.adapters.campaign_keys import META, campaign_partition, incident_key
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.goodwill_table import DynamoGoodwill
from kulanz.adapters.index_items import open_item
from kulanz.adapters.ledger_table import read_places
from kulanz.adapters.moved_items import moved_additions, moves_content, moves_of_content, read_moved
from kulanz.adapters.older_items import OlderItems
from kulanz.adapters.repairs import SqsRefusedEvents
from kulanz.adapters.uploads import BY_CHARACTERS, S3Uploads
from kulanz.application.ports import UPLOADED_BY, Refused, TryAgain, Upload
from kulanz.domain.byhand.goodwill import GoodwillState
from kulanz.domain.campaigns.campaign import ENDED, TRANSITIONS, Pass, State
from kulanz.domain.delivery.added import Added
from kulanz.domain.delivery.moved import MovedOf, Moves
from kulanz.domain.delivery.standing import Counted, CreditState, OfWhich, RejectedWith
from tests.support.said_writes import Writes
from tests.support.scripted import Scripted, error, waits_kept
from tests.support.values import OPENING, campaign, change
from tests.unit.adapters.test_conditions_of_writes import GOODWILL, ID, OTHER


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been."""
    return waits_kept(monkeypatch)


# The incident of a campaign

ENDS = [(before, after) for before, afters in TRANSITIONS.items() for after in sorted(afters & ENDED)]


@pytest.mark.parametrize(("before", "after"), ENDS)
@pytest.mark.parametrize("occupied_by", [None, ID.seq, ID.seq + 1, "nothing is known of it"])
def test_a_campaign_that_ends_lets_its_incident_go_only_where_it_holds_it(
    before: State, after: State, occupied_by: int | str | None
) -> None:
    """Else it could never end: its transaction would stand on what is not so."""
    key = incident_key(ID.incident_id)
    held = {} if occupied_by is None else {"open_seq": {"N": str(occupied_by)}}
    items = {} if isinstance(occupied_by, str) else {key["pk"]["S"]: key | held}
    client = Writes(**items)
    standing = replace(campaign(ID), state=before)
    DynamoCampaigns(client, "t").change_state(standing, change(standing, after))
    of_incident = [one for one in client.said if one.startswith(f"Update t {key['pk']['S']} ")]
    expected = f"Update t INCIDENT#an-incident INCIDENT REMOVE open_seq ADD version 1 if open_seq = {ID.seq}"
    assert of_incident == ([expected] if occupied_by == ID.seq else [])


@pytest.mark.parametrize(("since", "sent"), [(40, 0), (41, 6), (42, 0)])
@pytest.mark.parametrize("work", Pass)
def test_messages_that_met_another_state_of_the_campaign_count_as_not_sent(since: int, sent: int, work: Pass) -> None:
    standing = replace(campaign(ID), log_count=41)
    item = campaign_items.meta_item(standing)
    item[campaign_items.dispatched_name(work)] = campaign_items.dispatched_value(replace(standing, log_count=since), 6)
    found = campaign_items.read_meta(item)
    other = found.apply if work is Pass.PLAN else found.plan
    assert ((found.plan if work is Pass.PLAN else found.apply).sent, other.sent) == (sent, 0)
    assert item["pk"]["S"], item["sk"]["S"] == (campaign_partition(ID), META)


# A no to goodwill


@pytest.mark.parametrize("ttl", ["1900000017", None])
def test_a_no_to_goodwill_is_kept_as_long_as_what_it_is_about(ttl: str | None) -> None:
    asked = {} if ttl is None else {f"ACCOUNT#{GOODWILL.account_id}": {"ttl": {"N": ttl}}}
    client = Writes(**asked)
    DynamoGoodwill(client, "c", "t").reject(GOODWILL, replace(GOODWILL, state=GoodwillState.REJECTED, version=12))
    kept = [one for one in client.said if one.startswith("Put c ")]
    assert len(kept) > 2
    assert all(f" until {ttl or 0}" in one for one in kept)


# Reads that are answered in part


def test_keys_that_are_left_out_are_read_again_however_many_these_are() -> None:
    places = [(f"ACCOUNT#{number}", "s") for number in range(4)]
    keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in places]
    for left in (some for number in range(5) for some in combinations(range(4), number)):
        rounds: list[int] = []

        def read(RequestItems: Any, left: tuple[int, ...] = left, rounds: list[int] = rounds) -> dict[str, Any]:  # noqa: N803
            asked = RequestItems["t"]["Keys"]
            rounds.append(len(asked))
            over = [key for key in asked if len(rounds) == 1 and keys.index(key) in left]
            found = [key for key in asked if key not in over]
            return {"Responses": {"t": found}, "UnprocessedKeys": {"t": {"Keys": over}} if over else {}}

        found = list(read_places(read, "t", places))
        assert sorted(found, key=str) == sorted(keys, key=str)
        assert rounds == ([4, len(left)] if left else [4])
    assert len(places) < ENTRY_ATTEMPTS


# Sums by the names of their attributes

NAMED = ["EUR", "data|unlimited", "a|b|c", "call minute", "5 % off", "%7C", "%257C"]
OF_CHANNELS = ["billing", "letters:csv", ""]


@pytest.mark.parametrize("measure", NAMED)
@pytest.mark.parametrize("channel", OF_CHANNELS)
@pytest.mark.parametrize("about", OF_CHANNELS)
def test_what_was_moved_reads_back_under_its_own_measure_component_and_channel(
    measure: str, channel: str, about: str
) -> None:
    counted: list[Counted] = [
        CreditState.DUE,
        OfWhich.ASKED_BACK,
        RejectedWith(""),
        RejectedWith("E|31"),
        RejectedWith("moved"),
    ]
    moves = Moves(
        {
            MovedOf(ID, measure, "basic", channel): {CreditState.DUE: 3, OfWhich.ASKED_BACK: 5},
            MovedOf(ID, measure, "", channel): {one: size for size, one in enumerate(counted, 7)},
            MovedOf(OTHER, measure, "", channel): {CreditState.DUE: 17},
        }
    )
    item = {name: {"N": str(size)} for name, size in moved_additions(moves, ID, about).items()}
    assert read_moved(ID, item, about) == {place: sums for place, sums in moves.moved.items() if place.campaign == ID}
    assert moves_of_content(moves_content(moves)) == moves


@pytest.mark.parametrize(
    ("channel", "found"),
    [
        ("", Added(3, {MovedOf(ID, "EUR", "basic", ""): {CreditState.DUE: 11}}, 7)),
        ("letters:csv", Added(5, {}, 9, "letters:csv")),
        ("others:csv", Added(0, {}, 0, "others:csv")),
    ],
)
def test_what_was_added_for_one_channel_is_nothing_of_another(channel: str, found: Added) -> None:
    numbers = {"n": 3, "until": 7, "n|letters:csv": 5, "until|letters:csv": 9, "moved|due|basic|EUR": 11}
    item = {name: {"N": str(number)} for name, number in numbers.items()}
    assert read_added(ID, item, channel) == found


# What an older release wrote


@pytest.mark.parametrize(
    ("codes", "calls", "outcome"),
    [
        ([], 1, None), ([("ConditionalCheckFailed", "None")], 1, None), ([("TransactionConflict", "None")], 2, None),
        ([("None", "TransactionConflict")] * CONFLICT_ATTEMPTS, CONFLICT_ATTEMPTS, TryAgain),
        ([("None", "ValidationError")], 1, Refused),
    ],
)  # fmt: skip
def test_an_older_campaign_is_listed_with_its_latest_change_or_it_is_said_why_not(
    codes: list[tuple[str, str]], calls: int, outcome: type[Exception] | None
) -> None:
    begun = replace(campaign(ID), state=State.PAUSED)
    later = replace(change(campaign(ID), State.PAUSED), at=OPENING.at + timedelta(days=2))
    log = [campaign_items.log_item(ID, one) for one in (OPENING, later)]
    reasons = ([{"Code": one} for one in some] for some in codes)
    script = [error("TransactionCanceledException", CancellationReasons=some) for some in reasons]
    client = Scripted(query=lambda **_: {"Items": log}, transact_write_items=[*script, {}])
    with nullcontext() if outcome is None else pytest.raises(outcome):
        OlderItems(client, "t")._list_as_open(begun)
    unmoved, listed = client.asked[-1]["TransactItems"]
    assert unmoved["ConditionCheck"]["ExpressionAttributeValues"] == {":known": {"N": str(begun.log_count)}}
    assert listed["Put"]["Item"] == open_item(ID, State.PAUSED, later.at)
    assert client.called.count("transact_write_items") == calls


# Who brought it


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({UPLOADED_BY: "sso:anna"}, "sso:anna"), ({UPLOADED_BY: "x" * BY_CHARACTERS}, "x" * BY_CHARACTERS),
        ({UPLOADED_BY: "x" * (BY_CHARACTERS + 1)}, "x" * BY_CHARACTERS), ({UPLOADED_BY: "a\x1b[2J"}, ""),
        ({UPLOADED_BY: "a\nb"}, ""), ({"another": "sso:anna"}, ""), ({}, ""),
    ],
)  # fmt: skip
def test_who_uploaded_is_shown_where_it_is_a_line_that_can_be_printed(said: dict[str, str], shown: str) -> None:
    client = Scripted(head_object=[{"Metadata": said, "LastModified": OPENING.at}])
    assert S3Uploads(client, "b", "p/").policy("net-credit", 3) == Upload(OPENING.at, shown)
    assert client.asked == [{"Bucket": "b", "Key": "p/net-credit/3.json"}]


# Queues that show a message again


class Repeating:
    """A queue that shows its messages by turns, again and again."""

    def __init__(self, *rounds: tuple[str, ...]) -> None:
        self._rounds = list(rounds)
        self.deleted: list[str] = []
        self.shown_again: list[str] = []

    def receive_message(self, **_: Any) -> dict[str, Any]:
        """What it shows now."""
        names = self._rounds.pop(0) if self._rounds else ()
        return {"Messages": [{"MessageId": one, "ReceiptHandle": f"h-{one}", "Body": "{}"} for one in names]}

    def delete_message(self, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        """Note what is deleted."""
        self.deleted.append(ReceiptHandle)

    def change_message_visibility(self, ReceiptHandle: str, **_: Any) -> None:  # noqa: N803
        """Note what is shown again."""
        self.shown_again.append(ReceiptHandle)


ROUNDS = [("a", "b"), ("b", "c"), ("a", "d"), ("c", "a"), ("e",)]


@pytest.mark.parametrize(
    "work",
    [
        lambda queue: [one.message_id for one in SqsRefusedEvents(queue, "q").look(40)],
        lambda queue: sorted(SqsRefusedEvents(queue, "q").take_out(list("abcde"), lambda: 100.0)),
    ],
    ids=["looks", "takes out"],
)
def test_a_message_that_comes_again_is_seen_once_and_ends_the_round(work: Callable[[Any], list[str]]) -> None:
    """A queue that shows nothing new is through: whoever went on would never end."""
    queue = Repeating(*ROUNDS)
    assert work(queue) == ["a", "b", "c", "d"]
    assert len(queue.deleted) + len(queue.shown_again) == 4
    assert len({*queue.deleted, *queue.shown_again}) == 4
    assert len(ROUNDS[0]) < repairs.MESSAGES_PER_RECEIVE
