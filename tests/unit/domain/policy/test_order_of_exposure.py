"""What counts of an outage is cut first, then joined over short pauses, and only then short ones are left out."""

from collections.abc import Mapping

import pytest

from tests.unit.domain.policy.rulebook import compiled, incident, minor, written

type Clocks = tuple[str, ...]
CUTS = {
    "from": "from: at(2026-05-04, {0})",
    "until": "until: at(2026-05-04, {1})",
    "only": "only: stretch(at(2026-05-04, {0}), at(2026-05-04, {1}))",
    "without": "without: stretch(at(2026-05-04, {1}), at(2026-05-04, {2}))",
    "daily": "daily: {0}-{1}",
}
"""Each with what it leaves: what comes after the first clock, before the second, between both, or all but 1 to 2."""


def minutes(exposure: Mapping[str, str], *windows: str) -> int:
    """How many minutes count of windows of 4 May, such as 08:00-08:20."""
    ends = (window.partition("-") for window in windows)
    spans = [(f"2026-05-04T{start}:00Z", f"2026-05-04T{end}:00Z") for start, _, end in ends]
    entries = "".join(f"  {text}\n" for text in exposure.values())
    text = f"zone: UTC\nexposure:\n{entries}pay: (total(outage) / 1 min + 1) * 0.01 EUR\n"
    return minor(compiled(written(text), incident(*spans)).decide(())) - 1


def cut(name: str, *clocks: str) -> str:
    return CUTS[name].format(*clocks)


MERGE, IGNORE = "merge_gaps_under: {}", "ignore_under: {}"


def test_short_outages_that_are_one_over_a_short_pause_count_together() -> None:
    two = "08:00-08:20", "08:30-08:50"
    assert minutes({"merge": MERGE.format("15 min"), "ignore": IGNORE.format("30 min")}, *two) == 50
    assert minutes({"ignore": IGNORE.format("30 min"), "merge": MERGE.format("15 min")}, *two) == 50
    assert minutes({"merge": MERGE.format("10 min"), "ignore": IGNORE.format("30 min")}, *two) == 0
    assert minutes({"ignore": IGNORE.format("20 min")}, *two) == 40


@pytest.mark.parametrize(
    ("name", "clocks", "left"),
    [
        ("from", ("08:25",), 20),
        ("until", ("", "08:25"), 20),
        ("only", ("08:10", "08:25"), 10),
        ("without", ("", "08:05", "08:15"), 50),
        ("daily", ("08:10", "08:25"), 10),
    ],
)
def test_a_pause_is_joined_only_between_what_is_left_on_both_of_its_sides(name: str, clocks: Clocks, left: int) -> None:
    """Joined first, the minutes of the pause beside a cut would count; a hole that was cut is a pause like others."""
    two = "08:00-08:20", "08:30-08:50"
    exposure = {"cut": cut(name, *clocks), "merge": MERGE.format("15 min")}
    assert minutes(exposure, *two) == left
    assert minutes(dict(reversed(exposure.items())), *two) == left, "in whichever order they are written"


@pytest.mark.parametrize(
    ("name", "clocks"),
    [
        ("from", ("08:31",)),
        ("until", ("", "08:29")),
        ("only", ("08:20", "08:49")),
        ("without", ("", "08:29", "08:31")),
        ("daily", ("08:20", "08:49")),
    ],
)
@pytest.mark.parametrize("shortest", ["30 min", "20 min"])
def test_what_is_too_short_once_it_was_cut_does_not_count_however_long_it_was(
    name: str, clocks: Clocks, shortest: str
) -> None:
    exposure = {"cut": cut(name, *clocks), "ignore": IGNORE.format(shortest)}
    whole = 58 if name == "without" else 29
    expected = whole if shortest == "20 min" else 0
    assert minutes(exposure, "08:00-09:00") == expected
    assert minutes(dict(reversed(exposure.items())), "08:00-09:00") == expected


def test_each_entry_of_an_exposure_cuts_what_the_others_leave() -> None:
    every = {name: cut(name, "08:05", "08:55", "08:58") for name in ("from", "until", "only")}
    every |= {"without": cut("without", "", "08:20", "08:40"), "daily": cut("daily", "08:10", "08:50")}
    assert minutes(every, "08:00-09:00") == 20
    for name, left in {"from": 20, "until": 20, "only": 20, "without": 40, "daily": 30}.items():
        rest = {other: text for other, text in every.items() if other != name}
        assert (name, minutes(rest, "08:00-09:00")) == (name, left)
