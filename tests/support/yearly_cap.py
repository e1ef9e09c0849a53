"""A policy with a history, its lists, and events: two incidents of one year share each account's yearly cap."""

from collections.abc import Mapping
from typing import Any

from kulanz.domain.ledger.entries import read_decision
from tests.support.small_campaign import event, sealed_policy
from tests.support.world import World

POLICY_ID = "yearly-cap"
CAP = 10_000
"""Minor units that an account gets in a calendar year under the policy."""
POLICY = """
kulanz: 1
id: yearly-cap
version: 1
title: Half the fee for each outage, 100 EUR in a year at most; the fee on top at the third outage
zone: Europe/Berlin
currency: EUR
facts:
  fee: money
  excluded: {type: yes_no, default: no}
  paid: {type: money, per: calendar year, add: amount}
  outages_before: {type: windows, add: outage}
values:
  outages: count(together(outages_before, outage))
who:
  - decline: excluded
    when: excluded
heads:
  - name: each
    pay: 50% of fee
  - name: third
    when: outages >= 3
    pay: fee
cap:
  per: calendar year
  at: 100.00 EUR - paid
notice:
  texts:
    granted:
      en: {subject: Sorry, text: "We credit {{ amount }}."}
"""
FEES: Mapping[str, int] = {"small": 2_000, "half": 9_000, "large": 30_000, "excluded": 9_000}
"""Minor units, by account."""


def rows() -> bytes:
    """The list of every incident."""
    lines = [
        f"{name},{fee // 100}.{fee % 100:02},{'yes' if name == 'excluded' else 'no'}" for name, fee in FEES.items()
    ]
    return "\n".join(["account_id,fee,excluded", *lines, lines[1], ""]).encode()


def outage(day: int, month: int = 2, year: int = 2026) -> list[dict[str, str]]:
    """An outage of six hours on a day."""
    return [{"start": f"{year}-{month:02}-{day:02}T08:00:00Z", "end": f"{year}-{month:02}-{day:02}T14:00:00Z"}]


def incident(incident_id: str, windows: list[dict[str, str]], **changes: Any) -> dict[str, Any]:
    """The event that declares an incident and requests its campaign."""
    told = {"policy": POLICY_ID, "rows": len(FEES) + 1, "key": "lists/all.csv", **changes}
    return event(incident_id=incident_id, windows=windows, **told)


def world(**settings: Any) -> World:
    """A world with the policy published and the list uploaded."""
    made = World(**{"chunk_bytes": 256, **settings})
    made.policies.publish(POLICY_ID, 1, sealed_policy(POLICY))
    made.lists.upload("lists/all.csv", rows())
    return made


def paid(made: World, account: str, incident_id: str | None = None) -> int:
    """What an account was granted, in minor units."""
    decisions = [read_decision(entry.body) for entry in made.ledger.of_account(account, incident_id)]
    return sum(
        benefit.money.minor
        for decision in decisions
        if decision.outcome == "granted"
        for benefit in decision.benefits
        if benefit.money is not None
    )
