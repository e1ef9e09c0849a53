"""``kulanz list check``: what a campaign would make of a list, before it is published. No AWS is asked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.lists.check_list import CheckedList, check_list
from kulanz.domain.campaigns.limits import stated_limits
from kulanz.domain.incident import Incident
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.policy import CompiledPolicy, PolicyDocument, compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window
from kulanz_cli.checked_list import checked_content, show_checked
from kulanz_cli.event_file import EventUnsendable, read_event, with_place
from kulanz_cli.local_parts import local_list
from kulanz_cli.outcomes import EXIT_NO, FILE_CODES, Unusable
from kulanz_cli.settings import as_json
from kulanz_cli.subject_index import SubjectFiles
from kulanz_cli.terminal import console, print_json, say

if TYPE_CHECKING:
    from kulanz.application.incidents.incident_event import CampaignContract, IdShapeContract

CHECKED = {"s3": {"bucket": "checked", "key": "checked", "version_id": "checked"}, "rows": 1}
"""What the event of a list that is not uploaded yet names in its place."""


@click.command("check", epilog=FILE_CODES)
@click.argument("files", metavar="LIST...", nargs=-1, required=True)
@click.option(
    "--policy", "policy_path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy's YAML file: it says which facts a row must state, and of which type.",
)  # fmt: skip
@click.option(
    "--event", "event_path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The incident's event; with it, the results that the rows would have are counted.",
)  # fmt: skip
@click.option("--rows", type=click.IntRange(min=1), help="Your control total: the rows that the event will announce.")
@click.option("--show-values", is_flag=True, help="Print the lines that are named, as they are: of a file of your own.")
@as_json
def check(
    files: Sequence[str],
    policy_path: Path,
    event_path: Path | None,
    rows: int | None,
    show_values: bool,
    is_json: bool,
) -> None:
    """Show what a campaign would make of LIST.

    What its rows come to, what they are worth, which would be rejected and why. Lines are named by number, never by
    content. LIST is a file, the folder of `kulanz list prepare`, or all parts of one list, also with wildcards in
    quotes. Exits with 1 when a line, or the whole list, would be refused, when the list is outside the limits of its
    plan, or when the event would be refused or names another policy.
    """
    document = load_policy(policy_path)
    now = datetime.now(UTC)
    incident, request, refused = _incident(event_path, now)
    compiled = compile_policy(freeze(document, {} if request is None else request.policy.parameters), incident, now)
    stated = {} if request is None or request.limits is None else request.limits.stated()
    limits = stated_limits({"policy": compiled.limits, "request": stated})
    refusal, checked, decided = "", CheckedList(), event_path is not None
    found = local_list(files)
    try:
        found.must_be_one()
        with SubjectFiles() as subjects, _bar(found.size) as progress:
            checked = check_list(
                found.read, found.size, found.format, compiled, now,
                ignored_columns=[] if request is None else request.ignored_columns,
                account_ids=_shape(None if request is None else request.affected.account_ids),
                subject_ids=_shape(None if request is None else request.affected.subject_ids),
                subjects=subjects, progress=progress,
            )  # fmt: skip
        refusal = checked.refusal(rows)
    except ListRefused as problem:
        refusal = f"{problem.reason}: {problem}"
    outside = [] if refusal else checked.outside(limits, decided=decided)
    of_event = [*refused, *_other_policy(request, document), *(_misnamed(incident, compiled) if decided else ())]
    if is_json:
        print_json({**checked_content(found.name, checked, refusal, outside, decided=decided), "event": of_event})
    else:
        for text in of_event:
            say(console(), text, further=2)
        show_checked(console(), found, checked, refusal, outside, decided=decided, show_values=show_values)
    if refusal or checked.rejected or outside or of_event or checked.are_rounded:
        click.get_current_context().exit(EXIT_NO)


@contextmanager
def _bar(size: int) -> Iterator[Callable[[int], None]]:
    """A bar of how far a file is read, where errors go to a terminal."""
    out = console(stderr=True)
    columns = (TextColumn("check"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, disable=not out.is_terminal, transient=True) as progress:
        task = progress.add_task("check", total=size)
        yield lambda done: progress.update(task, completed=done)


def _shape(stated: "IdShapeContract | None") -> IdShape | None:
    return None if stated is None else stated.shape()


def _other_policy(request: "CampaignContract | None", document: PolicyDocument) -> Iterator[str]:
    """That a campaign would decide by another policy than the list was checked with."""
    if request is None:
        return
    named, given = (request.policy.id, request.policy.version), (document.policy.id, document.policy.version)
    if named != given:
        yield (
            f"the event names policy {named[0]} version {named[1]}, and --policy is {given[0]} version {given[1]}:"
            " a campaign decides by the event's, so its results are others than these"
        )


def _misnamed(incident: Incident, policy: CompiledPolicy) -> Iterator[str]:
    """Why a campaign would refuse the facts of the event's incident."""
    from kulanz.application.campaigns.freeze_policy import must_state_facts  # noqa: PLC0415 (for an event alone)
    from kulanz.application.incidents.incident_event import EventRefused  # noqa: PLC0415 (as the one above)

    try:
        must_state_facts(incident, policy)
    except EventRefused as refusal:
        yield f"the event would be refused: {refusal.reason}: {refusal}"


def _incident(event_path: Path | None, now: datetime) -> "tuple[Incident, CampaignContract | None, Sequence[str]]":
    """The event's incident, the request in it, and why that would be refused.

    Without an event it is an incident that only gives facts a home.
    """
    if event_path is None:
        return Incident("list-check", 1, "List check", "", (), (Window(now, None),)), None, ()
    from kulanz.application.campaigns.freeze_policy import must_have_happened  # noqa: PLC0415 (as the one below)
    from kulanz.application.incidents.incident_event import (  # noqa: PLC0415 (slow to import, for an event alone)
        EventRefused,
        read_incident_event,
    )

    event = read_event(event_path)
    try:
        detail = event["detail"]
        if isinstance(detail.get("campaign"), dict):  # `send` names the list: here it is the one that is checked
            detail = with_place(event, CHECKED)["detail"]
        known = read_incident_event(event["source"], event["detail-type"], detail)
    except (EventUnsendable, EventRefused) as error:
        raise Unusable(f"{event_path}: {error}") from None
    if known.content is None:
        raise Unusable(f"{event_path}: a campaign request has no incident; give the event that declares it")
    incident = thaw_incident(known.content)
    try:
        if known.request is not None:
            must_have_happened(incident, now)
    except EventRefused as refusal:
        return incident, known.request, [f"the event would be refused: {refusal.reason}: {refusal}"]
    return incident, known.request, ()
