"""Lists that turn out to be wrong, or vanish, under way; bad rows among good ones: every other account is untouched.

Each test has a neighbour: another incident whose campaign has closed. Whatever is wrong, nothing of it moves.
"""

from collections.abc import Callable

import pytest

from kulanz.application.campaigns.freeze_policy import REASONS_PER_POLICY
from kulanz.domain.campaigns.campaign import FROZEN_BYTES, Campaign, CampaignId, Pass, State
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.lists.lines import LINE_BYTES
from tests.support.end_state import check_sound, end_state
from tests.support.neighbour import (
    CANARY,
    GOOD,
    GOOD_ROWS,
    NEIGHBOUR,
    campaign_of,
    good_event,
    world_with_neighbour,
)
from tests.support.small_campaign import (
    CAMPAIGN,
    HEADER,
    INCIDENT_ID,
    LIST_KEY,
    ROWS,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import BUCKET, World


@pytest.fixture
def world() -> World:
    return world_with_neighbour()


# Lists that turn out to be wrong in the plan: refused as a whole before anything is granted


def _refused_campaign(world: World, content: bytes, rows: int) -> Campaign:
    before = end_state(world)
    world.lists.upload(LIST_KEY, content)
    world.publish(event(rows=rows))
    world.run_until_quiet()
    after = end_state(world)
    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.REFUSED
    assert after.ledger == before.ledger
    assert after.notices == before.notices
    assert after.campaigns[NEIGHBOUR] == before.campaigns[NEIGHBOUR]
    assert ("Campaign Refused", CAMPAIGN) in after.announced
    assert world.dead_letters == []
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    assert (record.open_seq, record.applied) == (None, ())
    check_sound(world)
    return campaign


@pytest.mark.parametrize("announced", [2, 4])
def test_a_list_with_another_number_of_rows_than_announced_is_refused_before_it_grants(
    world: World, announced: int
) -> None:
    campaign = _refused_campaign(world, GOOD, announced)

    assert campaign.state_reason.startswith("rows_differ")
    assert f"announced by the event: {announced}, rows of the list that are not blank: 3;" in campaign.state_reason


@pytest.mark.parametrize("place", range(4))
def test_an_unbalanced_quote_anywhere_refuses_the_whole_list(world: World, place: int) -> None:
    rows = [*GOOD_ROWS]
    rows.insert(place, row(CANARY).replace(b"consumer", b'"consumer', 1))

    campaign = _refused_campaign(world, list_of(rows), 4)

    assert campaign.state_reason.startswith("quotes_unbalanced: lines with an odd number of double quotes: 1;")
    assert "publish the list again" in campaign.state_reason
    assert CANARY not in campaign.state_reason


def test_a_line_break_inside_a_quoted_field_refuses_the_whole_list(world: World) -> None:
    broken = b'good-9,consumer,yes,1.00,en,"a note\nof two lines"'

    campaign = _refused_campaign(world, list_of([*GOOD_ROWS, broken]), 5)

    assert campaign.state_reason.startswith("quotes_unbalanced: lines with an odd number of double quotes: 2;")


def test_a_field_that_hides_rows_between_two_lines_too_long_refuses_the_whole_list(world: World) -> None:
    """Whoever fills in a free text could otherwise write rows into it, for whom he likes."""
    hidden = row(CANARY)
    broken = (
        b'good-9,consumer,yes,1.00,en,"' + b"z" * 2 * LINE_BYTES + b"\n" + hidden + b"\n" + b"z" * 3 * LINE_BYTES + b'"'
    )

    campaign = _refused_campaign(world, list_of([*GOOD_ROWS, broken]), 6)

    assert campaign.state_reason.startswith("quotes_unbalanced: lines with an odd number of double quotes: 2;")


def test_a_corrected_list_is_a_new_campaign(world: World) -> None:
    _refused_campaign(world, list_of([row(CANARY).replace(b"consumer", b'"consumer', 1), *GOOD_ROWS]), 4)
    version = world.lists.upload(LIST_KEY, GOOD)

    world.publish(event(rows=3, version_id=version))
    world.run_until_quiet()

    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED
    check_sound(world)


# The pinned version deleted under way


def _until(world: World, reached: Callable[[], bool]) -> None:
    while not reached():
        world.run(world.steps()[0])


def _state(world: World) -> State | None:
    found = world.campaigns.campaign(CampaignId.parse(CAMPAIGN))
    return None if found is None else found.state


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
@pytest.mark.parametrize("newer", [True, False], ids=["newer upload", "nothing else"])
def test_a_list_deleted_under_way_pauses_the_campaign_and_a_newer_one_has_no_effect(
    world: World, state: State, newer: bool
) -> None:
    pinned = world.lists.pin(BUCKET, LIST_KEY, None).version_id
    world.publish(good_event())
    _until(world, lambda: _state(world) is state)
    before = end_state(world)
    world.lists.delete_version(LIST_KEY, pinned)
    if newer:
        world.lists.upload(LIST_KEY, list_of([row("somebody-else"), *GOOD_ROWS]))

    world.run_until_quiet()

    campaign, after = world.campaign(CAMPAIGN), end_state(world)
    assert campaign.state is State.PAUSED
    assert campaign.state_reason.startswith("list_version_gone")
    assert "newer upload does not replace it" in campaign.state_reason
    assert after.ledger == before.ledger
    assert ("Campaign Paused", CAMPAIGN) in after.announced
    assert world.dead_letters == []
    record = world.campaigns.incident(INCIDENT_ID)
    assert record is not None
    assert record.open_seq == 1, "a paused campaign still occupies its incident"


@pytest.mark.parametrize("state", [State.PLANNING, State.APPLYING])
def test_a_list_deleted_between_two_reads_of_one_chunk_pauses_the_campaign_without_a_receipt(state: State) -> None:
    rows = [row(f"many-{number:03d}") for number in range(60)]
    world = small_world(list_of(rows), chunk_bytes=10**6)
    pinned = world.lists.pin(BUCKET, LIST_KEY, None).version_id
    world.publish(event(rows=len(rows)))
    _until(world, lambda: _state(world) is state)
    reads = 0

    def delete_before_the_fourth_read(_: int, name: str) -> None:
        nonlocal reads
        reads += name == "lists.read/next"
        if reads == 4:
            world.lists.delete_version(LIST_KEY, pinned)

    world.tap.choose = delete_before_the_fourth_read
    world.run_until_quiet()

    work = {State.PLANNING: Pass.PLAN, State.APPLYING: Pass.APPLY}[state]
    assert world.campaign(CAMPAIGN).state is State.PAUSED
    assert world.campaign(CAMPAIGN).state_reason.startswith("list_version_gone")
    assert list(world.campaigns.receipts(CampaignId.parse(CAMPAIGN), work)) == []
    assert world.ledger.all_entries() == [], "a chunk is read before anything of it is written"
    check_sound(world)


def test_a_list_deleted_after_it_was_applied_changes_nothing_but_the_explanation(world: World) -> None:
    pinned = world.lists.pin(BUCKET, LIST_KEY, None).version_id
    world.publish(good_event())
    world.run_until_quiet()
    before = end_state(world)
    world.lists.delete_version(LIST_KEY, pinned)

    answer = world.ask("good-1", INCIDENT_ID)

    assert end_state(world) == before
    (found,) = answer.decisions
    assert found.explained == "list_gone"
    assert found.decision == read_decision(found.entry.body)


# Rows


@pytest.mark.parametrize(
    ("bad", "reason", "field", "says"),
    [
        (row(""), "account_id_missing", "account_id", "ASCII letters"),
        (row("a@example.com"), "account_id_invalid", "account_id", "not an e-mail address"),
        (row(CANARY, affected="perhaps"), "fact_invalid", "affected", "true or false"),
        (row(CANARY, segment="gold"), "fact_invalid", "segment", "one of consumer, business, prepaid"),
        (row(CANARY, fee="Infinity"), "fact_invalid", "fee", "an amount"),
        (row(CANARY, fee="1e400"), "fact_invalid", "fee", "an amount"),
        (row(CANARY, fee="-0"), "fact_invalid", "fee", "an amount"),
        (row(CANARY, fee="1_000"), "fact_invalid", "fee", "an amount"),
        (row(CANARY, fee="٢٩"), "fact_invalid", "fee", "an amount"),
        (row(CANARY, fee="1.999"), "fact_invalid", "fee", "at most 2 decimals"),
        (b"," + row(CANARY), "field_count", "", "6 fields"),
        (row(CANARY) + b"y" * LINE_BYTES, "line_too_long", "", "at most 65536 bytes"),
        (row(CANARY).replace(b"xx", b"\xc3\x28", 1), "not_utf8", "", "UTF-8"),
        (row(CANARY).replace(b"xx", b"\0", 1), "nul_character", "", "NUL"),
    ],
)
def test_a_bad_row_is_rejected_with_its_place_and_every_other_account_is_decided(
    world: World, bad: bytes, reason: str, field: str, says: str
) -> None:
    rows = [GOOD_ROWS[0], bad, *GOOD_ROWS[1:]]
    clean = small_world(GOOD)
    clean.publish(good_event())
    clean.run_until_quiet()

    world.lists.upload(LIST_KEY, list_of(rows) + b"\n")
    world.publish(event(rows=4))
    world.run_until_quiet()

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED
    assert campaign.apply.totals.results()["rejected", reason] == 1  # type: ignore[index] # a class is its text
    decided = {
        entry.key.account_id: entry.body for entry in world.ledger.all_entries() if entry.key.incident_id == INCIDENT_ID
    }
    assert decided == {entry.key.account_id: entry.body for entry in clean.ledger.all_entries()}
    (problem,) = [text for key, text in world.archive.documents.items() if "/problems/" in key]
    offset = len(HEADER) + 1 + len(GOOD_ROWS[0]) + 1
    assert f'"offset": {offset}' in problem.decode()
    assert f'"reason": "{reason}"' in problem.decode()
    assert says in problem.decode()
    assert (f'"field": "{field}"' in problem.decode()) is bool(field)
    ordinary = row("good-1").decode().split(",")
    for cell in bad.decode("utf-8", "replace").split(","):
        assert cell in ("", *ordinary) or cell not in problem.decode(), "a message repeats a row's value"
    check_sound(world)


def test_an_account_listed_with_two_sets_of_facts_keeps_the_first_and_both_places_are_told(world: World) -> None:
    rows = [*GOOD_ROWS, row("good-1", fee="99.00")]
    world.lists.upload(LIST_KEY, list_of(rows))
    world.publish(event(rows=4))
    world.run_until_quiet()

    (entry,) = world.ledger.of_account("good-1", INCIDENT_ID)
    assert (
        read_decision(entry.body).benefits[0].money
        == read_decision(world.ledger.of_account("good-1", "neighbour")[0].body).benefits[0].money
    )
    (problem,) = [text.decode() for key, text in world.archive.documents.items() if "/problems/apply" in key]
    assert '"reason": "conflict"' in problem
    assert f'"stored_offset": {entry.origin}' in problem
    assert f'"offset": {len(list_of(GOOD_ROWS)) + 1}' in problem


def test_an_inline_list_with_a_bad_row_decides_the_others(world: World) -> None:
    affected = {"s3": None, "rows": 3, "inline": [
        {"account_id": "inline-1", "segment": "consumer", "affected": True, "fee": "10.00"},
        {"account_id": "inline-2", "segment": "consumer", "affected": "perhaps", "fee": "10.00"},
        {"segment": "consumer"},
    ]}  # fmt: skip
    world.publish(good_event(campaign=campaign_of(affected=affected)))
    world.run_until_quiet()

    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert len(world.ledger.of_account("inline-1", INCIDENT_ID)) == 1
    assert world.ledger.of_account("inline-2", INCIDENT_ID) == []
    assert world.campaign(CAMPAIGN).progress(Pass.APPLY).totals.rows() == 3
    check_sound(world)


@pytest.mark.parametrize("clauses", [REASONS_PER_POLICY - 1, REASONS_PER_POLICY])
def test_a_policy_with_more_reasons_than_a_campaign_can_count_is_refused(clauses: int) -> None:
    """Its fact is one of them: it may be unknown."""
    world = small_world()
    written = "".join(f"  - decline: reason_{number}\n    when: fee > {number}.00 EUR\n" for number in range(clauses))
    many = (
        f"kulanz: 1\nid: many\nversion: 1\ntitle: Many\nfacts:\n  fee: money\ncurrency: EUR\nwho:\n{written}pay: fee\n"
    )
    world.policies.publish("many", 1, sealed_policy(many))
    world.publish(event(rows=ROWS, policy="many"))
    world.run_until_quiet()
    if clauses < REASONS_PER_POLICY:
        assert world.rejected.sent == []
        return
    assert [refusal.reason for refusal in world.rejected.sent] == ["policy_too_large"]
    assert "has 61 clauses, amount components and facts" in world.rejected.sent[0].message
    assert world.ledger.all_entries() == []


def test_a_policy_and_an_incident_that_do_not_fit_together_are_refused_with_their_size() -> None:
    """Each by itself is within its limit: a policy that can be published, and facts that an event can state."""
    world = small_world()
    entries = "\n".join(f"    - {'x' * 525}" for _ in range(490))
    long = f"kulanz: 1\nid: long\nversion: 1\ntitle: Long\npay: 5 EUR\nrestrictions:\n  a:\n{entries}\n"
    world.policies.publish("long", 1, sealed_policy(long))
    world.publish(event(rows=ROWS, policy="long", facts={f"fact_{number}": "x" * 500 for number in range(100)}))
    world.run_until_quiet()
    (refusal,) = world.rejected.sent
    assert (refusal.reason, refusal.field) == ("policy_too_large", "detail.campaign.policy")
    assert f"at most {FROZEN_BYTES} can be kept" in refusal.message
    assert world.ledger.all_entries() == []
