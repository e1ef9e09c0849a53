"""Sums and marks that answers and stored actions are made of."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.door import bill, stops
from kulanz.application.door.actions import FIELD_MARK_CHARACTERS, _marks
from kulanz.domain.campaigns.campaign import CampaignId

TEXTS = st.text(min_size=1, max_size=40)


@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.lists(TEXTS, max_size=3), max_size=4))
def test_a_stored_action_says_which_fields_differ_and_holds_no_value(body: dict[str, Any]) -> None:
    marks = _marks(body)
    assert marks.keys() == body.keys()
    assert all(re.fullmatch(f"[0-9a-f]{{{FIELD_MARK_CHARACTERS}}}", mark) for mark in marks.values())
    assert _marks({**body, "left_out": None}) == marks
    for name, value in body.items():
        assert marks[name] == _marks({name: value})[name] != _marks({name: [value]})[name]


def test_what_is_late_of_several_deadlines_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = CampaignId("outage", 1), CampaignId("outage", 2)
    late = [(first, "EUR", 500), (first, "EUR", 250), (first, "GB", 3), (second, "EUR", 7), (first, "EUR", 1)]
    found = [(SimpleNamespace(campaign=one, measure=measure), 1, size) for one, measure, size in late]
    monkeypatch.setattr(bill, "look_at_dues", lambda *_, **__: SimpleNamespace(late=found))
    world: Any = SimpleNamespace(dues=None, now=None, warn_before=None, troubles=SimpleNamespace(troubles=list))
    assert bill.of_all_campaigns(world, world).late == {
        (str(first), "EUR"): 751, (str(first), "GB"): 3, (str(second), "EUR"): 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("actor", "name", "is_mine"),
    [("anna", "stop-1", True), ("ben", "stop-1", False), ("anna", "stop-2", False), ("", "", False)],
)
def test_a_stop_in_the_log_is_this_very_action_by_its_actor_and_its_id(actor: str, name: str, is_mine: bool) -> None:
    asked: Any = SimpleNamespace(caller=SimpleNamespace(id="anna"), of={"id": "stop-1"})
    change: Any = SimpleNamespace(cause=SimpleNamespace(actor=actor, event_id=name))
    assert stops._is_by(asked, change) is is_mine
