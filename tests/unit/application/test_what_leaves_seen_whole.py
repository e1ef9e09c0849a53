"""What three months leave behind and send away, whole: messages, files, records of the ledger, and the reports.

The months are those whose pages, commands and answers are compared whole. Whoever changes what a biller, a customer's
messenger, a warehouse or an auditor gets reads the difference to the approved text.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.approved import must_be_as_approved
from tests.support.exporting import exported
from tests.support.months import Month, dirty, on_bills, waiting_for_persons, worked
from tests.support.world import World

EXPORTED: Mapping[Month, str] = {
    waiting_for_persons: "net-outage/1",
    on_bills: "net-outage/1",
    dirty: "dirty/2",
    worked: "first/1",
}
GZIP = b"\x1f\x8b"


def _written(value: Any) -> str:
    content = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return json.dumps(content, ensure_ascii=False, default=str, sort_keys=True)


def _left(world: World) -> Iterator[str]:
    for name, found in (
        ("notice", world.topic.published),
        ("credits", world.credits_topic.published),
        ("announced", world.announcer.announced),
        ("refused", world.rejected.sent),
        ("decision", world.ledger.inserted),
        ("trouble", world.troubles.troubles()),
    ):
        for one in found:
            yield f"{name} {_written(one)}"
    for key, content in sorted(world.archive.documents.items()):
        yield f"file {key}"
        plain = gzip.decompress(content) if content.startswith(GZIP) else content
        yield from (f"  {line}" for line in plain.decode().splitlines())


@pytest.mark.parametrize("month", EXPORTED)
def test_what_a_month_leaves_behind_is_as_it_was_read_and_approved(month: Month) -> None:
    with month() as (world, _):
        exported(world, EXPORTED[month])
        text = "\n".join(_left(world)) + "\n"
    must_be_as_approved(text, Path(__file__).with_name(f"left_{month.__name__}.txt"))
