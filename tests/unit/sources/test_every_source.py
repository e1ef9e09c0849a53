"""The contract of every source: the same for the ones there are, and for whoever writes the next."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.drafts.keep_delivery import json_of, read_body
from kulanz.domain.drafts.draft import Draft, decided_content, read_draft_id
from kulanz.domain.drafts.reported import Part, reported_of
from kulanz.domain.identifiers import is_incident_id
from kulanz.sources.reading import SourceProblem
from kulanz.sources.table import SOURCES
from tests.support.sources import body_of, configured, drafts_from, recorded, samples

EVERY = list(samples())
every_sample = pytest.mark.parametrize(("kind", "name"), EVERY)
BODIES = {sample: body_of(*sample) for sample in EVERY}


def seen(drafts: dict[str, Draft]) -> dict[str, Any]:
    return {identifier: decided_content(draft) for identifier, draft in drafts.items()}


def test_every_source_has_samples_and_every_folder_of_samples_a_source() -> None:
    assert {kind for kind, _ in samples()} == set(SOURCES)


@every_sample
def test_a_sample_is_read(kind: str, name: str) -> None:
    reading = read_body(BODIES[kind, name], configured(kind))
    assert reading.parts
    for part in reading.parts:
        assert reported_of(json.loads(part.reported.text)) == part.reported, "it is stored and read back"


@every_sample
def test_ids_are_legal_and_of_the_draft_alone(kind: str, name: str) -> None:
    for draft in drafts_from(configured(kind), [BODIES[kind, name]]).values():
        assert is_incident_id(draft.id)
        found = read_draft_id(draft.id)
        assert found is not None
        assert (found[0], found[2]) == ("it", draft.rule.name if draft.rule else "")


@every_sample
def test_fields_that_nobody_reads_may_come_and_change(kind: str, name: str) -> None:
    source = configured(kind)
    body = BODIES[kind, name]

    def with_more(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{key: with_more(one) for key, one in value.items()}, "added_later": {"a": [1]}}
        return [with_more(one) for one in value] if isinstance(value, list) else value

    assert seen(drafts_from(source, [with_more(body)])) == seen(drafts_from(source, [body]))


@every_sample
def test_the_body_of_another_source_is_refused_with_a_reason_or_says_nothing(kind: str, name: str) -> None:
    for other in set(SOURCES) - {kind}:
        source = configured(other)
        try:
            assert read_body(BODIES[kind, name], source).parts == ()
        except SourceProblem as problem:
            assert problem.reason == "not_of_this_source"  # noqa: PT017 (both outcomes are right)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("body", [None, 1, "x", [], {}, {"a": 1}, {"event": 1}, {"incident": {}, "page": {"id": "p"}}])
def test_what_is_no_delivery_at_all_is_refused(kind: str, body: Any) -> None:
    with pytest.raises(SourceProblem):
        read_body(body, configured(kind))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"event": {"id": "1"'])
def test_a_body_that_is_cut_off_or_no_json_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(SourceProblem, match="cut off"):
        json_of(body)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place of a body."""
    if path:
        yield path
    pairs: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in pairs:
        yield from places(one, (*path, key))


HOSTILE: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**30, 1.5, "", "x", "\x00", "\ud800", "a" * 3_000, [], {}, [None], {"id": None}),
    *("0001-01-01T00:00:00Z", "2026-03-10T10:00:00", "2026-03-10 10:00:00", "9999-12-31T23:59:59.999999999-14:00"),
    *("9999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "Sun, 31 Dec 9999 23:59:59 GMT"),
    *("Tue, 10 Mar 2026 11:04:52 GMT", "Tue, 10 Mar 2026 11:04:52", "2026-02-30T10:00:00Z"),
    "2026-03-10T10:00:00.123456789Z",
    *("https://elsewhere.example/", "../../x", "2026-03-10T99:00:00Z", "-1-01-01T00:00:00Z", "1999-12-31T00:00:00Z"),
)  # fmt: skip


@given(st.sampled_from(EVERY), st.data())
def test_whatever_stands_in_a_field_the_delivery_becomes_a_draft_or_is_refused(
    sample: tuple[str, str], data: st.DataObject
) -> None:
    kind, _ = sample
    body = copy.deepcopy(BODIES[sample])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(places(body))))
        within = body
        for step in path[:-1]:
            within = within[step]
        within[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(HOSTILE)))
        if not isinstance(body, dict) or not body:
            return
    try:
        drafts = drafts_from(configured(kind), [body])
    except SourceProblem as problem:
        assert "elsewhere" not in str(problem), "a problem repeats no value"  # noqa: PT017 (both are right)
        return
    for draft in drafts.values():
        assert is_incident_id(draft.id)
        assert draft.title == "" or draft.title.isprintable()
        for window in draft.windows:
            assert window.end is None or window.start.at < window.end.at
        draft.digest.encode("ascii")


@pytest.mark.parametrize("kind", SOURCES)
def test_late_doubled_and_reordered_deliveries_end_in_the_same_draft(kind: str) -> None:
    source, told = configured(kind), recorded(kind)
    expected = seen(drafts_from(source, told))
    assert expected
    for seed in range(40):
        random = Random(seed)
        again = [*told, *random.choices(told, k=3)]
        random.shuffle(again)
        assert seen(drafts_from(source, again)) == expected, seed


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_kept_of_a_delivery_is_small(kind: str) -> None:
    for body in recorded(kind):
        for part in read_body(body, configured(kind)).parts:
            assert isinstance(part, Part)
            assert len(part.reported.text.encode()) < 4_000, "no texts, no names of people"
