"""The contract of DraftStore: of a part the newest stays, whatever comes when; and a confirmation follows another."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from kulanz.application.drafts.draft_ports import Confirmed, Dismissed, Listed, Unread, Upstream
from kulanz.application.ports import Outdated
from kulanz.domain.drafts.following import Followed, Waits, Words
from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, Stamp, order_text
from tests.contract.backends import Backend

NOW = datetime(2026, 3, 10, 10, tzinfo=UTC)
OF = Upstream("it", "q0example7id42")


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def part(minutes: int, title: str = "Calls fail", key: str = "incident") -> Part:
    stamp = Stamp(at(minutes), "told.at", is_assumed=True)
    changes = (Change("voice", stamp, Degree.MAJOR, Degree.OPERATIONAL, "1"), Change("voice", stamp, Degree.PARTIAL))
    told = Reported(title, Course.OPEN, "https://x", stamp, None, changes, {"voice": "Ü"}, frozenset({Mark.REOPENED}))
    return Part("Q0EXAMPLE7ID42", key, order_text(at(minutes)), told)


def test_a_part_reads_back_as_it_was_kept(backend: Backend) -> None:
    assert backend.drafts.parts(OF) == []
    backend.drafts.keep(OF, part(0), NOW)
    backend.drafts.keep(OF, part(1, key="event:E2"), NOW)
    assert backend.drafts.parts(OF) == [part(1, key="event:E2"), part(0)]
    assert backend.drafts.parts(Upstream("it", "other")) == []


def test_of_one_key_the_newest_stays_in_whatever_order_they_come(backend: Backend) -> None:
    parts = [part(0), part(5, "later"), part(5, "Later, and less by its text"), part(2)]
    for number, order in enumerate(permutations(parts)):
        of = Upstream("it", f"i{number}")
        for one in (*order, order[0]):
            backend.drafts.keep(of, one, NOW)
        assert backend.drafts.parts(of) == [part(5, "later")]


def outside(number: int) -> Part:
    change = Change("cvoice#1", Stamp(at(number), "told.at"), Degree.MAJOR, is_own=False)
    told = Reported(changes=(change,), components={"cvoice#1": ""})
    return Part("", f"change:{number}", order_text(at(number)), told)


def changes_of(parts: Sequence[Part]) -> list[Change]:
    return [change for one in parts for change in one.reported.changes]


def test_changes_outside_an_incident_are_found_by_component_and_time(backend: Backend) -> None:
    told = [outside(number) for number in range(5)]
    for one in [*told[::-1], told[2]]:
        backend.drafts.keep_change("it", one, NOW)
    assert backend.drafts.changes("it", "cvoice#1", at(1), at(3)) == changes_of(told[1:4])
    assert backend.drafts.changes("it", "cvoice#1", at(1), None) == changes_of(told[1:])
    assert backend.drafts.changes("it", "cvoice", at(0), None) == []
    assert backend.drafts.changes("other", "cvoice#1", at(0), None) == []


def test_a_month_lists_what_came_in_it_once(backend: Backend) -> None:
    unread = Unread("it", "upstream/it/2026-03-10/abc", "not_json", "expected JSON", NOW)
    others = [Upstream("it", f"i{number}") for number in range(5)]
    for _ in range(2):
        backend.drafts.note_unread(unread)
        for of in others:
            backend.drafts.keep(of, part(0), NOW)
    backend.drafts.keep(OF, part(0), datetime(2026, 4, 1, tzinfo=UTC))
    assert backend.drafts.in_month("2026-04").found == (OF,)
    assert backend.drafts.in_month("2026-05").found == ()

    found, after = list[Upstream | Unread](), ""
    while True:
        page = backend.drafts.in_month("2026-03", after, 2)
        found += page.found
        after = page.after
        if not after:
            break
    assert sorted(found, key=repr) == sorted([unread, *others], key=repr)


CONFIRMED = Confirmed("it-q0example7id42-voice", 1, "d" * 64, {"windows": [["a", None]], "title": "Ü"}, 1, "iam:x", NOW)


def test_a_confirmation_follows_the_one_that_was_read(backend: Backend) -> None:
    drafts = backend.drafts
    assert drafts.confirmed(OF, "voice") is None
    with pytest.raises(Outdated):
        drafts.confirm(OF, "voice", replace(CONFIRMED, count=2))
    drafts.confirm(OF, "voice", CONFIRMED)
    drafts.confirm(OF, "voice", CONFIRMED)  # its reply was lost
    with pytest.raises(Outdated):
        drafts.confirm(OF, "voice", replace(CONFIRMED, by="iam:y"))
    drafts.confirm(OF, "voice", replace(CONFIRMED, count=2, revision=2))
    assert drafts.confirmed(OF, "voice") == replace(CONFIRMED, count=2, revision=2)
    assert drafts.confirmed(OF, "portal") is None
    assert drafts.parts(OF) == [], "a confirmation is no part"


DISMISSED = Dismissed(
    CONFIRMED.draft_id, 1, "d" * 64, {"windows": [], "title": "Ü"}, "a test of the page", "iam:x", NOW
)


def test_a_dismissal_follows_the_one_that_was_read_and_is_no_confirmation(backend: Backend) -> None:
    drafts = backend.drafts
    assert drafts.dismissed(OF, "voice") is None
    with pytest.raises(Outdated):
        drafts.dismiss(OF, "voice", replace(DISMISSED, count=2))
    drafts.dismiss(OF, "voice", DISMISSED)
    drafts.dismiss(OF, "voice", DISMISSED)  # its reply was lost
    with pytest.raises(Outdated):
        drafts.dismiss(OF, "voice", replace(DISMISSED, by="iam:y"))
    drafts.dismiss(OF, "voice", replace(DISMISSED, count=2, reason="again"))
    drafts.dismiss(OF, "", DISMISSED)
    assert drafts.dismissed(OF, "voice") == replace(DISMISSED, count=2, reason="again")
    assert drafts.dismissed(OF, "") == DISMISSED
    assert drafts.confirmed(OF, "voice") is None


SAID = Followed(1, Waits.NEW, "d" * 64, NOW, Words("Ü", "voice", ("calls",), "open", is_planned=False), 1, NOW, False)


def test_what_was_said_of_a_draft_follows_the_record_that_was_read(backend: Backend) -> None:
    drafts = backend.drafts
    assert drafts.followed(OF, "voice") == Followed()
    drafts.follow(OF, "voice", SAID)
    drafts.follow(OF, "voice", SAID)  # its reply was lost
    assert drafts.followed(OF, "voice") == SAID
    with pytest.raises(Outdated):
        drafts.follow(OF, "voice", replace(SAID, digest="e" * 64))
    silent = Followed(2, number=3)
    drafts.follow(OF, "voice", silent)
    assert (drafts.followed(OF, "voice"), drafts.followed(OF, "")) == (silent, Followed())


def test_an_upstream_incident_is_unsettled_until_nothing_came_since_it_was_looked_at(backend: Backend) -> None:
    drafts = backend.drafts
    drafts.keep(OF, part(0), NOW)
    drafts.note_unread(Unread("it", "upstream/it/2026-03-10/abc", "not_json", "expected JSON", NOW))
    assert drafts.unsettled("2026-03") == [Listed(OF, NOW)]
    drafts.settle(Listed(OF, NOW), at(1), is_settled=False)
    assert drafts.unsettled("2026-03") == [Listed(OF, NOW, at(1))]
    drafts.keep(OF, part(2), at(2))
    drafts.settle(Listed(OF, NOW, at(1)), at(3), is_settled=True)
    assert drafts.unsettled("2026-03") == [Listed(OF, at(2))], "something came since"
    drafts.settle(Listed(OF, at(2)), at(3), is_settled=True)
    assert drafts.unsettled("2026-03") == []
    assert drafts.in_month("2026-03").found[0] == OF, "it stays in the month's list"
    drafts.keep(OF, part(4), at(4))
    assert drafts.unsettled("2026-03") == [Listed(OF, at(4))]
