"""What `make` needs of a fresh machine, and what its first line says when that is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
VERSION = "3.13"
TOOLS = (
    "bash", "cat", "chmod", "cp", "cut", "dirname", "env", "expand", "grep", "ls", "make", "mkdir", "mktemp", "rm",
    "sed", "sh", "touch", "uname",
)  # fmt: skip
CLOSED_PORT = "http://127.0.0.1:9/simple"
NETWORK = "the network, or the package index, cannot be reached"
TRIED_SECONDS = 600


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` reads before anything is installed."""
    for name in ("Makefile", "requirements", "layers/dependencies", "local/bootstrap.sh"):
        source, target = PROJECT / name, tmp_path / "clone" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    return tmp_path / "clone"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The only folder on PATH: the tools that every machine has, and no Python."""
    folder = tmp_path / "path"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    return folder


def make(clone: Path, path: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make with nothing of the shell's own settings but how it reaches its package index."""
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "https_proxy"))
    }
    environment = {**kept, "PATH": str(path), "HOME": str(clone), "PYENV_ROOT": str(clone / "none"), **variables}
    return subprocess.run(  # noqa: S603 - our own Makefile
        [str(path / "make"), *words],
        cwd=clone, env=environment, capture_output=True, text=True, check=False, timeout=TRIED_SECONDS,
    )  # fmt: skip


def an_older_python() -> Path:
    """A Python that can start an installation and is not the one that everything runs on."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for found in (Path("/usr/bin/python3"), *sorted(root.glob("versions/3.*/bin/python3"), reverse=True)):
        asked = "import sys, venv, ensurepip; print(('%d.%d' % sys.version_info[:2]) * (sys.version_info >= (3, 8)))"
        told = subprocess.run([str(found), "-c", asked], capture_output=True, text=True, check=False)  # noqa: S603
        if told.returncode == 0 and told.stdout.strip() not in ("", VERSION):
            return found
    pytest.skip("this machine has no other Python than the one that everything runs on")


def interpreter_of_the_tests() -> Path:
    """The Python that the environment of the tests was made with."""
    return Path(sys.base_prefix) / "bin" / f"python{VERSION}"


def test_without_any_python_one_line_says_what_is_missing(clone: Path, path: Path) -> None:
    told = make(clone, path, ".venvs/lint/.ready")
    assert told.returncode != 0
    assert told.stdout == ""
    assert told.stderr.splitlines()[0] == (
        "FAIL  install bootstrap: missing is a Python 3.8 or newer with venv and pip"
    )


def test_a_python_that_does_not_run_is_none(clone: Path, path: Path) -> None:
    """As a pyenv shim for a version that is not chosen: it is found, and fails."""
    shim = path / "python3"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    told = make(clone, path, ".venvs/lint/.ready")
    assert "missing is a Python 3.8 or newer" in told.stderr.splitlines()[0]


@pytest.mark.long
def test_without_network_the_first_line_of_the_failing_install_says_so(clone: Path, path: Path) -> None:
    (path / "python3").symlink_to(interpreter_of_the_tests())
    told = make(clone, path, ".venvs/lint/.ready", PIP_INDEX_URL=CLOSED_PORT, PIP_RETRIES="1")
    assert told.returncode != 0
    first, *others = told.stderr.splitlines()
    assert first == f"FAIL  install bootstrap: {NETWORK}"
    assert any("uv==" in line for line in others), "what the tool said comes after it"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("error: dns error: failed to lookup address information", f": {NETWORK}"),
        ("npm error code ECONNREFUSED", f": {NETWORK}"),
        ("hash mismatch", ""),
    ],
)
def test_a_failing_step_tells_the_network_from_other_troubles(clone: Path, path: Path, said: str, reason: str) -> None:
    makefile = clone / "Makefile"
    makefile.write_text(f"{makefile.read_text()}\nfails:\n\t$(call step,try,echo '{said}'; exit 1)\n")
    told = make(clone, path, "fails")
    assert told.stderr.splitlines()[:2] == [f"FAIL  try{reason}", said]


@pytest.mark.long
def test_another_python_is_enough_to_start_where_the_right_one_lies_under_pyenv(clone: Path, path: Path) -> None:
    (path / "python3").symlink_to(an_older_python())
    versions = clone / "pyenv" / "versions"
    versions.mkdir(parents=True)
    (versions / f"{VERSION}.0").symlink_to(sys.base_prefix)
    told = make(clone, path, ".venvs/ministack/.ready", PYENV_ROOT=str(clone / "pyenv"))
    assert told.returncode == 0, told.stderr
    python = clone / ".venvs" / "ministack" / "bin" / "python"
    asked = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    assert subprocess.check_output(asked, text=True).strip() == VERSION  # noqa: S603 - ourselves


@pytest.mark.long
def test_where_the_right_python_cannot_be_had_the_first_line_says_so(clone: Path, path: Path) -> None:
    (path / "python3").symlink_to(an_older_python())
    told = make(clone, path, ".venvs/lint/.ready", UV_PYTHON_INSTALL_MIRROR=CLOSED_PORT, UV_HTTP_RETRIES="0")
    assert told.returncode != 0
    assert told.stderr.splitlines()[0] == (
        f"FAIL  install bootstrap: missing is Python {VERSION}, and it cannot be downloaded"
    )
