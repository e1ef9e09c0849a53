"""Since when an id is an account's: by whatever decision says so last, under this id or under the other one."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.ledger import held_since as module
from kulanz.application.ledger.held_since import held_since
from kulanz.domain.ledger.entries import DecisionKey
from tests.support.values import NOW


def decision(account: str, hours: int | None, other: str = "") -> Any:
    """A decision whose row says that the account got its id so many hours ago; `other`: it stands under that id."""

    class One(SimpleNamespace):
        def __replace__(self, **changes: Any) -> Any:
            return One(**{**vars(self), **changes})

    since = None if hours is None else SimpleNamespace(since=NOW - timedelta(hours=hours))
    return One(key=DecisionKey(account, "outage", "-", 1), body=SimpleNamespace(since=since, other=other))


@pytest.mark.parametrize(
    ("under_it", "under_other", "hours"),
    [
        ([None], [], None),
        ([9], [], 9),
        ([9, None, 4, 7], [], 4),
        ([9], [3], 3),
        ([3], [9], 3),
        ([], [5, 2], 2),
    ],
)
def test_the_latest_instant_counts_wherever_it_stands_and_in_whatever_order(
    under_it: Sequence[int | None], under_other: Sequence[int], hours: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "former_of", lambda body: body.since)
    monkeypatch.setattr(module, "is_link", lambda one: bool(one.body.other))
    monkeypatch.setattr(module, "other_id", lambda body: body.other)
    own = [decision("old", one) for one in under_it]
    links = [decision("old", None, f"new-{place}") for place in range(len(under_other))]
    stands = {
        DecisionKey(f"new-{place}", "outage", "-", 1): decision(f"new-{place}", one)
        for place, one in enumerate(under_other)
    }
    ledger: Any = SimpleNamespace(standing=lambda keys: {key: stands[key] for key in keys})
    for order in permutations([*own, *links]):
        assert held_since(order, ledger) == (None if hours is None else NOW - timedelta(hours=hours))
