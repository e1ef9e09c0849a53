"""What earlier campaigns of an incident have decided about some subjects, under every id that their accounts had."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from kulanz.application.ports import Ledger
from kulanz.domain.ledger.earlier_decisions import Before, stands_before
from kulanz.domain.ledger.entries import DecisionKey, Entry, net_worth
from kulanz.domain.ledger.former_accounts import FORMER_IDS_MOST, former_of, other_id
from kulanz.domain.lists.former_ids import Former

type UnitPlace = tuple[str, str]
"""An account and a subject of it."""


class Earlier(NamedTuple):
    """What earlier campaigns decided about a subject, and under which other ids than the asked one its account was
    looked for.
    """

    before: Before | None
    other_ids: tuple[str, ...] = ()


NOTHING_EARLIER = Earlier(None)


@dataclass(frozen=True, slots=True)
class EarlierReader:
    """Reads what some campaigns of an incident have decided. `follows` are these, by seq, the earliest first.

    `began_at` is when the incident began.
    """

    incident_id: str
    follows: tuple[int, ...]
    began_at: datetime
    ledger: Ledger

    def read(self, asked: Mapping[UnitPlace, Former | None]) -> Mapping[UnitPlace, Earlier]:
        """What stands about some subjects now. `asked` has what is known of each account's former id.

        An account is looked for under its own id, under its former one, and under whatever other ids its decisions
        name: a list may name an account that changed by any of them.
        """
        ids = {place: [place[0], *(() if was is None else (was.account_id,))] for place, was in asked.items()}
        found = self._standing(ids)
        further = self._further(ids, found)
        while further:  # an account has at most twice FORMER_IDS_MOST
            for place, some in further.items():
                ids[place].extend(some[:FORMER_IDS_MOST])
            found |= self._standing(further)
            further = self._further(ids, found)
        return {
            place: Earlier(self._before(place, some, found, asked[place]), tuple(some[1:]))
            for place, some in ids.items()
        }

    def _keys(self, place: UnitPlace, accounts: Iterable[str]) -> list[DecisionKey]:
        """The keys under which a subject may have been decided, the earliest campaign first."""
        return [DecisionKey(one, self.incident_id, place[1], seq) for seq in self.follows for one in accounts]

    def _standing(self, ids: Mapping[UnitPlace, Iterable[str]]) -> dict[DecisionKey, Entry]:
        keys = dict.fromkeys(key for place, some in ids.items() for key in self._keys(place, some))
        return self.ledger.standing(list(keys)) if keys else {}

    def _further(
        self, ids: Mapping[UnitPlace, list[str]], found: Mapping[DecisionKey, Entry]
    ) -> dict[UnitPlace, list[str]]:
        """The ids that decisions name and under which nobody has looked; of most lists there are none."""
        named: dict[UnitPlace, list[str]] = {}
        for key, entry in found.items():
            if other := other_id(entry.body):
                named.setdefault((key.account_id, key.subject), []).append(other)
        if not named:
            return {}
        further: dict[UnitPlace, list[str]] = {}
        for place, some in ids.items():
            new = {other for one in some for other in named.get((one, place[1]), ())} - set(some)
            if new and len(some) <= FORMER_IDS_MOST:
                further[place] = sorted(new)
        return further

    def _before(
        self,
        place: UnitPlace,
        accounts: list[str],
        found: Mapping[DecisionKey, Entry],
        former: Former | None,
    ) -> Before | None:
        """What stands, and whether it is in doubt: another account's, perhaps, or not all.

        The doubt stays where a later list does not name the former id, or a third one. It ends where a person granted
        something under the very id that is asked for, of a row that named the former one.
        """
        entries = [found[key] for key in self._keys(place, accounts) if key in found]
        before, is_cut = stands_before(entries), len(accounts) > FORMER_IDS_MOST
        if is_cut:  # what was granted may stand under an id at which nobody has looked
            before = before or Before(None, ())
        if before is None or len(accounts) == 1:
            return before
        if not (is_cut or self._gave_id_up_before(place[0], entries, former)):
            return before
        own, others = (
            [one for one in entries if (one.key.account_id == place[0]) is is_own and any(net_worth(one).values())]
            for is_own in (True, False)
        )
        is_resolved = any(one.by_hand is not None and former_of(one.body) is not None for one in own)
        return replace(before, is_in_doubt=True) if (others or is_cut) and not is_resolved else before

    def _gave_id_up_before(self, account_id: str, entries: Iterable[Entry], former: Former | None) -> bool:
        """Whether an id was given up before the incident began, by the latest list that says since when."""
        since = {(one.key.account_id, was.account_id): was.since for one in entries if (was := former_of(one.body))}
        if former is not None:
            since[account_id, former.account_id] = former.since
        return any(one <= self.began_at for one in since.values())
