"""A stated shape of ids: what has it is an id, whatever it looks like, and what has not is none."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kulanz.domain.lists.account_ids import IdProblem
from kulanz.domain.lists.check_digits import CHECK_DIGITS
from kulanz.domain.lists.id_shape import IdShape, IdShapeError

SAMPLES = {
    "luhn": "79927398713",
    "verhoeff": "2363",
    "damm": "5724",
    "iso7064.mod_11_2": "000000012146438X",
    "iso7064.mod_11_10": "794623",
    "iso7064.mod_37_2": "A999914123456N",
    "iso7064.mod_37_36": "A12425GABC1234002M",
    "iso7064.mod_97_10": "9999123456789012141490",
}
"""One of each, from the standards and the descriptions of the schemes."""


def test_every_check_digit_has_a_sample() -> None:
    assert set(SAMPLES) == set(CHECK_DIGITS)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_check_digit_fits_its_sample_and_no_other_last_character(name: str) -> None:
    sample, fits = SAMPLES[name], CHECK_DIGITS[name]
    assert fits(sample)
    alphabet = "0123456789" if sample.removesuffix("X").isdigit() else "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert [last for last in f"{alphabet}X" if fits(sample[:-1] + last)] == [sample[-1]] or sample[-1] == "X"
    assert not fits("")
    assert not fits(f"{sample[:-1]}?")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_check_digit_fits_nothing_that_it_stands_alone_in(name: str) -> None:
    digits = 2 if name == "iso7064.mod_97_10" else 1
    assert not any(CHECK_DIGITS[name](f"{alone:0{digits}}") for alone in range(10**digits))


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_a_single_wrong_digit_is_always_found(name: str, data: st.DataObject) -> None:
    sample = SAMPLES[name]
    places = [place for place, character in enumerate(sample) if character.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != sample[place]]))
    assert not CHECK_DIGITS[name](sample[:place] + digit + sample[place + 1 :])


@pytest.mark.parametrize("text", ["nan", "NULL", "Total", "5e12", "Oct-12", "1001.0", "8944123412341230000"])
def test_a_stated_shape_replaces_every_suspicion(text: str) -> None:
    assert IdShape(pattern="[A-Za-z0-9.-]+").reader()(f" {text}\u00a0") == text


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        (IdShape(pattern=r"\d{10}"), ["0012345678"], ["12345678", "001234567a", "12345678901"]),
        (IdShape(pattern=r"^[A-Z]{2}-\d{3,5}$".strip("^$")), ["AB-123", "AB-12345"], ["AB-12", "ab-123", "AB-123456"]),
        (IdShape(pattern=r"A\d+|B[0-9]?"), ["A1", "A123", "B", "B7"], ["A", "B77", "C1"]),
        (IdShape(minimum=4, maximum=6), ["1234", "Total", "123456"], ["123", "1234567"]),
        (IdShape(check="luhn"), ["79927398713", "7992-7398-713"], ["79927398710", "A7992739871"]),
        (IdShape(pattern=r"\d+", check="luhn"), ["79927398713"], ["7992-7398-713"]),
        (
            IdShape(check="luhn"),
            [f"7992{mark}7398{mark}713" for mark in "._:~-"],
            [f"7992{mark}7398{mark}710" for mark in "._:~-"],
        ),
        (IdShape(check="iso7064.mod_11_2"), ["000000012146438X", "000000012146438x"], ["0000000121464380"]),
    ],
)
def test_what_has_the_shape_is_an_id_and_nothing_else(shape: IdShape, good: list[str], bad: list[str]) -> None:
    read = shape.reader()
    assert [read(text) for text in good] == good
    for text in bad:
        found = read(text)
        assert isinstance(found, IdProblem)
        assert found.kind == "shape"
        assert len(text) < 4 or text not in found.expected
    missing = read("")
    assert isinstance(missing, IdProblem)
    assert missing.kind == "missing"
    assert IdShape.of(shape.content) == shape


def test_no_shape_lets_through_what_could_reach_into_another_key() -> None:
    found = IdShape(pattern="[A-Z]+", check="").reader()("A#B")
    assert isinstance(found, IdProblem)
    assert isinstance(IdShape(minimum=1, maximum=10).reader()("a/b#c"), IdProblem)


def test_whole_numbers_of_json_are_read_by_the_shape() -> None:
    read = IdShape(pattern=r"\d{4}").reader()
    assert read(1234) == "1234"
    assert isinstance(read(12345), IdProblem)
    assert isinstance(read(True), IdProblem)
    assert isinstance(read(2**53 + 1), IdProblem)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+", "(ab)", "a**", "a++", "a{2}{3}", "a+?", "[a-", "[z-a]", "[^a]", ".", ".*", "a|", "|a", "\\w+", "\\1",
        "^a$", "a{5,2}", "a{65}", "[a-z]+[0-9]*[a-z]+", "x" * 201, "|".join("abcdefghijk"), "ä", "a{1,}b{1,}c{1,}",
    ],
)  # fmt: skip
def test_a_pattern_that_could_be_slow_or_misread_is_refused_with_what_can_be_written(pattern: str) -> None:
    with pytest.raises(IdShapeError, match="expected"):
        IdShape(pattern=pattern)


@pytest.mark.parametrize(
    "shape", [{"check": "crc"}, {"minimum": 5, "maximum": 4}, {"maximum": 65}, {"minimum": 0}, {}, {"check": "os.path"}]
)
def test_a_shape_that_states_nothing_or_something_unknown_is_refused(shape: dict[str, int | str]) -> None:
    with pytest.raises(IdShapeError, match="expected"):
        IdShape(**shape)  # type: ignore[arg-type] # of several types


def test_the_slowest_pattern_reads_the_worst_id_at_once() -> None:
    read = IdShape(pattern="|".join(["[a-z]*[a-z]*X"] * 10)).reader()
    started = time.process_time()
    for _ in range(20):
        assert isinstance(read("a" * 64), IdProblem)
    assert time.process_time() - started < 1.0, "about ten times 2,145 divisions each: some milliseconds"


def of_the_dihedral_group(one: int, other: int) -> int:
    """Verhoeff's multiplication, worked out: 0 to 4 turn a pentagon, 5 to 9 turn it over as well."""
    if one < 5:
        return (one + other) % 5 if other < 5 else 5 + (one + other) % 5
    return 5 + (one - other) % 5 if other < 5 else (one - other) % 5


def verhoeff(text: str) -> int:
    """What the digits come to; 0 where the last one fits."""
    check = 0
    for place, digit in enumerate(reversed(text)):
        number = int(digit)
        for _ in range(place):
            number = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[number]
        check = of_the_dihedral_group(check, number)
    return check


@given(st.text(st.sampled_from("0123456789"), min_size=1, max_size=40))
@example("123456789012345678901234")
def test_verhoeffs_digit_is_that_of_his_group_and_permutation_at_any_length(payload: str) -> None:
    ids = [f"{payload}{digit}" for digit in range(10)]
    assert [CHECK_DIGITS["verhoeff"](one) for one in ids] == [verhoeff(one) == 0 for one in ids]
    assert sum(CHECK_DIGITS["verhoeff"](one) for one in ids) == 1
