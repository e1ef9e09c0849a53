"""A campaign over a list in parts is the campaign over one file, whatever crashes; a part that is wrong is named."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest

from kulanz.application.ledger.answer import Explained
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.lists.header import HEADER_BYTES
from kulanz.domain.lists.lines import LINE_BYTES
from kulanz.domain.lists.manifest import Manifest, Part
from tests.support.end_state import check_sound, end_state
from tests.support.fake_bucket import FakeLists
from tests.support.faults import Fault, Tap
from tests.support.small_campaign import (
    CAMPAIGN,
    EVERY_KIND_OF_LINE,
    HEADER,
    LIST_KEY,
    event,
    row,
    small_world,
)
from tests.support.world import World

MANIFEST_KEY = f"{LIST_KEY}.manifest.json"
PARTS = 200
HEADER_LINE = HEADER + b"\n"
LINES = [line for line in EVERY_KIND_OF_LINE.values() if len(line) < LINE_BYTES]
LINES += [row(f"more-{number}", fee=f"{number}.50") for number in range(PARTS)]
ROWS = sum(line not in (b"", b"\r") for line in LINES)
WHOLE = HEADER_LINE + b"".join(line + b"\n" for line in LINES)


def cut(lines: Sequence[bytes], parts: int, seed: int = 0) -> list[bytes]:
    """Lines in so many parts of different lengths, some without any row; no two with the same rows."""
    chance = random.Random(seed)
    while True:
        bounds = [0, *sorted(chance.choices(range(len(lines) + 1), k=parts - 1)), len(lines)]
        found = [b"".join(line + b"\n" for line in lines[a:b]) for a, b in pairwise(bounds)]
        filled = [rows for rows in found if rows]
        if len(set(filled)) == len(filled):
            return found


def uploaded(lists: FakeLists, contents: Sequence[bytes], header: bytes = HEADER_LINE) -> Manifest:
    """Parts in the bucket, and the manifest that pins them."""
    parts = []
    for number, rows in enumerate(contents):
        key = f"lists/net-outage/part-{number:05d}.csv"
        lists.upload(key, header + rows)
        pinned = lists.pin(lists.bucket, key, None)
        parts.append(Part(key, pinned.version_id, pinned.etag, pinned.size))
    manifest = Manifest(header, tuple(parts))
    lists.upload(MANIFEST_KEY, manifest.text())
    return manifest


def over_parts(contents: Sequence[bytes], rows: int = ROWS, **settings: object) -> World:
    """A world whose list is in parts, and the campaign requested; nothing has run yet."""
    world = small_world(WHOLE, **settings)
    uploaded(world.lists, contents)
    world.publish(event(key=MANIFEST_KEY, rows=rows))
    return world


def over_one_file() -> World:
    world = small_world(WHOLE)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def told(world: World) -> object:
    """What a world came to, without the digest of the request, which names the list."""
    state = end_state(world)
    campaigns = {
        name: {key: value for key, value in campaign.items() if key != "incident"}
        for name, campaign in state.campaigns.items()
    }
    return state.ledger, state.notices, state.problems, campaigns, state.announced


def test_a_campaign_over_200_parts_is_the_campaign_over_one_file() -> None:
    world = over_parts(cut(LINES, PARTS))
    world.run_until_quiet()
    check_sound(world)
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert world.campaign(CAMPAIGN).pinned.size == len(WHOLE)
    assert told(world) == told(over_one_file())


@pytest.mark.parametrize("seed", range(1, 6))
def test_it_is_so_whatever_crashes_on_the_way(seed: int) -> None:
    chance = random.Random(seed)
    crashes = [0]

    def choose(_: int, name: str) -> Fault | None:
        often = 0.003 if name.startswith("lists.") else 0.1  # each part is some calls
        if not world.openings or chance.random() > often:
            return None
        crashes[0] += 1
        return chance.choice([Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST, Fault.REQUEST_LOST])

    world = over_parts(cut(LINES, PARTS, seed), tap=Tap(choose))
    world.run_until_quiet(lambda steps: chance.choice(list(steps)))
    world.tap = Tap()
    while world.dead_letters:
        world.redrive()
        world.run_until_quiet()
    assert crashes[0] > 5, "this seed crashes nothing"
    ours, expected = end_state(world, origins=False), end_state(over_one_file(), origins=False)
    assert ours.ledger == expected.ledger
    assert set(ours.notices) == set(expected.notices)
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_an_account_is_explained_by_its_row_in_its_part() -> None:
    world, one_file = over_parts(cut(LINES, PARTS)), over_one_file()
    world.run_until_quiet()
    for account in ("granted-1", "held-2", "more-0", f"more-{PARTS - 1}"):
        (found,), (expected,) = world.ask(account).decisions, one_file.ask(account).decisions
        assert found.explained is Explained.AGREES
        assert found.steps == expected.steps


FIRST_ROWS = 40
FIRST_PART = b"".join(row(f"first-{number}") + b"\n" for number in range(FIRST_ROWS))
"""More bytes than are read for the header when an event comes."""
assert len(FIRST_PART) > HEADER_BYTES


def refused(world: World) -> str:
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.REFUSED
    assert not list(world.ledger.all_entries()), "nobody was paid"
    return campaign.state_reason


def test_a_part_with_another_header_refuses_the_plan_and_is_named() -> None:
    world = small_world(WHOLE)
    contents = [FIRST_PART, LINES[2] + b"\n"]
    manifest = uploaded(world.lists, contents)
    other = manifest.parts[1]
    version = world.lists.upload(other.key, HEADER_LINE.replace(b"fee", b"fie") + contents[1])
    pinned = world.lists.pin(world.lists.bucket, other.key, version)
    changed = other._replace(version_id=version, etag=pinned.etag)
    world.lists.upload(MANIFEST_KEY, Manifest(HEADER_LINE, (manifest.parts[0], changed)).text())
    world.publish(event(key=MANIFEST_KEY, rows=FIRST_ROWS + 1))
    reason = refused(world)
    assert reason.startswith("part_differs")
    assert other.key in reason


def test_a_part_that_was_cut_off_refuses_the_plan_and_is_named() -> None:
    world = small_world(WHOLE)
    uploaded(world.lists, [FIRST_PART, LINES[1][:20], LINES[2] + b"\n"])
    world.publish(event(key=MANIFEST_KEY, rows=FIRST_ROWS + 2))
    reason = refused(world)
    assert reason.startswith("part_cut_off")
    assert "part-00001.csv" in reason


def test_a_header_inside_a_part_is_reported_as_one() -> None:
    world = small_world(WHOLE)
    uploaded(world.lists, [LINES[0] + b"\n" + HEADER_LINE, LINES[1] + b"\n"])
    world.publish(event(key=MANIFEST_KEY, rows=3))
    world.run_until_quiet()
    problems = b"".join(content for key, content in world.archive.documents.items() if "/problems/" in key)
    assert b"header_repeated" in problems


def test_a_part_that_is_gone_pauses_the_campaign_and_is_named() -> None:
    world = small_world(WHOLE)
    manifest = uploaded(world.lists, [FIRST_PART, LINES[2] + b"\n"])
    gone = manifest.parts[1]
    world.lists.delete_version(gone.key, gone.version_id)
    world.publish(event(key=MANIFEST_KEY, rows=FIRST_ROWS + 1))
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.PAUSED
    assert gone.key in campaign.state_reason


def test_a_later_upload_of_a_part_changes_nothing() -> None:
    world = small_world(WHOLE)
    manifest = uploaded(world.lists, cut(LINES, 5))
    for part in manifest.parts:
        world.lists.upload(part.key, HEADER_LINE + row("stranger", fee="1000.00") + b"\n")
    world.publish(event(key=MANIFEST_KEY, rows=ROWS))
    world.run_until_quiet()
    assert told(world) == told(over_one_file())


def test_a_manifest_that_names_a_part_twice_refuses_the_event() -> None:
    world = small_world(WHOLE)
    manifest = uploaded(world.lists, cut(LINES, 3))
    world.lists.upload(MANIFEST_KEY, Manifest(HEADER_LINE, (*manifest.parts, manifest.parts[0])).text())
    world.publish(event(key=MANIFEST_KEY, rows=ROWS))
    world.run_until_quiet()
    (rejection,) = world.rejected.sent
    assert rejection.reason == "part_twice"
    assert manifest.parts[0].key in rejection.message


def test_the_same_parts_uploaded_again_are_known_as_the_same_list() -> None:
    world = over_parts(cut(LINES, 7))
    world.run_until_quiet()
    uploaded(world.lists, cut(LINES, 7))
    world.publish(event(key=MANIFEST_KEY, rows=ROWS, incident_id="net-outage-again"))
    world.run_until_quiet()
    again = world.campaign("net-outage-again/1")
    assert again.state is State.REFUSED
    assert again.state_reason.startswith("same_outage_twice")


def test_a_part_that_is_wrong_at_the_beginning_refuses_the_event_and_is_named() -> None:
    world = small_world(WHOLE)
    manifest = uploaded(world.lists, [LINES[0] + b"\n", LINES[1] + b"\n"])
    gone = manifest.parts[1]
    world.lists.delete_version(gone.key, gone.version_id)
    world.publish(event(key=MANIFEST_KEY, rows=2))
    world.run_until_quiet()
    (rejection,) = world.rejected.sent
    assert rejection.reason == "list_missing"
    assert gone.key in rejection.message
