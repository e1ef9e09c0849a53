"""A file that people check and publish in versions: the people file, the discretion file, and the configuration of
sources.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kulanz.application.ports import PublishingForbidden, Refused
from kulanz.domain.people.caller import stated_id
from kulanz.domain.policy.document.strict_yaml import read_file
from kulanz.domain.policy.language.errors import PolicyError
from kulanz_cli.outcomes import Unusable

if TYPE_CHECKING:
    from kulanz.domain.byhand.discretion import DiscretionError
    from kulanz.domain.people.people import PeopleError
    from kulanz.sources.configuration import ConfigurationError
    from kulanz_cli.direct import DirectStack


class Versioned(Protocol):
    """The content of a file, which says its version."""

    @property
    def version(self) -> int: ...


class Shelf[Content](Protocol):
    """Where the versions are published."""

    def current(self) -> Content: ...
    def publish(self, version: int, content: bytes, by: str = "") -> bool: ...


@dataclass(frozen=True, slots=True)
class VersionedFile[Content: Versioned]:
    """One kind of file. `problem` is the error of its reader, and `sealed` that of a version with other content."""

    named: str
    reader: Callable[[Any], Content]
    must_follow: Callable[[Content, Content], None]
    to_json: Callable[[Any], bytes]
    problem: "type[PeopleError | ConfigurationError | DiscretionError]"
    sealed: type[Refused]

    def read(self, file: Path) -> tuple[dict[str, Any], Content]:
        """A file's plain data, and what it says. Raises Unusable with the line."""
        try:
            content, lines = read_file(file)
        except PolicyError as error:
            raise Unusable(str(error)) from None
        try:
            return content, self.reader(content)
        except self.problem as error:
            path = error.path
            while path and path not in lines:
                path = path[:-1]
            place = f"{file}:{lines[path]}" if path in lines else str(file)
            raise Unusable(f"{place}: {error}") from None

    def publish(
        self, file: Path, stack: "DirectStack", shelf_of: Callable[[], Shelf[Content]]
    ) -> tuple[Content, bool, str]:
        """Publish a file as the next version: what it says, whether it is new, and a sentence. Raises Unusable."""
        content, found = self.read(file)
        shelf, version = shelf_of(), found.version
        before = shelf.current()
        if version != before.version:
            try:
                self.must_follow(before, found)
            except self.problem as error:
                raise Unusable(f"{file}: {error}") from None
        try:
            is_new = shelf.publish(version, self.to_json(content), stated_id(stack.caller()))
        except self.sealed:
            raise Unusable(
                f"{file}: version {version} is published with other content, which stands; write the change as"
                f" version {version + 1}"
            ) from None
        except PublishingForbidden:
            raise Unusable(
                f"you may not publish {self.named}: whoever deploys the stack lists its publishers in the parameter"
                " PolicyPublisherArns, and attaches the managed policy publisher"
            ) from None
        says = "is published" if is_new else "was published before, with the same content"
        return found, is_new, f"version {version} of {self.named} {says}"
