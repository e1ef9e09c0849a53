"""What a value in a path or a query of the API may be: the names of parameters, and how each is checked."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from kulanz.domain.campaigns.campaign import CAMPAIGNS_PER_INCIDENT
from kulanz.domain.canonical import object_once
from kulanz.domain.delivery.channel import CHANNEL_EXPECTED
from kulanz.domain.drafts.draft import DRAFT_ID_PATTERN, read_draft_id
from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, INCIDENT_ID_EXPECTED, is_account_id, is_incident_id
from kulanz.domain.money import CURRENCIES, is_currency

ACTION_ID_CHARACTERS = 128
FACTS_MOST = 8
FACTS_CHARACTERS = 1_000
"""Facts that a person supplies for one case, and their JSON: half of a query."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a value in a path or a query may be. `pattern` is for the OpenAPI document, `is_valid` decides."""

    expected: str
    pattern: str
    is_valid: Callable[[str], bool]


_ACTION_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._:~-]{{0,{ACTION_ID_CHARACTERS - 1}}}", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_MONTH = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])", re.ASCII)
_CHANNEL = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_SERIAL = re.compile(r"[1-9][0-9]{0,7}", re.ASCII)
_ROW = re.compile("0|[1-9][0-9]{0,14}", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_ACTOR = re.compile(r"[!-~]{1,600}", re.ASCII)
_DAY = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", re.ASCII)
_FILE = re.compile(r"[0-9a-f]{12}", re.ASCII)
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,1024}", re.ASCII)


def is_action_id(text: str) -> bool:
    """Whether `text` may name an action. Two dots in a row are refused: a path is never to be read in two ways."""
    return _ACTION_ID.fullmatch(text) is not None and ".." not in text


def is_draft_id(text: str) -> bool:
    """Whether `text` may name a draft; its id is that of the incident which it becomes."""
    return read_draft_id(text) is not None


def read_facts(text: str) -> dict[str, str] | None:
    """Read facts that a person supplies from JSON; None where it is not one object of texts, each name once."""
    if len(text) > FACTS_CHARACTERS:
        return None
    try:
        found = json.loads(text, object_pairs_hook=object_once)
    except (ValueError, RecursionError):
        return None
    is_such = isinstance(found, dict) and all(isinstance(value, str) and value for value in found.values())
    return found if is_such and 1 <= len(found) <= FACTS_MOST else None


def _is_account(text: str) -> bool:
    return is_account_id(text) and ".." not in text


def _is_seq(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and int(text) <= CAMPAIGNS_PER_INCIDENT


def _is_day(text: str) -> bool:
    try:
        return _DAY.fullmatch(text) is not None and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _of(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


_INCIDENT = "[a-z0-9][a-z0-9-]{0,63}"
_ACCOUNT = "(?!.*[.][.])[A-Za-z0-9][A-Za-z0-9._:~-]{0,63}"

PARAMETERS: Mapping[str, Parameter] = {
    "actor": Parameter(
        "an id as the log has it: of a person, a machine, a source of events or a function", "[!-~]{1,600}", _of(_ACTOR)
    ),
    "account": Parameter(ACCOUNT_ID_EXPECTED, _ACCOUNT, _is_account),
    "currency": Parameter(
        "a currency of ISO 4217 such as EUR",
        "|".join(sorted(CURRENCIES)),
        is_currency,
    ),
    "channel": Parameter(f"the name of a channel: {CHANNEL_EXPECTED}", _CHANNEL.pattern, _of(_CHANNEL)),
    "cursor": Parameter("the text `next` of an earlier answer, unchanged", _CURSOR.pattern, _of(_CURSOR)),
    "day": Parameter("a day of UTC such as 2026-11-29", _DAY.pattern, _is_day),
    "draft": Parameter("the id of a draft, as a list of drafts has it", DRAFT_ID_PATTERN, is_draft_id),
    "facts": Parameter(
        f"one JSON object of 1 to {FACTS_MOST} texts by their facts' names, of at most {FACTS_CHARACTERS} characters",
        rf"\{{.{{2,{FACTS_CHARACTERS - 1}}}",
        lambda text: read_facts(text) is not None,
    ),
    "file": Parameter("the id of an answer file, such as 0123456789ab", _FILE.pattern, _of(_FILE)),
    "id": Parameter(
        f"1 to {ACTION_ID_CHARACTERS} ASCII letters, digits or . _ : ~ -, the first a letter or digit, no two dots in a"
        " row",
        f"(?!.*[.][.]){_ACTION_ID.pattern}",
        is_action_id,
    ),
    "goodwill": Parameter(ACCOUNT_ID_EXPECTED, _ACCOUNT, _is_account),
    "incident": Parameter(INCIDENT_ID_EXPECTED, _INCIDENT, is_incident_id),
    "kind": Parameter(
        "held, referred, conflict or rejected",
        "held|referred|conflict|rejected",
        frozenset({"held", "referred", "conflict", "rejected"}).__contains__,
    ),
    "month": Parameter("a month such as 2026-11", _MONTH.pattern, _of(_MONTH)),
    "policy": Parameter(INCIDENT_ID_EXPECTED, _INCIDENT, is_incident_id),
    "queue": Parameter(
        "incidents, chunks or sources",
        "incidents|chunks|sources",
        frozenset({"incidents", "chunks", "sources"}).__contains__,
    ),
    "revision": Parameter("a whole number from 1", _NUMBER.pattern, _of(_NUMBER)),
    "row": Parameter("the byte at which a row of the list starts", _ROW.pattern, _of(_ROW)),
    "seq": Parameter(f"a whole number from 1 to {CAMPAIGNS_PER_INCIDENT}", "[1-9][0-9]{0,2}", _is_seq),
    "serial": Parameter("a whole number from 1", _SERIAL.pattern, _of(_SERIAL)),
    "subject": Parameter(
        "- for the account itself, or " + ACCOUNT_ID_EXPECTED,
        f"-|{_ACCOUNT}",
        lambda text: text == "-" or _is_account(text),
    ),
    "void": Parameter("the id of a void of the campaign", f"(?!.*[.][.]){_ACTION_ID.pattern}", is_action_id),
    "version": Parameter("a whole number from 1", _VERSION.pattern, _of(_VERSION)),
}
"""Every name that a path or a query may have."""
