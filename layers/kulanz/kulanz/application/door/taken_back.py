"""What was taken back of a decision: how much, when, by which role and why."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypedDict

from kulanz.application.delivery.world import Booked, VoidStore
from kulanz.domain.byhand.sizes import size_text
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.entries import REVERSAL_ANSWERS, CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.delivery.void import void_named_by
from kulanz.domain.ledger.entries import granted_benefits
from kulanz.domain.time import format_instant


class TakenBackAnswer(TypedDict):
    """What a void took back of a decision. `sums` are exact texts by measure, money in minor units; less than nothing
    where the biller had taken it back, and then undid that.

    `role` is that of whoever asked for the void: `requester`, or `machine`. `approved_by` is how many persons approved
    it, and `reason` why it was asked for. The audit log has who they were.
    """

    at: str
    sums: Mapping[str, str]
    void: str
    role: str
    approved_by: int
    reason: str


def taken_back(booked: Booked, voids: VoidStore) -> Iterator[TakenBackAnswer]:
    """What voids took back of a decision, the earliest first."""
    key = booked.entry.key
    for number, one in enumerate(booked.entries):
        name = void_named_by(_void_of(booked.entries, one), key.incident_id)
        if name is None:
            continue
        sums: dict[str, Size] = {}
        for place, benefit in enumerate(granted_benefits(booked.entry)):
            measure, size = worth_of(benefit)
            before, after = (
                standing(booked.entries[:end], place, size).shares(size).get(CreditState.VOIDED, 0)
                for end in (number, number + 1)
            )
            if after != before:
                sums[measure] = sums.get(measure, 0) + after - before
        if not sums:
            continue
        yield _answer(name, format_instant(one.at), sums, voids)


def _void_of(entries: Sequence[CreditEntry], one: CreditEntry) -> str:
    """By what a void wrote an entry, or asked the biller for what the entry answers; empty where it is neither."""
    if one.kind in (EntryKind.VOIDED, EntryKind.REDUCED):
        return one.id
    if one.kind not in REVERSAL_ANSWERS.values():
        return ""
    kind, place = EntryKind.REVERSAL_ASKED, one.benefits[0]
    asked = [other.id for other in entries if other.kind is kind and place in other.benefits]
    return asked[one.attempt - 1]


def _answer(name: VoidId, at: str, sums: Mapping[str, Size], voids: VoidStore) -> TakenBackAnswer:
    void = voids.void(name)
    return {
        "at": at,
        "sums": {measure: str(size) for measure, size in sorted(sums.items())},
        "void": str(name),
        "role": "requester" if void is not None and void.requester else "machine",
        "approved_by": 0 if void is None else len(void.approvals),
        "reason": "" if void is None else void.reason,
    }


def taken_back_step(one: TakenBackAnswer) -> str:
    """What was taken back, as a step of an explanation."""
    persons = "1 person" if one["approved_by"] == 1 else f"{one['approved_by']} persons"
    sizes = {measure: _size(text) for measure, text in one["sums"].items()}
    is_undone = any(size < 0 for size in sizes.values())
    sums = " + ".join(size_text(_size(text.lstrip("-")), measure) for measure, text in one["sums"].items())
    if is_undone:
        return f"Given again on {one['at'][:10]}: {sums}. The biller had taken it back, and has undone that."
    return (
        f"Taken back on {one['at'][:10]}: {sums}. A {one['role']} asked for it, and {persons} approved it."
        f" The reason: {one['reason']}."
    )


def _size(text: str) -> Size:
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)
