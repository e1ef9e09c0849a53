"""What the lock files promise: exact versions, hashes, one set of versions for what is tested and what is deployed."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LAYER_LOCKS = [ROOT / "layers/dependencies/requirements.txt", ROOT / "cli/requirements.txt"]
SOURCES = sorted([*ROOT.glob("requirements/*.in"), *(lock.with_suffix(".in") for lock in LAYER_LOCKS)])
LOCKS = [source.with_suffix(".txt") for source in SOURCES]

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
PINNED = re.compile(rf"(?P<name>{NAME})(\[[a-z0-9,_-]+\])?==(?P<version>[^\s;]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
HOST = re.compile(r"[a-z][a-z+]*://|--(extra-)?index-url|--find-links|--trusted-host")


def requirements(lock: Path) -> list[str]:
    """The requirements of a lock file, each with its hashes on one line, comments left out."""
    text = re.sub(r"^\s*#.*$", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pins(lock: Path) -> dict[str, str]:
    """Each locked package's version by its normalised name."""
    matches = [PINNED.match(line) for line in requirements(lock)]
    return {normalised(match["name"]): match["version"] for match in matches if match}


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(source: Path) -> list[str]:
    """The packages that a .in file names itself, with the exact version where it asks for one."""
    lines = [line.partition("#")[0].strip() for line in source.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("-")]


def id_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("lock", LOCKS, ids=id_of)
def test_every_locked_requirement_has_an_exact_version_and_a_hash(lock: Path) -> None:
    lines = requirements(lock)
    assert lines
    assert [line.split()[0] for line in lines if not PINNED.match(line)] == []
    assert [line.split()[0] for line in lines if not HASH.search(line)] == []


@pytest.mark.parametrize("path", [*SOURCES, *LOCKS], ids=id_of)
def test_no_requirements_file_names_where_packages_come_from(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if HOST.search(line)] == []


@pytest.mark.parametrize("source", SOURCES, ids=id_of)
def test_a_lock_holds_what_its_source_asks_for(source: Path) -> None:
    locked = pins(source.with_suffix(".txt"))
    for line in asked_for(source):
        match = re.match(rf"(?P<name>{NAME})(\[[^]]*\])?(==(?P<version>\S+)|<\S+)?$", line)
        assert match, f"{line}: expected a name, alone or with an exact version or an upper bound"
        name = normalised(match["name"])
        assert name in locked
        assert match["version"] in {None, locked[name]}


def test_what_is_deployed_is_what_is_tested() -> None:
    tested = pins(ROOT / "requirements/dev.txt")
    deployed = {name: version for lock in LAYER_LOCKS for name, version in pins(lock).items()}
    assert {name: tested.get(name) for name in deployed} == deployed
