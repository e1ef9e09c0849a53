"""``kulanz send``: check an incident event and its list, put both where they belong, and say what became of them.

Whatever the stack would refuse after the upload is looked at before it: the event's contract, the policy it names, the
list's name and its first line, by the very code that the stack runs.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from kulanz.application.campaigns.freeze_policy import must_have_happened, must_state_facts
from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.door.problems import Kind
from kulanz.application.incidents.incident_event import EventRefused, IncidentEvent, read_incident_event
from kulanz.application.lists.check_list import must_not_state_history, required_columns
from kulanz.domain.campaigns.campaign import ENDED, CampaignId, State
from kulanz.domain.canonical import canonical_json
from kulanz.domain.incident_record import DetailType
from kulanz.domain.lists.header import HEADER_BYTES, format_of, read_layout
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.policy import PolicyError, compile_policy, document_from_json, freeze
from kulanz_cli.bucket_parts import pinned_parts, with_pinned
from kulanz_cli.command import under_id
from kulanz_cli.door import Door, DoorProblem
from kulanz_cli.event_file import EventUnsendable, legal_name, read_event, stated_list, with_place
from kulanz_cli.list_parts import must_be_parts, parts_among, with_parts
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.send import send, with_decision_digest, with_list
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import command, console, counted_as, print_json, say

ID_CHARACTERS = 32
UPLOADED_LATER = {"s3": {"bucket": "list", "key": "lists/list.csv", "version_id": "later"}, "rows": 1}
"""What an event names, while it is checked, in place of a list that is not uploaded yet."""
PARTS_NAMED = 3
_PART = re.compile(r"(?i)part-\d+.*|data_\d+_\d+_\d+.*|\d{12}\..*|.*[-_.]\d+-of-\d+.*|.*[-_.]part\d+.*")
"""What Spark, Snowflake, BigQuery and others call the parts of an export."""
_REFUSALS = frozenset({Kind.REFUSED, Kind.REQUEST_REFUSED})


@dataclass(frozen=True, slots=True)
class _Became:
    """What became of an event: a campaign, or the text of its refusal, or neither where it is recorded only."""

    campaign: CampaignId | None = None
    state: str = ""
    refusal: str = ""


@click.command("send", epilog=ANSWER_CODES)
@click.argument("path", metavar="EVENT.json", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--list",
    "list_paths",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="The list to upload and name in the event: a file (.csv, .jsonl), a folder of parts, or several files.",
)
@click.option(
    "--list-profile",
    "profile_path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Prepare the list by this profile first, as `kulanz list prepare` does, and show its report.",
)
@click.option(
    "--list-prefix",
    "folder",
    metavar="lists/NAME/",
    help="Take all parts that lie under this folder of the stack's list bucket already; needs --rows.",
)
@click.option("--rows", type=click.IntRange(min=1), help="Your control total; without it the list's lines are counted.")
@click.option("--bus", is_flag=True, help="Put the event on the bus, as a machine does; nobody waits for the outcome.")
@under_id
@as_json
@pass_stack
def send_event(
    stack: Stack,
    path: Path,
    list_paths: Sequence[Path],
    profile_path: Path | None,
    folder: str | None,
    rows: int | None,
    *,
    bus: bool,
    given_id: str | None,
    is_json: bool,
) -> None:
    """Send an incident event, with its list.

    Event, policy and the list's header are checked before anything is uploaded. Says which campaign was opened, and
    exits with 1 where the event was refused. The person who sends it is the requester; its `source` says nothing then.
    """
    event, out, notes = with_decision_digest(read_event(path), stack), console(), console(stderr=True)
    _must_fit(list_paths, profile_path, folder, rows)
    if not list_paths and folder is None:
        _must_name_its_list(event)
    if folder is not None and rows is not None:
        pinned = pinned_parts(stack, folder)
        event = with_pinned(event, pinned, rows)
        for note in pinned.notes():
            say(notes, note, further=2)
        if not is_json:
            say(out, f"{counted_as(len(pinned.parts), 'part')} under {folder}: {pinned.place['s3']['key']}")
    with _as_sent(event, stack, list_paths, profile_path) as parts:
        for note in checked(event, stack.door(), parts):
            say(notes, note, further=2)
        if parts:
            event = (
                with_list(event, stack, parts[0], rows) if len(parts) == 1 else with_parts(event, stack, parts, rows)
            )
            key = event["detail"]["campaign"]["affected"]["s3"]["key"]
            if not is_json:
                say(out, f"{_named(list_paths, parts)} uploaded as {key}")
    if bus:
        _put_on_the_bus(event, stack, is_json=is_json)
        return
    known = _read(event)
    became = _requested(event, known, stack.door(), given_id)
    rows_stated = None if known.request is None else known.request.affected.rows
    if is_json:
        print_json({"v": 1, "incident_id": known.incident_id, "rows": rows_stated, **_became_content(became)})
    else:
        _show(became, known, rows_stated)
    if became.refusal or became.state == State.REFUSED:
        click.get_current_context().exit(EXIT_NO)


def _must_fit(paths: Sequence[Path], profile_path: Path | None, folder: str | None, rows: int | None) -> None:
    """Refuse options that contradict each other."""
    if folder is not None and (paths or profile_path is not None):
        raise click.UsageError("--list-prefix names the list: leave out --list and --list-profile")
    if folder is not None and rows is None:
        raise click.UsageError("--list-prefix needs --rows: the number of rows that your own system exported")
    if not paths and folder is None and (rows is not None or profile_path is not None):
        raise click.UsageError("--rows and --list-profile belong to --list")


def _must_name_its_list(event: dict[str, Any]) -> None:
    """Refuse an event without a list whose campaign names none that is uploaded. Raises EventUnsendable."""
    if not isinstance(event["detail"].get("campaign"), dict):
        return
    _, stated = stated_list(event)
    if "inline" not in stated and "version_id" not in (stated.get("s3") or {}):
        raise EventUnsendable("the event asks for a campaign, and its list is missing: add --list LIST --rows NUMBER")


def _put_on_the_bus(event: dict[str, Any], stack: Stack, *, is_json: bool) -> None:
    sent = send(event, stack)
    if is_json:
        print_json({"v": 1, "event_id": sent.event_id, "incident_id": sent.incident_id, "rows": sent.rows})
        return
    out = console()
    counted = "" if sent.rows is None else f", {counted_as(sent.rows, 'row')}"
    say(out, f"{sent.detail_type} {sent.incident_id}{counted}: the bus has it as {sent.event_id}")
    say(out, "Its campaign, once it is open, or why it was refused:")
    command(out, ["kulanz", "campaigns", sent.incident_id])
    command(out, ["kulanz", "rejected"])


def _requested(event: dict[str, Any], known: IncidentEvent, door: Door, given_id: str | None) -> _Became:
    """Record the incident, and request the campaign where the event has one. The same event again changes nothing."""
    detail = {name: value for name, value in event["detail"].items() if name != "campaign"}
    of: dict[str, str | int] = {"incident": known.incident_id, "revision": known.revision}
    try:
        if known.detail_type is DetailType.CAMPAIGN_REQUESTED:
            digest = detail["decision_digest"]
        else:
            content = {"detail_type": known.detail_type.value, "incident": detail}
            digest = door.act("requests.record", content, **of)["decision_digest"]
        if known.request is None:
            return _Became()
        request = {"decision_digest": digest, "campaign": event["detail"]["campaign"]}
        opened = door.act("requests.campaign", request, id=given_id or _request_id(request), **of)
    except DoorProblem as problem:
        if problem.kind in _REFUSALS and problem.reason:
            return _Became(refusal=f"{problem.reason}: {problem.message}")
        raise
    campaign = CampaignId.parse(opened["campaign"])
    return _Became(campaign, state_now(door, campaign, opened["state"]))


def state_now(door: Door, campaign: CampaignId, answered: str) -> str:
    """Where a campaign stands. A request that is repeated gets its first answer, whatever became of its campaign since.

    Whoever may request and not read campaigns is shown that answer.
    """
    if answered == State.REFUSED:
        return answered
    try:
        return str(door.ask("campaigns.one", incident=campaign.incident_id, seq=campaign.seq)["state"])
    except DoorProblem as problem:
        if problem.kind is not Kind.UNKNOWN:
            raise
        return answered


def _request_id(request: dict[str, Any]) -> str:
    """The id of a request: the same request is the same campaign, whoever sends it and whenever."""
    return sha256(canonical_json(request).encode()).hexdigest()[:ID_CHARACTERS]


def _became_content(became: _Became) -> dict[str, Any]:
    return {
        "campaign": None if became.campaign is None else str(became.campaign),
        "state": became.state or None,
        "refused": became.refusal or None,
    }


def _show(became: _Became, known: IncidentEvent, rows: int | None) -> None:
    out = console()
    if became.refusal:
        say(out, f"The event was refused: {became.refusal}", further=2)
    elif became.campaign is None:
        say(out, f"Recorded: incident {known.incident_id}. The event asks for no campaign.")
    elif became.state == State.REFUSED:
        say(out, f"Campaign {became.campaign} was refused. Why, and its rows:", further=2)
        command(out, ["kulanz", "rejected", str(became.campaign)])
    elif became.state in ENDED:
        say(out, f"Campaign {became.campaign} was opened for this event, and has ended ({became.state}). See it:")
        command(out, ["kulanz", "watch", str(became.campaign)])
    else:
        counted = "" if rows is None else f", {counted_as(rows, 'row')}"
        say(out, f"Campaign {became.campaign} is open ({became.state}{counted}). Follow it:")
        command(out, ["kulanz", "watch", str(became.campaign)])


def _read(event: dict[str, Any]) -> IncidentEvent:
    try:
        return read_incident_event(event["source"], event["detail-type"], event["detail"])
    except EventRefused as refusal:
        said, field = str(refusal), refusal.field or "detail"
        raise EventUnsendable(said if said.startswith(field) else f"{field}: {said}") from None


def _named(given: Sequence[Path], parts: Sequence[Path]) -> str:
    return f"{given[0].name} is" if len(parts) == 1 else f"{counted_as(len(parts), 'part')} are"


@contextmanager
def _as_sent(
    event: dict[str, Any], stack: Stack, paths: Sequence[Path], profile_path: Path | None
) -> Iterator[list[Path]]:
    """The files that are the list: as they are given, or prepared by a profile, in a folder that is removed again."""
    if profile_path is None:
        yield parts_among(paths)
        return
    from kulanz_cli.prepare.sent import prepared_for  # noqa: PLC0415 (for those who have a profile)

    with tempfile.TemporaryDirectory(prefix="kulanz-list-") as folder:
        yield prepared_for(
            event, stack.door(), paths, profile_path, Path(folder) / legal_name(paths[0].name).partition(".")[0]
        )


def checked(event: dict[str, Any], door: Door, parts: Sequence[Path]) -> Iterator[str]:
    """Check everything that can be checked before the upload; notes on what could not. Raises EventUnsendable."""
    detail, list_path = event["detail"], parts[0] if parts else None
    if list_path is not None:
        detail = with_place(event, UPLOADED_LATER)["detail"]
        if len(parts) == 1:
            _check_name(list_path)
        else:
            must_be_parts(parts)
    known = _read({**event, "detail": detail})
    if known.request is None:
        return
    policy = known.request.policy
    try:
        published = door.ask("policies.one", policy=policy.id, version=policy.version)["document"]
        content = known.content or _declared(known, door)
    except DoorProblem as problem:
        if problem.kind is Kind.UNKNOWN:
            raise EventUnsendable(
                f"policy {policy.id} version {policy.version} is not published on this stack; publish it first, with:"
                " kulanz policy publish FILE"
            ) from None
        yield f"note: the policy and the header were not checked before the upload ({problem.message})"
        return
    document, incident, now = (
        document_from_json(json.dumps(published).encode()),
        thaw_incident(content),
        datetime.now(UTC),
    )
    try:
        must_have_happened(incident, now)
        compiled = compile_policy(freeze(document, policy.parameters), incident, now)
        must_state_facts(incident, compiled)
    except EventRefused as refusal:
        raise EventUnsendable(f"{refusal.field}: {refusal}") from None
    except PolicyError as error:
        raise EventUnsendable(f"detail.campaign.policy: {error}") from None
    except (ArithmeticError, ValueError):
        raise EventUnsendable(
            "detail.campaign.policy: the policy cannot compute with this incident's windows and facts; check their"
            " dates and sizes"
        ) from None
    if list_path is None:
        return
    with list_path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    try:
        layout = read_layout(format_of(list_path.name), head, list_path.stat().st_size, required_columns(compiled))
        must_not_state_history(compiled, layout)
    except ListRefused as refusal:
        raise EventUnsendable(f"{list_path.name} was not uploaded: {refusal}") from None


def _declared(known: IncidentEvent, door: Door) -> bytes:
    """What is recorded of the incident that a *Campaign Requested* is about. Raises EventUnsendable."""
    try:
        found = door.ask("incidents.revision", incident=known.incident_id, revision=known.revision)
    except DoorProblem as problem:
        if problem.kind is not Kind.UNKNOWN:
            raise
        raise EventUnsendable(
            f"revision {known.revision} of incident {known.incident_id} is not recorded on this stack; send the event"
            " that declares it first"
        ) from None
    return canonical_json(found["content"]).encode()


def _check_name(path: Path) -> None:
    """Refuse, before the upload, a file that no campaign can read. Raises EventUnsendable."""
    try:
        format_of(legal_name(path.name))
    except ListRefused as refusal:
        unpack = f" (gunzip -k {path.name})" if path.suffix.lower() == ".gz" else ""
        raise EventUnsendable(f"{path.name} was not uploaded: {refusal}{unpack}") from None
    if _PART.fullmatch(path.name):
        shape = re.sub(r"\d+", "0", path.name)
        others = sorted(
            one.name for one in path.parent.iterdir() if one != path and re.sub(r"\d+", "0", one.name) == shape
        )
        if others:
            named = ", ".join(others[:PARTS_NAMED]) + (" and more" if len(others) > PARTS_NAMED else "")
            raise EventUnsendable(
                f"{path.name} was not uploaded: it looks like one part of an export; beside it are {named}. A campaign"
                " reads one list: name the folder, or all parts: --list FIRST --list SECOND"
            )
