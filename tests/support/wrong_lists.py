"""Lists that are right by themselves and wrong for their incident, after a campaign with the right one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from kulanz.domain.time import format_instant
from tests.support.small_campaign import event, list_of, row, small_world
from tests.support.world import World

RIGHT = tuple(row(f"{n:04d}", fee="100.00") for n in range(1_001, 1_041))


@dataclass(frozen=True)
class WrongList:
    """A list, and what an approver is to see of its plan: on the screen, beside a label, and on the page."""

    rows: Sequence[bytes]
    label: str
    on_screen: str
    on_page: str
    came_before: bool = False
    limits: Sequence[str] = ()
    """The limits that its plan exceeds."""


def _ids(first: int, prefix: str = "", fee: str = "100.00") -> list[bytes]:
    return [row(f"{prefix}{n:04d}", fee=fee) for n in range(first, first + 40)]


WRONG_LISTS: Mapping[str, WrongList] = {
    "in cents": WrongList(
        _ids(2_001, fee="10000.00"), "on average", "100 TIMES as much", "100 times as much a line as before"
    ),
    "doubled": WrongList(
        [*_ids(2_001), *_ids(2_001)], "repeated", "40 of 80 rows name a subject AGAIN",
        "40 of 80 rows repeat an account of this same list"
    ),
    "doubled by another export": WrongList(
        [*_ids(2_001), *_ids(2_001, "00")], "nearly equal", "40 of 80 rows have an id that differs",
        "40 rows have nearly the id of another row", limits=["nearly_equal"],
    ),
    "of last month": WrongList(
        RIGHT, "uploaded", "BEFORE the incident began", "The list is older than the outage", came_before=True
    ),
    "of last month, uploaded again": WrongList(
        RIGHT, "same list", "the same content as the list of net-outage/1", "Probably the list of another outage"
    ),
}  # fmt: skip
A_RIGHT_LIST = WrongList(_ids(3_001, fee="120.00"), "", "", "")


def planned(wrong: WrongList) -> World:
    """A world in which the plan of the list, `second/1`, waits."""
    world = small_world(list_of(RIGHT))
    world.publish(event(rows=len(RIGHT)))
    world.run_until_quiet()
    world.approvers = ()
    world.lists.upload("lists/second.csv", list_of(wrong.rows))
    later = event(rows=len(wrong.rows), key="lists/second.csv")
    began = world.now + (timedelta(hours=1) if wrong.came_before else -timedelta(hours=1))
    later["detail"] |= {
        "incident_id": "second",
        "windows": [{"start": format_instant(began), "end": format_instant(began + timedelta(minutes=30))}],
    }
    del later["detail"]["campaign"]["limits"]
    world.now = max(world.now, began + timedelta(hours=1))
    world.publish(later)
    world.run_until_quiet()
    return world
