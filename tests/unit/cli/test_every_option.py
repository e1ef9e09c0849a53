"""What each command takes: its arguments and options, which of them it needs, and what it asks where one is missing."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from kulanz_cli.main import main
from tests.support.approved import must_be_as_approved

HERE = str(Path(__file__).parents[3])


def _commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def _said(parameter: click.Parameter) -> str:
    of = parameter.to_info_dict()
    kind = of["type"]
    named = {
        name: value for name, value in kind.items() if name not in ("param_type", "name") and value not in (None, False)
    }
    truths = [name for name in ("required", "multiple", "is_flag", "hidden", "prompt", "hide_input") if of.get(name)]
    default = (
        ""
        if of["default"] is None or "Sentinel" in str(of["default"])
        else f" default {of['default']}".replace(HERE, ".")
    )
    shown = " ".join([*of["opts"], *of["secondary_opts"]])
    told = f"{shown} ({parameter.name}): {kind['param_type']} {json.dumps(named, default=str)} {' '.join(truths)}"
    return f"  {told.rstrip()}{default}\n    {of.get('help') or ''}".rstrip()


def test_what_each_command_takes_is_as_it_was_read_and_approved() -> None:
    lines = []
    for name, command in _commands(main, "kulanz"):
        lines += [name, *map(_said, command.params)]
    must_be_as_approved("\n".join(lines) + "\n", Path(__file__))
