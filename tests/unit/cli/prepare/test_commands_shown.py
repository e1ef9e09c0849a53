"""`kulanz list prepare`, `kulanz list profile` and what `kulanz send` makes of a profile: words, questions, exit codes.

Whoever types them reads the terminal, and a script reads the code: both are compared whole, at 80 columns.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kulanz.application.door.problems import Kind
from kulanz.domain.policy import freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.language.errors import PolicyError
from kulanz_cli.door import DoorProblem
from kulanz_cli.event_file import EventUnsendable
from kulanz_cli.main import main
from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare import command, parts, propose, sent
from kulanz_cli.prepare.command import matching
from kulanz_cli.prepare.sent import prepared_for
from tests.support.approved import must_be_as_approved
from tests.unit.cli.prepare.test_bad_input import POLICY

PROFILE = "kulanz: 1\nprofile: crm\ntitle: T\nschema: {fields: [{name: account_id}, {name: fee}]}\n"
RIGHT, WRONG = "A-1,1.50\nA-2,\n", "A-1,x\n" + "A-3,7\n" * 200
PREPARE = ("prepare", "FOLDER/in.csv", "--profile", "FOLDER/crm.profile.yaml", "--policy", "FOLDER/policy.yaml")
PROPOSE = ("profile", "FOLDER/ask.csv", "--policy", "FOLDER/policy.yaml", "--into", "FOLDER/new.profile.yaml")
ASK = "account_id;Fee;Note\nA-1;1999;a\nA-2;5;b\n"
CASES: dict[str, tuple[str, ...]] = {
    "prepared": (*PREPARE, "--into", "FOLDER/a"), "prepared, as JSON": (*PREPARE, "--into", "FOLDER/b", "--json"),
    "into a folder that is there": (*PREPARE, "--into", "FOLDER"),
    "parts that are too small": (*PREPARE, "--into", "FOLDER/c", "--part-bytes", "1023"),
    "parts that are just large enough": (*PREPARE, "--into", "FOLDER/c", "--part-bytes", "1024"),
    "rows that cannot be read": ("prepare", "FOLDER/wrong.csv", *PREPARE[2:], "--into", "FOLDER/d"),
    "rows that cannot be read, as JSON": ("prepare", "FOLDER/wrong.csv", *PREPARE[2:], "--into", "FOLDER/e", "--json"),
    "two files by a pattern": ("prepare", "FOLDER/two-*.csv", *PREPARE[2:], "--into", "FOLDER/f"),
    "no such file": ("prepare", "FOLDER/none.csv", *PREPARE[2:], "--into", "FOLDER/g"),
    "a folder": ("prepare", "FOLDER", *PREPARE[2:], "--into", "FOLDER/h"),
    "a file twice": ("prepare", "FOLDER/in.csv", "FOLDER/in.csv", *PREPARE[2:], "--into", "FOLDER/i"),
    "a profile asks": PROPOSE, "a profile with an answer": (*PROPOSE, "--answer", "fee.unit=minor"),
    "a profile that is there": (*PROPOSE, "--answer", "fee.unit=minor"),
    "a profile of another name": (*PROPOSE[:-1], "FOLDER/new.yaml"), "an answer that is none": (*PROPOSE[:-1],
                                                                                               "FOLDER/o.profile.yaml",
                                                                                               "--answer", "fee"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "crm.profile.yaml").write_text(PROFILE)
    (tmp_path / "ask.csv").write_text(ASK)
    for name, rows in {"in": RIGHT, "wrong": WRONG, "two-1": "A-1,5\n", "two-2": "A-2,6\n"}.items():
        (tmp_path / f"{name}.csv").write_text(f"account_id,fee\n{rows}")
    return tmp_path


def run(folder: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    given = [word.replace("FOLDER/", "").replace("FOLDER", ".") for word in words]
    result = CliRunner().invoke(main, ["list", *given], prog_name="kulanz")
    yield f"exit {result.exit_code}"
    yield from (line.rstrip() for line in result.output.splitlines())


def test_what_the_commands_say_is_as_it_was_approved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    for name, words in CASES.items():
        said += [f"# {name}", *run(folder, words, monkeypatch)]
    said += ["# the profile that was written", *(folder / "new.profile.yaml").read_text().splitlines()]
    must_be_as_approved("\n".join(said) + "\n", Path(__file__))
    assert not (folder / "o.profile.yaml").exists()


def test_a_person_at_a_terminal_is_asked_until_nothing_is_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    asked: list[tuple[str, Any]] = []

    def prompt(text: str, *, type: Any, err: bool) -> str:  # noqa: A002 (click's own name)
        assert err
        asked.append((text, None if type is None else list(type.choices)))
        return "minor"

    monkeypatch.setattr(propose, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr(click, "prompt", prompt)
    words = [word.replace("FOLDER/", "") for word in PROPOSE]
    result = CliRunner().invoke(main, ["list", *words], prog_name="kulanz")
    assert result.exit_code == 0, result.output
    assert asked == [("fee: whole numbers: are they EUR (major) or cents (minor)", ["major", "minor"])]
    assert "unit: minor" in (folder / "new.profile.yaml").read_text()


def test_no_more_is_asked_than_a_person_can_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert propose.QUESTIONS_MOST == 200
    monkeypatch.chdir(folder)
    monkeypatch.setattr(propose, "QUESTIONS_MOST", 0)
    monkeypatch.setattr(propose, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    result = CliRunner().invoke(main, ["list", *(word.replace("FOLDER/", "") for word in PROPOSE)])
    assert result.exit_code == 1
    assert not (folder / "new.profile.yaml").exists()


@pytest.mark.parametrize(("most", "fits"), [(2, True), (1, False)])
def test_as_many_files_as_parts_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, most: int, *, fits: bool
) -> None:
    assert (parts.PARTS_MOST, parts.PART_BYTES) == (10_000, 256 * 1024 * 1024)
    monkeypatch.setattr(command, "PARTS_MOST", most)
    given = [str(folder / "two-*.csv")]
    if fits:
        assert [path.name for path in matching(given)] == ["two-1.csv", "two-2.csv"]
        return
    with pytest.raises(Unusable, match="2 files are named; at most 1 are read"):
        matching(given)


class Door:
    """An API that has one policy, or a problem."""

    def __init__(self, problem: DoorProblem | None = None) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self._problem = problem

    def ask(self, use: str, **values: Any) -> dict[str, Any]:
        self.asked.append((use, values))
        if self._problem is not None:
            raise self._problem
        return {"document": json.loads(freeze(load_policy(POLICY), {}).decode())}


def event(**policy: Any) -> dict[str, Any]:
    return {"detail": {"campaign": {"policy": policy or {"id": "fee-alone", "version": 3}}}}


def send(folder: Path, name: str = "in.csv", event_: Any = None, door: Any = None) -> list[str]:
    into = folder / "sent"
    asked: Any = door or Door()
    found = prepared_for(event_ or event(), asked, [folder / name], folder / "crm.profile.yaml", into)
    return [path.relative_to(folder).as_posix() for path in found]


@pytest.mark.parametrize(("is_terminal", "is_agreed"), [(False, False), (True, True), (True, False)])
@pytest.mark.parametrize("name", ["in.csv", "wrong.csv"])
def test_a_prepared_list_is_sent_where_a_person_agrees_or_nothing_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, is_terminal: bool, is_agreed: bool
) -> None:
    asked: list[str] = []

    def confirm(text: str, *, err: bool) -> bool:
        assert err
        asked.append(text)
        return is_agreed

    monkeypatch.setattr(sent, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: is_terminal)))
    monkeypatch.setattr(click, "confirm", confirm)
    door = Door()
    if is_agreed or (not is_terminal and name == "in.csv"):
        assert send(folder, name, door=door) == ["sent/part-00001.csv"]
        assert door.asked == [("policies.one", {"policy": "fee-alone", "version": 3})]
    else:
        with pytest.raises(EventUnsendable) as refused:
            send(folder, name)
        assert str(refused.value) == (
            "nothing was sent" if is_terminal else "nothing was sent: 1 row cannot be read; correct the files or the"
            " profile, or prepare the list with `kulanz list prepare` and send its folder"
        )  # fmt: skip
    assert asked == ["Send this list?"] * is_terminal


@pytest.mark.parametrize(
    "policy",
    [None, "fee-alone", {"id": 7, "version": 1}, {"id": "A B", "version": 1}, {"id": "fee-alone", "version": "1"},
     {"version": 1}, {"id": "fee-alone"}],
)  # fmt: skip
def test_an_event_that_names_no_policy_is_told_so(folder: Path, policy: object) -> None:
    with pytest.raises(EventUnsendable, match=r"names no policy; name its id and version in detail\.campaign\.policy"):
        send(folder, event_={"detail": {"campaign": {"policy": policy}}})


@pytest.mark.parametrize("kind", [None, *Kind])
def test_a_policy_that_is_not_published_is_told_and_another_problem_is_its_own(folder: Path, kind: Kind | None) -> None:
    problem = DoorProblem("the API's own words", kind)
    with pytest.raises(Unusable) as refused:
        send(folder, door=Door(problem))
    if kind in (Kind.UNKNOWN, Kind.PATH):
        assert str(refused.value) == "the policy that the event names is not published; publish it first"
    else:
        assert refused.value is problem


def test_the_bar_counts_the_bytes_of_all_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    reading_bar = command.reading_bar

    def bar(what: str, size: int) -> Any:
        assert what == "prepare"
        sizes.append(size)
        return reading_bar(what, size)

    for module in (command, sent):
        monkeypatch.setattr(module, "reading_bar", bar)
    two = [folder / "two-1.csv", folder / "in.csv"]
    door: Any = Door()
    prepared_for(event(), door, two, folder / "crm.profile.yaml", folder / "sent")
    monkeypatch.chdir(folder)
    words = [word.replace("FOLDER/", "") for word in PREPARE]
    CliRunner().invoke(main, ["list", words[0], "two-1.csv", *words[1:], "--into", "x"])
    assert sizes == [sum(path.stat().st_size for path in two)] * 2


def test_a_profile_that_could_not_be_used_is_not_left_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unusable(*_: object) -> None:
        raise PolicyError("it cannot be used")

    monkeypatch.chdir(folder)
    monkeypatch.setattr(propose, "load_profile", unusable)
    words = [word.replace("FOLDER/", "") for word in PROPOSE]
    result = CliRunner().invoke(main, ["list", *words, "--answer", "fee.unit=minor"], prog_name="kulanz")
    assert result.exit_code != 0
    assert "is written" not in result.output
    assert not (folder / "new.profile.yaml").exists()
