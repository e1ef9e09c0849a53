"""How a command ends: its exit codes, and the error of what cannot be used."""

from importlib import import_module
from typing import Any

import click

EXIT_NO = 1
"""What was asked is not so: a policy is wrong, the campaign did not close, nothing was decided."""
EXIT_UNUSABLE = 3
"""The stack, AWS or the input could not be used; 2 is click's own, for the command line."""
ANSWER_CODES = "Exit codes: 0 yes, 1 no, 2 wrong command line, 3 the stack, AWS or the input could not be used."
FILE_CODES = "Exit codes: 0 yes, 1 no, 2 wrong command line, 3 an input could not be used."
ACTION_CODES = "Exit codes: 0 done, 2 wrong command line, 3 not possible, or the stack could not be used."
ACTION_OR_LIST_CODES = (
    "Exit codes: 0 done, 1 not done yet, or nothing to list, 2 wrong command line, 3 not possible, or the stack could"
    " not be used."
)


class WrongLine(click.UsageError):
    """A command line that is wrong: how it is written, and the error within the width of the terminal."""

    def show(self, file: Any = None) -> None:  # noqa: ARG002 (click's signature)
        terminal = import_module("kulanz_cli.terminal")
        out = terminal.console(stderr=True)
        if self.ctx is not None:
            terminal.block(out, self.ctx.get_usage(), indent=0)
            terminal.say(out, f"Try '{self.ctx.command_path} {max(self.ctx.help_option_names, key=len)}' for help.")
            terminal.say(out, "")
        terminal.say(out, f"Error: {self.format_message()}", further=2)


class Unusable(click.ClickException):
    """Something outside the command line is not as it must be; the text says what was expected and what to do."""

    exit_code = EXIT_UNUSABLE

    def show(self, file: Any = None) -> None:  # noqa: ARG002 (click's signature)
        terminal = import_module("kulanz_cli.terminal")
        terminal.say(terminal.console(stderr=True), f"Error: {self.message}", further=2)
