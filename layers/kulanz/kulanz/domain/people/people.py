"""The people file: which ids are one human's, who has left, and how much a person may decide alone.

It is published like a policy: versions from 1, none of which changes. Actions are stored with the id that was used, and
compared by the file that holds when they are compared. So two ids that are found to be one human's are one in every
earlier action, too.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Any

from kulanz.domain.canonical import canonical_json
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.money import AmountError, Money, parse_amount
from kulanz.domain.people.caller import Door, Person, canonical_id, kind_of
from kulanz.domain.time import parse_day

PEOPLE_LANGUAGE = 1
PERSONS_MOST = 2_000
IDS_PER_PERSON_MOST = 20
PEOPLE_BYTES_MOST = 1024 * 1024
"""Of a published file: 2,000 persons with a few ids each take a third of it."""
VERSION_HIGHEST = 99_999

type Path = tuple[str | int, ...]


class PeopleError(ValueError):
    """What is wrong with a people file: the entry, what was expected there, and what to do."""

    def __init__(self, problem: str, path: Path = ()) -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"{'.'.join(map(str, path))}: {problem}" if path else problem)


@dataclass(frozen=True, slots=True)
class Listed:
    """A person as the file lists one. From `left_at` on none of the ids acts any more; the ids are never given again.

    `decide` and `goodwill` are what the person may decide, or give, at a time and alone; a currency without an amount
    is none.
    """

    name: str
    ids: tuple[str, ...]
    left_at: datetime | None = None
    decide: tuple[Money, ...] = ()
    goodwill: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """A version of the file. `version` 0 is the empty file that holds until one is published."""

    version: int = 0
    digest: str = ""
    persons: tuple[Listed, ...] = ()
    _by_id: Mapping[str, Listed] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {one: person for person in self.persons for one in person.ids})

    @property
    def is_empty(self) -> bool:
        """Whether nobody is listed, so that nothing says which ids of different doors are one human's."""
        return not self.persons

    def listed(self, person_id: str) -> Listed | None:
        """Whom an id belongs to; None where the file does not say."""
        return self._by_id.get(_canonical(person_id))

    def called(self, person_id: str) -> str:
        """What an id is shown as: the listed name, else the id."""
        person = self.listed(person_id)
        return person_id if person is None else person.name

    def has_left(self, person_id: str, now: datetime) -> bool:
        """Whether whoever had this id has left. It is refused then, whoever has it now."""
        person = self.listed(person_id)
        return person is not None and person.left_at is not None and now >= person.left_at

    def are_two(self, one: str, other: str) -> bool:
        """Whether two ids are known to be two persons'. Where that is not known, or one is a machine's, they are not.

        Both are listed under different persons; or ids of one kind are known for both, and none is the other's: one
        human has one IAM user, and one user of Identity Center, unless the file joins several. An IAM user and a user
        of Identity Center, or a login, of whom the file says nothing can be one human.
        """
        one, other = _canonical(one), _canonical(other)
        if not one or not other:
            return False
        first, second = self._by_id.get(one), self._by_id.get(other)
        if first is not None and second is not None:
            return first.name != second.name
        ours = {one} if first is None else set(first.ids)
        theirs = {other} if second is None else set(second.ids)
        if ours & theirs:
            return False
        return bool(set(map(kind_of, ours)) & set(map(kind_of, theirs)))


NOBODY_LISTED = People()
PERSONS_OF: dict[Door, str] = {
    Door.IAM: "persons with AWS credentials (an IAM user, or a user of IAM Identity Center)",
    Door.LOGIN: "persons who log in",
}
"""Who comes in through a door."""


def _canonical(person_id: str) -> str:
    """The one form of an id; empty where it is no person's."""
    try:
        return canonical_id(person_id)
    except ValueError:
        return ""


def approver_problem(person: Person, people: People, approver_door: Door, now: datetime) -> str:
    """Why a person may not approve, decide or lift anything, as a sentence; empty where one may.

    While nobody is listed, one human could come through both doors, so one of them counts: `approver_door`.
    """
    if people.has_left(person.id, now):
        return "the people file says that the person with this id has left; a successor gets an id of their own"
    if people.is_empty and person.door is not approver_door:
        return (
            f"while no people file is published, only {PERSONS_OF[approver_door]} may do this;"
            " publish a people file that lists this person"
        )
    return ""


def read_people(content: Any, digest: str = "") -> People:
    """Read the file's plain data, as YAML or JSON gave it. Raises PeopleError with the entry.

    `digest` is the hash of the published content that it was read from; without one it is worked out.
    """
    entries = _mapping(content, (), ("kulanz_people", "version", "persons"))
    if entries.get("kulanz_people") != PEOPLE_LANGUAGE or isinstance(entries["kulanz_people"], bool):
        raise PeopleError(f"expected kulanz_people: {PEOPLE_LANGUAGE} in the first line")
    version = entries.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= VERSION_HIGHEST:
        raise PeopleError(f"expected a whole number from 1 to {VERSION_HIGHEST}, one more than before", ("version",))
    listed = entries.get("persons")
    if not isinstance(listed, dict) or not 1 <= len(listed) <= PERSONS_MOST:
        raise PeopleError(f"expected 1 to {PERSONS_MOST} persons, written as name: and their entries", ("persons",))
    persons = tuple(_person(name, entry) for name, entry in listed.items())
    _must_be_of_one_person_each(persons)
    return People(version, digest or people_digest(content), persons)


def people_digest(content: Any) -> str:
    """SHA-256, in hexadecimal, of a file's plain data: of one content, however it is laid out."""
    return sha256(canonical_json(content).encode()).hexdigest()


def people_json(content: Any) -> bytes:
    """A file's plain data as it is published. Raises PeopleError."""
    read_people(content)
    published = canonical_json(content).encode()
    if len(published) > PEOPLE_BYTES_MOST:
        raise PeopleError(f"expected at most {PEOPLE_BYTES_MOST} bytes as it is published")
    return published


def people_from_json(published: bytes) -> People:
    """A published file. Raises PeopleError."""
    try:
        content = json.loads(published)
    except (ValueError, RecursionError):
        raise PeopleError("expected JSON, as `kulanz people publish` writes it") from None
    return read_people(content, sha256(published).hexdigest())


def must_follow(before: People, after: People) -> None:
    """What a version may change of the one before. Raises PeopleError with the entry.

    Persons are joined, and leave; they are never divided or dropped. Else one human could be made two, or somebody who
    was given a leaver's name could be taken for that leaver.
    """
    if after.version != before.version + 1:
        raise PeopleError(f"version {before.version} is published; expected {before.version + 1}", ("version",))
    for person in before.persons:
        now_of = {one: after.listed(one) for one in person.ids}
        for one, listed in now_of.items():
            if listed is None:
                place = ("persons", person.name, "ids", person.ids.index(one))
                raise PeopleError("this id was listed before; keep it, and write left: with the day", place)
        if len({listed.name for listed in now_of.values() if listed is not None}) > 1:
            raise PeopleError(
                "these ids were one person's before; they stay one person's, under either name",
                ("persons", person.name, "ids"),
            )


def _mapping(raw: Any, path: Path, known: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise PeopleError(f"expected entries written as name: value; known here: {', '.join(known)}", path)
    for key in raw:
        if key not in known:
            raise PeopleError(f"unknown entry; known here: {', '.join(known)}", (*path, str(key)))
    return raw


def _person(name: Any, raw: Any) -> Listed:
    path: Path = ("persons", str(name))
    if not isinstance(name, str) or not is_incident_id(name):
        raise PeopleError("expected a name of lower-case letters, digits and hyphens, such as anna-berg", path)
    entries = _mapping(raw, path, ("ids", "left", "decide", "goodwill"))
    return Listed(
        name,
        tuple(_ids(entries.get("ids"), (*path, "ids"))),
        _left(entries["left"], (*path, "left")) if "left" in entries else None,
        tuple(_amounts(entries["decide"], (*path, "decide"))) if "decide" in entries else (),
        tuple(_amounts(entries["goodwill"], (*path, "goodwill"))) if "goodwill" in entries else (),
    )


def _ids(raw: Any, path: Path) -> Iterator[str]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= IDS_PER_PERSON_MOST:
        raise PeopleError(f"expected a list of 1 to {IDS_PER_PERSON_MOST} ids; start each with a dash", path)
    for place, one in enumerate(raw):
        try:
            yield canonical_id(one if isinstance(one, str) else "")
        except ValueError as error:
            raise PeopleError(str(error), (*path, place)) from None


def _left(raw: Any, path: Path) -> datetime:
    """The end, in UTC, of the last day on which a person acts."""
    try:
        day = parse_day(raw if isinstance(raw, str) else "")
        return datetime.combine(day + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        raise PeopleError("expected the last day, such as 2026-10-31", path) from None


def _amounts(raw: Any, path: Path) -> Iterator[Money]:
    texts = raw if isinstance(raw, list) else [raw]
    found: set[str] = set()
    for text in texts:
        number, _, currency = (text if isinstance(text, str) else "").partition(" ")
        try:
            money = parse_amount(number, currency)
        except AmountError:
            raise PeopleError("expected an amount with its currency, such as 50.00 EUR", path) from None
        if currency in found:
            raise PeopleError(f"{currency} is written twice; keep one of them", path)
        found.add(currency)
        yield money


def _must_be_of_one_person_each(persons: tuple[Listed, ...]) -> None:
    """One id under two persons would make one human two, or two one: which of them, nobody could say."""
    owners: dict[str, str] = {}
    for person in persons:
        for place, one in enumerate(person.ids):
            if one in owners:
                other = "twice" if owners[one] == person.name else f"under {owners[one]}, too"
                raise PeopleError(f"this id is written {other}; keep it once", ("persons", person.name, "ids", place))
            owners[one] = person.name
