"""What was taken back of a decision: how much, when, by which role and why, and what the customer is told of it."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NotRequired, TypedDict

from kulanz.application.delivery.world import Booked, VoidStore
from kulanz.domain.byhand.sizes import size_text
from kulanz.domain.delivery.taken import Taken, taken_of
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.money import Size
from kulanz.domain.notices import voided_notice_id
from kulanz.domain.time import format_instant


class VoidedNoticeAnswer(TypedDict):
    """The notice about what was taken back, of kind `voided`: its id, and its language and channel."""

    id: str
    locale: str
    channel: str


class TakenBackAnswer(TypedDict):
    """What a void took back of a decision. `sums` are exact texts by measure, money in minor units; less than nothing
    where the biller had taken it back, and then undid that.

    `role` is that of whoever asked for the void: `requester`, or `machine`. `approved_by` is how many persons approved
    it, and `reason` why it was asked for. The audit log has who they were. `notice` is missing where the customer is
    not told.
    """

    at: str
    sums: Mapping[str, str]
    void: str
    role: str
    approved_by: int
    reason: str
    notice: NotRequired[VoidedNoticeAnswer]


def taken_back(booked: Booked, voids: VoidStore) -> Iterator[TakenBackAnswer]:
    """What voids took back of a decision, the earliest first."""
    told = read_decision(booked.entry.body).notice
    for taken in taken_of(booked.entry, booked.entries):
        answer = _answer(taken, voids)
        if booked.notice_locale and told is not None and taken.is_taken:
            named = voided_notice_id(booked.entry.key, taken)
            answer["notice"] = {"id": named, "locale": booked.notice_locale, "channel": told.channel}
        yield answer


def _answer(taken: Taken, voids: VoidStore) -> TakenBackAnswer:
    void = voids.void(taken.void)
    return {
        "at": format_instant(taken.at),
        "sums": {measure: str(size) for measure, size in sorted(taken.sizes.items())},
        "void": str(taken.void),
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
