"""docs/exports.md says what an export has: every column, result, status, refusal and limit of the code."""

import re

from kulanz.application.door.exports import PART_LINK_SECONDS, PARTS_PER_ANSWER
from kulanz.application.door.routes import BY_USE
from kulanz.application.exports.ledger_rows import EXPIRED, OFFER_ENDED, VOIDED
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.exports.export import EXPORT_DAYS
from kulanz.domain.exports.figures import CONFLICT, DUPLICATE, GOODWILL, MISSING, NOT_WRITTEN, Written
from kulanz.domain.exports.rows import COLUMNS
from tests.unit.project.test_pages import page, reasons_of, section

EXPORTS = page("exports.md")


def test_every_column_has_its_line_in_the_order_of_the_file() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ", section(EXPORTS, "The rows").partition("| `result` | |")[0], re.MULTILINE)
    assert tuple(rows) == COLUMNS


def test_every_result_and_status_is_named() -> None:
    text = section(EXPORTS, "The rows")
    results = {*(one.value for one in RowResult), DUPLICATE, CONFLICT, NOT_WRITTEN, MISSING} - {RowResult.BLANK.value}
    for word in {*results, EXPIRED, OFFER_ENDED, VOIDED, GOODWILL, *(one.value for one in Written if one.value)}:
        assert f"`{word}`" in text, word


def test_every_refusal_is_named() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", EXPORTS.partition("| a refusal's `reason` |")[2]))
    given = {reason for reason in reasons_of("ExportRefused") if ":" not in reason}
    assert given | {"engine_changed", "time_zones_changed"} == documented


def test_its_limits_are_those_of_the_code() -> None:
    text = section(EXPORTS, "For programs")
    assert f"up to {PARTS_PER_ANSWER} at a time" in text
    assert f"good for {PART_LINK_SECONDS // 60} minutes" in text
    assert f"there for {({7: 'seven'})[EXPORT_DAYS]} days" in section(EXPORTS, "When it is interrupted")


def test_its_roles_are_those_of_the_routes() -> None:
    named = set(re.findall(r"\*([a-z]+)\*", section(EXPORTS, "Who may").partition("\n\n")[0]))
    assert named == {role.value for role in BY_USE["exports.begin"].roles}
