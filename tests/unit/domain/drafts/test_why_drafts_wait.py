"""Why a draft waits for a person, beside what a person confirmed or dismissed of it last."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.drafts.draft import Draft, Mapped, ServiceRule, SourceMap, drafts_of
from kulanz.domain.drafts.following import Waits, waits_for
from kulanz.domain.drafts.reported import Change, Course, Degree, Part, Reported, Stamp

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
BEGAN, ENDED = Stamp(NOON, "told"), Stamp(NOON + timedelta(hours=1), "told")
CHANGES = (Change("voice", BEGAN, Degree.MAJOR), Change("voice", ENDED, Degree.OPERATIONAL))
RULES = {"voice": ServiceRule("voice", "Voice")}


def draft(course: Course = Course.RESOLVED, **components: str) -> Draft:
    """The draft of an outage of an hour."""
    told = Reported("Down", course, "", BEGAN, ENDED, CHANGES, {"voice": "Voice", **components})
    (found,) = drafts_of(
        [Part("i-1", "incident", "1", told)], (), SourceMap("it", {"voice": Mapped("voice")}, RULES), "i"
    )
    return found


DRAFTS = {Waits.NEW: draft(), Waits.HELD: draft(other="Nobody knows"), Waits.NO: draft(Course.CANCELLED)}
"""By why each waits where no person has said anything of it."""
SAME, OTHER = "same", "other"


@pytest.mark.parametrize("confirmed", [None, SAME, OTHER])
@pytest.mark.parametrize("dismissed", [None, SAME, OTHER])
@pytest.mark.parametrize("alone", DRAFTS)
def test_what_a_person_said_last_decides_whether_it_waits(alone: Waits, confirmed: Any, dismissed: Any) -> None:
    one = DRAFTS[alone]
    digests = [{SAME: one.digest, OTHER: "0" * 64}.get(said) for said in (confirmed, dismissed)]
    if SAME in (confirmed, dismissed):
        expected = Waits.NO
    elif confirmed == OTHER or (dismissed == OTHER and alone is Waits.NEW):
        expected = Waits.CHANGED
    else:  # what is held, or what nobody has to confirm, stays so whatever was dismissed before
        expected = alone
    assert waits_for(one, *digests) is expected
