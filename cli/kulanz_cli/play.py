"""``kulanz source play``: a recording, sent to the deployed receiver as its source would, some twice and some late."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import click

from kulanz.sources.signatures import Scheme, pagerduty_signature, standard_signature
from kulanz.sources.table import SOURCES, Source
from kulanz_cli.outcomes import ACTION_CODES, Unusable
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.signed import Http, NoReply, SignedRequest
from kulanz_cli.sources import as_delivery, recorded_bodies
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import console, print_json, say

PLAY_VERSION = 1
ACCEPTED = 202
EVERY_TWICE = 3
"""Of so many deliveries one comes again, and one late."""


@click.command("play", epilog=ACTION_CODES)
@click.argument("path", metavar="RECORDING", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", "name", required=True, help="The source as the published configuration names it.")
@click.option("--kind", required=True, type=click.Choice([*SOURCES]), help="The kind of source: how it signs.")
@click.option(
    "--secret", envvar="KULANZ_SOURCE_SECRET",
    help="What it signs with, or the end of its path. Without it, and without KULANZ_SOURCE_SECRET, you are asked.",
)  # fmt: skip
@click.option("--in-order", is_flag=True, help="Send each delivery once, in order; else some come twice or late.")
@as_json
@pass_stack
def play(stack: Stack, path: Path, name: str, kind: str, secret: str | None, *, in_order: bool, is_json: bool) -> None:
    """Send a RECORDING to the deployed receiver, as its source would.

    It is signed by the source's own rules. Some deliveries come twice and some late, because they do.
    """
    source = SOURCES[kind]
    if source.scheme is Scheme.RULE:
        raise Unusable(f"{kind} comes over an event bus of AWS, and not to the receiver; nothing can be played")
    bodies = recorded_bodies(path)
    sent = bodies if in_order else shuffled(bodies)
    known: str = secret or click.prompt("Secret of the source", hide_input=True, err=True)
    statuses = [deliver(stack, source, name, known, as_delivery(body)) for body in sent]
    refused = [status for status in statuses if status != ACCEPTED]
    if is_json:
        print_json({"v": PLAY_VERSION, "deliveries": len(bodies), "sent": len(sent), "statuses": statuses})
    elif not refused:
        again = "" if in_order else f", {len(sent) - len(bodies)} of them twice, and not in order"
        say(console(), f"{len(bodies)} deliveries were received{again}. What they became: kulanz drafts", further=2)
    if refused:
        answers = ", ".join(map(str, sorted(set(refused))))
        raise Unusable(
            f"{len(refused)} of {len(sent)} deliveries were answered {answers}: is the source published"
            " under this name, and the secret the one of its configuration?"
        )


def shuffled(bodies: Sequence[Any]) -> list[Any]:
    """The deliveries with some twice and some late, always in the same way."""
    random = Random(len(bodies))  # noqa: S311 - an order, not a secret
    found = [*bodies, *bodies[::EVERY_TWICE]]
    for place in range(0, len(found) - 1, EVERY_TWICE):
        other = random.randrange(place, len(found))
        found[place], found[other] = found[other], found[place]
    return found


def deliver(stack: Stack, source: Source, name: str, secret: str, body: bytes) -> int:
    """Send one delivery; the status of the answer. Raises Unusable where there is none."""
    headers = {"content-type": "application/json", **signed(source, secret, body)}
    url = f"{stack.sources_url()}/{quote(name, safe='')}"
    if source.scheme is Scheme.PATH:
        url += f"/{quote(secret, safe='')}"
    try:
        return Http()(SignedRequest("POST", url, headers, body)).status
    except NoReply as error:
        raise Unusable(f"the receiver did not answer ({error}); try again") from None


def signed(source: Source, secret: str, body: bytes) -> dict[str, str]:
    """The headers in which a source signs."""
    if source.scheme is Scheme.PAGERDUTY:
        return {"x-pagerduty-signature": pagerduty_signature(secret, body)}
    if source.scheme is Scheme.STANDARD_WEBHOOKS:
        now = str(int(datetime.now(UTC).timestamp()))
        try:
            signature = standard_signature(secret, "msg_played", now, body)
        except ValueError as error:
            raise Unusable(f"expected the secret as incident.io shows it: {error}") from None
        return {"webhook-id": "msg_played", "webhook-timestamp": now, "webhook-signature": signature}
    return {}
