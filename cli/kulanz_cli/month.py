"""``kulanz month`` and ``overdue``: what a month cost, what is not on bills yet, and what is late."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import click
from rich.console import Console

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.money import amount_words, measure_words
from kulanz.domain.time import format_instant
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO, Unusable
from kulanz_cli.report import write_whole
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, counted_as, print_json, say, table
from kulanz_console.drawing import markup
from kulanz_console.drawing.markup import Part, document, element, foreign, section
from kulanz_console.drawing.page import NOTHING_IS_FETCHED
from kulanz_console.drawing.style import STYLE
from kulanz_console.drawing.ways import (
    BY_ACCOUNT,
    ENDED,
    NO_DIFFERENCE,
    NOT_EXACT,
    NOTHING_TO_COMPARE,
    SAYS,
    SEVERAL,
    accounts_of,
    channels_of,
    cost_words,
    delivery_words,
    differences_of,
    is_compared,
    law_text,
    lines_of,
    rejected_of,
    rest_words,
    standing_of,
    totals_of,
    waiting_for_a_person,
)
from kulanz_console.month_table import csv_of
from kulanz_console.still_open import MAY_CHANGE, OPEN_RIGHTS, STILL_OPEN, StillOpen, still_open

MONTH_VERSION = 1
CAMPAIGNS_MOST = 10_000
"""Campaigns of a month that are added up. They are all in memory: so many take 160 MB (2026-11-30)."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula."""
ACCOUNT_HEADS: Mapping[str, str] = {
    "granted": "Granted",
    "used": "On bills",
    "not_on_bills": "Not on bills",
    "overdue": "Late",
    "expired": "Expired unused",
    "voided": "Voided",
    "written_off": "Written off",
}
CHANNEL_HEADS: Mapping[str, str] = {
    "delivered": "Delivered",
    "applied": "On bills",
    "not_on_bills": "Not on bills",
    "rejected": "Rejected",
    "written_off": "Written off",
    "voided": "Voided",
}
CODES_SAY = "What was sent again, written off or voided since is not rejected any more. kulanz credits lists each one."
NOT_OVER = ", and the month is not over"
NOT_ON_BILLS, LATE, EXPIRED = "not on bills", "not on bills, late", "not on bills, expired"
NOT_SAID = "not said"
"""What stands for an account or a code that a policy does not name."""
ACCOUNTS_SAY = (
    "Accounts and codes are those that the policies name. Where components of one policy differ, it says several: each"
    " credit of a delivery names its own."
)


@click.command("month", epilog=ANSWER_CODES)
@click.argument("month", metavar="[MONTH]", type=RouteParameter("month"), required=False)
@click.option("--html", "page", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a page.")
@click.option("--csv", "rows", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a table.")
@as_json
@pass_stack
def show_month(stack: Stack, *, month: str | None, page: Path | None, rows: Path | None, is_json: bool) -> None:
    """Say what a month granted, and what of it is on bills.

    It also says what is not on bills, and why, and what may still change the month. MONTH is a month of UTC, such as
    2026-11; without it, this month. A campaign belongs to the month in which it was opened.

    It exits with 1 where something is late, or where plan, ledger and bill differ.
    """
    now = datetime.now(UTC)
    named = month or f"{now:%Y-%m}"
    pages = stack.door().pages("acknowledgements.of_month", month=named)
    campaigns = list(islice((one for answer in pages for one in answer["campaigns"]), CAMPAIGNS_MOST + 1))
    if len(campaigns) > CAMPAIGNS_MOST:
        told = f"{named} opened more than {CAMPAIGNS_MOST:,} campaigns; add its pages up by the API"
        raise Unusable(f"{told}: GET /v1/acknowledgements/month/{named}")
    rights = [right for right in OPEN_RIGHTS if stack.door().permits(right)]
    is_open = still_open(named, campaigns, rights, _Asked(stack), now)
    if page is not None:
        _write(page, html_of(named, campaigns, is_open, now))
    if rows is not None:
        _write(rows, csv_of(campaigns))
    if is_json:
        content = {"v": MONTH_VERSION, "month": named, "totals": totals_of(campaigns)}
        content |= {"accounts": accounts_of(campaigns), "channels": channels_of(campaigns)}
        content |= {"rejected": rejected_of(campaigns), "campaigns": campaigns}
        print_json(content | {"still_open": is_open.numbers, "still_open_is_whole": is_open.is_whole})
    else:
        _show(named, campaigns)
        _show_open(is_open)
    if differences_of(campaigns) or any(Decimal(line["overdue"]) for line in lines_of(campaigns)):
        click.get_current_context().exit(EXIT_NO)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A command's questions about what is still open."""

    stack: Stack

    def ask(self, use: str) -> Mapping[str, Any]:
        return self.stack.door().ask(use)

    def items(self, use: str, name: str, **values: str) -> Sequence[Mapping[str, Any]]:
        return [one for page in self.stack.door().pages(use, None, **values) for one in page[name]]


LATE_FIELDS = (
    *("campaign", "account_id", "subject", "credit_id", "due", "state", "delivery", "code"),
    *("amount", "not_on_bills", "measure", "due_by"),
)


@click.command("overdue", epilog=ANSWER_CODES)
@click.option(
    "--csv", "rows", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write a line for each credit that is late, with its account, such as for a regulator.",
)  # fmt: skip
@as_json
@pass_stack
def list_overdue(stack: Stack, *, rows: Path | None, is_json: bool) -> None:
    """List credits that are late: on no bill, and their deadline is over.

    A credit of which a part is on bills is late for the rest. What will soon be late is listed, too.

    Exits with 1 where something is late.
    """
    answer = stack.door().ask("acknowledgements.overdue")
    if rows is not None:
        late = dict.fromkeys(one["campaign"] for one in answer["overdue"])
        _write(rows, late_csv(_late_credits(stack, map(CampaignId.parse, late))))
    if is_json:
        print_json(answer)
    else:
        out = console()
        for name, what in (("overdue", "late"), ("due_soon", "due soon")):
            say(out, f"{what}: {counted_as(sum(one['credits'] for one in answer[name]), 'credit')}")
            columns = [Column("campaign", is_label=True), Column("due"), Column("credits", is_number=True)]
            columns.append(Column("sum"))
            found = [
                (one["campaign"], one["due"], f"{one['credits']:,}", amount_words(one["sum"], one["measure"]))
                for one in answer[name]
            ]
            if found:
                table(out, columns, found)
    if answer["overdue"]:
        click.get_current_context().exit(EXIT_NO)


def _late_credits(stack: Stack, campaigns: Iterable[CampaignId]) -> Iterator[Mapping[str, Any]]:
    """Every credit of some campaigns that is late."""
    door = stack.door()
    for one in campaigns:
        for page in door.pages("acknowledgements.late_credits", incident=one.incident_id, seq=one.seq):
            yield from ({"campaign": str(one), **credit} for credit in page["credits"])


def late_csv(found: Iterable[Mapping[str, Any]]) -> str:
    """A line for each credit. What billing wrote as a code is made safe for a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(LATE_FIELDS)
    for one in found:
        texts = {name: str(one[name]) for name in LATE_FIELDS}
        texts["code"] = f"'{texts['code']}" if texts["code"].startswith(FORMULAS) else texts["code"]
        writer.writerow(texts.values())
    return out.getvalue()


def _standing(total: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Where what was granted of a measure stands: what is not on bills and why, then what is, or never will be."""
    states = standing_of(total)
    yield from (_stands(total, state) for state in states if state not in ENDED)
    if Decimal(total["not_on_bills"]):
        yield NOT_ON_BILLS, total["not_on_bills"], "all of the above"
    if Decimal(total["overdue"]):
        yield LATE, total["overdue"], "of it: the deadline is over (kulanz overdue)"
    if Decimal(total["expired"]):
        yield EXPIRED, total["expired"], "of it: the customer can no longer use it"
    yield from (_stands(total, state) for state in states if state in ENDED)


def _stands(total: Mapping[str, str], state: str) -> tuple[str, str, str]:
    return state.replace("_", " "), total[state], SAYS[state]


def _show(month: str, campaigns: Sequence[Mapping[str, Any]]) -> None:
    out = console()
    if not campaigns:
        say(out, f"no campaign was opened in {month}")
        return
    is_over = month != f"{datetime.now(UTC):%Y-%m}"
    say(out, f"{month}: {counted_as(len(campaigns), 'campaign')}{'' if is_over else NOT_OVER}")
    for total in totals_of(campaigns):
        say(out, cost_words(total, month), "bold")
        say(out, rest_words(total))
        if Decimal(total["asked_back"]):
            back = amount_words(total["asked_back"], total["measure"])
            say(out, f"{back} of it asked back of the biller: not void yet")
        columns = [Column("state", is_label=True), Column("sum", is_number=True), Column("meaning", is_text=True)]
        rows = list(_standing(total))
        table(out, columns, rows)
        say(out, law_text(total), further=2)
    if not all(line["is_exact"] for line in lines_of(campaigns)):
        say(out, NOT_EXACT, further=2)
    _show_rejected(out, campaigns)
    _show_accounts(out, campaigns)
    _show_channels(out, campaigns)
    columns = [Column("campaign", is_label=True), Column("granted", is_number=True), Column("on bills", is_number=True)]
    columns += [Column("measure"), Column("delivery", is_text=True)]
    cells = [
        (
            *(one["campaign"], line["granted"], line["by_state"].get("applied", "0"), measure_words(line["measure"])),
            delivery_words(one) if one["delivery"] or not one["why_not"] else "-",
        )
        for one in campaigns
        for line in one["lines"]
    ]
    table(out, columns, cells)
    for one in campaigns:
        is_owed = any(Decimal(line["not_on_bills"]) for line in one["lines"])
        if is_owed and (one["why_not"] or one["delivery_state"] not in ("", "sent")):
            say(out, f"{one['campaign']} is not delivered: {delivery_words(one)}", further=2)
    for text in waiting_for_a_person(campaigns):
        say(out, f"waits for a person: {text}", further=2)
    for text in differences_of(campaigns):
        say(out, f"differs: {text}", further=2)
    if is_compared(campaigns) and not differences_of(campaigns):
        say(out, NO_DIFFERENCE[0].lower() + NO_DIFFERENCE[1:].rstrip("."))


def _show_open(is_open: StillOpen) -> None:
    """What may still change the month."""
    out = console()
    say(out, STILL_OPEN, "bold")
    for text in is_open.said():
        say(out, text, indent=2)
        if text == MAY_CHANGE:
            for line, number in is_open.lines():
                say(out, f"{line}: {number:,}", indent=2, further=4)


def _show_accounts(out: Console, campaigns: Sequence[Mapping[str, Any]]) -> None:
    """What it comes to by ledger account and reason code, where a policy names one."""
    found = accounts_of(campaigns)
    if not any(one["ledger_account"] or one["reason_code"] for one in found):
        return
    columns = [Column("ledger account", is_label=True), Column("reason code", is_label=True), Column("measure")]
    columns += [Column(name, is_number=True) for name in ("granted", "on bills", "not on bills")]
    columns.append(Column("expired unused", is_number=True, spare=1))
    sums = ("granted", "used", "not_on_bills", "expired")
    cells = [
        (
            *(one["ledger_account"] or NOT_SAID, one["reason_code"] or NOT_SAID, measure_words(one["measure"])),
            *(one[name] for name in sums),
        )
        for one in found
    ]
    table(out, columns, cells)
    if any(SEVERAL in one.values() for one in found):
        say(out, f"{SEVERAL}: the components of one policy are booked apart; each delivered credit says how", further=2)


def _show_rejected(out: Console, campaigns: Sequence[Mapping[str, Any]]) -> None:
    """What is rejected, by the biller's code."""
    if found := rejected_of(campaigns):
        columns = [Column("biller's code", is_label=True, is_text=True), Column("channel"), Column("measure")]
        columns.append(Column("rejected", is_number=True))
        table(out, columns, [(one["code"], one["channel"], measure_words(one["measure"]), one["sum"]) for one in found])


def _show_channels(out: Console, campaigns: Sequence[Mapping[str, Any]]) -> None:
    """What it comes to by channel, where something was delivered."""
    if found := channels_of(campaigns):
        spare = {"voided": 1, "written_off": 2}
        columns = [Column("channel", is_label=True), Column("measure")]
        columns += [
            Column(head.lower(), is_number=True, spare=spare.get(name, 0)) for name, head in CHANNEL_HEADS.items()
        ]
        table(
            out,
            columns,
            [(one["channel"], measure_words(one["measure"]), *(one[name] for name in CHANNEL_HEADS)) for one in found],
        )


def html_of(month: str, campaigns: Sequence[Mapping[str, Any]], is_open: StillOpen, now: datetime) -> str:
    """The month as one page, which loads nothing and names no account."""
    style = element("style")
    style.text = STYLE
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=NOTHING_IS_FETCHED),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"Kulanz report of {month}"),
        style,
    )
    wrong, waiting = differences_of(campaigns), waiting_for_a_person(campaigns)
    as_of = format_instant(now.replace(microsecond=0))
    agreed = NO_DIFFERENCE if is_compared(campaigns) else NOTHING_TO_COMPARE
    agree = element("p", agreed) if not wrong else element("ul", *_items(wrong))
    main = element(
        "main",
        element("h1", f"Credits of {month}"),
        element("p", f"As of {as_of}{NOT_OVER if month == f'{now:%Y-%m}' else ''}."),
        *(
            section(f"m{place}", cost_words(total, month), *_total(total))
            for place, total in enumerate(totals_of(campaigns))
        ),
        *_rejected(campaigns),
        section("accounts", "By ledger account", *_accounts(campaigns)),
        *_channels(campaigns),
        section("campaigns", "The campaigns", _campaigns(campaigns)),
        *([section("persons", "Waits for a person", element("ul", *_items(waiting)))] if waiting else ()),
        section("differences", "Differences", agree),
        section("open", STILL_OPEN, *_open(is_open)),
    )
    return document(element("html", head, element("body", main), lang="en"))


def _open(is_open: StillOpen) -> Iterator[Element]:
    for text in is_open.said():
        yield element("p", text)
        if text == MAY_CHANGE:
            yield element("ul", *_items(f"{line}: {number:,}" for line, number in is_open.lines()))


def _items(texts: Iterable[str]) -> list[Element]:
    return [element("li", foreign(text)) for text in texts]


def _total(total: Mapping[str, str]) -> Iterator[Element]:
    rows: list[list[Part]] = [list(row) for row in _standing(total)]
    yield element("p", foreign(f"{rest_words(total)}."))
    caption = f"Where it stands, {measure_words(total['measure'])}"
    yield markup.table(caption, ("State", "Sum", "Meaning"), rows, (1,))
    yield element("p", foreign(f"{law_text(total)}."))


def _rejected(campaigns: Sequence[Mapping[str, Any]]) -> Iterator[Element]:
    rows: list[list[Part]] = [
        [foreign(one["code"]), foreign(one["channel"]), measure_words(one["measure"]), one["sum"]]
        for one in rejected_of(campaigns)
    ]
    if rows:
        heads = ("Biller's code", "Channel", "Measure", "Rejected")
        found = markup.table("What is rejected, by the biller's code", heads, rows, (3,))
        yield section("rejected", "Rejected by the biller", found, element("p", CODES_SAY))


def _channels(campaigns: Sequence[Mapping[str, Any]]) -> Iterator[Element]:
    rows: list[list[Part]] = [
        [foreign(one["channel"]), measure_words(one["measure"]), *(one[name] for name in CHANNEL_HEADS)]
        for one in channels_of(campaigns)
    ]
    if rows:
        heads = ("Channel", "Measure", *CHANNEL_HEADS.values())
        found = markup.table("What it comes to by channel", heads, rows, range(2, len(heads)))
        yield section("channels", "By channel", found)


def _accounts(campaigns: Sequence[Mapping[str, Any]]) -> Iterator[Element]:
    rows: list[list[Part]] = [
        [
            foreign(one["ledger_account"] or NOT_SAID),
            foreign(one["reason_code"] or NOT_SAID),
            measure_words(one["measure"]),
            *(one[name] for name in BY_ACCOUNT),
        ]
        for one in accounts_of(campaigns)
    ]
    heads = ("Ledger account", "Reason code", "Measure", *(ACCOUNT_HEADS[name] for name in BY_ACCOUNT))
    yield markup.table("What it comes to by ledger account", heads, rows, range(3, 3 + len(BY_ACCOUNT)))
    yield element("p", ACCOUNTS_SAY)


def _campaigns(campaigns: Iterable[Mapping[str, Any]]) -> Element:
    rows: list[list[Part]] = [
        [
            foreign(one["campaign"]),
            foreign(f"{one['policy']} {one['policy_version']}"),
            measure_words(line["measure"]),
            line["planned"],
            line["granted"],
            line["used"],
            line["expired"],
            line["voided"],
            line["written_off"],
            line["open"],
            line["not_on_bills"],
            line["overdue"],
            foreign(delivery_words(one)),
        ]
        for one in campaigns
        for line in one["lines"]
    ]
    sums = ("Planned", "Granted", "Used", "Expired", "Voided", "Written off", "Open", "Not on bills", "Late")
    heads = ("Campaign", "Policy", "Measure", *sums, "Delivery")
    return markup.table("Plan, ledger and bill by campaign", heads, rows, range(3, 3 + len(sums)))


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as error:
        raise Unusable(f"{path}: cannot be written ({error.strerror}); name another file") from None
