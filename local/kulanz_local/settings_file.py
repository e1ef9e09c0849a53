"""The file that a shell sources to reach an AWS of this machine: `source .kulanz/demo.env`."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kulanz_local.embedded import PROJECT, aws_environment
from kulanz_local.persons import Keys, write_profiles

NOBODY: Mapping[str, Keys] = {}

FOLDER = PROJECT / ".kulanz"
"""In each clone its own; never committed."""
COMMANDS = PROJECT / ".venvs" / "dev" / "bin"
ATTEMPTS = 100
_OWNER = re.compile(r"^# of process (\d+)$", re.MULTILINE)


class NoSettingsFile(RuntimeError):
    """Every name for the file is taken by a process that still runs."""


@contextmanager
def settings_file(name: str, endpoint: str, persons: Mapping[str, Keys] = NOBODY) -> Iterator[Path]:
    """Write the settings that reach `endpoint`, and a profile for each person; the files go when the block ends.

    Yields the file's path from the project's folder. Where another process of this clone holds `name`.env, the file
    is `name`-2.env, and so on.
    """
    path = _claimed(name)
    profiles = path.with_suffix(".credentials")
    try:
        write_profiles(persons, profiles)
        path.write_text(content(endpoint, profiles if persons else None), encoding="utf-8")
        yield path.relative_to(PROJECT)
    finally:
        path.unlink(missing_ok=True)
        profiles.unlink(missing_ok=True)


def content(endpoint: str, profiles: Path | None = None) -> str:
    """The settings as lines for sh, bash and zsh. It names its process, so that a file left behind can be told."""
    settings = dict(aws_environment(endpoint))
    if profiles is not None:
        settings["AWS_SHARED_CREDENTIALS_FILE"] = str(profiles)
    exports = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    search = f'export PATH={shlex.quote(str(COMMANDS))}:"$PATH"'
    return "\n".join((f"# of process {os.getpid()}", *exports, search, ""))


def _claimed(name: str) -> Path:
    FOLDER.mkdir(exist_ok=True)
    for attempt in range(1, ATTEMPTS + 1):
        path = FOLDER / (f"{name}.env" if attempt == 1 else f"{name}-{attempt}.env")
        if not _is_held(path):
            return path
    raise NoSettingsFile(f"{FOLDER} is full of files that are in use: end what you no longer need.")


def _is_held(path: Path) -> bool:
    try:
        owner = _OWNER.search(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    if owner is None or int(owner[1]) == os.getpid():
        return False
    try:
        os.kill(int(owner[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
