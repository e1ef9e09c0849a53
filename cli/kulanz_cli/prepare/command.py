"""``kulanz list prepare``: files of an export become the parts of a list, with a report of all that was changed."""

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from kulanz.domain.incident import Incident
from kulanz.domain.policy import CompiledPolicy, PolicyDocument, compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.schema import schema_text
from kulanz.domain.time import Window
from kulanz_cli.outcomes import EXIT_NO, FILE_CODES, Unusable
from kulanz_cli.prepare.bucket import with_fetched
from kulanz_cli.prepare.parts import PART_BYTES, PARTS_MOST
from kulanz_cli.prepare.profile import load_profile, profile_schema
from kulanz_cli.prepare.report import report_content, show_report
from kulanz_cli.prepare.run import Report
from kulanz_cli.prepare.run import prepare as prepare_files
from kulanz_cli.settings import as_json, stack_of
from kulanz_cli.terminal import console, print_document, print_json

SMALLEST_PART_BYTES = 1024

files_argument = click.argument("files", metavar="FILES...", nargs=-1, required=True)
policy_option = click.option(
    "--policy", "policy_path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy's YAML file: it says which facts a row must state, and of which type.",
)  # fmt: skip


@click.command("prepare", epilog=FILE_CODES)
@files_argument
@click.option(
    "--profile", "profile_path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The profile of the export (NAME.profile.yaml).",
)  # fmt: skip
@policy_option
@click.option(
    "--into", required=True, type=click.Path(path_type=Path), help="The folder of the parts; it must not exist yet."
)
@click.option(
    "--part-bytes", type=click.IntRange(min=SMALLEST_PART_BYTES), default=PART_BYTES, show_default=True,
    help="A part ends when it has so many bytes.",
)  # fmt: skip
@as_json
def prepare(
    files: Sequence[str], profile_path: Path, policy_path: Path, into: Path, part_bytes: int, is_json: bool
) -> None:
    """Make a list of FILES as another tool wrote them.

    CSV of any dialect, gzip, JSON lines and arrays, Parquet, and workbooks (.xlsx). FILES may have wildcards, in
    quotes; s3://BUCKET/PREFIX stands for all objects under it. Exits with 1 when rows have a cell that cannot be read:
    it is #VALUE! in the list, and a campaign rejects the row.
    """
    policy = policy_for_lists(policy_path)
    profile = load_profile(profile_path, policy)
    with with_fetched(files, lambda: stack_of(click.get_current_context()).client("s3")) as local:
        paths = matching(local)
        with reading_bar("prepare", sum(path.stat().st_size for path in paths)) as progress:
            report = prepare_files(paths, profile, policy, into, progress, part_bytes)
    show(report, into, is_json=is_json)
    if report.wrong_rows:
        click.get_current_context().exit(EXIT_NO)


@click.command("schema", epilog=FILE_CODES)
def schema() -> None:
    """Print the JSON Schema of profiles, for editors."""
    print_document(schema_text(profile_schema()))


def show(report: Report, into: Path, *, is_json: bool) -> None:
    """Print a report."""
    if is_json:
        print_json(report_content(report))
    else:
        show_report(console(), report, into)


def policy_for_lists(path: Path) -> CompiledPolicy:
    """A policy before any incident: what its lists have. Raises PolicyError."""
    return compiled_for_lists(load_policy(path), datetime.now(UTC))


def compiled_for_lists(document: PolicyDocument, now: datetime) -> CompiledPolicy:
    """A policy compiled for an incident that only gives facts a home. Raises PolicyError."""
    incident = Incident("list-prepare", 1, "List", "", (), (Window(now, None),))
    return compile_policy(freeze(document, {}), incident, now)


def matching(files: Sequence[str]) -> list[Path]:
    """The files of names and patterns, in their order; those of a pattern by name. Raises Unusable."""
    found: dict[Path, None] = {}
    for one in files:
        paths = [Path(one)] if Path(one).exists() else sorted(map(Path, glob.glob(one)))  # noqa: PTH207 (may be absolute)
        if not paths:
            raise Unusable(f"there is no file {one}")
        for path in paths:
            if path.is_dir():
                raise Unusable(f"{path} is a folder; name its files, such as '{path}/*.csv'")
            if path in found:
                raise Unusable(f"{path} is named twice; name each file once")
            found[path] = None
    if len(found) > PARTS_MOST:
        raise Unusable(f"{len(found):,} files are named; at most {PARTS_MOST:,} are read")
    return list(found)


@contextmanager
def reading_bar(what: str, size: int) -> Iterator[Callable[[int], None]]:
    """A bar of how far files are read, where errors go to a terminal."""
    out = console(stderr=True)
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, disable=not out.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=size)
        yield lambda done: progress.update(task, advance=done)
