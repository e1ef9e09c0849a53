"""Seals of a book: the hash of every published version, so that none of them changes or goes."""

import json
from collections.abc import Iterable
from pathlib import Path

from kulanz.domain.policy import PolicyDocument, content_hash
from kulanz_cli.outcomes import Unusable

SEALS = "sealed.json"
"""Beside the policies."""


def seal_problem(file: Path, document: PolicyDocument, *, seal: bool) -> str:
    """Compare a version with its seal, after sealing it where it is new and that is wanted; empty if all is well.

    A book that has never been sealed has no seals; the first one begins them. Raises Unusable.
    """
    place = file.resolve()
    seals_file = place.parent.parent / SEALS
    if not seals_file.is_file() and not seal:
        return ""
    name = f"{document.policy.id}/{document.policy.version}"
    if (place.parent.name, place.stem) != (document.policy.id, str(document.policy.version)):
        return f"{file}: this is {name}; it belongs into {name}.yaml"
    seals = _seals(seals_file) if seals_file.is_file() else {}
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


def sealed_and_gone(folder: Path) -> Iterable[str]:
    """Name the sealed versions that a book no longer has: campaigns were decided by them. Raises Unusable."""
    file = folder / SEALS
    return [name for name in _seals(file) if not (folder / f"{name}.yaml").is_file()] if file.is_file() else []


def _seals(file: Path) -> dict[str, str]:
    try:
        seals = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise Unusable(f"{file}: cannot read the seals: {error}") from None
    if not isinstance(seals, dict):
        raise Unusable(f"{file}: expected the hash of each version by its name")
    return seals
