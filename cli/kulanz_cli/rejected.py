"""``kulanz rejected``: which events were refused, and which rows of a campaign's list, and why."""

from collections.abc import Sequence
from typing import Any

import click

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.command import CampaignParameter, action_id
from kulanz_cli.door import Door
from kulanz_cli.outcomes import EXIT_NO, Unusable
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say
from kulanz_console.drawing.text import seconds

SHOWN = 100
SHOWN_MOST = 10_000
REJECTED_CODES = "Exit codes: 0 nothing refused, 1 something was, 2 wrong command line, 3 the stack could not be used."
_OF_AN_EVENT = (*("reason", "field", "message", "source", "detail_type", "incident_id", "event_key", "received_at"),)


@click.command(
    "rejected",
    epilog=REJECTED_CODES,
)
@click.argument("campaign_id", metavar="[CAMPAIGN]", type=CampaignParameter(), required=False)
@click.option("--limit", type=click.IntRange(1, SHOWN_MOST), default=SHOWN, show_default=True, help="Show at most.")
@click.option("--done", is_flag=True, help="Take the events shown out of the queue; they stay in the bucket.")
@as_json
@pass_stack
def rejected(stack: Stack, campaign_id: CampaignId | None, limit: int, done: bool, is_json: bool) -> None:
    """Show refused events, or the rejected rows of CAMPAIGN.

    CAMPAIGN is written att-2024-02-22/1; of one that was refused as a whole, the reason is shown as well. Looking at
    the queue of refused events takes nothing out of it; it shows at most 100, and says where there may be more. Rows
    are named by line number and byte offset; their content is in the list alone.
    """
    if campaign_id is None:
        refusal, found = "", _events(stack.door(), limit, done=done, is_json=is_json)
    elif done:
        raise click.UsageError("--done belongs to refused events; rows stay with their campaign")
    else:
        refusal, found, more = _rows(stack.door(), campaign_id, limit)
        _show(campaign_id, refusal, found, is_json=is_json, more=more)
        if more:
            say(console(stderr=True), f"These are {len(found)}, and there are more: --limit shows as many as it says.")
    if found or refusal:
        click.get_current_context().exit(EXIT_NO)


def _events(door: Door, limit: int, *, done: bool, is_json: bool) -> Sequence[dict[str, Any]]:
    """Show refused events. They stay in their queue, unless they are `done` and what was shown of them is too."""
    answer = door.ask("incidents.refused")
    if answer["foreign"]:
        raise Unusable(
            f"the message {answer['foreign'][0]} in the queue of refused events is not one that Kulanz wrote; look at"
            " it in the SQS console, and delete it there"
        )
    events = answer["events"][:limit]
    found = [{"v": 1, **{name: event[name] for name in _OF_AN_EVENT}} for event in events]
    more = answer["more"] or len(answer["events"]) > limit
    _show(None, "", found, is_json=is_json, more=more)
    if more:
        say(
            console(stderr=True),
            f"These are {len(found)}, and there may be more: correct these, take them out with kulanz rejected --done,"
            " then look again.",
        )
    if done and events:
        ids = [event["id"] for event in events]
        door.act("repairs.refused", {"events": ids}, id=action_id("rejected", *ids))
    return found


def _rows(door: Door, campaign_id: CampaignId, limit: int) -> tuple[str, list[dict[str, Any]], bool]:
    """Why the campaign was refused as a whole, if it was; its first rows with a problem, by their place; and whether
    there are more.
    """
    refusal, rows, rest = "", list[dict[str, Any]](), None
    for page in door.pages("campaigns.rejected", incident=campaign_id.incident_id, seq=campaign_id.seq):
        refusal = page["refused"] or ""
        rows += ({name: value for name, value in row.items() if name != "work"} for row in page["rows"])
        rest = page["next"]
        if len(rows) >= limit:
            break
    first = {(row["offset"], row["reason"], row.get("field", "")): row for row in rows}
    return refusal, [first[place] for place in sorted(first)][:limit], len(first) > limit or rest is not None


def _show(
    campaign_id: CampaignId | None, refusal: str, found: Sequence[dict[str, Any]], *, is_json: bool, more: bool = False
) -> None:
    """Print refused events, or rows. `more`: there are more than these, or may be."""
    if is_json:
        named = None if campaign_id is None else str(campaign_id)
        print_json({"v": 1, "campaign": named, "refused": refusal or None, "more": more, "rejected": found})
        return
    out = console()
    if refusal:
        say(out, f"{campaign_id} was refused as a whole, and nobody was credited: {refusal}", further=2)
    if not found:
        say(out, "no event was refused" if campaign_id is None else f"no row of {campaign_id} has a problem")
    for item in found:
        say(out, _event_line(item) if campaign_id is None else _row_line(item), further=2)


def _event_line(item: dict[str, Any]) -> str:
    what = " ".join(part for part in (item["detail_type"], item["incident_id"]) if part) or "a message"
    where = f" ({item['field']})" if item["field"] else ""
    head = f"{seconds(item['received_at'])} {what} from {item['source'] or 'nobody'}"
    return f"{head}: {item['reason']}{where}: {item['message']}"


def _row_line(item: dict[str, Any]) -> str:
    where = f", {item['field']}" if item.get("field") else ""
    other = f" (the row at byte {item['stored_offset']} stands)" if "stored_offset" in item else ""
    line = "" if item["line"] is None else f"line {item['line']}, "
    return f"{line}byte {item['offset']}: {item['reason']}{where}: expected {item['expected']}{other}"
