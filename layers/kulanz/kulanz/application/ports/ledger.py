"""The decisions about accounts."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.ledger.entries import DecisionKey, Entry, EntryWithFormer, EntryWithHistory, HistoryMoved
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory


class Ledger(Protocol):
    """The decisions. Insert if absent; nothing is overwritten."""

    def insert(self, entries: Sequence[Entry]) -> list[Entry | None]:
        """Insert entries with distinct keys; for each, None when it was written, else the entry that stands there.

        Raises TryAgain when some could not be written within the adapter's bounds; the others stand.
        """

    def insert_with_history(self, entries: Sequence[EntryWithHistory]) -> list[Entry | HistoryMoved | None]:
        """Insert entries with distinct keys, each in one step with its subject's history as it is after it.

        For each: None when both were written; the entry that stands there; or MOVED when nothing stands there and the
        subject's history is not the one that was read. Raises TryAgain as `insert` does.
        """

    def insert_with_former(self, entries: Sequence[EntryWithFormer]) -> list[Entry | HistoryMoved | None]:
        """Insert entries, each in one step with what takes the places under its account's other ids, and its histories.

        For each: None when all was written; the entry that stands under its key, else under another id's; or MOVED
        when none stands and a history is not the one that was read. Raises TryAgain as `insert` does.
        """

    def histories(self, keys: Sequence[HistoryKey]) -> dict[HistoryKey, SubjectHistory]:
        """The histories of some subjects, as far as there are any, read consistently."""

    def standing(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Entry]:
        """The entries that stand under some keys, read consistently."""

    def of_account(self, account_id: str, incident_id: str | None = None) -> list[Entry]:
        """The decisions about an account (of one incident), read consistently."""


class RecognisedRows(Protocol):
    """The rejected rows of lists whose account a person recognised."""

    def recognised(self, campaign_id: CampaignId, start: int, stop: int) -> Mapping[int, DecisionKey]:
        """The decisions about a campaign's rejected rows that start in `[start, stop)`, by where the row starts."""
