"""One figure of the bench beside its goal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the figure, its goal, and what was measured; `is_reached` is None for a mere report."""

    figure: str
    goal: str
    ours: str
    naive: str
    floor: str
    is_reached: bool | None
