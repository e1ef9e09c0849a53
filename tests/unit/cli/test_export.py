"""``kulanz export``: one file with every row, whose sums are those of the plan or of the ledger, or no file."""

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.campaigns import stretches as stretches_module
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.exports.rows import COLUMNS
from kulanz_cli.exported import command, files
from kulanz_cli.exported.fetch import PART_ATTEMPTS
from kulanz_cli.signed import NoReply, Reply
from tests.support.exporting import work
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_LINE, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_stack import WorldStack, run

FORMATS = ["csv", "jsonl", "parquet"]


def stack_of(world: World) -> WorldStack:
    world.export_queue.work = lambda message: work(world, message)
    return WorldStack(world)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> WorldStack:
    """A stack whose campaign waits for its approval."""
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS", 5)
    world = small_world(approvers=())
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    return stack_of(world)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> WorldStack:
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS", 5)
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return stack_of(world)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of any format."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    parquet = pytest.importorskip("pyarrow.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return rows


@pytest.mark.parametrize("kind", FORMATS)
def test_the_file_has_every_row_with_the_number_of_its_line(closed: WorldStack, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{kind}"
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    result = run(closed, "export", CAMPAIGN, "--to", str(path))
    assert result.exit_code == 0, result.output
    rows = read(path)
    assert tuple(rows[0]) == COLUMNS
    numbers = {name: number for number, name in enumerate(EVERY_KIND_OF_LINE, 2)}
    by_line = {int(row["line"]): row for row in rows}
    for name, number in numbers.items():
        kind_of_line = name.partition(",")[0]
        if kind_of_line in ("granted", "declined", "held", "referred", "rejected"):
            assert by_line[number]["result"] == kind_of_line, name
    amounts = [row for row in rows if row["currency"] == "EUR" and row["written"] == "yes"]
    assert sum(Decimal(row["amount"]) for row in amounts) == Decimal("26.96")
    assert [path.name for path in tmp_path.iterdir()] == [f"rows.{kind}"]


def test_its_sums_are_printed_beside_those_of_the_reconciliation(closed: WorldStack, tmp_path: Path) -> None:
    result = run(closed, "export", CAMPAIGN, "--to", str(tmp_path / "rows.csv"))
    assert result.stdout.splitlines()[0].startswith(f"{CAMPAIGN}: ")
    assert "what the ledger says, as of 2026-03-01T" in result.stdout
    (line,) = [line for line in result.stdout.splitlines() if " EUR " in line]
    assert line.split() == ["granted", "EUR", "26.96", "26.96"]
    assert "reconciliation" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80 + len(str(tmp_path))


def test_a_plan_that_waits_is_exported_before_the_yes(waiting: WorldStack, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    result = run(waiting, "export", CAMPAIGN, "--to", str(path), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["of"], told["rows"], told["file"]) == ("plan", len(read(path)), str(path))
    assert {row["written"] for row in read(path)} == {""}
    assert not waiting.world.ledger.all_entries()


def test_a_cell_that_a_spreadsheet_would_work_out_is_shown_as_it_is() -> None:
    for text in ("=1+1", "+49", "-", "@x", "\tx", "\rx"):
        assert files._cell("reason", text) == f"'{text}"
    for text in ("", "a=b", "29.90", "2026-03-01", "'=1"):
        assert files._cell("reason", text) == text
    assert files._cell("line", 7) == 7
    assert files._cell("benefit", None) == ""


def broken(stack: WorldStack, monkeypatch: pytest.MonkeyPatch, answers: list[Reply | NoReply]) -> list[str]:
    """Let the first fetches end so; the urls that were asked for."""
    asked: list[str] = []
    good = stack.fetch

    def fetch(url: str) -> Reply:
        asked.append(url)
        if answers:
            answer = answers.pop(0)
            if isinstance(answer, NoReply):
                raise answer
            return answer
        return good(url)

    monkeypatch.setattr(stack, "fetch", fetch)
    return asked


@pytest.mark.parametrize(
    "answer",
    [NoReply("cut"), Reply(403, b"<Error>expired</Error>"), Reply(200, b"cut o"), Reply(503, b""),
     Reply(200, gzip.compress(b'{"line":1}\n'))],
    ids=["no reply", "link over", "cut off", "slow down", "other bytes"],
)  # fmt: skip
def test_an_interrupted_download_goes_on_by_a_new_link(
    closed: WorldStack, answer: Reply | NoReply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = broken(closed, monkeypatch, [answer] * (PART_ATTEMPTS - 1))
    path = tmp_path / "rows.jsonl"
    assert run(closed, "export", CAMPAIGN, "--to", str(path)).exit_code == 0
    assert len(asked) == len(set(asked)) + PART_ATTEMPTS - 1
    assert len(read(path)) > ROWS


@pytest.mark.parametrize("kind", FORMATS)
def test_a_download_that_fails_leaves_the_file_that_was_there(
    closed: WorldStack, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"rows.{kind}"
    path.write_text("of yesterday")
    broken(closed, monkeypatch, [Reply(403, b"")] * 50)
    result = run(closed, "export", CAMPAIGN, "--to", str(path))
    assert (result.exit_code, "could not be fetched (answer 403), 4 times" in " ".join(result.stderr.split())) == (
        3,
        True,
    )
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [(f"rows.{kind}", "of yesterday")]


def test_an_export_that_differs_writes_no_file_and_says_where(closed: WorldStack, tmp_path: Path) -> None:
    ledger = closed.world.ledger
    ledger.forget(next(one.key for one in ledger.all_entries() if one.key.account_id == "granted-3"))
    result = run(closed, "export", CAMPAIGN, "--to", str(tmp_path / "rows.csv"))
    assert result.exit_code == 1
    assert "differs: EUR granted: expected 2696, exported 1696" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_not_those_of_their_parts_are_noticed(
    closed: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever became of a part on its way: the sums that are compared are those of the rows in the file."""
    counted = command._figures

    def less(content: Any) -> Any:
        found = counted(content)
        found.sums = {key: size - 1 for key, size in found.sums.items()}
        return found

    monkeypatch.setattr(command, "_figures", less)
    result = run(closed, "export", CAMPAIGN, "--to", str(tmp_path / "rows.csv"))
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "do not come to the figures of their parts" in " ".join(result.stderr.split())


def test_an_export_that_cannot_be_finished_says_why(closed: WorldStack, tmp_path: Path) -> None:
    world = closed.world
    pinned = world.campaign(CAMPAIGN).pinned
    world.lists.delete_version(pinned.key, pinned.version_id)
    result = run(closed, "export", CAMPAIGN, "--to", str(tmp_path / "rows.csv"))
    assert result.exit_code == 3
    assert "the export cannot be finished: list_version_gone" in " ".join(result.stderr.split())


def test_an_export_that_takes_long_is_fetched_later_under_its_id(
    closed: WorldStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "POLL_SECONDS", 0)
    world = closed.world
    world.export_queue.work = None
    path = tmp_path / "rows.csv"
    early = run(closed, "export", CAMPAIGN, "--to", str(path), "--seconds", "0", "--id", "mine")
    assert early.exit_code == 3
    assert "with --id mine" in " ".join(early.stderr.split())
    for message in world.export_queue.sent:
        work(world, message)
    assert run(closed, "export", CAMPAIGN, "--to", str(path), "--id", "mine").exit_code == 0
    assert len(world.exports._exports) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--to", "rows.txt"), 2, "ends with .csv, .jsonl or .parquet"),
        (("--to", "rows.csv", "--format", "xlsx"), 2, "xlsx"),
        (("--to", "no-such-folder/rows.csv"), 3, "cannot be written"),
        (("--to", "rows.csv", "--id", "a b"), 2, "an action's id"),
    ],
)
def test_a_wrong_command_line_says_what_is_expected(
    closed: WorldStack, words: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(closed, "export", CAMPAIGN, *words)
    assert (result.exit_code, said in " ".join(result.stderr.split())) == (code, True), result.stderr


def test_a_file_with_any_name_has_the_format_that_is_stated(closed: WorldStack, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    assert run(closed, "export", CAMPAIGN, "--to", str(path), "--format", "jsonl").exit_code == 0
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0])["campaign"] == CAMPAIGN
