"""``kulanz policy``: check, explain and test policies, and print their schema, in a terminal or a company's own CI."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from kulanz.domain.facts import FactError
from kulanz.domain.policy import PolicyDocument, PolicyError, content_hash, load_policy
from kulanz.domain.policy.data_files import is_data_file, load_data_file
from kulanz.domain.policy.schema import data_file_schema, policy_schema, schema_text
from kulanz.domain.time import TimeError
from kulanz_cli.policy_examples import Result, prepare, run, same_rule

EXIT_NO = 1
"""What was asked is not so: a policy is wrong, an example differs."""
EXIT_UNUSABLE = 3
"""The input could not be used; 2 is click's own, for the command line."""
SEALS = "sealed.json"
"""Beside the policies: the hash of every published version."""

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


class Unusable(click.ClickException):
    """An input that cannot be used."""

    exit_code = EXIT_UNUSABLE


@click.group(epilog="Exit codes: 0 yes, 1 no, 2 wrong command line, 3 an input could not be used.")
def policy() -> None:
    """Write policies: check them, test them with examples, have them explained."""


@policy.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--seal", is_flag=True, help="Seal the versions that are new; a sealed version never changes.")
@as_json
def check(paths: tuple[Path, ...], seal: bool, is_json: bool) -> None:
    """Check policies and data files, or folders of them: that they can be used, that no published version changed."""
    findings: list[dict[str, Any]] = []
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise Unusable("no policy there; expected files such as policies/<id>/<version>.yaml")
    for file in files:
        try:
            problem = "" if _is_good_data(file) else _seal_problem(file, load_policy(file), seal)
            findings.append({"file": str(file), "ok": not problem, "problem": problem})
        except PolicyError as error:
            at = {"line": error.line, "field": error.field}
            findings.append({"file": str(file), "ok": False, "problem": str(error), **at})
    if is_json:
        click.echo(json.dumps(findings, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding['file']}: ok" if finding["ok"] else finding["problem"])
    _leave(all(finding["ok"] for finding in findings))


def _files(path: Path) -> Iterable[Path]:
    return sorted(path.rglob("*.yaml")) if path.is_dir() else [path]


def _is_good_data(file: Path) -> bool:
    """Say whether a file is a data file, after checking it if it is. Raises ``PolicyError``."""
    if not is_data_file(file):
        return False
    load_data_file(file)
    return True


def _seal_problem(file: Path, document: PolicyDocument, seal: bool) -> str:
    """Compare a version with its seal. Files outside a rulebook (``<id>/<version>.yaml``) have none."""
    seals_file = file.parent.parent / SEALS
    if not seals_file.is_file():
        return ""
    name = f"{document.policy.id}/{document.policy.version}"
    if (file.parent.name, file.stem) != (document.policy.id, str(document.policy.version)):
        return f"{file}: this is {name}; it belongs into {name}.yaml"
    seals: dict[str, str] = json.loads(seals_file.read_text(encoding="utf-8"))
    found = content_hash(document)
    if name not in seals and seal:
        seals[name] = found
        seals_file.write_text(json.dumps(dict(sorted(seals.items())), indent=2) + "\n", encoding="utf-8")
    if name not in seals:
        return f"{file}: {name} is not sealed yet; run: kulanz policy check --seal {file}"
    if seals[name] != found:
        following = f"{document.policy.id}/{document.policy.version + 1}.yaml"
        problem = (
            f"{file}: {name} was published and has changed since; undo that, and write the change into {following}"
        )
        data = ", ".join(document.data_files)
        return f"{problem}; a change of {data} belongs into a data file of a new name" if data else problem
    return ""


@policy.command()
@click.argument("policy_path", metavar="POLICY", type=click.Path(exists=True, path_type=Path))
@click.argument("examples_path", metavar="EXAMPLES", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all", "every", is_flag=True, help="Run every example, whatever rule it is of.")
@as_json
def test(policy_path: Path, examples_path: Path, every: bool, is_json: bool) -> None:
    """Run worked examples: those of the policy's rule. POLICY may be a folder of policies."""
    examples = _examples(examples_path)
    results: list[Result] = []
    for document in _latest(policy_path):
        results += [run(document, one) for one in examples if every or same_rule(document, str(one.get("rule", "")))]
    if not results:
        raise Unusable(
            "no example is of this policy's rule; name the rule in the policy (test: rule: ...), or use --all"
        )
    if is_json:
        click.echo(json.dumps([_result_content(result) for result in results], indent=2, ensure_ascii=False))
    else:
        _show_results(results)
    _leave(all(result.holds for result in results))


def _latest(path: Path) -> list[PolicyDocument]:
    """Load a policy, or the latest version of each one in a folder."""
    latest: dict[str, PolicyDocument] = {}
    for file in _files(path):
        try:
            if is_data_file(file):
                continue
            document = load_policy(file)
        except PolicyError as error:
            raise Unusable(str(error)) from None
        known = latest.get(document.policy.id)
        if known is None or known.policy.version < document.policy.version:
            latest[document.policy.id] = document
    return list(latest.values())


def _examples(path: Path) -> list[dict[str, Any]]:
    try:
        examples = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (ValueError, OSError) as error:
        raise Unusable(f"{path}: not a file of examples: {error}") from None
    if not isinstance(examples, list) or not all(isinstance(example, dict) for example in examples):
        raise Unusable(f"{path}: expected a list of examples, each with id, rule, account, incident and expected")
    return examples


def _result_content(result: Result) -> dict[str, Any]:
    return {
        "example": result.example,
        "rule": result.rule,
        "holds": result.holds,
        "differences": [{"what": d.what, "expected": d.expected, "decided": d.decided} for d in result.differences],
        "explanation": result.explanation.splitlines(),
    }


def _show_results(results: list[Result]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    failed = [result for result in results if not result.holds]
    if failed:
        table = Table("example", "what", "expected", "decided")
        for result in failed:
            for difference in result.differences:
                table.add_row(result.example, difference.what, difference.expected, difference.decided)
        console.print(table)
    for result in failed:
        console.print(f"\n{result.example}\n{result.explanation}", markup=False)
    console.print(f"{len(results) - len(failed)} of {len(results)} examples hold.", markup=False)


@policy.command()
@click.argument("policy_path", metavar="POLICY", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--example", "example_id", help="The id of an example, with --examples.")
@click.option("--examples", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of examples.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="A fact of the account.")
@click.option("--window", "windows", multiple=True, metavar="START/END", help="When the service was out, in UTC.")
@click.option("--incident-fact", "incident_facts", multiple=True, metavar="NAME=VALUE", help="A fact of the incident.")
@click.option("--reading", help="The reading of the rule: a choice of one of the policy's parameters.")
@as_json
def explain(
    policy_path: Path,
    example_id: str | None,
    examples: Path | None,
    facts: tuple[str, ...],
    windows: tuple[str, ...],
    incident_facts: tuple[str, ...],
    reading: str | None,
    is_json: bool,
) -> None:
    """Decide one account and tell the steps of its arithmetic."""
    if example_id is not None:
        if examples is None:
            raise click.UsageError("--example needs --examples, the file it is in")
        example = next((one for one in _examples(examples) if one.get("id") == example_id), None)
        if example is None:
            raise Unusable(f"{examples}: there is no example {example_id}")
    else:
        example = {
            "account": _pairs(facts),
            "incident": {**_pairs(incident_facts), "windows": [_window(text) for text in windows]},
            "reading": reading,
        }
    try:
        compiled, values, kept, _ = prepare(load_policy(policy_path), example)
        explanation = compiled.explain(values, kept)
    except (PolicyError, FactError, TimeError) as error:
        raise Unusable(str(error)) from None
    if is_json:
        content = {"decision": explanation.decision.to_body(), "steps": list(explanation.steps)}
        click.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        click.echo(explanation.text())


def _pairs(texts: tuple[str, ...]) -> dict[str, Any]:
    pairs: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"expected NAME=VALUE, found {text!r}")
        pairs[name] = {"true": True, "yes": True, "false": False, "no": False}.get(value, value)
    return pairs


def _window(text: str) -> dict[str, str]:
    start, slash, end = text.partition("/")
    if not slash:
        raise click.UsageError("expected START/END, such as 2024-02-22T09:45:00Z/2024-02-22T20:10:00Z")
    return {"start": start, "end": end}


@policy.command()
@click.option(
    "--check", "checked", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file to compare."
)
@click.option("--data", "of_data", is_flag=True, help="The schema of data files instead.")
def schema(checked: Path | None, of_data: bool) -> None:
    """Print the JSON Schema of policy files, for editors; or compare a file with it."""
    text = schema_text(data_file_schema() if of_data else policy_schema())
    if checked is None:
        click.echo(text, nl=False)
        return
    same = checked.read_text(encoding="utf-8") == text
    command = f"kulanz policy schema {'--data ' if of_data else ''}> {checked}"
    click.echo(f"{checked}: ok" if same else f"{checked}: differs; write it again with: {command}")
    _leave(same)


def _leave(good: bool) -> None:
    if not good:
        raise SystemExit(EXIT_NO)
