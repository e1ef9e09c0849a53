"""Loading a policy from its YAML file: read, resolve its holidays, check everything. No worker imports this."""

from functools import cache
from pathlib import Path as FilePath

from kulanz.domain.policy.compiled import check
from kulanz.domain.policy.document import PolicyDocument, read_document
from kulanz.domain.policy.errors import PolicyError
from kulanz.domain.policy.strict_yaml import MAX_POLICY_BYTES, read_yaml

HOLIDAY_YEARS = range(2000, 2041)
"""The years whose public holidays a published policy carries."""


def load_policy(source: FilePath | str) -> PolicyDocument:
    """Read and check a policy, from a path or from its text. Raises ``PolicyError`` with file, line, and what to do."""
    if isinstance(source, FilePath):
        file = str(source)
        try:
            with source.open("rb") as stream:
                text = stream.read(MAX_POLICY_BYTES + 1)
        except OSError as error:
            raise PolicyError(f"cannot read it: {error.strerror}", file=file) from None
        data, lines = read_yaml(text, file)
    else:
        file = ""
        data, lines = read_yaml(source, file)
    document = read_document(data, file=file, lines=lines)
    region = document.policy.working_days
    if region:
        document = PolicyDocument(document.data, document.policy, _holidays(document, region), file, lines)
    check(document)
    return document


def _holidays(document: PolicyDocument, region: str) -> tuple[str, ...]:
    days = public_holidays(region)
    if not days:
        problem = f"{region!r} has no calendar of public holidays; write a country or region such as DE or GB-ENG"
        raise document.located(PolicyError(problem, ("working_days",)))
    return days


@cache
def public_holidays(region: str) -> tuple[str, ...]:
    """Give the public holidays of a region as days in order; none where the region is not known."""
    import holidays  # noqa: PLC0415 (slow to import, and few policies count working days)

    country, _, subdivision = region.partition("-")
    try:
        known = holidays.country_holidays(country, subdiv=subdivision or None, years=HOLIDAY_YEARS)
    except NotImplementedError:
        return ()
    return tuple(sorted(day.isoformat() for day in known))
