"""``kulanz list profile``: proposes the profile of an export, shows what it found, and asks what it cannot know."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from kulanz_cli.outcomes import EXIT_NO, FILE_CODES, Unusable
from kulanz_cli.prepare.command import policy_for_lists, policy_option
from kulanz_cli.prepare.profile import PROFILE_ENDING, load_profile
from kulanz_cli.prepare.proposal import Proposal, answered, propose
from kulanz_cli.prepare.question import Question
from kulanz_cli.terminal import Column, command, console, say, table

QUESTIONS_MOST = 200
"""Answers that are asked for one after the other; more mean that something else is wrong."""


@click.command("profile", epilog=FILE_CODES)
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@policy_option
@click.option(
    "--into", type=click.Path(path_type=Path), required=True,
    help=f"The profile to write, NAME{PROFILE_ENDING}; it must not exist yet.",
)  # fmt: skip
@click.option(
    "--answer",
    "answers",
    metavar="KEY=VALUE",
    multiple=True,
    help="What is asked otherwise, or was found wrongly, such as dialect.headerRows=3; repeatable.",
)
def profile(path: Path, policy_path: Path, into: Path, answers: Sequence[str]) -> None:
    """Propose the profile of an export.

    Shows what each column has and what it would become. What nobody can know from FILE (01/02/2026; 1.234; whose clock)
    is asked for. Without a terminal it is listed as --answer options, nothing is written, and the command exits with 1.
    """
    if not into.name.endswith(PROFILE_ENDING):
        raise click.UsageError(f"--into ends in {PROFILE_ENDING}")
    if into.exists():
        raise Unusable(f"{into} is there already; name another file, or remove it")
    policy = policy_for_lists(policy_path)
    try:
        given = dict(answered(answers))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    name = into.name.removesuffix(PROFILE_ENDING)
    proposal = propose(path, name, policy, given)
    while proposal.questions and sys.stdin.isatty() and len(given) < QUESTIONS_MOST:
        given |= {one.key: _answer(one) for one in proposal.questions}
        proposal = propose(path, name, policy, given)
    _show(proposal)
    if proposal.questions:
        _show_questions(proposal.questions)
        click.get_current_context().exit(EXIT_NO)
    written = yaml.safe_dump(proposal.content, allow_unicode=True, sort_keys=False, width=1000)
    into.write_text(written, encoding="utf-8")
    try:
        load_profile(into, policy)
    except ValueError:
        into.unlink()
        raise
    say(console(), f"{into} is written. Read it; then:")
    command(console(), ["kulanz", "list", "prepare", str(path), "--profile", str(into), "--policy", str(policy_path),
                        "--into", "FOLDER"])  # fmt: skip


def _answer(question: Question) -> str:
    choices = click.Choice(question.choices) if question.choices else None
    return str(click.prompt(question.text, type=choices, err=True))


def _show(proposal: Proposal) -> None:
    out = console()
    if proposal.file:
        say(out, f"file: {proposal.file}", further=2)
    if proposal.columns:
        columns = [Column("column"), Column("has", is_text=True), Column("becomes", is_text=True)]
        table(out, columns, [list(one) for one in proposal.columns])
    if proposal.left_out:
        say(out, f"columns left out: {', '.join(proposal.left_out)}", further=2)


def _show_questions(questions: Sequence[Question]) -> None:
    out = console()
    say(out, "These cannot be known from the file. Give the command again with:")
    for one in questions:
        say(out, f"--answer {shlex.quote(f'{one.key}=')}...", indent=2, further=4)
        choices = f": {', '.join(one.choices)}" if one.choices else ""
        say(out, f"{one.text}{choices}", indent=4, further=4)
