"""Notices: told from committed decisions alone, packed within limits, under an id that never changes."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.world import Booked
from kulanz.application.notices.publish_notices import PublishPorts, Recorded, publish_notices
from kulanz.application.ports import Refused
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.ledger.entries import DecisionKey, Entry
from kulanz.domain.notices import (
    NOTICE_MESSAGE_BYTES,
    Audience,
    NoticeMessage,
    Recipient,
    notice_id,
    pack_notices,
)
from kulanz.domain.policy.document.document import NoticeText
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.values import FIRST
from tests.support.world import World

# Packing

DE = Audience(str(FIRST), "granted", "de", "email")
EN = replace(DE, locale="en")
SMS = replace(DE, channel="sms")
OTHER = replace(DE, campaign="other-incident/1")
TEMPLATES = {audience: NoticeText("Betreff ü", "Text {{ amount }}") for audience in (DE, EN, SMS, OTHER)}
POLICIES = {FIRST: ("net-credit", 1), CampaignId("other-incident", 1): ("other", 2)}

type Told = tuple[Audience, Recipient]


def _pack(told: list[Told], recipients_per_message: int = 100) -> list[NoticeMessage]:
    return pack_notices(told, TEMPLATES, POLICIES, recipients_per_message)


def _told(audience: Audience, number: int, value: str = "x") -> Told:
    return audience, Recipient(f"notice-{number:06d}", f"account-{number}", {"amount": value})


def _unpacked(messages: list[NoticeMessage]) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for message in messages:
        content = json.loads(message.text)
        for recipient in content["recipients"]:
            found[content["campaign"], content["locale"] + content["channel"], recipient["notice_id"]] += 1
    return found


NOTICES = st.lists(
    st.builds(_told, st.sampled_from([DE, EN, SMS, OTHER]), st.integers(0, 999), st.sampled_from(["x", "ü" * 9_000])),
    max_size=30,
    unique_by=lambda told: told[1].notice_id,
)


@given(told=NOTICES, most=st.integers(1, 12))
def test_every_recipient_is_in_one_message_of_its_audience_within_both_limits(told: list[Told], most: int) -> None:
    messages = _pack(told, most)

    assert _unpacked(messages) == Counter(
        (audience.campaign, audience.locale + audience.channel, recipient.notice_id) for audience, recipient in told
    )
    for message in messages:
        assert len(message.text.encode()) <= NOTICE_MESSAGE_BYTES
        assert 1 <= message.recipients == len(json.loads(message.text)["recipients"]) <= most


@given(told=NOTICES, seed=st.randoms(use_true_random=False))
def test_the_same_notices_in_another_order_are_the_same_messages(told: list[Told], seed: object) -> None:
    shuffled = [*told]
    seed.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random

    assert _pack(shuffled, 5) == _pack(told, 5)


def test_a_message_holds_as_many_as_fit_and_no_byte_more() -> None:
    told = [_told(DE, number, "x" * 1_000) for number in range(200)]
    messages = _pack(told, 1_000)
    sizes = [len(message.text.encode()) for message in messages]

    assert len(messages) == 4
    assert all(NOTICE_MESSAGE_BYTES - 1_200 < size <= NOTICE_MESSAGE_BYTES for size in sizes[:-1])


def test_a_notice_that_fits_no_message_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="shorten the template"):
        _pack([_told(DE, 1, "x" * NOTICE_MESSAGE_BYTES)])


@pytest.mark.parametrize("template", [20, 30_000, NOTICE_MESSAGE_BYTES - 400])
def test_a_notice_is_sent_with_its_template_up_to_the_last_byte_of_a_message_and_refused_beyond(template: int) -> None:
    texts = {DE: NoticeText("Betreff", "t" * template)}

    def sent(length: int) -> list[NoticeMessage]:
        return pack_notices([_told(DE, 1, "x" * length)], texts, POLICIES, 100)

    room = NOTICE_MESSAGE_BYTES - len(sent(0)[0].text.encode()) - 1  # a byte is kept for the comma of a next recipient
    (message,) = sent(room)
    assert len(message.text.encode()) == NOTICE_MESSAGE_BYTES - 1
    with pytest.raises(ValueError, match="shorten the template"):
        sent(room + 1)


def test_no_notice_is_no_message() -> None:
    assert _pack([]) == []


def test_a_notices_id_depends_on_the_decision_and_the_kind_alone() -> None:
    key = DecisionKey("a", "i", "-", 1)
    others = [
        notice_id(replace(key, account_id="b"), "granted"),
        notice_id(replace(key, incident_id="j"), "granted"),
        notice_id(replace(key, subject="line"), "granted"),
        notice_id(replace(key, seq=2), "granted"),
        notice_id(key, "held"),
    ]

    assert notice_id(key, "granted") == "d1f11abd26e1661ce46be10a0bb5c19c", "subscribers remember ids for ever"
    assert len({notice_id(key, "granted"), *others}) == 6


# Publishing

ROWS = [
    row("granted-de", fee="29.90"),
    row("granted-fr", language="fr"),
    row("held-1", segment=""),
    row("declined-1", affected="no"),
]


@pytest.fixture
def world() -> World:
    world = small_world(list_of(ROWS))
    world.publish(event(rows=len(ROWS)))
    world.run_until_quiet()
    return world


def _contents(world: World) -> dict[str, dict[str, object]]:
    found = {}
    for message in world.topic.published:
        content = json.loads(message.text)
        for recipient in content["recipients"]:
            found[recipient["account_id"]] = {**content, **recipient}
    return found


def test_a_granted_account_is_told_what_it_is_worth_and_until_when(world: World) -> None:
    told = _contents(world)["granted-de"]

    assert (told["kind"], told["locale"], told["channel"], told["campaign"]) == ("granted", "de", "email", CAMPAIGN)
    assert told["policy"] == {"id": "net-credit", "version": 1}
    assert told["template"] == {"subject": "Verzeihung", "text": "Wir schreiben {{ amount }} gut."}
    values = told["values"]
    assert isinstance(values, dict)
    assert (values["amount"], values["currency"], values["reason"]) == ("2.99", "EUR", "credit")
    assert values["due"] == "2 billing_cycle"
    (entry,) = world.ledger.of_account("granted-de")
    assert values["effective_at"].endswith("Z")
    assert told["notice_id"] == notice_id(entry.key, "granted")


def test_a_language_without_a_text_gets_the_default(world: World) -> None:
    assert _contents(world)["granted-fr"]["locale"] == "en"


def test_only_what_the_policy_tells_is_told(world: World) -> None:
    assert set(_contents(world)) == {"granted-de", "granted-fr", "held-1"}
    assert _contents(world)["held-1"]["kind"] == "held"


def test_nothing_is_told_before_it_is_committed() -> None:
    """Whenever a notice is published, its decision stands in the ledger already."""
    world = small_world(list_of(ROWS))
    world.publish(event(rows=len(ROWS)))
    while steps := world.steps():
        world.run(steps[-1])
        told = set(_contents(world))
        assert told <= {entry.key.account_id for entry in world.ledger.all_entries()}


def _publish(world: World, entries: list[Entry]) -> None:
    ports = PublishPorts(world.campaigns, world.topic, world.troubles)
    publish_notices([Recorded(Booked(one, ())) for one in entries], ports, 100, FrozenCache())


def test_a_decision_that_cannot_be_told_does_not_keep_others_from_being_told(world: World) -> None:
    entries = world.ledger.all_entries()
    orphan = replace(entries[1], key=replace(entries[1].key, incident_id="nowhere"))
    world.topic.published.clear()

    with pytest.raises(Refused, match="does not exist: 1"):
        _publish(world, [orphan, *entries])

    assert set(_contents(world)) == {"granted-de", "granted-fr", "held-1"}


def test_a_batch_of_nothing_publishes_nothing(world: World) -> None:
    before = len(world.topic.published)
    _publish(world, [entry for entry in world.ledger.all_entries() if entry.key.account_id == "declined-1"])

    assert len(world.topic.published) == before
