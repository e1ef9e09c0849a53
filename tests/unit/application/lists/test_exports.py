"""Lists as spreadsheets, databases and programs write them: each kind comes out as whoever exported it means it."""

import json
from datetime import UTC, datetime

import pytest

from kulanz.application.lists.check_list import CheckedList, check_list
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.incident import Incident
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.policy import CompiledPolicy, compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OUTAGE = Window(datetime(2026, 2, 27, 6, tzinfo=UTC), datetime(2026, 2, 27, 9, tzinfo=UTC))
POLICY = """
kulanz: 1
id: export
version: 1
title: A share of the fee
currency: EUR
facts:
  fee: money
  affected: yes_no
  reported_at: {type: instant, default: unknown}
  services: {type: list, default: nothing}
  language: {type: text, default: unknown}
who:
  - decline not_affected unless: affected
  - decline only_telex: services has "telex"
  - decline from_the_future: reported_at is known and reported_at > decided_at
pay: fee
notice:
  locale: language
  default_locale: en
  texts:
    granted:
      en: {subject: Sorry, text: We are sorry.}
      de: {subject: Verzeihung, text: Verzeihung.}
      pt-BR: {subject: Desculpa, text: Desculpe.}
"""


def compiled(text: str = POLICY) -> CompiledPolicy:
    incident = Incident("export", 1, "Export", "", (), (OUTAGE,))
    return compile_policy(freeze(load_policy(text)), incident, NOW)


def check(content: str | bytes, list_format: ListFormat = ListFormat.CSV, text: str = POLICY) -> CheckedList:
    data = content.encode() if isinstance(content, str) else content
    return check_list(lambda start, stop: [data[start:stop]], len(data), list_format, compiled(text), NOW)


def came_to(checked: CheckedList) -> dict[str, int]:
    return {f"{result.value} {reason}": lines for (result, reason), lines in checked.classes.items()}


HEADER = "account_id,fee,affected,reported_at,services,language"


def test_columns_without_a_name_are_ignored_as_long_as_they_are_empty() -> None:
    checked = check(f"{HEADER},,\n2051,39.90,true,,,,,\n2052,39.90,true,,,, ,\u00a0\n2053,39.90,true,,,,x,\n")
    assert came_to(checked) == {"granted credit": 2, "rejected field_without_column": 1}


def test_cells_behind_the_last_column_are_ignored_as_long_as_nothing_is_in_them() -> None:
    rows = [
        "2051,39.90,true,,,de,",
        "2052,39.90,true,,,de,, ,\u00a0",
        '2053,39.90,true,,,de,""," "',
        "2054,39.90,true,,,de,x",
    ]
    checked = check("\n".join([HEADER, *rows, ""]))
    assert came_to(checked) == {"granted credit": 3, "rejected field_count": 1}
    assert checked.problems[0].line == 5


def test_the_first_column_of_pandas_has_no_name_and_is_ignored() -> None:
    assert came_to(check(f",{HEADER}\n0,2051,39.90,true,,,\n1,2052,39.90,true,,,\n")) == {"granted credit": 2}


def test_cells_that_excel_drops_at_the_end_are_empty_and_are_counted() -> None:
    checked = check(f"{HEADER}\r\n2051,39.90,true,,,de\r\n2052,39.90,true\r\n2053\r\n")
    assert came_to(checked) == {"granted credit": 2, "held affected_unknown": 1}
    assert checked.short == 2


def test_a_row_that_the_end_of_the_file_cuts_off_is_rejected() -> None:
    whole = f"{HEADER}\n2051,39.90,true,,,\n2052,39.90,true,,,"
    assert came_to(check(whole)) == {"granted credit": 2}
    for cut in range(whole.rindex("\n") + 2, len(whole)):
        assert came_to(check(whole[:cut])) == {"granted credit": 1, "rejected field_count": 1}, whole[:cut]


def test_all_faults_of_a_row_are_shown_and_the_row_is_counted_once() -> None:
    rows = {"account_id": "nan", "fee": "39,90", "affected": "T", "reported_at": "yesterday"}
    csv = check(f'{HEADER}\nnan,"39,90",T,yesterday,,\n2051,39.90,true,,,\n')
    jsonl = check(
        json.dumps(rows) + "\n" + json.dumps({"account_id": "2051", "fee": 39.9, "affected": True}) + "\n",
        ListFormat.JSONL,
    )
    for checked in (csv, jsonl):
        assert came_to(checked) == {"rejected account_id_null": 1, "granted credit": 1}
        assert checked.rejected == 1
        assert [(one.problem.reason, one.problem.field) for one in checked.problems] == [
            ("account_id_null", "account_id"), ("fact_invalid", "fee"), ("fact_invalid", "affected"),
            ("fact_invalid", "reported_at"),
        ]  # fmt: skip
        assert len({one.line for one in checked.problems}) == 1


@pytest.mark.parametrize("row", ['2051,39.90,true,,"a \\"b\\"",', '2051,39.90,true,,"12\\" Pizza",'])
def test_a_backslash_before_a_quote_is_named_with_the_setting_of_spark(row: str) -> None:
    (found,) = check(f"{HEADER}\n{row}\n").problems
    assert "backslash" in found.problem.expected
    assert "Spark" in found.problem.expected


def test_a_backslash_at_the_end_of_a_good_field_is_no_fault() -> None:
    assert came_to(check(f'{HEADER}\n2051,39.90,true,,"C:\\",\n')) == {"granted credit": 1}


@pytest.mark.parametrize("cell", ['"internet, phone"', "internet;phone"])
def test_a_list_with_another_separator_stops_the_list_unless_the_policy_names_it(cell: str) -> None:
    content = f"{HEADER}\n2051,39.90,true,,{cell},\n2052,39.90,true,,internet|phone,\n"
    assert check(content).refusal(2).startswith("list_separator_unknown")
    named = POLICY.replace("type: list,", f'type: list, separator: "{"," if "," in cell else ";"}",')
    assert check(content, text=named).refusal(2) == ""


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        *(("de", "de"), ("DE", "de"), ("de_AT", "de"), ("de_DE.UTF-8", "de"), ("deu", "de")),
        *(("pt_BR", "pt-BR"), ("pt-br", "pt-BR"), ("PT_br", "pt-BR"), ("fr", "en"), ("German", "en"), ("", "en")),
    ],
)
def test_a_customer_is_written_to_in_the_language_of_the_tag(language: str, locale: str) -> None:
    facts = {"fee": 3990, "affected": True, "language": language or None}
    policy = compiled()
    notice = policy.decide([facts.get(fact.name) for fact in policy.facts]).notice
    assert notice is not None
    assert notice.locale == locale


def test_what_is_no_language_tag_is_counted() -> None:
    tags = ["de", "German", "Deutsch", "", "xx"]
    checked = check(f"{HEADER}\n" + "".join(f"{n},39.90,true,,,{tag}\n" for n, tag in enumerate(tags, 1)))
    assert dict(checked.no_language) == {"language": 3}
    assert checked.unknown["language"] == 1


def test_texts_are_compared_in_one_form_on_both_sides() -> None:
    text = (
        "kulanz: 1\nid: nfc\nversion: 1\ntitle: t\ncurrency: EUR\nfacts:\n  kind: text\n"
        'who:\n  - decline business: kind = "{}"\npay: 5.00 EUR\n'
    )
    composed, decomposed = "Gesch\u00e4ftskunde", "Gescha\u0308ftskunde"
    for policy in (composed, decomposed):
        checked = check(f"account_id,kind\n1,{composed}\n2,{decomposed} \n", text=text.format(policy))
        assert checked.classes[RowResult.DECLINED, "business"] == 2


def test_a_row_of_nothing_but_commas_is_no_row() -> None:
    assert came_to(check(f"{HEADER},,\n,,,,,,,\n")) == {"blank blank": 1}


def test_instants_of_databases_and_zeros_behind_an_amount_are_read() -> None:
    instants = ["2026-02-27 08:00:00+00", "2026-02-27 08:00:00 UTC", "2026-02-27T08:00:00.123456789Z"]
    content = f"{HEADER}\n" + "".join(f"a{n},39.9000,true,{at},,\n" for n, at in enumerate(instants))
    assert came_to(check(content)) == {"granted credit": 3}
    assert came_to(check(content.replace(" UTC", ""))) == {"granted credit": 2, "rejected fact_invalid": 1}


def test_columns_without_a_name_are_not_named_among_those_that_nothing_reads() -> None:
    assert check(f"{HEADER},, ,note\n2051,39.90,true,,,,,,,x\n").unread == ["note"]


LONG_IDS = [f"{4929_0000_0000_0000 + 7_919 * number}" for number in range(1, 200)]


@pytest.mark.parametrize("digits", [16, 17, 18])
@pytest.mark.parametrize("rounded", [0, 100, 199])
def test_ids_that_a_spreadsheet_rounded_are_told_by_their_number(digits: int, rounded: int) -> None:
    ids = [number.ljust(digits, "7") for number in LONG_IDS]
    ids[:rounded] = [f"{number[:15]}{'0' * (digits - 15)}" for number in ids[:rounded]]
    checked = check(f"{HEADER}\n" + "".join(f"{number},39.90,true,,,de\n" for number in ids))
    assert checked.long_ids == len(ids)
    assert checked.are_rounded is (rounded >= 100)
    assert rounded <= checked.zeros_for_digits.lines <= rounded + 30
    if rounded:
        assert checked.zeros_for_digits.first[:3] == [2, 3, 4]


@pytest.mark.parametrize("rows", [19, 20])
def test_a_few_long_ids_show_nothing_and_short_or_padded_ones_are_none(rows: int) -> None:
    rounded = [f"{number[:15]}0" for number in LONG_IDS[:rows]]
    assert check(f"{HEADER}\n" + "".join(f"{one},39.90,true,,,de\n" for one in rounded)).are_rounded is (rows == 20)
    for others in ([one[:14] + "0" for one in LONG_IDS], [f"00{one[:13]}0" for one in LONG_IDS], ["1" + "0" * 15] * 0):
        checked = check(f"{HEADER}\n" + "".join(f"{one},39.90,true,,,de\n" for one in others or ["A-1"]))
        assert (checked.long_ids, checked.are_rounded) == (0, False)
