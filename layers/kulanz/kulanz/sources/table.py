"""The table of sources: a line for each kind, and the module that reads its deliveries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from kulanz.sources.signatures import Scheme

if TYPE_CHECKING:  # a receiver reads no body: what reading needs is imported by whoever reads
    from kulanz.sources.reading import Reading, ReadSettings


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of source. `speaks_for` is what a configuration lists that it may speak for, in words.

    `folds_case`: there are no two ids that differ in case alone.
    """

    kind: str
    scheme: Scheme
    speaks_for: str
    folds_case: bool = False

    @property
    def read(self) -> "Callable[[object, ReadSettings], Reading]":
        """What reads the body of a delivery, which is JSON. It raises SourceProblem."""
        found: Callable[[object, ReadSettings], Reading] = import_module(f"{__package__}.{self.kind}").read
        return found


SOURCES: Mapping[str, Source] = {
    source.kind: source
    for source in (
        Source("statuspage", Scheme.PATH, "ids of pages"),
        Source("pagerduty", Scheme.PAGERDUTY, "ids of services", folds_case=True),
        Source("incident_io", Scheme.STANDARD_WEBHOOKS, "ids of status pages", folds_case=True),
        Source("aws_health", Scheme.RULE, "AWS accounts"),
        Source("tmf656", Scheme.PATH, "originating systems"),
        Source("servicenow", Scheme.PATH, "nothing: its records name no speaker"),
    )
}
