"""``kulanz source``: check, publish and show the configuration of incident sources."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from kulanz.application.door.drafts import DraftAnswer, answer_of
from kulanz.application.drafts.draft_ports import SourcesSealed
from kulanz.application.drafts.keep_delivery import json_of, read_body, upstream_of
from kulanz.domain.drafts.draft import drafts_of
from kulanz.domain.drafts.reported import Change, Part
from kulanz.sources.configuration import (
    Configuration,
    ConfigurationError,
    Configured,
    configuration_json,
    must_follow,
    read_configuration,
)
from kulanz.sources.reading import SourceProblem
from kulanz_cli.direct import DirectStack
from kulanz_cli.draft import show_draft
from kulanz_cli.outcomes import EXIT_NO, Unusable
from kulanz_cli.settings import as_json, pass_direct_stack
from kulanz_cli.terminal import Column, console, counted_as, print_json, say, table
from kulanz_cli.versioned_file import VersionedFile

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
CONFIGURATION = VersionedFile(
    "the configuration of sources",
    read_configuration,
    must_follow,
    configuration_json,
    ConfigurationError,
    SourcesSealed,
)
CHECK_VERSION = 1
PAYLOAD_BYTES = 64 * 1024 * 1024
"""Of a file with recorded deliveries."""


@click.command("check")
@click.argument("file", metavar="CONFIG", type=FILE)
@click.option("--payload", "payloads", multiple=True, type=FILE, help="A recorded body, or a recording of several.")
@click.option("--source", "name", help="The source whose delivery it is, where CONFIG has several.")
@as_json
def check(file: Path, payloads: Sequence[Path], name: str | None, is_json: bool) -> None:
    """Check a CONFIG, and show what a recorded delivery would become.

    It needs no AWS: the drafts are made by the code that the stack runs. Exits with 1 where a delivery cannot be read.
    """
    _, configuration = CONFIGURATION.read(file)
    if not payloads:
        _report({**_content(configuration)}, _is_right(configuration), is_json)
        return
    drafts, unread = _made(payloads, _named(configuration, name))
    if is_json:
        print_json({"v": CHECK_VERSION, "drafts": drafts, "unread": unread})
    else:
        out = console()
        for draft in drafts:
            show_draft(draft, out)
        for one in unread:
            say(out, f"{one['file']} cannot be read: {one['reason']}: {one['message']}", further=2)
        if not drafts and not unread:
            say(out, "The deliveries are about nothing that becomes an incident.")
    if unread:
        click.get_current_context().exit(EXIT_NO)


def _made(payloads: Sequence[Path], configured: Configured) -> tuple[list[DraftAnswer], list[dict[str, str]]]:
    """The drafts that recorded deliveries make, and what of them cannot be read."""
    parts: dict[str, list[Part]] = {}
    outside: list[Change] = []
    problems: list[dict[str, str]] = []
    for path in payloads:
        for number, body in enumerate(_bodies(path), 1):
            try:
                reading = read_body(body, configured)
            except SourceProblem as problem:
                problems.append({"file": f"{path} ({number})", "reason": problem.reason, "message": str(problem)})
                continue
            for part in reading.parts:
                if part.incident:
                    parts.setdefault(part.incident, []).append(part)
                else:
                    outside += part.reported.changes
    drafts = [
        answer_of(draft, configured.source.kind, None, [])
        for incident, found in parts.items()
        for draft in drafts_of(found, outside, configured.mapping, upstream_of(configured, incident).name)
    ]
    return drafts, problems


@click.command("publish")
@click.argument("file", metavar="CONFIG", type=FILE)
@as_json
@pass_direct_stack
def publish(stack: DirectStack, file: Path, is_json: bool) -> None:
    """Publish a CONFIG as the next version.

    A published version never changes. Sources and services keep their names, because incidents are called by them; a
    source that ends is stopped. The receiver goes by the new version within a minute.
    """
    configuration, is_new, text = CONFIGURATION.publish(file, stack, stack.sources)
    _report({**_content(configuration), "published": is_new}, text, is_json)


@click.command("show")
@as_json
@pass_direct_stack
def show(stack: DirectStack, is_json: bool) -> None:
    """Show the configuration that holds now.

    Exits with 1 while none is published.
    """
    configuration = stack.sources().current()
    if is_json:
        print_json({"v": CHECK_VERSION, **_content(configuration)})
    elif configuration.sources:
        url = stack.sources_url()
        columns = [Column("source", is_label=True), Column("kind"), Column("services", is_text=True), Column("state")]
        rows = [
            (one.name, one.source.kind, ", ".join(one.mapping.services), "stopped" if one.is_stopped else "receives")
            for one in configuration.sources.values()
        ]
        say(console(), f"version {configuration.version}; deliveries go to {url}/SOURCE", further=2)
        table(console(), columns, rows)
    else:
        say(console(), "no configuration of sources is published: nothing is received")
    if not configuration.sources:
        click.get_current_context().exit(EXIT_NO)


def recorded_bodies(path: Path) -> list[Any]:
    """The bodies of a recording, of a sample, or of one recorded delivery. Raises Unusable."""
    return list(_bodies(path))


def _bodies(path: Path) -> Iterator[Any]:
    if path.stat().st_size > PAYLOAD_BYTES:
        raise Unusable(f"{path}: expected at most {PAYLOAD_BYTES} bytes")
    try:
        content = json_of(path.read_bytes())
    except SourceProblem as problem:
        raise Unusable(f"{path}: {problem}") from None
    if not isinstance(content, dict):
        yield content
    elif isinstance(content.get("deliveries"), list):
        for one in content["deliveries"]:
            yield one.get("body") if isinstance(one, dict) else one
    elif "_sample" in content:
        yield content.get("body", content.get("event"))
    else:
        yield content


def _named(configuration: Configuration, name: str | None) -> Configured:
    if name is None and len(configuration.sources) == 1:
        return next(iter(configuration.sources.values()))
    if name is None or name not in configuration.sources:
        raise click.UsageError(f"expected --source with one of: {', '.join(configuration.sources)}")
    return configuration.sources[name]


def _content(configuration: Configuration) -> dict[str, Any]:
    return {
        "version": configuration.version,
        "sources": [
            {"name": one.name, "kind": one.source.kind, "stopped": one.is_stopped, "services": [*one.mapping.services]}
            for one in configuration.sources.values()
        ],
    }


def _is_right(configuration: Configuration) -> str:
    counted = counted_as(len(configuration.sources), "source")
    return f"version {configuration.version} of the configuration of sources is right: {counted}"


def _report(content: dict[str, Any], text: str, is_json: bool) -> None:
    if is_json:
        print_json({"v": CHECK_VERSION, **content})
        return
    say(console(), text)


def as_delivery(body: Any) -> bytes:
    """A body as it travels; with half a character in it, which UTF-8 has not, in ASCII."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()
