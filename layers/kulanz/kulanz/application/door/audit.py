"""Answers for auditors: who did what, when and why."""

from datetime import date
from typing import TypedDict

from kulanz.application.audit.read_log import LogPorts, NothingLogged, campaign_log, incident_log, policy_log
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.application.ports import Page
from kulanz.domain.audit import AuditEntry
from kulanz.domain.time import format_instant

AUDIT_VERSION = 1


class AuditLine(TypedDict):
    """One action. `about` says what `on` names; `place` tells apart what was done to one thing; `cause` is the id of
    the action or of the event.
    """

    at: str
    actor: str
    action: str
    about: str
    on: str
    place: str
    reason: str
    cause: str


class AuditAnswer(TypedDict):
    """Some actions, first to last; `next` is the cursor of the rest."""

    v: int
    entries: list[AuditLine]
    next: str | None


def of_campaign(asked: Asked, door: Door) -> AuditAnswer:
    """A campaign, from who published its policy to who accepted what it offered."""
    try:
        return _answer(campaign_log(asked.campaign_id, _ports(door), _after(asked)), asked)
    except NothingLogged:
        raise unknown("there is no such campaign") from None


def of_incident(asked: Asked, door: Door) -> AuditAnswer:
    """An incident with all its campaigns."""
    try:
        return _answer(incident_log(asked.of["incident"], _ports(door), _after(asked)), asked)
    except NothingLogged:
        raise unknown("no such incident is recorded") from None


def of_policy(asked: Asked, door: Door) -> AuditAnswer:
    """A policy: who published its versions, who requested campaigns under them."""
    try:
        return _answer(policy_log(asked.of["policy"], _ports(door), _after(asked)), asked)
    except NothingLogged:
        raise unknown("no such policy was published") from None


def _ports(door: Door) -> LogPorts:
    return LogPorts(door.campaigns, door.index, door.uploads)


def _after(asked: Asked) -> str:
    return read_cursor(asked.question, asked.query.get("cursor"))


def of_day(asked: Asked, door: Door) -> AuditAnswer:
    """What was done on a day of UTC."""
    after = read_cursor(asked.question, asked.query.get("cursor"))
    return _answer(door.index.audit_of_day(date.fromisoformat(asked.of["day"]), after), asked)


def of_actor(asked: Asked, door: Door) -> AuditAnswer:
    """What a person or machine did, under one id."""
    if "actor" not in asked.query:
        raise Problem(Kind.QUERY, "name the person or machine", errors=[{"field": "actor", "expected": "an id"}])
    after = read_cursor(asked.question, asked.query.get("cursor"))
    return _answer(door.index.audit_of_actor(asked.query["actor"], after), asked)


def _answer(page: Page[AuditEntry], asked: Asked) -> AuditAnswer:
    return {
        "v": AUDIT_VERSION,
        "entries": [
            {
                "at": format_instant(one.at),
                "actor": one.actor,
                "action": one.action,
                "about": one.about.value,
                "on": one.on,
                "place": one.place,
                "reason": one.reason,
                "cause": one.cause,
            }
            for one in page.found
        ],
        "next": make_cursor(asked.question, page.after) if page.after else None,
    }
