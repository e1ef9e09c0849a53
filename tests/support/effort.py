"""How hard the tests try: each property and each storm states its own number, and the environment scales it.

`make test` runs a quarter of both; `make prove` twice as many examples and three times as many seeds as stated. Where
every case of a table is tried, a quarter is one case in four.
"""

import os

EXAMPLES_PERCENT = int(os.environ.get("KULANZ_EXAMPLES", "100"))
SEEDS_PERCENT = int(os.environ.get("KULANZ_SEEDS", "100"))
EXAMPLES_LEAST = 15
"""Fewer than a property states only down to this: a few examples of each kind of input."""


def examples(stated: int) -> int:
    """How many examples a property that states so many is tried with."""
    return scaled(stated, EXAMPLES_PERCENT, least=min(stated, EXAMPLES_LEAST))


def seeds_tried(stated: int) -> int:
    """How many seeds a storm that states so many is tried with."""
    return scaled(stated, SEEDS_PERCENT, least=1)


def scaled(stated: int, percent: int, least: int) -> int:
    """So many percent of a number, and never less than `least`."""
    return max(least, stated * percent // 100)


def one_in(most: int) -> int:
    """Of how many cases that stand for one another one is tried: 1 where all are, never more than `most`."""
    return max(1, min(most, 100 // max(1, SEEDS_PERCENT)))
