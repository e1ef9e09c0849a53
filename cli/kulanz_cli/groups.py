"""Groups of commands that are imported when they are run: `kulanz --help` needs nothing but their names and this table.

A command's first sentence of help is repeated here, because it stands in the list of a group; a test compares the two.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

HELP_COLUMNS = 80


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is, and what the list of its group says of it."""

    module: str
    name: str
    says: str


type Sections = Mapping[str, Mapping[str, Place]]


class Lazy(click.Group):
    """A group whose commands are found by a table of sections; each is imported when it is asked for."""

    def __init__(self, *arguments: Any, sections: Sections, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.sections = sections
        self.places = {name: place for section in sections.values() for name, place in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        place = self.places.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(import_module(f"kulanz_cli.{place.module}"), place.name)
        if self.epilog and not command.epilog:
            command.epilog = self.epilog
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named; where there is none, the one that was probably meant."""
        if args[0] not in self.places and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 (needed only to word an error)

            close = get_close_matches(args[0], self.places, n=1)
            ctx.fail(f"there is no command {args[0]!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, places in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, place.says) for name, place in places.items()])


def section(*places: tuple[str, str, str, str]) -> Mapping[str, Place]:
    """A section of a table, from each command's name, module, name in the module, and first sentence of help."""
    return {name: Place(module, attribute, says) for name, module, attribute, says in places}


def lazy_group(sections: Sections, **settings: Any) -> Callable[[Callable[..., Any]], Lazy]:
    """Make a function a group of the commands of a table."""

    def make(function: Callable[..., Any]) -> Lazy:
        return Lazy(
            function.__name__.strip("_").replace("_", "-"),
            callback=function,
            sections=sections,
            help=function.__doc__,
            **settings,
        )

    return make


def walk(command: click.Command, *path: str) -> Iterable[tuple[tuple[str, ...], click.Command]]:
    """Every command of a group that can be run, with the words that name it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is None:
            raise AssertionError(f"{name} is listed and not there")
        yield from walk(found, *path, name)
