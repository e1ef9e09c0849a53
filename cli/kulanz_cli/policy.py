"""``kulanz policy check | test | explain | schema``, in a terminal or a company's own CI."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from kulanz.domain.decision import Outcome
from kulanz.domain.lists.cells import YES_NO
from kulanz.domain.lists.facts import FactError
from kulanz.domain.policy import PolicyDocument, PolicyError
from kulanz.domain.policy.deciding.checking import load_policy, unread_facts
from kulanz.domain.policy.document.data_files import is_data_file, load_data_file
from kulanz.domain.policy.document.schema import data_file_schema, policy_schema, schema_text
from kulanz.domain.time import TimeError
from kulanz_cli.example_format import ExampleError, check_inputs, misspelt
from kulanz_cli.outcomes import EXIT_NO, FILE_CODES, Unusable
from kulanz_cli.policy_examples import Result, left_out, prepare, run, same_rule, without_policy
from kulanz_cli.prepare.profile import PROFILE_ENDING, read_profile
from kulanz_cli.rulebook import EXAMPLES, read_examples
from kulanz_cli.seals import seal_problem, sealed_and_gone
from kulanz_cli.settings import as_json
from kulanz_cli.terminal import Column, block, command, console, counted_as, print_document, print_json, say, table

MAX_NAMED = 8
"""How many rules are named whose examples were not run."""
MAX_EXPLAINED = 1
"""Examples that fail and whose steps are printed: those of a dozen push the table of differences out of sight."""


@click.command(epilog=FILE_CODES)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--seal", is_flag=True, help="Seal the versions that are new; a sealed version never changes.")
@as_json
def check(paths: tuple[Path, ...], seal: bool, is_json: bool) -> None:
    """Check policies and data files, or folders of them. They can be used, and no published version has changed."""
    findings: list[dict[str, Any]] = []
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise Unusable("no policy there; expected files such as policies/<id>/<version>.yaml")
    for file in files:
        try:
            document = None if _is_no_policy(file) else load_policy(file)
            problem = "" if document is None else seal_problem(file, document, seal=seal)
            unread = [] if document is None else [*unread_facts(document)]
            findings.append({"file": str(file), "ok": not problem, "problem": problem, "unread_facts": unread})
        except PolicyError as error:
            at = {"line": error.line, "field": error.field}
            findings.append({"file": str(file), "ok": False, "problem": str(error), **at})
    for folder in paths:
        for name in sealed_and_gone(folder):
            problem = (
                f"{folder / name}.yaml: {name} was published and is gone; put it back, customers were decided by it"
            )
            findings.append({"file": f"{folder / name}.yaml", "ok": False, "problem": problem})
    if is_json:
        print_json(findings)
    else:
        out = console()
        for finding in findings:
            named = ", ".join(finding.get("unread_facts", ()))
            more = f"; nothing reads these facts, so they change nothing: {named}" if named else ""
            say(out, f"{finding['file']}: ok{more}" if finding["ok"] else finding["problem"], further=2)
    _leave(all(finding["ok"] for finding in findings))


def _files(path: Path) -> Iterable[Path]:
    return sorted(path.rglob("*.yaml")) if path.is_dir() else [path]


def _is_no_policy(file: Path) -> bool:
    """Say whether a file is a data file, or a profile of lists, after checking it if it is. Raises ``PolicyError``."""
    if file.name.endswith(PROFILE_ENDING):
        read_profile(file)
        return True
    if not is_data_file(file):
        return False
    load_data_file(file)
    return True


@click.command(epilog=FILE_CODES)
@click.argument("policy_path", metavar="POLICY", type=click.Path(exists=True, path_type=Path))
@click.argument(
    "examples_path",
    metavar="[EXAMPLES]",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--all", "every", is_flag=True, help="Run every example: under the one policy, or each under its rule's.")
@as_json
def test(policy_path: Path, examples_path: Path | None, every: bool, is_json: bool) -> None:
    """Run worked examples: those of the policy's rule.

    POLICY may be a folder of policies. Without EXAMPLES it is the policy's file, with the examples.json beside it.
    """
    examples_path = examples_path or _beside(policy_path)
    examples = read_examples(examples_path)
    documents = _latest(policy_path)
    is_alone = every and len(documents) == 1
    nameless = [str(one["id"]) for one in examples if not one.get("rule")]
    if nameless and not is_alone:
        raise Unusable(
            f"{examples_path}: name the rule of {', '.join(nameless[:MAX_NAMED])}, or use --all with one policy"
        )
    of_rule = [
        (document, one) for one in examples for document in documents if is_alone or same_rule(document, one["rule"])
    ]
    if not of_rule:
        raise Unusable(
            "no example is of this policy's rule; name the rule in the policy (test: rule: ...), or use --all"
        )
    results = [run(document, one) for document, one in of_rule]
    if every:
        ruled = {id(one) for _, one in of_rule}
        results += [without_policy(one) for one in examples if id(one) not in ruled]
    if is_json:
        print_json([_result_content(result) for result in results])
    else:
        _show_results(results, policy_path, examples_path)
        ran = {result.example for result in results}
        _show_left_out([str(one["rule"]) for one in examples if str(one["id"]) not in ran])
    _leave(all(result.holds for result in results))


def _beside(policy_path: Path) -> Path:
    """The examples beside a policy's file. Raises UsageError where there are none."""
    found = policy_path.with_name(EXAMPLES)
    if policy_path.is_dir() or not found.is_file():
        raise click.UsageError(f"name the file of examples: there is no {EXAMPLES} beside the policy's file")
    return found


def _show_left_out(rules: list[str]) -> None:
    """Say what was not run: a misspelt rule would otherwise be silence."""
    if rules:
        names = sorted(set(rules))
        named = ", ".join(names[:MAX_NAMED]) + (" and others" if len(names) > MAX_NAMED else "")
        say(console(), f"{counted_as(len(rules), 'example')} of other rules not run: {named}.")


def _latest(path: Path) -> list[PolicyDocument]:
    """Load a policy, or the latest version of each one in a folder. Raises ``PolicyError``."""
    latest: dict[str, PolicyDocument] = {}
    for file in _files(path):
        if file.name.endswith(PROFILE_ENDING) or is_data_file(file):
            continue
        document = load_policy(file)
        known = latest.get(document.policy.id)
        if known is None or known.policy.version < document.policy.version:
            latest[document.policy.id] = document
    return list(latest.values())


def _result_content(result: Result) -> dict[str, Any]:
    return {
        "example": result.example,
        "rule": result.rule,
        "holds": result.holds,
        "differences": [{"what": d.what, "expected": d.expected, "decided": d.decided} for d in result.differences],
        "explanation": result.explanation.splitlines(),
    }


def _show_results(results: list[Result], policy_path: Path, examples_path: Path) -> None:
    """What differs in each example that fails, and the steps of the first ones; each has a screen of them."""
    out = console()
    failed = [result for result in results if not result.holds]
    if failed:
        columns = [
            Column("example", is_label=True),
            *(Column(name, is_text=True) for name in ("what", "expected", "decided")),
        ]
        rows = [(one.example, found.what, found.expected, found.decided) for one in failed for found in one.differences]
        table(out, columns, rows)
    for result in failed[:MAX_EXPLAINED]:
        say(out, "")
        say(out, result.example, "bold")
        block(out, result.explanation)
    if len(failed) > MAX_EXPLAINED:
        say(out, "")
        say(out, "The steps of each of the others, with its ID:")
        which = [] if policy_path.is_dir() else [str(policy_path)]
        words = ["kulanz", "policy", "explain", *(which or ["POLICY"]), "--examples", str(examples_path)]
        command(out, [*words, "--example", "ID"])
    if failed:
        say(out, f"Is the policy right, correct what {examples_path} expects; else correct the policy.")
    say(out, f"{len(results) - len(failed):,} of {counted_as(len(results), 'example holds', 'examples hold')}.")


@click.command(epilog=FILE_CODES)
@click.argument("policy_path", metavar="POLICY", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--example", "example_id", help="The id of an example, with --examples.")
@click.option("--examples", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of examples.")
@click.option("--fact", "facts", multiple=True, metavar="NAME=VALUE", help="A fact of the account.")
@click.option("--window", "windows", multiple=True, metavar="START/END", help="When the service was out, in UTC.")
@click.option("--incident-fact", "incident_facts", multiple=True, metavar="NAME=VALUE", help="A fact of the incident.")
@click.option("--reading", help="The reading of the rule: a choice of one of the policy's parameters.")
@click.option("--decided-at", help="The instant of the decision, if not the end of the last window.")
@as_json
def explain(
    policy_path: Path,
    *,
    example_id: str | None,
    examples: Path | None,
    facts: tuple[str, ...],
    windows: tuple[str, ...],
    incident_facts: tuple[str, ...],
    reading: str | None,
    decided_at: str | None,
    is_json: bool,
) -> None:
    """Decide one account and show the steps of the arithmetic. Only an example gets the policy's test defaults."""
    document = load_policy(policy_path)
    defaults: Mapping[str, Any] = {}
    if example_id is not None:
        if examples is None:
            raise click.UsageError("--example needs --examples, the file it is in")
        example = next((one for one in read_examples(examples) if one["id"] == example_id), None)
        if example is None:
            raise Unusable(f"{examples}: there is no example {example_id}")
        defaults = left_out(document)
    else:
        stated = _pairs(incident_facts, document, ("title", "cause", "service", "functions"))
        if "functions" in stated:
            stated["functions"] = str(stated["functions"]).split("|")
        example = {
            "account": _pairs(facts, document, ()),
            "incident": {**stated, "windows": [_window(text) for text in windows], "decided_at": decided_at},
            "reading": reading,
        }
    try:
        check_inputs(example)
        case = prepare(document, example, defaults)
    except (PolicyError, FactError, TimeError, ExampleError) as error:
        raise Unusable(str(error)) from None
    explanation = case.explain()
    if is_json:
        print_json({"decision": explanation.decision.to_body(), "steps": list(explanation.steps)})
    else:
        block(console(), case.text_of(explanation), indent=0)
        if explanation.decision.outcome is Outcome.HELD and example_id is None and not windows:
            say(console(), "No outage was stated. State one with --window START/END, in UTC:")
            say(console(), "--window 2025-10-07T09:00:00Z/2025-10-07T12:40:00Z", indent=2)


def _pairs(texts: tuple[str, ...], document: PolicyDocument, others: tuple[str, ...]) -> dict[str, Any]:
    """Read NAME=VALUE as a list's cell is read: a name that nothing reads would change nothing, in silence."""
    declared = document.policy.facts
    pairs: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"expected NAME=VALUE, found {text!r}")
        if (
            name not in declared
            and name not in others
            and not any(name.startswith(f"{family}_") for family in declared)
        ):
            meant = misspelt(name, (*declared, *others))
            advice = f"did you mean {meant}?" if meant else f"it reads: {', '.join((*declared, *others)) or 'none'}"
            raise click.UsageError(f"the policy reads no fact {name!r}; {advice}")
        is_yes_no = name in declared and declared[name].type == "yes_no"
        pairs[name] = YES_NO.get(value, value) if is_yes_no else value
    return pairs


def _window(text: str) -> dict[str, str]:
    start, slash, end = text.partition("/")
    if not slash:
        raise click.UsageError("expected START/END, such as 2024-02-22T09:45:00Z/2024-02-22T20:10:00Z")
    return {"start": start, "end": end}


@click.command(epilog=FILE_CODES)
@click.option(
    "--check", "checked", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file to compare."
)
@click.option("--data", "of_data", is_flag=True, help="The schema of data files instead.")
def schema(checked: Path | None, of_data: bool) -> None:
    """Print the JSON Schema of policy files, for editors. With --check, compare a file with it."""
    text = schema_text(data_file_schema() if of_data else policy_schema())
    if checked is None:
        print_document(text)
        return
    same = checked.read_text(encoding="utf-8", errors="replace") == text
    command = f"kulanz policy schema {'--data ' if of_data else ''}> {checked}"
    say(console(), f"{checked}: ok" if same else f"{checked}: differs; write it again with: {command}", further=2)
    _leave(same)


def _leave(good: bool) -> None:
    if not good:
        raise SystemExit(EXIT_NO)
