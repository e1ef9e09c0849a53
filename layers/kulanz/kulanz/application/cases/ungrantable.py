"""Why a person can grant nothing for a row that contradicts another, or cannot be read: only a list can say more."""

from kulanz.application.ledger.listed_row import ListedRow, listed_row
from kulanz.application.ports import ListStore, PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.ledger.entries import Entry, is_offer
from kulanz.domain.ledger.former_accounts import former_of, is_link
from kulanz.domain.ledger.hand_decision import CaseKind, CaseRow
from kulanz.domain.lists.former_ids import WAS_COLUMN
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.to_bill import TO_BILL_COLUMNS
from kulanz.domain.policy import CompiledPolicy


def ungrantable(
    of: CaseRow, listed: ListedRow, entry: Entry, campaign: Campaign, policy: CompiledPolicy, lists: ListStore
) -> tuple[str, str] | None:
    """Why a person cannot grant anything for a row that contradicts another, or cannot be read; None where one can."""
    is_jsonl, columns = campaign.layout.format is ListFormat.JSONL, campaign.layout.columns
    states_bill = is_jsonl or not set(TO_BILL_COLUMNS).isdisjoint(columns)
    if of.kind is CaseKind.REJECTED:
        return _ungrantable_unread(listed, states_bill=states_bill, states_former=is_jsonl or WAS_COLUMN in columns)
    if is_link(entry) or listed.former != former_of(entry.body):
        return "former_differs", (
            "the account had another id, and what the rows say of that differs: correct the list, and request a further"
            " campaign"
        )
    if is_offer(entry):
        return "offer_stands", "what stands is an offer, which the customer may accept; request a further campaign"
    if campaign.keeps_history:
        return "history_needs_campaign", (
            "the policy counts what its subjects had before: correct the list, and request a further campaign"
        )
    decided = _decided_by_row(entry, campaign, policy, lists) if states_bill else None
    if states_bill and (decided is None or decided.to_bill != listed.to_bill):
        return "bills_differ", (
            "the rows name different bills, and the credit goes to that of the decided row: correct the list, and"
            " request a further campaign"
        )
    return None


def _ungrantable_unread(listed: ListedRow, *, states_bill: bool, states_former: bool) -> tuple[str, str] | None:
    """The same for a row that cannot be read, of a list whose rows may state a bill, and the account's former id."""
    if states_former and (not listed.account_id or listed.former is not None):
        return "former_unknown", (
            "rows of this list may name the former id of an account, under which it may have been credited: correct the"
            " row, and request a further campaign"
        )
    if states_bill and listed.to_bill is None:
        return "bill_unknown", (
            "rows of this list may say which account at the biller is meant, and this row cannot be read: correct it,"
            " and request a further campaign"
        )
    return None


def _decided_by_row(entry: Entry, campaign: Campaign, policy: CompiledPolicy, lists: ListStore) -> ListedRow | None:
    try:
        return listed_row(campaign, policy, entry.origin, lists)
    except PinnedVersionGone:
        return None
