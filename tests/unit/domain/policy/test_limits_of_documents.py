"""What is written of a policy is taken up to each of its limits, and refused one beyond it, with the place."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.policy import PolicyError, content_hash, document_from_json, document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document import strict_yaml
from kulanz.domain.policy.document.data_files import load_data_file
from kulanz.domain.policy.document.document import VERSION_HIGHEST
from kulanz.domain.policy.document.frozen import MAX_FROZEN_BYTES, MAX_PUBLISHED_BYTES, freeze, read_frozen
from kulanz.domain.policy.document.owed import MAX_COMPONENTS
from kulanz.domain.policy.document.shape import MAX_ENTRIES, MAX_TEXT_CHARACTERS
from kulanz.domain.policy.document.strict_yaml import MAX_DEPTH, MAX_NODES, MAX_POLICY_BYTES, read_yaml
from kulanz.domain.policy.document.yaml_source import MAX_DATA_FILES, read_policy
from kulanz.domain.policy.language.expression import MAX_LEVELS
from tests.unit.domain.policy.rulebook import compiled, written

PAY = "pay: 1 EUR\n"


def read(text: str) -> None:
    read_yaml(text, "policy.yaml")


def names(count: int) -> list[str]:
    return [f"n{number}" for number in range(count)]


def nodes(count: int) -> str:
    """A document of so many nodes: itself, and its lists with their items; keys are none."""
    lists, rest = divmod(count - 1, 100)
    items = [f"[{', '.join('x' * size)}]" for size in [99] * lists + ([rest - 1] if rest else [])]
    return "\n".join(f"{name}: {item}" for name, item in zip(names(len(items)), items, strict=True))


def length(size: int) -> str:
    """A document of so many bytes, in which a letter may have several."""
    return f"a: b\n# ä{'x' * (size - 10)}\n"


def values(count: int) -> str:
    """A value that needs the one before it, so often; what is paid needs the last."""
    needed = ["1 EUR", *(f"{name} + 1 EUR" for name in names(count))]
    lines = [f"  n{number}: {text}\n" for number, text in enumerate(needed[:count])]
    return written(f"facts: {{fee: money}}\ncurrency: EUR\nvalues:\n{''.join(lines)}pay: n{count - 1}\n")


def published(size: int) -> str:
    """A policy whose published form has so many bytes, those that only tests read left out."""
    policy = load_policy(written(f"{PAY}sources: [x]\ntest: {{rule: T}}"))
    text = "y" * (size - len(document_json(policy)))
    pieces = [text[at : at + 7_000] for at in range(0, len(text), 7_003)]  # each after the first with `","`
    return written(f"{PAY}sources: [{', '.join(['x' + pieces[0], *pieces[1:]])}]\ntest: {{rule: T}}")


LIMITS: dict[str, tuple[Callable[[str], Any], Callable[[int], str], int, str]] = {
    "characters of a text": (load_policy, lambda n: written(f"{PAY}sources: {'x' * n}"), MAX_TEXT_CHARACTERS, "8000"),
    "characters of a title": (load_policy, lambda n: written(PAY).replace("A test", "x" * n), 200, "200 characters"),
    "characters of a unit": (
        load_policy, lambda n: written(f"give: {{quantity: 1, unit: {'u' * n}}}"), 60, "at most 60 characters",
    ),
    "characters of a term": (
        load_policy,
        lambda n: written(f"give: {{quantity: 1, unit: GB, usable: {{on: {'w' * n}}}}}"),
        80,
        "at most 80 characters",
    ),
    "characters of a subject": (
        load_policy,
        lambda n: written(f"{PAY}notice: {{texts: {{granted: {{en: {{subject: {'s' * n}, text: T}}}}}}}}"),
        200,
        "at most 200 characters",
    ),
    "characters of an example's rule": (
        load_policy, lambda n: written(f"{PAY}test: {{rule: {'r' * n}}}"), 80, "at most 80 characters",
    ),
    "characters of a policy's id": (
        load_policy, lambda n: written(PAY).replace("id: test", f"id: {'i' * n}"), 64, "expected a policy id",
    ),
    "characters of a name": (
        load_policy, lambda n: written(f"facts: {{{'f' * n}: text}}\n{PAY}"), 48, "a name of lower-case letters",
    ),
    "characters of a reason": (
        load_policy, lambda n: written(f"who: {{decline: {'r' * n}}}\n{PAY}"), 48, "a reason code of lower-case",
    ),
    "entries of a list": (load_policy, lambda n: written(f"{PAY}sources: {names(n)}"), MAX_ENTRIES, "1 to 500 entries"),
    "entries under names": (
        read_policy,
        lambda n: written(f"facts: {{{', '.join(f'{name}: text' for name in names(n))}}}\n{PAY}"),
        MAX_ENTRIES,
        "1 to 500 entries",
    ),
    "amount components": (
        load_policy,
        lambda n: written("heads:\n" + "".join(f"- {{name: {name}, pay: 1 EUR}}\n" for name in names(n))),
        MAX_COMPONENTS,
        "at most 20 amount components",
    ),
    "the version": (
        load_policy, lambda n: written(PAY).replace("version: 1", f"version: {n}"), VERSION_HIGHEST, "1 to 99999",
    ),
    "levels of YAML": (read, lambda n: "a: " + "[" * (n - 1) + "x" + "]" * (n - 1), MAX_DEPTH, "at most 16 levels"),
    "bytes of a file": (read, length, MAX_POLICY_BYTES, "at most 262144 bytes"),
    "values that need one another": (load_policy, values, MAX_LEVELS // 2, "at most 100 levels"),
    "bytes of what is published": (load_policy, published, MAX_PUBLISHED_BYTES, "over 262144 bytes when published"),
}  # fmt: skip


def test_the_parts_of_a_file_are_counted_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_NODES == 20_000
    monkeypatch.setattr(strict_yaml, "MAX_NODES", 333)
    read(nodes(333))
    with pytest.raises(PolicyError, match="at most 333 entries"):
        read(nodes(334))


@pytest.mark.parametrize("what", LIMITS)
def test_what_is_written_is_taken_up_to_its_limit_and_refused_beyond(what: str) -> None:
    take, write, most, says = LIMITS[what]
    take(write(most))
    with pytest.raises(PolicyError, match=says):
        take(write(most + 1))


def test_as_many_data_files_are_taken_in_as_are_allowed_and_no_more(tmp_path: Path) -> None:
    for name in names(MAX_DATA_FILES + 1):
        (tmp_path / f"{name}.yaml").write_text(f"kulanz: 1\ndata: {name}\ntitle: A list\nlist: [a]\n")
    for count in (MAX_DATA_FILES, MAX_DATA_FILES + 1):
        policy = tmp_path / f"{count}.yaml"
        policy.write_text(written(f"{PAY}restrictions: {{{', '.join(f'{one}: {one}' for one in names(count))}}}"))
    taken = read_policy(tmp_path / f"{MAX_DATA_FILES}.yaml").data_files
    assert taken == tuple(str(tmp_path / f"{name}.yaml") for name in names(MAX_DATA_FILES)), "in their order"
    with pytest.raises(PolicyError, match="at most 20 data files"):
        read_policy(tmp_path / f"{MAX_DATA_FILES + 1}.yaml")


@pytest.mark.parametrize("length", [64, 65])
def test_a_data_file_has_a_name_of_at_most_64_characters(tmp_path: Path, length: int) -> None:
    name = "n" * length
    (tmp_path / f"{name}.yaml").write_text(f"kulanz: 1\ndata: {name}\ntitle: A list\nlist: [a]\n")
    if length == 64:
        assert load_data_file(tmp_path / f"{name}.yaml", "list") == ["a"]
        return
    with pytest.raises(PolicyError, match="at most 64 characters"):
        load_data_file(tmp_path / f"{name}.yaml", "list")


def test_a_frozen_policy_is_read_up_to_its_limit_and_not_beyond() -> None:
    frozen = freeze(load_policy(written(PAY)))
    full = frozen + b" " * (MAX_FROZEN_BYTES - len(frozen))
    assert read_frozen(full)[0].policy == read_frozen(frozen)[0].policy
    with pytest.raises(PolicyError, match="at most 524288 bytes"):
        read_frozen(full + b" ")


def test_what_is_written_stays_as_it_is_through_being_published() -> None:
    """All entries, and all that was resolved beside them; what only tests read is left out."""
    written_out = written(
        "jurisdiction: DE-BY\nzone: Europe/Berlin\nsources: [First, Second]\ntax: included\nchannel: 'billing:csv'\n"
        "facts: {day: day}\nwho: {decline: late, when: 'working_days(day, 2026-05-04) > 2', because: Too late.}\n"
        f"working_days: AE\n{PAY}test: {{rule: T}}"
    )
    document = load_policy(written_out)
    again = document_from_json(document_json(document))
    assert document.worked, "Sundays are worked on in the United Arab Emirates, or Fridays were"
    assert (again.holidays, again.worked) == (document.holidays, document.worked)
    assert again.data == {key: value for key, value in document.data.items() if key != "test"}
    assert json.loads(document_json(document))["policy"] == again.data


def test_a_whole_number_of_eighteen_digits_is_one_and_a_longer_one_is_the_text_that_was_written() -> None:
    content, lines = read_yaml(f"a: {'9' * 18}\nb: -{'9' * 18}\nc: {'9' * 19}\nd: +7\ne: 007\n", "x.yaml")
    assert content == {"a": 10**18 - 1, "b": 1 - 10**18, "c": "9" * 19, "d": 7, "e": 7}
    assert lines == {(): 1, ("a",): 1, ("b",): 2, ("c",): 3, ("d",): 4, ("e",): 5}


@pytest.mark.parametrize("form", [{}, {"format": 0}, {"format": 2}, {"format": "1"}, {"format": None}])
def test_what_another_version_published_in_another_format_is_not_read(form: dict[str, Any]) -> None:
    published = json.loads(document_json(load_policy(written(PAY))))
    assert published.pop("format") == 1
    with pytest.raises(PolicyError, match="expected a policy of format 1; publish it again"):
        document_from_json(json.dumps({**form, **published}).encode())
    for wrong in (b"[]", b'"policy"', b"7"):
        with pytest.raises(PolicyError, match="expected a policy of format 1"):
            document_from_json(wrong)


def test_the_sealed_hash_is_of_what_a_version_says_and_of_no_calendar() -> None:
    plain = load_policy(written(f"working_days: DE\nfacts: {{on: day}}\nwhen: is_working_day(on)\n{PAY}"))
    sealed = content_hash(plain)
    assert content_hash(replace(plain, holidays=plain.holidays[1:], worked=("2026-05-09",))) == sealed
    assert content_hash(replace(plain, data={**plain.data, "test": {"rule": "T"}})) == sealed
    for changed in ({"title": "Another"}, {"version": 2}, {"sources": "x"}):
        assert content_hash(replace(plain, data={**plain.data, **changed})) != sealed
    assert document_json(replace(plain, holidays=plain.holidays[1:])) != document_json(plain)


@pytest.mark.parametrize(
    ("written_out", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("True", "True"), ("yes", "yes"),
        ("NO", "NO"), ("off", "off"), ("18:00", "18:00"), ("2026-05-04", "2026-05-04"), ("'true'", "true"),
        ('"7"', "7"), ("'~'", "~"), ("0x1F", "0x1F"), ("1_000", "1_000"), ("[true, 'false', 7]", [True, "false", 7]),
    ],
)  # fmt: skip
def test_a_plain_value_is_yes_no_nothing_a_whole_number_or_the_text_that_was_written(
    written_out: str, value: Any
) -> None:
    content, _ = read_yaml(f"a: {written_out}\nb: x\n", "x.yaml")
    assert content == {"a": value, "b": "x"}
    assert type(content["a"]) is type(value)


def test_a_condition_may_be_written_as_true_or_false() -> None:
    for word, outcome in (("true", "granted"), ("false", "declined"), ("yes", "granted"), ("no", "declined")):
        assert compiled(written(f"when: {word}\n{PAY}")).decide(()).outcome.value == outcome
