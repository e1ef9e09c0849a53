"""A policy with every type of fact, profiles for it, and what a preparation makes of some bytes."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, read_layout
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Problem, Row
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.prepare.command import compiled_for_lists
from kulanz_cli.prepare.profile import Profile, load_profile
from kulanz_cli.prepare.run import Report, prepare

POLICY = """
kulanz: 1
id: every-type
version: 1
title: Reads a fact of every type that exports write in their own way
zone: Europe/Berlin
currency: EUR
facts:
  fee: {type: money}
  usage: {type: number}
  active: {type: yes_no}
  since: {type: day}
  seen: {type: instant}
  plan: [basic, plus]
  note: {type: text}
  areas: {type: list}
who:
  - decline: never
    when: >-
      usage is known and usage < 0 and active and since is known and seen is known and plan is known and note is known
      and areas is known
pay: 10% of fee
due: 2 billing cycles
"""
FACTS = ("fee", "usage", "active", "since", "seen", "plan", "note", "areas")
COLUMNS = ("account_id", *FACTS)


def policy(folder: Path, text: str = POLICY) -> CompiledPolicy:
    """A policy as `kulanz list` reads it; its file lies in the folder."""
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    return _compiled(text)


@cache
def _compiled(text: str) -> CompiledPolicy:
    return compiled_for_lists(load_policy(text), datetime(2026, 3, 1, tzinfo=UTC))


def fields(changes: Mapping[str, Mapping[str, Any]] | None = None, names: Sequence[str] = COLUMNS) -> dict[str, Any]:
    """A schema with a field for each column, changed where something is stated."""
    stated = changes or {}
    return {"fields": [{"name": name, **stated.get(name, {})} for name in names]}


def profile_file(folder: Path, content: Mapping[str, Any], name: str = "export") -> Path:
    """A profile as a file."""
    path = folder / f"{name}.profile.yaml"
    whole = {"kulanz": 1, "profile": name, "title": "An export", **content}
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def loaded(folder: Path, content: Mapping[str, Any], text: str = POLICY) -> tuple[Profile, CompiledPolicy]:
    """A profile that was checked for the policy."""
    compiled = policy(folder, text)
    return load_profile(profile_file(folder, content), compiled), compiled


def prepared(
    folder: Path, files: Mapping[str, bytes], content: Mapping[str, Any], policy_text: str = POLICY, **options: Any
) -> tuple[Report, bytes]:
    """The report of a preparation, and its parts, one behind the other with one header."""
    profile, compiled = loaded(folder, content, policy_text)
    paths = []
    for name, data in files.items():
        (folder / name).write_bytes(data)
        paths.append(folder / name)
    into = folder / f"out-{len(list(folder.iterdir()))}"
    report = prepare(paths, profile, compiled, into, lambda _: None, **options)
    parts = [(into / part.name).read_bytes() for part in report.parts]
    header = parts[0].partition(b"\n")[0] + b"\n"
    assert all(part.startswith(header) and part.endswith(b"\n") for part in parts)
    return report, header + b"".join(part.removeprefix(header) for part in parts)


def rows_of(content: bytes, compiled: CompiledPolicy) -> list[Row | Problem]:
    """The rows of a list as a campaign reads them."""
    required = ["account_id", *(fact.name for fact in compiled.facts)]
    layout = read_layout(ListFormat.CSV, content[:HEADER_BYTES], len(content), required)
    reader = line_reader(layout, compiled.facts, compiled.subject, ())
    return [reader.row(line) for line in content[layout.data_start :].split(b"\n")[:-1]]


def canonical(rows: Sequence[Sequence[str]], names: Sequence[str] = COLUMNS) -> bytes:
    """Rows as a list has them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *rows])
    return text.getvalue().encode()


def cells_of(content: bytes) -> list[list[str]]:
    """The cells of a prepared list, without its header."""
    return list(csv.reader(io.StringIO(content.decode())))[1:]
