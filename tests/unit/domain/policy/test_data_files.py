"""Data files: what a policy takes in decides as if it were written there, travels with it, and is checked by line."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.policy import PolicyError, content_hash, document_from_json, document_json, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.data_files import load_data_file
from kulanz.domain.policy.document.schema import data_file_schema
from kulanz.domain.policy.document.strict_yaml import read_file
from kulanz.domain.policy.explaining.explanation import explain
from tests.unit.domain.policy.rulebook import POLICIES, compiled, written

DATA_FILES = sorted((POLICIES / "data").glob("*.yaml"))
HEAD = "kulanz: 1\ndata: rate\ntitle: A rate\n"
"""Three lines, so that what follows starts at line 4."""
RATE = (
    HEAD
    + "lines:\n  - {from: 2024-04-01, value: 8.00 GBP}\n  - {from: 2025-04-01, value: 9.00 GBP, until: 2026-03-31}\n"
)
BY_RATE = written("facts: {on: day}\nvalues:\n  rate:\n    by: on\n    tiers: rate\npay: 2 * rate")


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """Write a policy and data files into a book; give the policy's file."""

    def write(policy: str, *, shared: dict[str, str] | None = None, own: dict[str, str] | None = None) -> Path:
        for folder, files in ((tmp_path / "data", shared), (tmp_path / "test", own)):
            folder.mkdir(exist_ok=True)
            for name, text in (files or {}).items():
                (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        file = tmp_path / "test" / "1.yaml"
        file.write_text(policy, encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize("file", DATA_FILES, ids=lambda file: file.stem)
def test_every_data_file_of_the_rulebook_can_be_used_and_fits_its_schema(file: Path) -> None:
    load_data_file(file)
    jsonschema.Draft202012Validator(data_file_schema()).validate(read_file(file)[0])


OFCOM = ["ofcom-repair-rate", "ofcom-appointment-rate", "ofcom-start-rate"]


def test_all_sixteen_published_amounts_of_ofcom_follow_from_the_rounded_ones_before() -> None:
    """Half up on whole pence, worked out here by itself: binary floating point would give 5.03 for 2021."""
    uprated = 0
    for name in OFCOM:
        lines = read_file(POLICIES / "data" / f"{name}.yaml")[0]["lines"]
        pence = [int(line["value"].removesuffix(" GBP").replace(".", "")) for line in lines]
        for line, before, after in zip(lines[1:], pence, pence[1:], strict=False):
            assert after == int(before * (1 + Fraction(line["uprated"].removesuffix("%")) / 100) + Fraction(1, 2))
            uprated += 1
    assert uprated == 16


@pytest.mark.parametrize(("on", "says"), [
    (date(2024, 3, 31), "rate_unknown"), (date(2024, 4, 1), "16.00"), (date(2025, 3, 31), "16.00"),
    (date(2025, 4, 1), "18.00"), (date(2026, 3, 31), "18.00"), (date(2026, 4, 1), "rate_unknown"), (None, "on_unknown"),
])  # fmt: skip
def test_a_line_holds_from_its_first_day_to_its_last_and_what_no_line_holds_is_held(
    book: Callable[..., Path], on: date | None, says: str
) -> None:
    decision = compiled(book(BY_RATE, shared={"rate": RATE})).decide([on])
    paid = [f"{benefit.money.minor / 100:.2f}" for benefit in decision.benefits if benefit.money is not None]
    assert (paid or [decision.reason]) == [says]


@pytest.mark.parametrize(("until", "on_the_last_day"), [("9999-12-31", ["18.00"]), ("9999-12-30", ["rate_unknown"])])
def test_a_line_may_hold_until_the_last_day_of_the_calendar(
    book: Callable[..., Path], until: str, on_the_last_day: list[str]
) -> None:
    policy = compiled(book(BY_RATE, shared={"rate": RATE.replace("2026-03-31", until)}))
    decided = [policy.decide([day]) for day in (date(9999, 12, 30), date.max)]
    told = [
        [f"{benefit.money.minor / 100:.2f}" for benefit in one.benefits if benefit.money] or [one.reason]
        for one in decided
    ]
    assert told == [["18.00"], on_the_last_day]


def test_the_explanation_names_the_line_or_says_that_there_is_none(book: Callable[..., Path]) -> None:
    policy = compiled(book(BY_RATE, shared={"rate": RATE}))
    assert "Rate: 9.00 GBP, because on 2025-05-01 is 2025-04-01 or later." in explain(policy, [date(2025, 5, 1)]).text()
    told = explain(policy, [date(2027, 5, 1)]).text()
    assert "Rate: not known, because on 2027-05-01 is 2026-04-01 or later." in told
    assert told.endswith("because rate is not known. Reason: rate unknown.")


days = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(days, st.integers(0, 99999)), min_size=1, max_size=8, unique_by=lambda line: line[0]), st.data()
)
def test_a_table_that_was_taken_in_decides_as_the_tiers_written_out_do(
    tmp_path_factory: pytest.TempPathFactory, dated: list[tuple[date, int]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("book") / "test"
    folder.mkdir()
    lines = sorted(dated)
    table = [f"  - {{from: {day}, value: {minor / 100:.2f} EUR}}" for day, minor in lines]
    (folder / "rate.yaml").write_text(HEAD + "lines:\n" + "\n".join(table))
    (folder / "1.yaml").write_text(BY_RATE)
    tiers = [f"      from {day}: {minor / 100:.2f} EUR" for day, minor in reversed(lines)]
    spelt = BY_RATE.replace("tiers: rate", "\n".join(["tiers:", *tiers, "      otherwise: unknown"]))
    document = load_policy(folder / "1.yaml")
    assert content_hash(document) == content_hash(load_policy(spelt))
    near = st.sampled_from([day + timedelta(days=shift) for day, _ in lines for shift in (-1, 0, 1)])
    for on in data.draw(st.lists(days | near, min_size=1, max_size=5)):
        assert compiled(folder / "1.yaml").decide([on]) == compiled(spelt).decide([on])


def test_what_was_taken_in_travels_with_the_published_and_the_frozen_policy(book: Callable[..., Path]) -> None:
    file = book(BY_RATE, shared={"rate": RATE})
    document = load_policy(file)
    assert document.data_files == (str(file.parent.parent / "data" / "rate.yaml"),)
    published = document_json(document)
    for path in sorted(file.parent.parent.rglob("*.yaml")):
        path.unlink()
    again = document_from_json(published)
    assert freeze(again) == freeze(document)
    tiers = json.loads(published)["policy"]["values"]["rate"]["tiers"]
    assert list(tiers) == ["from 2026-04-01", "from 2025-04-01", "from 2024-04-01", "otherwise"]


def test_a_changed_data_file_changes_what_the_version_says(book: Callable[..., Path]) -> None:
    before = content_hash(load_policy(book(BY_RATE, shared={"rate": RATE})))
    assert content_hash(load_policy(book(BY_RATE, shared={"rate": RATE.replace("A rate", "The rate")}))) == before
    assert content_hash(load_policy(book(BY_RATE, shared={"rate": RATE.replace("9.00", "9.01")}))) != before


def test_a_file_beside_the_policy_comes_before_a_shared_one(book: Callable[..., Path]) -> None:
    file = book(BY_RATE, shared={"rate": RATE}, own={"rate": RATE.replace("8.00", "1.00")})
    assert (
        compiled(file).decide([date(2024, 5, 1)]).benefits[0].money
        == compiled(written("pay: 2.00 GBP")).decide(()).benefits[0].money
    )


@pytest.mark.parametrize("named", ["1.yaml", "../test/1.yaml", "../one/two/../../test/1.yaml"])
def test_shared_files_are_found_however_the_policy_is_named(
    book: Callable[..., Path], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = book(BY_RATE, shared={"rate": RATE})
    (file.parent.parent / "one" / "two").mkdir(parents=True)
    monkeypatch.chdir(file.parent)
    assert load_policy(Path(named)).data_files == (str(file.parent.parent / "data" / "rate.yaml"),)


TEXTS = HEAD + "texts:\n  granted:\n    en: {subject: Sorry, text: 'We are sorry for it: {{ amount }}'}\n"


def test_lists_and_texts_are_taken_in_the_same_way(book: Callable[..., Path]) -> None:
    text = written(
        "give: {quantity: 20, unit: minute, restriction: places}\nrestrictions: {places: places, games: games}\n"
        "notice: {texts: words}"
    )
    named: dict[str, Any] = {
        "places": HEAD.replace("rate", "places") + "list: {landline: [Austria], mobile: [Canada, Guam]}",
        "games": HEAD.replace("rate", "games") + "list: [Chess, Go]",
        "words": TEXTS.replace("data: rate", "data: words"),
    }
    policy = compiled(book(text, own=named))
    assert policy.restrictions == {
        "places": {"landline": ("Austria",), "mobile": ("Canada", "Guam")},
        "games": ("Chess", "Go"),
    }
    template = policy.templates("granted", "en")
    assert template is not None
    assert template.subject == "Sorry"


def test_a_policy_without_a_file_has_no_data_files_beside_it() -> None:
    with pytest.raises(PolicyError, match="must be read from a file"):
        load_policy(BY_RATE)


def test_a_published_policy_names_no_data_file(book: Callable[..., Path]) -> None:
    published = json.loads(document_json(load_policy(book(BY_RATE, shared={"rate": RATE}))))
    published["policy"]["values"]["rate"]["tiers"] = "rate"
    with pytest.raises(PolicyError, match="taken in when the policy's YAML is read"):
        document_from_json(json.dumps(published).encode())


BAD_NAMES = {
    "a missing file": ("rates", "there is no data file"),
    "a path": ("../rate", "it written out, or the name of a data file"),
    "an expression": ("on + 1 day", "it written out, or the name of a data file"),
    "a version's number": ("'1'", "it written out, or the name of a data file"),
}


@pytest.mark.parametrize(("name", "says"), BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_a_name_that_leads_nowhere_is_refused_at_its_line_in_the_policy(
    book: Callable[..., Path], name: str, says: str
) -> None:
    file = book(BY_RATE.replace("tiers: rate", f"tiers: {name}"), shared={"rate": RATE})
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    assert says in str(caught.value)
    assert (caught.value.file, caught.value.line, caught.value.field) == (str(file), 9, "values.rate.tiers")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (BY_RATE.replace("on: day", "on: instant"), "the tiers compare instant, but this line gives day"),
        (BY_RATE.replace("2 * rate", "rate + 1 EUR"), "cannot mix EUR and GBP"),
        (BY_RATE.replace("2 * rate", "rate * 1 h"), "expected money"),
    ],
)
def test_a_table_that_does_not_suit_the_policy_is_refused_where_the_policy_uses_it(
    book: Callable[..., Path], policy: str, says: str
) -> None:
    file = book(policy, shared={"rate": RATE})
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    assert says in str(caught.value)
    assert caught.value.file == str(file)
    assert caught.value.line in (9, 10)


def lines(*entries: str) -> str:
    return HEAD + "lines:\n" + "".join(f"  - {entry}\n" for entry in entries)


GOOD = "{from: 2024-04-01, value: 8.00 GBP}"
BAD = {
    "not YAML": ("lines: [", None, "not YAML"),
    "an alias": (HEAD + "lines: &a [*a]", 4, "anchors"),
    "another language": (RATE.replace("kulanz: 1", "kulanz: 2"), 1, "whole number from 1 to 1"),
    "another name": (RATE.replace("data: rate", "data: rates"), 2, "expected the file's name, rate"),
    "no title": (RATE.replace("title: A rate\n", ""), 1, "'title' is missing"),
    "an unknown entry": (RATE + "until: 2026-03-31\n", 7, "unknown entry"),
    "nothing in it": (HEAD, 1, "exactly one of lines, list and texts"),
    "two contents": (RATE + "list: [a]\n", 1, "exactly one of lines, list and texts"),
    "a list where tiers belong": (HEAD + "list: [a]", 4, "takes it in where lines belong, but it has list"),
    "no lines": (HEAD + "lines: []", 4, "1 to 500 entries"),
    "a line without a day": (lines("{value: 8.00 GBP}"), 5, "'from' is missing"),
    "a line without a value": (lines("{from: 2024-04-01}"), 5, "'value' is missing"),
    "a day in other words": (lines("{from: April 2024, value: 8.00 GBP}"), 5, "a day such as 2026-04-01"),
    "a day that does not exist": (lines("{from: 2023-02-29, value: 8.00 GBP}"), 5, "a day that exists"),
    "the wrong order": (lines(GOOD, "{from: 2023-04-01, value: 7.00 GBP}"), 6, "write the oldest line first"),
    "a day twice": (lines(GOOD, "{from: 2024-04-01, value: 7.00 GBP}"), 6, "one for each day"),
    "an overlap": (
        lines("{from: 2024-04-01, until: 2025-04-01, value: 8.00 GBP}", "{from: 2025-04-01, value: 9.00 GBP}"),
        6,
        "overlaps the line before, which holds until 2025-04-01",
    ),
    "an end before the start": (lines("{from: 2024-04-01, until: 2024-03-31, value: 8 GBP}"), 5, "it ends before"),
    "mixed currencies": (lines(GOOD, "{from: 2025-04-01, value: 9.00 EUR}"), 6, "expected money in GBP as in"),
    "mixed kinds": (lines(GOOD, "{from: 2025-04-01, value: 25%}"), 6, "but this is number"),
    "a number that says nothing": (lines("{from: 2024-04-01, value: 8.00}"), 5, "must say what it is"),
    "a fact": (lines("{from: 2024-04-01, value: monthly_fee}"), 5, "'monthly_fee' is not known"),
    "no value": (lines("{from: 2024-04-01, value: nothing}"), 5, "a value written out"),
    "uprated from nothing": (lines("{from: 2024-04-01, value: 8.00 GBP, uprated: 1%}"), 5, "follows another"),
    "uprated wrongly": (
        lines(GOOD, "{from: 2025-04-01, value: 8.19 GBP, uprated: 2.3%}"),
        6,
        "8.00 GBP uprated by 2.3% is 8.184 GBP, rounded (half_up) 8.18 GBP; change one of them",
    ),
    "uprated by an amount": (lines(GOOD, "{from: 2025-04-01, value: 8.18 GBP, uprated: 1 GBP}"), 6, "expected number"),
    "rounded to another currency": (
        lines(GOOD, "{from: 2025-04-01, value: 8.18 GBP, uprated: 1%}") + "uprating: {to: 5 EUR}",
        7,
        "expected money in GBP",
    ),
    "a number uprated": (
        lines("{from: 2024-04-01, value: 8}", "{from: 2025-04-01, value: 9, uprated: 1%}"), 6, "only an amount",
    ),
    "a length uprated": (
        lines("{from: 2024-04-01, value: 8 h}", "{from: 2025-04-01, value: 9 h, uprated: 1%}"), 6, "only an amount",
    ),
    "rounded to nothing": (
        lines(GOOD, "{from: 2025-04-01, value: 8.18 GBP, uprated: 1%}") + "uprating: {to: 0 GBP}",
        7,
        "a fixed amount above zero",
    ),
    "rounded to what nobody knows": (
        lines(GOOD, "{from: 2025-04-01, value: 8.18 GBP, uprated: 1%}") + "uprating: {to: unknown}",
        7,
        "expected a value",
    ),
    "rounded to less than a penny": (
        lines(GOOD, "{from: 2025-04-01, value: 8.18 GBP, uprated: 1%}") + "uprating: {to: 0.5 * 0.01 GBP}",
        7,
        "a fixed amount above zero",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), BAD.values(), ids=BAD.keys())
def test_a_data_file_that_cannot_be_used_is_refused_with_its_own_file_and_line(
    book: Callable[..., Path], text: str, line: int | None, says: str
) -> None:
    file = book(BY_RATE, shared={"rate": text})
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    assert says in str(caught.value)
    assert caught.value.file == str(file.parent.parent / "data" / "rate.yaml")
    if line is not None:
        assert caught.value.line == line, str(caught.value)


@pytest.mark.parametrize(
    ("rule", "before", "by", "after"),
    [
        ("{}", "5.00 GBP", "0.7%", "5.04 GBP"),
        ("{mode: half_even}", "5.00 GBP", "0.5%", "5.02 GBP"),
        ("{to: 5 GBP}", "50 GBP", "10.4%", "55 GBP"),
        ("{to: 5 GBP}", "50 GBP", "15%", "60 GBP"),
        ('{mode: up, to: 100 SEK}', "1000 SEK", "0.1%", "1100 SEK"),
        ("{mode: down}", "5.00 GBP", "-0.2%", "4.99 GBP"),
    ],
)  # fmt: skip
def test_an_uprated_value_is_the_rounded_one_before_uprated_and_rounded_as_the_table_says(
    book: Callable[..., Path], rule: str, before: str, by: str, after: str
) -> None:
    first, second = f"{{from: 2024-04-01, value: {before}}}", f"{{from: 2025-04-01, value: {after}, uprated: {by}}}"
    load_policy(book(BY_RATE, shared={"rate": lines(first, second) + f"uprating: {rule}"}))


def test_a_policy_takes_in_a_limited_number_of_files(book: Callable[..., Path]) -> None:
    names = [f"list-{number}" for number in range(21)]
    files = {name: f"kulanz: 1\ndata: {name}\ntitle: A list\nlist: [a]" for name in names}
    listed = "".join(f"  list_{number}: {name}\n" for number, name in enumerate(names))
    with pytest.raises(PolicyError, match="at most 20 data files"):
        load_policy(book(written(f"pay: 5 EUR\nrestrictions:\n{listed}"), own=files))


def test_a_policy_that_no_campaign_could_be_opened_under_is_refused_before_it_is_published(
    book: Callable[..., Path],
) -> None:
    entries = "\n".join(f"  - {'x' * 520}" for _ in range(490))
    files = {name: f"kulanz: 1\ndata: {name}\ntitle: A list\nlist:\n{entries}" for name in ("one", "other")}
    load_policy(book(written("pay: 5 EUR\nrestrictions: {one: one}"), own=files))
    with pytest.raises(PolicyError, match="over 262144 bytes when published; shorten lists and texts"):
        load_policy(book(written("pay: 5 EUR\nrestrictions: {one: one, other: other}"), own=files))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.text(max_size=3), st.sampled_from(DATA_FILES))
def test_a_data_file_with_a_piece_cut_out_is_used_or_refused_by_its_name(
    tmp_path_factory: pytest.TempPathFactory, start: int, length: int, instead: str, file: Path
) -> None:
    text = file.read_text(encoding="utf-8")
    start %= len(text)
    copy = tmp_path_factory.mktemp("data") / file.name
    copy.write_text(text[:start] + instead + text[start + length :], encoding="utf-8")
    refused = ""
    try:
        load_data_file(copy)
    except PolicyError as error:
        refused = error.file
    assert refused in ("", str(copy))


def test_what_a_default_or_a_tier_does_not_know_is_held() -> None:
    text = written(
        "currency: EUR\nfacts:\n  class: text\n  fee: {type: money, default: unknown}\n"
        'values:\n  rate:\n    by: class\n    tiers: {is "a": 10%, is "b": unknown, otherwise: 0%}\n'
        "pay: rate * first_known(fee, 50 EUR)"
    )
    policy = compiled(text)
    assert {fact.name: fact.required for fact in policy.facts} == {"class": True, "fee": False}
    assert [policy.decide([name, None]).reason for name in ("a", "b", "c")] == ["credit", "rate_unknown", "nothing_due"]
