"""Settings that say what a domain of Kulanz understands: ids, persons, channels, and which plans need approval.

Most functions read none of them, and start without what reads them.
"""

import json
from collections.abc import Mapping

from kulanz.config.environment import PLAIN, RETENTION_DAYS_MOST, Environment, Read, SettingError
from kulanz.domain.delivery.channel import Channel, ChannelError
from kulanz.domain.delivery.dues import WARN_BEFORE_DAYS_MOST
from kulanz.domain.gate.approval import DECIDABLE_MARGIN
from kulanz.domain.gate.settings import AmountsError, GateSettings, read_amounts
from kulanz.domain.lists.id_shape import IdShape, IdShapeError
from kulanz.domain.money import Size
from kulanz.domain.people.caller import read_person_roles

DECIDABLE_DAYS_LEAST = 1 + DECIDABLE_MARGIN.days
"""With fewer days no plan could be approved: the last day of an incident is kept for the execution."""


def _id_shape(given: Environment, name: str) -> IdShape | None:
    """The shape of ids that a setting states in JSON; None where it is empty."""
    text = given.values.get(name, "").strip()
    try:
        return IdShape.of(json.loads(text)) if text else None
    except (ValueError, TypeError, RecursionError) as error:
        why = str(error) if isinstance(error, IdShapeError) else "expected a JSON object"
        such_as = 'such as {"pattern": "[0-9]{10}"}, with pattern, minimum, maximum and check'
        raise SettingError(f"{name}: {why}, {such_as}") from None


def _person_roles(given: Environment, name: str) -> frozenset[str]:
    """Unique ids of roles; none where the setting is empty."""
    try:
        return read_person_roles(given.values.get(name, ""))
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from None


def _amounts(given: Environment, name: str) -> Mapping[str, Size]:
    """Amounts by currency or unit that a setting states in JSON; none where it is empty."""
    try:
        return read_amounts(given.values.get(name, ""))
    except AmountsError as error:
        raise SettingError(f"{name}: {error}") from None


def _channel(given: Environment, name: str) -> Channel | None:
    """The channel that a setting names with its form, as in `billing:csv`; None where it is empty."""
    try:
        return Channel.from_text(given.values.get(name, "").strip())
    except ChannelError as error:
        raise SettingError(f"{name}: {error}") from None


def _channels(given: Environment, name: str) -> tuple[Channel, ...]:
    """The channels that a setting lists, as in `letters:csv,vouchers:jsonl`; none where it is empty."""
    try:
        found = [Channel.from_text(text.strip()) for text in given.values.get(name, "").split(",")]
    except ChannelError as error:
        raise SettingError(f"{name}: {error}") from None
    channels = tuple(one for one in found if one is not None)
    if len({one.name for one in channels}) < len(channels):
        raise SettingError(f"{name}: expected each channel once")
    return channels


def _gate(given: Environment) -> GateSettings:
    """Which plans need which approvals."""
    automatic_sources = given.values.get("AUTOMATIC_SOURCES", "")
    return GateSettings(
        automatic_below=_amounts(given, "AUTOMATIC_BELOW"),
        automatic_monthly=_amounts(given, "AUTOMATIC_MONTHLY"),
        second_person_above=_amounts(given, "SECOND_PERSON_ABOVE"),
        automatic_sources=frozenset(part.strip() for part in automatic_sources.split(",") if part.strip()),
        lone_operator=given.yes_or_no("LONE_OPERATOR"),
        budget_zone=given.zone("BUDGET_ZONE"),
    )


SETTINGS: Mapping[str, Read] = {
    **PLAIN,
    "account_ids": lambda given: _id_shape(given, "ACCOUNT_ID_SHAPE"),
    "channel": lambda given: _channel(given, "DELIVERY_CHANNEL"),
    "decidable_days": lambda given: given.integer("DECIDABLE_DAYS", DECIDABLE_DAYS_LEAST, RETENTION_DAYS_MOST),
    "gate": _gate,
    "other_channels": lambda given: _channels(given, "OTHER_CHANNELS"),
    "person_roles": lambda given: _person_roles(given, "PERSON_ROLES"),
    "warn_before_days": lambda given: given.integer("WARN_BEFORE_DAYS", 0, WARN_BEFORE_DAYS_MOST),
}
"""How each field of a configuration is read, whichever functions have it."""
