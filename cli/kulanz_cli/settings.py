"""What every command needs before anything is imported for it: which stack is meant, and how its answer is printed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from importlib import import_module
from typing import TYPE_CHECKING, Any, Concatenate

import click

if TYPE_CHECKING:
    from kulanz_cli.direct import DirectStack
    from kulanz_cli.stack import Stack

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Which stack the command line names, and how it is reached."""

    name: str
    profile: str | None
    region: str | None
    endpoint_url: str | None
    api: str | None = None


def stack_of(context: click.Context) -> "Stack":
    """The stack of a command line: the one that was handed in, or that of the settings, not yet connected."""
    found: Stack = _made(context, "stack", "Stack")
    return found


def _made(context: click.Context, module: str, name: str) -> Any:
    if isinstance(context.obj, StackSettings):
        given = context.obj
        make = getattr(import_module(f"kulanz_cli.{module}"), name)
        context.obj = make(
            given.name, profile=given.profile, region=given.region, endpoint_url=given.endpoint_url, api=given.api
        )
    return context.obj


def pass_stack[**Given, Result](
    function: Callable[Concatenate[Any, Given], Result],
) -> Callable[Given, Result]:
    """Hand a command its stack as the first argument."""

    def with_stack(*arguments: Given.args, **options: Given.kwargs) -> Result:
        return function(stack_of(click.get_current_context()), *arguments, **options)

    return update_wrapper(with_stack, function)


def pass_direct_stack[**Given, Result](
    function: Callable[Concatenate[Any, Given], Result],
) -> Callable[Given, Result]:
    """Hand a command its stack as whoever deploys it sees it: with its tables and its bucket."""

    def with_stack(*arguments: Given.args, **options: Given.kwargs) -> Result:
        found: DirectStack = _made(click.get_current_context(), "direct", "DirectStack")
        return function(found, *arguments, **options)

    return update_wrapper(with_stack, function)
