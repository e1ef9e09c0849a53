"""``kulanz drafts`` and ``kulanz draft``: what a person sees of a source's report, and says of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import ENDED
from kulanz_cli import draft as draft_module
from kulanz_cli.drafts import length
from tests.support.received import configure, receive
from tests.support.small_campaign import event, list_of, row, small_world
from tests.support.sources import body_of, recorded
from tests.support.world_stack import WorldStack, run
from tests.unit.application.door.test_drafts import NOW, VOICE

WINDOW = "2026-03-10T09:37:26.995Z/2026-03-10T09:55:28.472Z"


@pytest.fixture
def stack() -> WorldStack:
    made = WorldStack(small_world())
    made.world.now = NOW
    configure(made.served, "statuspage")
    receive(made.served, *recorded("statuspage"))
    return made


def digest_of(stack: WorldStack) -> str:
    content: dict[str, Any] = json.loads(run(stack, "draft", VOICE, "--json").stdout)
    return str(content["digest"])[:12]


def confirm(stack: WorldStack, *words: str) -> Any:
    return run(stack, "draft", VOICE, "--confirm", "--draft", digest_of(stack), *words)


def test_a_month_of_drafts_with_how_long_each_would_be(stack: WorldStack) -> None:
    receive(stack.served, {"no": "delivery"})
    shown = run(stack, "drafts", "--month", "2026-03")
    assert shown.exit_code == 0
    assert [" ".join(line.split()) for line in shown.stdout.splitlines()[:3]] == [
        "draft outage state title",
        "it-0a1b2c3d4e5f-portal none to be confirmed Calls and portal disturbed",
        "it-0a1b2c3d4e5f-voice 18 min 1 s to be confirmed Calls and portal disturbed",
    ]
    assert "not read, not_of_this_source" in shown.stdout
    nothing = run(stack, "drafts", "--month", "2026-04")
    assert (nothing.exit_code, nothing.stdout) == (1, "no source reported anything in 2026-04\n")


def test_a_draft_is_drawn_to_scale_with_all_three_totals_and_the_line_to_type_next(stack: WorldStack) -> None:
    shown = run(stack, "draft", VOICE).stdout
    drawn = next(line for line in shown.splitlines() if "Voice calls" in line).split()[-1]
    assert {letter: drawn.count(letter) for letter in "+#-"} == {"+": 30, "#": 26, "-": 0}, "6 + 13 of 37, and 18 of 37"
    for text in ("18 min 1 s", "37 min 36 s", "(incident_updates.u2.display_at)", "(incident_updates.u5.display_at)"):
        assert text in shown
    assert f"kulanz draft {VOICE} --confirm --draft {digest_of(stack)} --windows proposed" in " ".join(
        shown.split()
    ).replace("\\ ", "")
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "start"),
    [
        (["--windows", "proposed"], "2026-03-10T09:37:26.995000Z"),
        (["--windows", "partial"], "2026-03-10T09:31:02.798000Z"),
        (["--windows", "whole"], "2026-03-10T09:31:02.713000Z"),
        (["--window", WINDOW], "2026-03-10T09:37:26.995000Z"),
        (["--window", "2026-03-10T10:31:03+01:00/.."], "2026-03-10T09:31:03Z"),
    ],
)
def test_a_person_chooses_the_windows(stack: WorldStack, words: list[str], start: str) -> None:
    assert confirm(stack, *words).stdout.startswith(f"Recorded: incident {VOICE}, revision 1.\n")
    revision = stack.world.campaigns.revision(VOICE, 1)
    assert revision is not None
    assert json.loads(revision.content)["windows"][0]["start"] == start
    assert "confirmed as revision 1 by iam:" in run(stack, "draft", VOICE).stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--confirm"], "needs --draft"),
        (["--confirm", "--draft", "0" * 12], "has changed since you looked"),
        (["--confirm", "--draft", "xyz"], "12 digits"),
        (["--windows", "major"], "belong to --confirm"),
        (["--policy", "a/1"], "belong to --confirm"),
    ],
)
def test_what_is_missing_is_said(stack: WorldStack, words: list[str], says: str) -> None:
    result = run(stack, "draft", VOICE, *words)
    assert result.exit_code in (2, 3)
    assert says in " ".join(result.output.split())
    assert stack.world.campaigns.incident(VOICE) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "either --windows or --window"),
        (["--windows", "major", "--window", WINDOW], "either --windows or --window"),
        (["--window", "2026-03-10"], "START/END"),
        (["--window", "2026-03-10T09:00:00Z/"], "or START/.. while it lasts"),
        (["--window", "/2026-03-10T09:00:00Z"], "START/END"),
        (["--window", "2026-03-10T09:00:00/2026-03-10T10:00:00"], "with its offset"),
        (["--windows", "major", "--rows", "3"], "belong to --list"),
    ],
)
def test_windows_that_are_none_are_refused(stack: WorldStack, words: list[str], says: str) -> None:
    result = confirm(stack, *words)
    assert result.exit_code in (2, 3)
    assert says in " ".join(result.output.split())
    assert stack.world.campaigns.incident(VOICE) is None


def test_a_list_needs_a_policy_before_anything_is_uploaded(stack: WorldStack, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("account_id\nA-1\n")
    result = confirm(stack, "--windows", "major", "--list", str(path))
    assert "--policy ID/VERSION" in " ".join(result.output.split())
    unknown = confirm(stack, "--windows", "major", "--list", str(path), "--policy", "nobody/1")
    assert "is not published on this stack" in " ".join(unknown.output.split())
    assert stack.world.campaigns.incident(VOICE) is None


def test_a_confirmation_that_is_sent_again_says_where_its_campaign_is_by_then(
    stack: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = stack.world.lists.upload("lists/d.csv", list_of([row("A-1", fee="50.00")]))
    request = event(key="lists/d.csv", rows=1, version_id=version)["detail"]["campaign"]
    monkeypatch.setattr(draft_module, "_campaign", lambda *_: request)
    path = tmp_path / "a.csv"
    path.write_text("account_id\nA-1\n")
    words = ("--windows", "major", "--list", str(path), "--policy", "net-credit/1", "--id", "c-1")
    first = confirm(stack, *words)
    assert f"Campaign {VOICE}/1 is open (" in first.stdout, first.output
    stack.world.run_until_quiet()
    state = stack.world.campaign(f"{VOICE}/1").state
    assert state in ENDED
    again = confirm(stack, *words)
    assert f"has ended ({state})" in again.stdout, again.output
    assert json.loads(confirm(stack, *words, "--json").stdout)["state"] == state


def test_what_changed_since_and_what_is_held_is_said(stack: WorldStack) -> None:
    confirm(stack, "--windows", "proposed")
    body = body_of("statuspage", "outage-resolved")
    body["incident"] |= {"updated_at": "2026-03-11T08:00:00Z"}
    body["incident"]["incident_updates"][3]["display_at"] = "2026-03-10T09:33:26.995Z"
    receive(stack.served, body)
    shown = " ".join(run(stack, "draft", VOICE).stdout.split())
    assert "since then: now proposed: 2026-03-10T09:33:26.995000Z to 2026-03-10T09:55:28.472000Z" in shown
    assert "! it was written down, or changed, afterwards" in shown

    planned = body_of("statuspage", "maintenance-completed")
    planned["incident"] |= {"id": "planned00001", "status": "scheduled"}
    receive(stack.served, planned)
    assert (
        "It cannot be confirmed: the planned work has not begun" in run(stack, "draft", "it-planned00001-voice").stdout
    )


def test_what_is_no_draft_is_said(stack: WorldStack) -> None:
    result = run(stack, "draft", "it-unknown-voice")
    assert (result.exit_code, "no such draft" in result.output) == (3, True)


SECOND = 1_000_000


@pytest.mark.parametrize(
    ("microseconds", "says"),
    [
        (None, "goes on"),
        (0, "none"),
        (1, "less than 1 s"),
        (SECOND - 1, "less than 1 s"),
        (SECOND, "1 s"),
        (59 * SECOND + 999_999, "59 s"),
        (60 * SECOND, "1 min"),
        (3_599 * SECOND, "59 min 59 s"),
        (3_600 * SECOND, "1 h"),
        (3_661 * SECOND, "1 h 1 min 1 s"),
        (1_234 * 3_600 * SECOND, "1,234 h"),
    ],
)
def test_a_length_is_in_whole_seconds_and_none_is_only_nothing(microseconds: int | None, says: str) -> None:
    assert length(microseconds) == says


def test_a_draft_is_dismissed_for_a_reason_as_it_was_seen(stack: WorldStack) -> None:
    assert f"kulanz draft {VOICE} --dismiss --draft {digest_of(stack)}" in " ".join(
        run(stack, "draft", VOICE).stdout.split()
    ).replace("\\ ", "")
    refused = {
        ("--dismiss",): 2,
        ("--dismiss", "--confirm", "--reason", "a test"): 2,
        ("--dismiss", "--reason", "a test", "--windows", "major"): 2,
        ("--dismiss", "--reason", "a test", "--draft", "0" * 12): 3,
    }
    assert {words: run(stack, "draft", VOICE, *words).exit_code for words in refused} == refused
    done = run(stack, "draft", VOICE, "--dismiss", "--reason", "a test of the page")
    assert (done.exit_code, done.stdout.split()[0]) == (0, "Dismissed:")
    assert "a test of the page" in run(stack, "draft", VOICE).stdout
    listed = next(line for line in run(stack, "drafts", "--month", "2026-03").stdout.splitlines() if VOICE in line)
    assert " dismissed " in listed
    assert all(len(line) <= 80 for line in run(stack, "draft", VOICE).stdout.splitlines())
