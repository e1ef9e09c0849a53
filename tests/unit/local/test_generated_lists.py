"""The generated lists hold what they claim: decided by the product, every line ends where it was planted to end."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import pytest

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.incidents.incident_event import read_incident_event
from kulanz.domain.campaigns.reconciliation import RESULT_OF
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, format_of, read_layout
from kulanz.domain.lists.lines import LINE_BYTES, is_blank, lines_starting_in
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import QUOTES_UNBALANCED, Problem, Row
from kulanz.domain.policy import compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.event_file import read_event, rows_in
from kulanz_local.cases import CASES, Case
from kulanz_local.lists import OVERLONG_LINE_BYTES, Expectation, sample_list, write_list

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = 2_000
SAMPLE_ACCOUNTS = 40
SEED = 1

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.incident_id)


def decided(case: Case, path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Class and reason of every line as the product sees it, with the account of those that are decided."""
    event = read_event(case.event)
    place = {"s3": {"bucket": "some-bucket", "key": case.key, "version_id": "1"}, "rows": 1}
    event["detail"]["campaign"]["affected"] = place
    known = read_incident_event(event["source"], event["detail-type"], event["detail"])
    assert known.content is not None
    assert known.request is not None
    frozen = freeze(load_policy(case.policy), known.request.policy.parameters)
    policy = compile_policy(frozen, thaw_incident(known.content), NOW)
    content = path.read_bytes()
    layout = read_layout(
        ListFormat(case.maker.format.value),
        content[:HEADER_BYTES],
        len(content),
        [fact.name for fact in policy.facts if fact.required],
    )
    reader = line_reader(layout, policy.facts, policy.subject, ())
    start = layout.data_start
    for line in lines_starting_in([content[start:]], start, start, len(content), start):
        if line.raw is None:
            yield ("rejected", "line_too_long"), ""
            continue
        taken_apart = reader.record(line)
        assert not (isinstance(taken_apart, Problem) and taken_apart.reason == QUOTES_UNBALANCED)
        if is_blank(line.raw, is_csv=layout.format is ListFormat.CSV):
            yield ("blank", "blank"), ""
            continue
        row = reader.row(line.raw)
        if isinstance(row, Row):
            decision = policy.decide(row.values)
            yield (RESULT_OF[decision.outcome].value, decision.reason), row.account_id
        else:
            yield ("rejected", row.reason), ""


def written(case: Case, tmp_path: Path, accounts: int = ACCOUNTS, seed: int = SEED) -> tuple[Path, Expectation]:
    path = tmp_path / Path(case.key).name
    return path, write_list(case.maker, accounts, seed, path)


@each_case
@pytest.mark.parametrize("accounts", [60, 301, ACCOUNTS])
def test_every_line_is_decided_as_it_was_planted(case: Case, accounts: int, tmp_path: Path) -> None:
    path, expected = written(case, tmp_path, accounts)
    found = list(decided(case, path))
    assert Counter(place for place, _ in found) == expected.results()
    assert len(found) == expected.lines
    assert rows_in(path, ListFormat(case.maker.format.value)) == expected.rows


@each_case
def test_a_list_has_as_many_accounts_as_asked_for_and_each_at_most_twice(case: Case, tmp_path: Path) -> None:
    path, expected = written(case, tmp_path)
    listed = Counter(account_id for _, account_id in decided(case, path) if account_id)
    assert len(listed) == expected.decisions() == ACCOUNTS
    assert Counter(listed.values())[2] == expected.duplicate_rows() + expected.conflicting_rows()
    assert max(listed.values()) == 2


@each_case
def test_every_kind_of_trouble_is_on_a_list_of_150_accounts(case: Case, tmp_path: Path) -> None:
    path, expected = written(case, tmp_path, 150)
    content = path.read_bytes()
    reasons = {"account_id_missing", "account_id_invalid", "fact_invalid", "not_utf8", "nul_character", "line_too_long"}
    reasons |= {"json_malformed"} if case.maker.format == "jsonl" else {"field_count", "csv_malformed"}
    assert set(expected.rejected) == reasons
    assert expected.duplicate_rows() >= 2
    assert expected.conflicting_rows() >= 2
    assert expected.blank >= 2
    assert any(reason.endswith("_unknown") for _, reason in expected.results())
    assert b"\r\n" in content
    assert not content.endswith(b"\n")
    assert OVERLONG_LINE_BYTES > LINE_BYTES


@each_case
def test_the_examples_are_what_they_are_called(case: Case, tmp_path: Path) -> None:
    path, expected = written(case, tmp_path)
    found: dict[str, set[str]] = {}
    for (row_result, _), account_id in decided(case, path):
        found.setdefault(account_id, set()).add(row_result)
    for kind, account_id in expected.examples.items():
        if kind in ("unlisted", "rejected"):
            assert account_id not in found
            assert (account_id.encode() in path.read_bytes()) == (kind == "rejected")
        else:
            assert found[account_id] == {kind}
    assert {"granted", "declined", "held", "unlisted", "rejected"} <= expected.examples.keys()


@each_case
def test_a_list_follows_from_its_size_and_seed_alone(case: Case, tmp_path: Path) -> None:
    path, expected = written(case, tmp_path)
    first = path.read_bytes()
    assert written(case, tmp_path)[1] == expected
    assert path.read_bytes() == first
    written(case, tmp_path, seed=SEED + 1)
    assert path.read_bytes() != first


@each_case
def test_the_sample_list_is_what_it_would_be_today_and_has_no_bad_row(case: Case) -> None:
    assert case.sample.read_bytes() == sample_list(case.maker, SAMPLE_ACCOUNTS, SEED), "write the sample again"
    assert format_of(case.sample.name) == format_of(case.key)
    assert {row_result for (row_result, _), _ in decided(case, case.sample)} <= {
        "granted",
        "declined",
        "held",
        "referred",
    }


def peak_bytes(case: Case, accounts: int, tmp_path: Path) -> int:
    tracemalloc.start()
    try:
        written(case, tmp_path, accounts)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.long
@each_case
def test_a_longer_list_needs_no_more_memory(case: Case, tmp_path: Path) -> None:
    """Measured in a process of its own: what threads of other tests allocate meanwhile would be counted as well."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        short, long = (process.submit(peak_bytes, case, accounts, tmp_path).result() for accounts in (1_000, 5_000))
    assert long < short * 1.2


@each_case
def test_an_event_file_lacks_nothing_but_what_the_upload_brings(case: Case) -> None:
    event = json.loads(case.event.read_text(encoding="utf-8"))
    assert event["detail"]["incident_id"] == case.incident_id
    assert event["detail"]["campaign"]["affected"] == {"s3": {"key": case.key}}
    policy = load_policy(case.policy).policy
    assert event["detail"]["campaign"]["policy"]["id"] == policy.id
    assert event["detail"]["campaign"]["policy"]["version"] == policy.version
