"""``kulanz send``: check an incident event and its list, put both where they belong, and follow what becomes of them.

Whatever the stack would refuse after the upload is looked at before it: the event's contract, the policy it names, the
list's name and its first line, by the very code that the stack runs.
"""

import json
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.incidents.incident_event import EventRefused, IncidentEvent, read_incident_event
from kulanz.application.lists.check_list import must_not_state_history, required_columns
from kulanz.application.ports import PolicyMissing, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.lists.header import HEADER_BYTES, format_of, read_layout
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.policy import PolicyError, compile_policy, document_from_json, freeze
from kulanz_cli.errors import foreseen
from kulanz_cli.event_file import EventUnsendable, legal_name, read_event, with_stated
from kulanz_cli.list_parts import must_be_parts, parts_among, with_parts
from kulanz_cli.rejected import refused_events
from kulanz_cli.send import Sent, send, with_decision_digest, with_list
from kulanz_cli.settings import ANSWER_CODES, EXIT_NO, Unusable, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import command, console, counted_as, print_json, say

FOLLOW_SECONDS = 120
"""A campaign is opened some seconds after its event, later only while EventBridge or Lambda are held up."""
POLL_SECONDS = 0.5
LOOKS_PER_QUEUE_LOOK = 4
REFUSED_EVENTS_LOOKED_AT = 100
UPLOADED_LATER = {"s3": {"bucket": "list", "key": "lists/list.csv", "version_id": "later"}, "rows": 1}
"""What an event names, while it is checked, in place of a list that is not uploaded yet."""
PARTS_NAMED = 3
_PART = re.compile(r"(?i)part-\d+.*|data_\d+_\d+_\d+.*|\d{12}\..*|.*[-_.]\d+-of-\d+.*|.*[-_.]part\d+.*")
"""What Spark, Snowflake, BigQuery and others call the parts of an export."""


@dataclass(frozen=True, slots=True)
class _Became:
    """What became of a sent event: a campaign, or the message of its refusal, or neither where it is recorded only."""

    campaign: Campaign | None = None
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
@click.option("--rows", type=click.IntRange(min=1), help="Your control total; without it the list's lines are counted.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the campaign is open or the event refused.")
@as_json
@pass_stack
def send_event(
    stack: Stack,
    path: Path,
    list_paths: Sequence[Path],
    profile_path: Path | None,
    rows: int | None,
    no_wait: bool,
    is_json: bool,
) -> None:
    """Send an incident event, with its list.

    Event, policy and the list's header are checked before anything is uploaded. Waits until the campaign is open or
    the event refused, and exits with 1 where it was refused.
    """
    event, out, notes = with_decision_digest(read_event(path), stack), console(), console(stderr=True)
    if not list_paths and (rows is not None or profile_path is not None):
        raise click.UsageError("--rows and --list-profile belong to --list")
    with _as_sent(event, stack, list_paths, profile_path) as parts:
        for note in _checked(event, stack, parts):
            say(notes, note, further=2)
        if parts:
            event = (
                with_list(event, stack, parts[0], rows) if len(parts) == 1 else with_parts(event, stack, parts, rows)
            )
            key = event["detail"]["campaign"]["affected"]["s3"]["key"]
            if not is_json:
                say(out, f"{_named(list_paths, parts)} uploaded as {key}")
    sent = send(event, stack)
    if not is_json:
        counted = "" if sent.rows is None else f", {counted_as(sent.rows, 'row')}"
        say(out, f"{sent.detail_type} {sent.incident_id}{counted}: the bus has it as {sent.event_id}")
    became = None if no_wait else _follow(_read(event), sent, stack)
    if is_json:
        print_json({**_content(sent), **({} if became is None else _became_content(became))})
    elif became is not None:
        _show(became, sent)
    elif sent.rows is not None:
        say(out, "The campaign, once it is open:")
        command(out, ["kulanz", "campaigns", sent.incident_id])
    if became is not None and _is_refused(became):
        click.get_current_context().exit(EXIT_NO)


def _is_refused(became: _Became) -> bool:
    return bool(became.refusal) or (became.campaign is not None and became.campaign.state is State.REFUSED)


def _content(sent: Sent) -> dict[str, Any]:
    return {"v": 1, "event_id": sent.event_id, "incident_id": sent.incident_id, "rows": sent.rows}


def _became_content(became: _Became) -> dict[str, Any]:
    campaign = became.campaign
    return {
        "campaign": None if campaign is None else str(campaign.id),
        "state": None if campaign is None else campaign.state.value,
        "refused": became.refusal or None,
    }


def _show(became: _Became, sent: Sent) -> None:
    out, campaign = console(), became.campaign
    if became.refusal:
        say(out, f"The event was refused: {became.refusal}", further=2)
    elif campaign is None:
        say(out, f"Recorded: incident {sent.incident_id}. The event asks for no campaign.")
    elif campaign.state is State.REFUSED:
        say(out, f"Campaign {campaign.id} was refused: {campaign.state_reason}. Its rows:", further=2)
        command(out, ["kulanz", "rejected", str(campaign.id)])
    else:
        say(out, f"Campaign {campaign.id} is open ({campaign.state}). Follow it:")
        command(out, ["kulanz", "watch", str(campaign.id)])


def _read(event: dict[str, Any]) -> IncidentEvent:
    try:
        return read_incident_event(event["source"], event["detail-type"], event["detail"])
    except EventRefused as refusal:
        raise EventUnsendable(f"{refusal.field or 'detail'}: {refusal}") from None


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
            event, stack, paths, profile_path, Path(folder) / legal_name(paths[0].name).partition(".")[0]
        )


def _checked(event: dict[str, Any], stack: Stack, parts: Sequence[Path]) -> Iterator[str]:
    """Check everything that can be checked before the upload; notes on what could not. Raises EventUnsendable."""
    detail, list_path = event["detail"], parts[0] if parts else None
    if list_path is not None:
        if not isinstance(detail.get("campaign"), dict):
            raise EventUnsendable("the event has no detail.campaign; a list belongs to a campaign")
        if len(parts) == 1:
            _check_name(list_path)
        else:
            must_be_parts(parts)
        affected = with_stated(detail["campaign"], UPLOADED_LATER)
        detail = {**detail, "campaign": {**detail["campaign"], "affected": affected}}
    known = _read({**event, "detail": detail})
    if known.request is None:
        return
    policy = known.request.policy
    try:
        document = document_from_json(stack.policies().fetch(policy.id, policy.version))
        content = known.content or _declared(known, stack)
    except PolicyMissing:
        raise EventUnsendable(
            f"policy {policy.id} version {policy.version} is not published on this stack; publish it first, with:"
            " kulanz policy publish FILE"
        ) from None
    except TryAgain as error:
        yield f"note: the policy and the header were not checked before the upload ({error})"
        return
    try:
        compiled = compile_policy(freeze(document, policy.parameters), thaw_incident(content), datetime.now(UTC))
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


def _declared(known: IncidentEvent, stack: Stack) -> bytes:
    """What is recorded of the incident that a *Campaign Requested* is about. Raises EventUnsendable."""
    found = {revision.number: revision.content for revision in stack.campaigns().revisions(known.incident_id)}
    if known.revision not in found:
        raise EventUnsendable(
            f"revision {known.revision} of incident {known.incident_id} is not recorded on this stack; send the event"
            " that declares it first"
        )
    return found[known.revision]


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


def _follow(known: IncidentEvent, sent: Sent, stack: Stack) -> _Became:
    """Wait until the stack has acted on the event. Raises Unusable, which says that the event was sent."""
    deadline, looks, unread = time.monotonic() + FOLLOW_SECONDS, 0, ""
    while True:
        try:
            became = _acted_on(known, stack)
        except Exception as error:  # noqa: BLE001 (what is not foreseen is raised again)
            raise _cannot_follow(sent, _foreseen(error)) from None
        if became is None and looks % LOOKS_PER_QUEUE_LOOK == 0 and not unread:
            try:
                became = _refused(sent, stack)
            except Exception as error:  # noqa: BLE001 (what is not foreseen is raised again)
                unread = _foreseen(error)
        if became is not None:
            return became
        if time.monotonic() >= deadline:
            if unread:
                raise _cannot_follow(sent, f"no campaign is open yet, and refused events cannot be read ({unread})")
            raise _cannot_follow(sent, f"after {FOLLOW_SECONDS} seconds it is neither acted on nor refused")
        looks += 1
        time.sleep(POLL_SECONDS)


def _foreseen(error: Exception) -> str:
    """An error as a sentence without its full stop; raises it again where it is a fault of the program."""
    sentence = foreseen(error)
    if sentence is None and not isinstance(error, Unusable):
        raise error
    return error.message if isinstance(error, Unusable) else str(sentence)


def _cannot_follow(sent: Sent, why: str) -> Unusable:
    """What to do where an event was sent and what became of it is not known."""
    return Unusable(
        f"the event WAS sent ({sent.event_id}), but {why}; follow it with `kulanz campaigns {sent.incident_id}` and"
        " `kulanz rejected`; sending the same event again does no harm"
    )


def _acted_on(known: IncidentEvent, stack: Stack) -> _Became | None:
    """The campaign of this very request, by the incident's record; without a request, that the revision is recorded."""
    store = stack.campaigns()
    record = store.incident(known.incident_id)
    if record is None:
        return None
    if known.request is None:
        return _Became() if record.revision_digests.get(known.revision) == known.content_digest else None
    seq = record.requests.get(known.request_digest)
    campaign = None if seq is None else store.campaign(CampaignId(known.incident_id, seq))
    return None if campaign is None else _Became(campaign)


def _refused(sent: Sent, stack: Stack) -> _Became | None:
    """The refusal of this very event, which is known by the id that the bus gave it."""
    with refused_events(stack, REFUSED_EVENTS_LOOKED_AT, done=False) as found:
        events = found
    for item in events:
        if item["incident_id"] == sent.incident_id and _refused_id(item["event_key"], stack) == sent.event_id:
            where = f"{item['field']}: " if item["field"] else ""
            return _Became(refusal=f"{item['reason']}: {where}{item['message']}")
    return None


def _refused_id(key: str, stack: Stack) -> str:
    """The id of an event that was refused; empty where its copy in the bucket cannot be read."""
    try:
        body = stack.client("s3").get_object(Bucket=stack.outputs.list_bucket_name, Key=key)["Body"].read()
        return str(json.loads(body).get("id", ""))
    except (ClientError, BotoCoreError, ValueError, AttributeError):
        return ""
