"""Keeps `docs/benchmarks.md`: each program writes its own part of it, between two marks."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "docs/benchmarks.md"


def write_part(name: str, text: str) -> None:
    """Replace the part between `<!-- name -->` and `<!-- /name -->`. Raises ValueError when the marks are not there."""
    whole = DOCUMENT.read_text()
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    head, found, rest = whole.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{DOCUMENT} lacks the marks of {name}")
    DOCUMENT.write_text(f"{head}{begin}{text}\n{end}{tail}")


def circumstances(command: str) -> str:
    """The command, the date, and what kind of machine it was."""
    cores = os.cpu_count() or 1
    busy = os.getloadavg()[0]
    today = datetime.now(UTC).date()
    return (
        f"`{command}`, {today}, {platform.system()} {platform.machine()}, {cores} shared cores"
        f" (load {busy:.1f} at the end), Python {platform.python_version()}."
    )


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
