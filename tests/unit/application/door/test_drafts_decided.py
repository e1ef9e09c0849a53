"""What a person said of a draft, and what its source said since: which of them counts, in every order."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.door import drafts as module
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.cursors import read_cursor
from kulanz.application.drafts.draft_ports import Unread
from kulanz.application.ports import Page
from tests.support.sources import recorded
from tests.unit.application.door.test_drafts import NOW, VOICE, WINDOW, Desk, dismiss, later, listed_states

ENDED = "2026-03-10T09:55:28.472000Z"
CONFIRM, DISMISS = "confirm", "dismiss"


def began(version: int) -> str:
    """When the outage began, by the source's telling of this number; each is two minutes earlier."""
    return f"2026-03-10T09:{37 - 2 * version}:26.995000Z"


def told(version: int) -> Any:
    """The outage as its page has it by then."""
    body = later(status="postmortem", updated_at=f"2026-03-1{version}T08:00:00Z")
    body["incident"]["incident_updates"][3]["display_at"] = began(version)
    return body


STORIES: Sequence[tuple[list[tuple[int, str]], int, str, int | None]] = [
    ([], 0, "new", None),
    ([], 2, "new", None),
    ([(0, CONFIRM)], 0, "confirmed", None),
    ([(0, CONFIRM)], 1, "changed", 0),
    ([(0, DISMISS)], 0, "dismissed", None),
    ([(0, DISMISS)], 1, "reopened", 0),
    ([(0, CONFIRM), (1, DISMISS)], 1, "dismissed", 0),
    ([(0, CONFIRM), (1, DISMISS)], 2, "changed", 0),
    ([(0, DISMISS), (1, CONFIRM)], 1, "confirmed", None),
    ([(0, DISMISS), (1, CONFIRM)], 2, "changed", 1),
    ([(0, CONFIRM), (1, CONFIRM)], 1, "confirmed", None),
    ([(0, CONFIRM), (1, CONFIRM)], 2, "changed", 1),
    ([(0, DISMISS), (1, DISMISS)], 1, "dismissed", None),
    ([(0, DISMISS), (1, DISMISS)], 2, "reopened", 1),
    ([(0, CONFIRM), (1, CONFIRM), (2, DISMISS)], 2, "dismissed", 1),
]


@pytest.mark.parametrize(("said", "now", "state", "since"), STORIES)
def test_what_was_confirmed_last_counts_and_what_was_dismissed_only_where_nothing_was(
    said: list[tuple[int, str]], now: int, state: str, since: int | None
) -> None:
    """What has changed is told from that telling, which is not the first one nor always the last."""
    desk = Desk(*recorded("statuspage"))
    words, at = dict(said), 0
    for version in range(now + 1):
        if version:
            desk.deliver(told(version))
            at = version
        if version in words:
            done = desk.confirm(f"c{version}") if words[version] == CONFIRM else dismiss(desk, f"d{version}")
            assert done.status == 200, done.content
    draft = desk.draft()
    assert listed_states(desk)[VOICE] == state
    gone = [one for one in draft["changed"] if one.startswith("not proposed any more")]
    assert gone == ([] if since is None else [f"not proposed any more: {began(since)} to {ENDED}"])
    assert [one for one in draft["changed"] if one.startswith("now proposed")] == (
        [] if since is None else [f"now proposed: {began(at)} to {ENDED}"]
    )
    counts = [words.get(one) for one in sorted(words)]
    stored = [draft["confirmed"], draft["dismissed"]]
    assert [one is not None for one in stored] == [CONFIRM in counts, DISMISS in counts]


def test_what_was_withdrawn_is_declared_again_by_a_confirmation_that_says_the_same() -> None:
    """Or who confirms it would be answered with an incident that stays withdrawn, and for which nothing is owed."""
    desk = Desk(*recorded("statuspage"))
    assert desk.confirm().content["revision"] == 1
    said = desk.get(f"incidents/revision/{VOICE}/1").content["content"]
    incident = {name: value for name, value in said.items() if name not in ("incident_id", "revision")}
    body = {"detail_type": "Incident Withdrawn", "incident": incident}
    assert desk.put(f"requests/incidents/{VOICE}/2", body).status == 200
    assert desk.confirm("c2").content["revision"] == 3
    again = desk.get(f"incidents/revision/{VOICE}/3").content
    assert again["detail_type"] == "Incident Amended"
    assert {**again["content"], "revision": 1} == said
    assert desk.draft()["confirmed"]["revision"] == 3


@pytest.mark.parametrize("functions", [None, [], ["a data plan", "calls"]])
@pytest.mark.parametrize("title", [None, "Nobody could call"])
def test_what_a_person_states_counts_and_else_what_the_draft_proposes(
    functions: list[str] | None, title: str | None
) -> None:
    """A list of no function says that none is meant; left out, it is that of the draft."""
    desk = Desk(*recorded("statuspage"))
    draft = desk.draft()
    more: dict[str, Any] = {
        name: value for name, value in (("functions", functions), ("title", title)) if value is not None
    }
    assert desk.confirm(**more).status == 200
    content = desk.get(f"incidents/revision/{VOICE}/1").content["content"]
    assert (bool(draft["functions"]), bool(draft["title"])) == (True, True)
    assert content["functions"] == (draft["functions"] if functions is None else functions)
    assert content["title"] == (title or draft["title"])
    assert content["windows"] == [{"start": "2026-03-10T09:37:26.995000Z", "end": ENDED}]
    assert WINDOW["end"][:-1] in ENDED


@pytest.mark.parametrize("unread", [0, 1, 3])
def test_a_month_goes_on_behind_a_page_without_any_draft(unread: int) -> None:
    """A page of nothing but what could not be read, or of nothing, has a rest as well."""
    found = [Unread("status", f"sources/{n}", "not_json", "expected JSON", NOW) for n in range(unread)]
    drafts = SimpleNamespace(in_month=lambda *_: Page(tuple(found), "status#9"))
    asked = SimpleNamespace(of={"month": "2026-03"}, question={"": "drafts", "/month": "2026-03"}, query={})
    answer = module.of_month(cast("Asked", asked), cast("Door", SimpleNamespace(drafts=drafts)))
    assert (answer["drafts"], len(answer["unread"])) == ([], unread)
    assert answer["next"] is not None
    assert read_cursor(asked.question, answer["next"]) == "status#9"
