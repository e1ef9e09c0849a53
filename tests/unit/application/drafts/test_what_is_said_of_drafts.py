"""What is said of a draft: the event that asks for a person, what is remembered of it, and who has waited how long."""

import json
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.drafts import follow_drafts as following
from kulanz.application.drafts import waiting_long as waiting
from kulanz.application.drafts.follow_drafts import WAITING_VERSION, follow_drafts
from kulanz.application.drafts.waiting_long import LONG_WAITING_MOST, LongWaiting, waiting_long
from kulanz.domain.drafts.following import WAITS_LONG_AFTER, Followed, Waits
from tests.support.values import NOW

MOMENT = timedelta(microseconds=1)


def draft(number: int = 1) -> Any:
    """A draft of three windows, of a service that two persons are asked for."""
    rule = SimpleNamespace(name=f"rule-{number}", text=f"service-{number}", asked=("anna", "bert"))
    return SimpleNamespace(id=f"draft-{number}", digest=f"digest-{number}", rule=rule, windows=[1, 2, 3])


class Drafts:
    """What is stored of drafts, by service."""

    def __init__(self, **followed: Followed) -> None:
        self.stored = followed
        self.told: list[Any] = []

    def confirmed(self, *_: object) -> None:
        return None

    dismissed = confirmed

    def followed(self, _: object, service: str) -> Followed:
        return self.stored.get(service.replace("-", "_"), Followed())

    def follow(self, _: object, service: str, after: Followed) -> None:
        self.stored[service.replace("-", "_")] = after

    def announce(self, announcement: Any) -> None:
        self.told.append(announcement)


def follow(
    store: Drafts, found: Sequence[Any], waits: Sequence[Waits], monkeypatch: pytest.MonkeyPatch, *, page: str = ""
) -> Any:
    """Say what is new of some drafts, of which each waits so."""
    by_id = {one.id: why for one, why in zip(found, waits, strict=True)}
    monkeypatch.setattr(following, "read_drafts", lambda *_: list(found))
    monkeypatch.setattr(following, "waits_for", lambda one, *_: by_id[one.id])
    monkeypatch.setattr(following, "may_still_change", lambda one, _: one.id == "draft-1")
    configured = SimpleNamespace(name="the-source", page=page, notices=False)
    ports = SimpleNamespace(drafts=store, announcer=store)
    return follow_drafts(cast("Any", "upstream"), cast("Any", configured), cast("Any", ports), NOW)


@pytest.mark.parametrize("waits", [Waits.NEW, Waits.CHANGED, Waits.HELD])
def test_a_person_is_asked_with_each_value_under_its_name_and_that_is_remembered(
    waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Drafts()
    found = follow(store, [draft()], [waits], monkeypatch)
    ((announced,), stands) = store.told, store.stored["rule_1"]
    assert json.loads(announced.detail) == {
        "v": WAITING_VERSION, "draft": "draft-1", "digest": "digest-1", "source": "the-source", "service": "service-1",
        "state": waits.value, "windows": 3, "asked": ["anna", "bert"],
    }  # fmt: skip
    assert (stands.asked, stands.digest, stands.asked_at, stands.count) == (waits, "digest-1", NOW, 1)
    assert (found.waiting, found.is_settled) == (("draft-1",), False)
    follow(store, [draft()], [waits], monkeypatch)
    assert len(store.told) == 1, "it is said once"


def test_of_what_waits_no_more_nobody_is_asked_and_no_instant_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Drafts(rule_1=Followed(4, Waits.NEW, "digest-1", NOW - timedelta(days=2)))
    assert follow(store, [draft()], [Waits.NO], monkeypatch).is_settled
    stands = store.stored["rule_1"]
    assert (store.told, stands.asked, stands.asked_at, stands.count) == ([], Waits.NO, None, 5)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_an_upstream_incident_is_settled_where_none_of_its_drafts_may_still_change(
    order: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first draft's page may still change, in whatever order they come."""
    found = [draft(number) for number in order]
    assert not follow(Drafts(), found, [Waits.NO, Waits.NO], monkeypatch, page="https://status").is_settled
    assert follow(Drafts(), found, [Waits.NO, Waits.NO], monkeypatch).is_settled
    assert follow(Drafts(), found[:1], [Waits.NO], monkeypatch, page="https://status").is_settled is (order[0] == 2)


def test_a_draft_has_waited_long_from_a_day_after_it_was_asked_for_and_since_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many upstream incidents are looked at as is said, those first that something came of longest ago."""
    asked_at = {1: NOW - WAITS_LONG_AFTER, 2: NOW - WAITS_LONG_AFTER + MOMENT, 3: NOW - 2 * WAITS_LONG_AFTER}
    last = LONG_WAITING_MOST
    asked_at |= {last: NOW - 3 * WAITS_LONG_AFTER, last + 1: NOW - 4 * WAITS_LONG_AFTER}
    store = Drafts(**{f"rule_{one}": Followed(1, Waits.HELD, "d", at) for one, at in asked_at.items()})
    upstream = [SimpleNamespace(source="s", name=f"{number:03d}") for number in range(1, last + 2)]
    listed = [SimpleNamespace(of=cast("Any", _Key(one)), received_at=NOW) for one in upstream]
    monkeypatch.setattr(waiting, "unsettled_now", lambda *_: list(reversed(listed)))
    monkeypatch.setattr(waiting, "read_drafts", lambda of, *_: [draft(int(of.name))])
    monkeypatch.setattr(waiting, "waits_for", lambda *_: Waits.HELD)
    sources = SimpleNamespace(sources={"s": SimpleNamespace(is_stopped=False)})
    found = waiting_long(cast("Any", sources), cast("Any", store), NOW)
    assert found == [LongWaiting(f"draft-{one}", Waits.HELD, asked_at[one]) for one in (1, 3, last)]


def test_an_incident_that_stands_in_both_months_takes_one_place_of_those_that_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last = LONG_WAITING_MOST
    at = NOW - WAITS_LONG_AFTER
    store = Drafts(**{f"rule_{one}": Followed(1, Waits.HELD, "d", at) for one in (1, last, last + 1)})
    upstream = [_Key(SimpleNamespace(source="s", name=f"{number:03d}")) for number in range(1, last + 2)]
    months = [(one, NOW - timedelta(days=40)) for one in upstream] + [(one, NOW) for one in upstream]
    listed = [SimpleNamespace(of=one, received_at=received) for one, received in months]
    in_turn = sorted(listed, key=lambda one: one.of.name)
    monkeypatch.setattr(waiting, "read_drafts", lambda of, *_: [draft(int(of.name))])
    monkeypatch.setattr(waiting, "waits_for", lambda *_: Waits.HELD)
    sources = SimpleNamespace(sources={"s": SimpleNamespace(is_stopped=False)})
    for received in (listed, [SimpleNamespace(of=one.of, received_at=NOW) for one in in_turn]):
        monkeypatch.setattr(waiting, "unsettled_now", lambda *_, found=received: list(found))
        found = waiting_long(cast("Any", sources), cast("Any", store), NOW)
        assert [one.draft_id for one in found] == ["draft-1", f"draft-{last}"]


class _Key:
    """An upstream incident, known by its source and name."""

    def __init__(self, of: Any) -> None:
        self.source, self.name = of.source, of.name
