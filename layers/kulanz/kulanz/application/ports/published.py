"""What is published to be decided by: policies, the people file, and the discretion file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kulanz.domain.byhand.discretion import Discretion
    from kulanz.domain.people.people import People


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """A version of a policy that campaigns can be opened under."""

    policy_id: str
    version: int
    published_at: datetime


class PolicyStore(Protocol):
    """Published policies; a published version never changes."""

    def fetch(self, policy_id: str, version: int) -> bytes:
        """The canonical JSON of a policy. Raises PolicyMissing."""

    def is_replaced(self, policy_id: str, version: int) -> bool:
        """Whether a version was written more than once, or hidden and written again: past what protects it."""


class PolicyShelf(PolicyStore, Protocol):
    """Where policies are published, with their examples. Whatever decides needs no more than a PolicyStore."""

    def publish(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:
        """Publish a version, once: of several publishers at a time one writes it, and the others find it written.

        True when this call published it, False when the same content stands. Raises PolicySealed for other content,
        and PublishingForbidden. `by` is who publishes, for the audit log.
        """

    def publish_examples(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:
        """Publish the worked examples of a version, a list as JSON, once.

        Whether they stand now; False where other examples were published before. Raises PublishingForbidden.
        """

    def examples(self, policy_id: str, version: int) -> bytes | None:
        """The worked examples of a version. None where none are published.

        None also where the object has more than MAX_EXAMPLES_BYTES, which `kulanz policy publish` never writes.
        """

    def published(self) -> Iterator[PublishedPolicy]:
        """Every published version, by id and then by version."""


class PeopleStore(Protocol):
    """The people file. A published version never changes; the highest one holds."""

    def current(self) -> "People":
        """The version that holds now, read consistently; NOBODY_LISTED where none was published.

        Raises Refused where it is not a people file: then nobody is known to be a person.
        """


class PeopleShelf(PeopleStore, Protocol):
    """Where the people file is published; no function of the stack needs more than `current`."""

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        """Publish a version, once, as `by` says. True when this call published it, False when the same content stands.

        Raises PeopleSealed for other content, and PublishingForbidden.
        """


class DiscretionStore(Protocol):
    """The discretion file. A published version never changes; the highest one holds."""

    def current(self) -> "Discretion":
        """The version that holds now, read consistently; NO_DISCRETION where none was published.

        Raises Refused where it is not a discretion file: then nobody may give anything by hand.
        """


class DiscretionShelf(DiscretionStore, Protocol):
    """Where the discretion file is published; no function of the stack needs more than `current`."""

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        """Publish a version, once, as `by` says. True when this call published it, False when the same content stands.

        Raises DiscretionSealed for other content, and PublishingForbidden.
        """
