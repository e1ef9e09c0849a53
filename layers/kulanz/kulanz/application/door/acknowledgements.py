"""What billers acknowledge: their answers read, what these came to, what is late, and the whole way to the bill."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Annotated, Any, NotRequired, TypedDict

from pydantic import Field, model_validator

from kulanz.application.campaigns.frozen import thaw
from kulanz.application.delivery.act_on_credit import FOR_A_PERSON
from kulanz.application.delivery.open_answers import ANSWERS_FOLDER, OpenAnswersPorts, open_answers
from kulanz.application.delivery.watch_dues import look_at_dues
from kulanz.application.delivery.world import Booked
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bill import BillItem, bill_item, bill_text, of_all_campaigns
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.application.ledger.committed import committed_pages
from kulanz.application.ports import ListMissing, PinnedVersionGone, Refused
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.answer_pass import AnswerFile
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import Delivery, state_of
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.moved import owed
from kulanz.domain.delivery.standing import Standing, standing
from kulanz.domain.ledger.entries import granted_benefits
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.money import Size
from kulanz.domain.time import format_instant

ACKNOWLEDGEMENTS_VERSION = 1
FILES_PER_ANSWER = 50
PROBLEMS_PER_ANSWER = 1_000
CAMPAIGNS_PER_MONTH_PAGE = 20
LATE_PER_ANSWER = 1_000
SECONDS_FOR_AN_ANSWER = 10.0
"""A page of the list is read only while so much is left."""
SINGLE_ANSWERS_MOST = 100
KEY_CHARACTERS = 1_024
SINGLE_ANSWER_CHARACTERS = 200


class Uploaded(Body):
    """An answer file that was uploaded under `acknowledgements/`, by its key and version."""

    key: Annotated[str, Field(pattern=rf"^{ANSWERS_FOLDER}[A-Za-z0-9._/-]{{1,{KEY_CHARACTERS}}}$")]
    version_id: Annotated[str, Field(min_length=1, max_length=KEY_CHARACTERS)]


type Cell = Annotated[str, Field(max_length=SINGLE_ANSWER_CHARACTERS)] | int | None
"""A value of an answer, as a record of JSON Lines has it."""


class AcknowledgementBody(Body):
    """A file that was uploaded, or up to 100 answers as a line of JSON Lines would state each; one of the two."""

    file: Uploaded | None = None
    answers: Annotated[list[dict[str, Cell]], Field(min_length=1, max_length=SINGLE_ANSWERS_MOST)] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "AcknowledgementBody":
        if (self.file is None) is (self.answers is None):
            raise ValueError("state file or answers, and not both")
        return self


class AnswerCount(TypedDict):
    """Lines with one result. `code` says which of its kinds, where the result does not."""

    result: str
    code: str
    lines: int


class AnswerFileItem(TypedDict):
    """An answer file as it stands: how far it is, and what happened to its lines."""

    channel: str
    id: str
    key: str
    opened_at: str
    opened_by: str
    bytes_in_all: int
    bytes_done: int
    finished: bool
    lines: int
    results: Sequence[AnswerCount]


class AnswerProblem(TypedDict):
    """A line that a person has to look at, by the byte at which it begins. Its content is in the file alone."""

    offset: int
    result: str
    reason: str
    field: NotRequired[str]
    expected: NotRequired[str]


class AnswerFileAnswer(AnswerFileItem):
    """One answer file; `problems` are its lines that a person has to look at, `next` is the cursor of further ones."""

    v: int
    problems: Sequence[AnswerProblem]
    next: str | None


class AnswerFilesAnswer(TypedDict):
    """The answer files of a channel, first to last; `next` is the cursor of the rest."""

    v: int
    files: Sequence[AnswerFileItem]
    next: str | None


class DueItem(TypedDict):
    """Credits of a campaign with one deadline that are not wholly on bills, and how much of them is not."""

    campaign: str
    due: str
    measure: str
    credits: int
    sum: str


class OverdueAnswer(TypedDict):
    """What is late, and what will be soon."""

    v: int
    overdue: Sequence[DueItem]
    due_soon: Sequence[DueItem]


class LateCredit(TypedDict):
    """A credit that is late, or waits for a person: whose it is, where it stands, how much of it is not on a bill.

    `due` is empty where it has no deadline. `due_by` is what it was counted by: `list`, the bill days that the list
    states; `list_and_months`, these and a month for each bill behind the last; `policy`, the latest day that it allows.

    `amount` is what was delivered. `reversed` is how much of that the biller has taken back by reversals since. Where
    it is rejected or taken back, too, the biller may have taken so much off twice: a person has to compare.
    """

    account_id: str
    subject: str
    credit_id: str
    due: str
    state: str
    delivery: str
    code: str
    amount: str
    reversed: str
    not_on_bills: str
    measure: str
    due_by: str


class LateCreditsAnswer(TypedDict):
    """Some credits of a campaign's list, in the order of the list; `next` is the cursor of the rest."""

    v: int
    campaign: str
    credits: Sequence[LateCredit]
    next: str | None


class BillAnswer(BillItem):
    """One campaign."""

    v: int


class MonthAnswer(TypedDict):
    """The campaigns that a month of UTC opened, each on its way to the bill; `next` is the cursor of the rest."""

    v: int
    month: str
    campaigns: Sequence[BillItem]
    next: str | None


def acknowledge(asked: Asked, door: Door) -> AnswerFileItem:
    """Read what a biller answers. The same file, or the same answers under the same id, are read once."""
    body = read_body(AcknowledgementBody, asked.body)
    channel = asked.of["channel"]
    if door.deliveries.last_serial(channel) == 0:
        text = "nothing was delivered on this channel; name the channel of a delivery"
        raise Problem(Kind.REFUSED, text, reason="channel_unknown")
    ports = OpenAnswersPorts(door.lists, door.answers, door.answer_queue)
    try:
        pinned = _pinned(body, channel, asked, door)
        file = open_answers(channel, pinned, ports, door.settings.chunk_bytes, asked.caller.id, asked.now)
    except (ListMissing, PinnedVersionGone):
        text = "there is no such version of the file; upload it, and name the version that the upload answers"
        raise Problem(Kind.REFUSED, text, reason="file_missing") from None
    except ListRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None
    return _item(file)


def _pinned(body: AcknowledgementBody, channel: str, asked: Asked, door: Door) -> PinnedList:
    if body.file is not None:
        return door.lists.pin(door.settings.list_bucket, body.file.key, body.file.version_id)
    content = "".join(f"{canonical_json(answer)}\n" for answer in body.answers or ()).encode()
    return door.lists.put_inline(f"inline/answers-{channel}/{asked.of['id']}.jsonl", content)


def of_channel(asked: Asked, door: Door) -> AnswerFilesAnswer:
    """The answer files of a channel."""
    after = int(read_cursor(asked.question, asked.query.get("cursor")) or 0)
    found = list(islice(door.answers.files(asked.of["channel"]), after, after + FILES_PER_ANSWER + 1))
    shown = found[:FILES_PER_ANSWER]
    is_more = len(found) > len(shown)
    return {
        "v": ACKNOWLEDGEMENTS_VERSION,
        "files": list(map(_item, shown)),
        "next": make_cursor(asked.question, str(after + len(shown))) if is_more else None,
    }


def one(asked: Asked, door: Door) -> AnswerFileAnswer:
    """One answer file, with its lines that a person has to look at."""
    file = door.answers.file(asked.of["channel"], asked.of["file"])
    if file is None:
        raise unknown("there is no such answer file")
    after = int(read_cursor(asked.question, asked.query.get("cursor")) or -1)
    problems, more = _problems(file, after, door)
    return {
        "v": ACKNOWLEDGEMENTS_VERSION,
        **_item(file),
        "problems": problems,
        "next": None if more is None else make_cursor(asked.question, str(more)),
    }


def _problems(file: AnswerFile, after: int, door: Door) -> tuple[list[AnswerProblem], int | None]:
    """The problems of the receipts that start behind a byte, and the start of the last one where there are more."""
    found: list[AnswerProblem] = []
    for receipt in door.answers.receipts(file):
        if receipt.start <= after or not receipt.problems:
            continue
        try:
            content = door.archive.get(receipt.problems)
        except Refused:
            continue  # it was removed from the bucket; the counts say how many there were
        found += [_problem(json.loads(line)) for line in content.splitlines()]
        if len(found) >= PROBLEMS_PER_ANSWER:
            return found, receipt.start
    return found, None


def _problem(content: Mapping[str, Any]) -> AnswerProblem:
    problem: AnswerProblem = {
        "offset": content["offset"],
        "result": content["result"],
        "reason": content["reason"],
    }
    if "field" in content:
        problem["field"] = content["field"]
    if "expected" in content:
        problem["expected"] = content["expected"]
    return problem


def overdue(asked: Asked, door: Door) -> OverdueAnswer:
    """What is late and what will be soon, by campaign and deadline."""
    found = look_at_dues(door.dues, asked.now, door.warn_before, forgets=False)
    return {
        "v": ACKNOWLEDGEMENTS_VERSION,
        "overdue": [_due(*one) for one in found.late],
        "due_soon": [_due(*one) for one in found.soon],
    }


def of_campaign(asked: Asked, door: Door) -> BillAnswer:
    """A campaign on its way to the bill: plan, ledger and bill, by measure."""
    item = bill_item(existing(asked, door), door, of_all_campaigns(asked, door), asked.now)
    return {"v": ACKNOWLEDGEMENTS_VERSION, **item}


def of_month(asked: Asked, door: Door) -> MonthAnswer:
    """The campaigns of a month on their way to the bill."""
    after = read_cursor(asked.question, asked.query.get("cursor"))
    page = door.index.campaigns_in(asked.of["month"], after, CAMPAIGNS_PER_MONTH_PAGE)
    found = [campaign for one in page.found if (campaign := door.campaigns.campaign(one.id)) is not None]
    known = of_all_campaigns(asked, door)
    return {
        "v": ACKNOWLEDGEMENTS_VERSION,
        "month": asked.of["month"],
        "campaigns": [bill_item(campaign, door, known, asked.now) for campaign in found],
        "next": make_cursor(asked.question, page.after) if page.after else None,
    }


def late_credits(asked: Asked, door: Door) -> LateCreditsAnswer:
    """The credits of a campaign that are late, by account: another pass over its list, as long as time is."""
    return _credits(asked, door, lambda stands, size: _is_late(stands, size, asked.now))


def rejected_credits(asked: Asked, door: Door) -> LateCreditsAnswer:
    """The credits of a campaign that the biller rejected or took back, and that wait for a person, by account."""
    return _credits(asked, door, lambda stands, _: stands.state in FOR_A_PERSON)


def _credits(asked: Asked, door: Door, is_wanted: Callable[[Standing, Size], bool]) -> LateCreditsAnswer:
    campaign = existing(asked, door)
    begin = int(read_cursor(asked.question, asked.query.get("cursor")) or campaign.chunks.data_start)
    policy = thaw(campaign, door.campaigns.frozen(campaign.id))
    delivery_of = cache(lambda name: door.deliveries.delivery(DeliveryId.parse(name)) if name else None)
    found: list[LateCredit] = []
    try:
        for position, page in committed_pages(campaign, policy, door.lists, door.ledger, begin):
            booked = door.credits.booked([entry.key for entry in page if entry.status is Outcome.GRANTED])
            decided = [booked[entry.key] for entry in page if entry.key in booked]
            found += [credit for one in decided for credit in _credits_of(one, delivery_of, is_wanted)]
            if len(found) >= LATE_PER_ANSWER or asked.seconds_left() < SECONDS_FOR_AN_ANSWER:
                rest: str | None = make_cursor(asked.question, str(position))
                break
        else:
            rest = None
    except PinnedVersionGone:
        gone = "the pinned version of the list was deleted; its accounts are no longer known by it"
        raise Problem(Kind.REFUSED, gone, reason="list_gone") from None
    return {"v": ACKNOWLEDGEMENTS_VERSION, "campaign": str(campaign.id), "credits": found, "next": rest}


def _is_late(stands: Standing, size: Size, now: datetime) -> bool:
    return stands.due is not None and now >= stands.due and owed(stands.shares(size)) > 0


def _credits_of(
    booked: Booked, delivery_of: Callable[[str], Delivery | None], is_wanted: Callable[[Standing, Size], bool]
) -> Iterator[LateCredit]:
    """The credits of a decision that stand as is wanted."""
    for place, benefit in enumerate(granted_benefits(booked.entry)):
        measure, size = worth_of(benefit)
        stands = standing(booked.entries, place, size)
        if not is_wanted(stands, size):
            continue
        yield {
            "account_id": booked.entry.key.account_id,
            "subject": booked.entry.key.subject,
            "credit_id": credit_id(booked.entry.key, place, stands.attempt),
            "due": "" if stands.due is None else format_instant(stands.due),
            "state": state_of(stands, delivery_of(stands.delivery)).value,
            "delivery": stands.delivery,
            "code": stands.code,
            "amount": bill_text(measure, size - stands.left_out),
            "reversed": bill_text(measure, stands.reversed_since_sent),
            "not_on_bills": bill_text(measure, owed(stands.shares(size))),
            "measure": measure,
            "due_by": "" if stands.due_by is None else stands.due_by.value,
        }


def _due(due: DueOf, number: int, size: Size) -> DueItem:
    return {
        "campaign": str(due.campaign),
        "due": format_instant(due.due),
        "measure": due.measure,
        "credits": number,
        "sum": bill_text(due.measure, size),
    }


def _item(file: AnswerFile) -> AnswerFileItem:
    return {
        "channel": file.channel,
        "id": file.id,
        "key": file.pinned.key,
        "opened_at": format_instant(file.opened_at),
        "opened_by": file.opened_by,
        "bytes_in_all": file.chunks.total_bytes,
        "bytes_done": file.bytes_done,
        "finished": file.is_finished,
        "lines": file.totals.lines,
        "results": [
            {"result": result.value, "code": code, "lines": number}
            for (result, code), number in sorted(file.totals.counts.items())
        ],
    }
