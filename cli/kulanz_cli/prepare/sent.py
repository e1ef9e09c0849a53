"""The list of `kulanz send --list`, prepared by a profile first: its report is shown before anything is uploaded."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kulanz.application.door.problems import Kind
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.policy import document_from_json
from kulanz_cli.door import Door, DoorProblem
from kulanz_cli.event_file import EventUnsendable, stated_list
from kulanz_cli.list_parts import parts_among
from kulanz_cli.prepare.command import compiled_for_lists, matching, reading_bar
from kulanz_cli.prepare.profile import load_profile
from kulanz_cli.prepare.report import show_report
from kulanz_cli.prepare.run import prepare
from kulanz_cli.terminal import console, counted_as


def prepared_for(
    event: dict[str, Any], door: Door, paths: Sequence[Path], profile_path: Path, into: Path
) -> list[Path]:
    """The parts of a list, prepared for the policy that an event names. Raises Unusable where nobody wants it sent.

    A person at a terminal is asked. Without a terminal a list with a row that cannot be read is not sent.
    """
    named = stated_list(event)[0].get("policy")
    policy_id, version = (named.get("id"), named.get("version")) if isinstance(named, dict) else (None, None)
    try:
        if not isinstance(policy_id, str) or not is_incident_id(policy_id) or not isinstance(version, int):
            raise EventUnsendable("the event names no policy; name its id and version in detail.campaign.policy")
        published = door.ask("policies.one", policy=policy_id, version=version)["document"]
    except DoorProblem as problem:
        if problem.kind not in (Kind.UNKNOWN, Kind.PATH):
            raise
        raise EventUnsendable("the policy that the event names is not published; publish it first") from None
    policy = compiled_for_lists(document_from_json(json.dumps(published).encode()), datetime.now(UTC))
    profile = load_profile(profile_path, policy)
    files = matching([str(path) for path in parts_among(paths)])
    with reading_bar("prepare", sum(path.stat().st_size for path in files)) as progress:
        report = prepare(files, profile, policy, into, progress)
    show_report(console(stderr=True), report, Path(into.name))
    if sys.stdin.isatty():
        if not click.confirm("Send this list?", err=True):
            raise EventUnsendable("nothing was sent")
    elif report.wrong_rows:
        raise EventUnsendable(
            f"nothing was sent: {counted_as(report.wrong_rows, 'row')} cannot be read; correct the files or the"
            " profile, or prepare the list with `kulanz list prepare` and send its folder"
        )
    return parts_among([into])
