"""Each command that reads a file says in a sentence what is wrong with it, whatever bytes it has: never a traceback."""

import json
import traceback
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kulanz_cli import list_parts, send, voids
from kulanz_cli.main import main
from kulanz_cli.outcomes import EXIT_NO, EXIT_UNUSABLE
from tests.support.small_campaign import HEADER, event, row, small_world
from tests.support.world_stack import WorldStack
from tests.unit.cli.test_sending_parts import PROFILE, Bucket
from tests.unit.project.test_readme import PROJECT

POLICY = str(PROJECT / "policies/saas-uptime/1.yaml")
EXAMPLES = str(PROJECT / "policies/saas-uptime/examples.json")
CONFIGURATION = str(PROJECT / "events/sources/pagerduty/configuration.yaml")
EVENT = str(PROJECT / "events/acme-2025-10-07.json")
LIST = str(PROJECT / "events/acme-2025-10-07.accounts.csv")
EXIT_CODES = {0, EXIT_NO, EXIT_UNUSABLE}
COMMANDS: dict[str, tuple[str, ...]] = {
    "list profile": ("{}", "--policy", POLICY, "--into", "{new_profile}"),
    "list profile --policy": (LIST, "--policy", "{}", "--into", "{new_profile}"),
    "list prepare": ("{}", "--profile", "{profile}", "--policy", POLICY, "--into", "{new}"),
    "list prepare --profile": (LIST, "--profile", "{}", "--policy", POLICY, "--into", "{new}"),
    "list prepare --policy": (LIST, "--profile", "{profile}", "--policy", "{}", "--into", "{new}"),
    "list check": ("{}", "--policy", POLICY),
    "list check --policy": (LIST, "--policy", "{}"),
    "list check --event": (LIST, "--policy", POLICY, "--event", "{}"),
    "send": ("{}",),
    "send --list": ("{event}", "--list", "{}"),
    "send --list-profile": ("{event}", "--list", LIST, "--list-profile", "{}"),
    "draft --list": ("pager-q1-voice", "--confirm", "--list", "{}"),
    "acknowledge": ("{}", "--channel", "billing"),
    "void --file": ("net-outage/1", "--file", "{}", "--reason", "a wrong list"),
    "policy check": ("{}",),
    "policy test": ("{}", EXAMPLES),
    "policy test EXAMPLES": (POLICY, "{}"),
    "policy explain": ("{}",),
    "policy explain --examples": (POLICY, "--examples", "{}"),
    "policy schema --check": ("--check", "{}"),
    "policy page --check": ("--check", "{}"),
    "policy publish": ("{}",),
    "people check": ("{}",),
    "people publish": ("{}",),
    "discretion check": ("{}",),
    "discretion publish": ("{}",),
    "source check": ("{}",),
    "source check --payload": (CONFIGURATION, "--payload", "{}"),
    "source publish": ("{}",),
    "source play": ("{}", "--source", "pager", "--kind", "pagerduty", "--secret", "s"),
}
"""Each command that reads a file, and which of its files is hostile, `{}`."""
HEADER_LINE = HEADER + b"\n"
CRM = "Konto;Art;Gebühr\r\na-1;Privat;10,00\r\n".encode("cp1252")
HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "one line end": b"\n",
    "NUL characters": b"\0" * 40,
    "no UTF-8": b"account_id\xff,f\xfce\n\xfe,\xff\n",
    "no UTF-8 below a header": HEADER_LINE + b"\xff\xfe\xfd\n",
    "UTF-16": "account_id,fee\nA-1,1\n".encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf",
    "half a character": b"account_id\n\xc3",
    "null": b"null",
    "a number": b"17",
    "a long number": b"9" * 5_000,
    "an infinite number": b'{"a": 1e999999, "b": -Infinity, "c": NaN}',
    "an array": b"[]",
    "arrays of objects": b"[{}, [], null]",
    "an object": b"{}",
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 5_000,
    "deep objects that are closed": b'{"a":' * 900 + b"1" + b"}" * 900 + b"\n",
    "an array of deep objects": b"[" + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]",
    "a lone surrogate": b'{"a": "\\ud800", "\\udc00": 1}',
    "a name twice": b'{"a": 1, "a": 2}',
    "JSON that is cut off": b'{"source": "billing", "detail',
    "YAML with an anchor in itself": b"a: &a [*a]\n",
    "YAML with a tag": b"a: !!python/object/apply:os.system [id]\n",
    "YAML with tabs": b"a:\n\t- b\n",
    "YAML of two documents": b"a: 1\n---\nb: 2\n",
    "a day that is none": b"a: 2026-99-99\nb: 0000-00-00\nc: 99999-01-01\n",
    "a key that is a list": b"? [a]\n: b\n",
    "a control character": b"a: \x07\n",
    "quotes that never close": b'account_id,fee\n"A-1,1\nA-2,2\n',
    "a long line": b"a" * 1_100_000,
    "gzip": b"\x1f\x8b\x08\x00broken",
    "a zip": b"PK\x03\x04broken",
    "Parquet": b"PAR1broken",
    "an old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a program": b"\x7fELF\x02\x01\x01",
}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> WorldStack:
    for module in (send, list_parts, voids):
        monkeypatch.setattr(module, "upload_file", Bucket.upload)
    world = small_world()
    stack, bucket = WorldStack(world), Bucket(world)
    stack._clients = {"s3": bucket}
    return stack


def files_of(command: click.Command, context: click.Context, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Each file that a command reads, as the table names it."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from files_of(found, context, (*words, name))
        return
    for one in command.params:
        if isinstance(one.type, click.Path) and one.type.exists and one.type.file_okay:
            yield " ".join(words) if isinstance(one, click.Argument) else f"{' '.join(words)} {one.opts[-1]}"


def test_every_file_that_a_command_reads_is_in_the_table() -> None:
    read = {one for one in files_of(main, click.Context(main)) if not one.endswith("--book")}  # a folder of policies
    assert read <= set(COMMANDS), "name it, so that it is tried"


def said(stack: WorldStack, folder: Path, words: tuple[str, ...], path: Path) -> str | None:
    """What is wrong with what a command says of a file; None where it answers, or says in a sentence what is wrong."""
    new = folder / f"new-{len([*folder.iterdir()])}"
    places = {
        "{}": path, "{new}": new, "{new_profile}": new.with_suffix(".profile.yaml"),
        "{profile}": folder / "crm.profile.yaml", "{event}": folder / "event.json",
    }  # fmt: skip
    line = [str(places.get(word, word)) for word in words]
    result = CliRunner().invoke(main, line, obj=stack, prog_name="kulanz")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        where = traceback.extract_tb(result.exception.__traceback__)[-1]
        return f"{type(result.exception).__name__} in {Path(where.filename).name}:{where.lineno}: {result.exception}"
    if result.exit_code not in EXIT_CODES or "Usage: " in result.output:
        return f"exit code {result.exit_code}: {result.output[-200:]}"
    return None if result.output.strip() else "nothing is said"


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
def test_hostile_bytes_end_in_a_sentence(stack: WorldStack, tmp_path: Path, name: str) -> None:
    (tmp_path / "crm.profile.yaml").write_text(PROFILE, encoding="utf-8")
    told = event(rows=1)
    del told["id"], told["detail"]["campaign"]["affected"]
    (tmp_path / "event.json").write_text(json.dumps(told))
    command, words = name.split(), COMMANDS[name]
    while command[-1].startswith("--") or command[-1].isupper():
        command.pop()
    faults = []
    for what, content in HOSTILE.items():
        for ending in (".csv", ".jsonl") if "--list" in words or command[:1] == ["list"] else (".yaml",):
            path = tmp_path / f"hostile{ending}"
            path.write_bytes(content)
            fault = said(stack, tmp_path, (*command, *words), path)
            if fault is not None:
                faults.append(f"{what} in {path.name}: {fault}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_hostile_parts_end_in_a_sentence_also_where_the_policy_cannot_be_asked(
    stack: WorldStack, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two parts that begin alike; a requester who may not read policies sends them unchecked."""
    monkeypatch.setattr("kulanz_cli.sending.checked", lambda *_: iter(()))
    told = event(rows=1)
    del told["id"], told["detail"]["campaign"]["affected"]
    (tmp_path / "event.json").write_text(json.dumps(told))
    faults = []
    for number, (what, content) in enumerate(HOSTILE.items()):
        folder = tmp_path / f"parts-{number}"
        folder.mkdir()
        for part in range(2):
            (folder / f"part-{part}.{ending}").write_bytes(content + (row(f"a-{part}") + b"\n") * part)
        fault = said(stack, tmp_path, ("send", "{event}", "--list", "{}"), folder)
        if fault is not None:
            faults.append(f"{what}: {fault}")
    assert not faults, "\n".join(faults)


WRONG: tuple[Any, ...] = (
    *(None, True, 0, -1, 10**30, 1.5, "", "x", "\x00", "\ud800", "../x", [], [None], {}, ["account_ids"]),
    *({"s3": "x"}, {"s3": {"key": 5}}, {"s3": {"key": "lists/../x.csv"}}, {"account_ids": 1}),
)


def places(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of an event, however deep."""
    if path:
        yield path
    for key, one in value.items() if isinstance(value, dict) else ():
        yield from places(one, (*path, key))


@pytest.mark.long
@pytest.mark.parametrize("way", ["by itself", "with a list", "with two parts", "with a profile", "to a list check"])
def test_whatever_stands_in_a_field_of_an_event_ends_in_a_sentence(stack: WorldStack, tmp_path: Path, way: str) -> None:
    parts = [tmp_path / f"part-{part}.csv" for part in range(2)]
    for path in parts:
        path.write_bytes(HEADER_LINE + row(path.stem) + b"\n")
    (tmp_path / "crm.profile.yaml").write_text(PROFILE, encoding="utf-8")
    (tmp_path / "crm.csv").write_bytes(CRM)
    words = {
        "by itself": ("send", "{}"),
        "with a list": ("send", "{}", "--list", str(parts[0])),
        "with two parts": ("send", "{}", "--list", str(parts[0]), "--list", str(parts[1])),
        "with a profile": ("send", "{}", "--list", str(tmp_path / "crm.csv"), "--list-profile", "{profile}"),
        "to a list check": ("list", "check", str(parts[0]), "--policy", POLICY, "--event", "{}"),
    }[way]
    whole, faults = event(rows=1), []
    del whole["id"]
    for field in places(whole):
        for wrong in WRONG:
            told = deepcopy(whole)
            within = told
            for step in field[:-1]:
                within = within[step]
            within[field[-1]] = wrong
            (tmp_path / "hostile.json").write_text(json.dumps(told))
            fault = said(stack, tmp_path, words, tmp_path / "hostile.json")
            if fault is not None:
                faults.append(f"{'.'.join(field)} = {wrong!r}: {fault}")
    assert not faults, "\n".join(faults)
