"""The two incidents of the demo: how their accounts are invented, and which policy and event belong to them.

AT&T, 22 February 2024: 5 USD for each account that may have been hit; business customers were to be dealt with in
person, prepaid customers and other brands were left out. Skype, 21 September 2015: 20 call minutes, usable for seven
days, here for those who tried to sign in on the day. The rules stand in `policies/`; here, what they must lead to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kulanz_local.embedded import PROJECT
from kulanz_local.lists import Account, Cell, Draws, ListFormat, Maker, Verdict
from kulanz_local.people import (
    BRAZIL,
    FRANCE,
    GERMANY,
    HISPANIC_STATES,
    JAPAN,
    MEXICO,
    POLAND,
    SPAIN,
    SWITZERLAND,
    UNITED_KINGDOM,
    UNITED_STATES,
    Country,
)

PERCENT = 100
LIMITS = {"rejected": "30 %", "conflicts": "10 %"}
"""What the invented lists may come to: trouble is planted in them on purpose, and in short ones there is most of it."""


@dataclass(frozen=True, slots=True)
class Case:
    """An incident with its policy, its event and its accounts.

    `sample` is a short list without trouble, `share` the part of a demo's accounts in percent.
    """

    incident_id: str
    title: str
    policy: Path
    event: Path
    key: str
    sample: Path
    maker: Maker
    share: int


type Shares = tuple[tuple[int, Verdict, Mapping[str, Cell]], ...]

ATT_COUNTRIES: tuple[Country, ...] = (UNITED_STATES, UNITED_STATES, UNITED_STATES, HISPANIC_STATES)
SKYPE_COUNTRIES: tuple[Country, ...] = (
    GERMANY, GERMANY, FRANCE, SPAIN, UNITED_KINGDOM, UNITED_STATES, UNITED_STATES, SWITZERLAND, JAPAN, BRAZIL, POLAND,
)  # fmt: skip


# AT&T 2024

ATT_GRANTED = Verdict("granted", "credit", "USD", 500, has_notice=True)
ATT_BUSINESS = Verdict("referred", "business_customer")
ATT_PREPAID = Verdict("declined", "prepaid")
ATT_OTHER_BRAND = Verdict("declined", "other_brand")
ATT_NOT_IMPACTED = Verdict("declined", "not_impacted")
ATT_SEGMENT_UNKNOWN = Verdict("held", "segment_unknown")
ATT_IMPACT_UNKNOWN = Verdict("held", "potentially_impacted_unknown")

ATT_SHARES: Shares = (
    (4, ATT_GRANTED, {"segment": "small_business"}),
    (6, ATT_BUSINESS, {"segment": "business"}),
    (8, ATT_PREPAID, {"segment": "prepaid"}),
    (3, ATT_OTHER_BRAND, {"segment": "cricket"}),
    (2, ATT_OTHER_BRAND, {"segment": "other_brand"}),
    (5, ATT_NOT_IMPACTED, {"potentially_impacted": False}),
    (1, ATT_SEGMENT_UNKNOWN, {"segment": None}),
    (1, ATT_IMPACT_UNKNOWN, {"potentially_impacted": None}),
)
"""Of every hundred accounts so many, what becomes of them, and the facts that lead there; the rest gets the credit."""
ATT_PLANS = ("Unlimited Premium® PL", "Unlimited Extra", 'Value Plus "2 lines"', "4GB, rollover")


def att_account(seed: int, number: int) -> Account:
    """The n-th account of AT&T's list."""
    draws = Draws(seed, number)
    verdict, facts = _drawn(draws, ATT_SHARES, ATT_GRANTED)
    other_brand = facts.get("segment") == "other_brand"
    country = MEXICO if other_brand else draws.one_of(ATT_COUNTRIES)
    account_id = f"{200 + number % 787}{10_000_000 + number}"
    cells: dict[str, Cell] = {
        "account_id": account_id,
        "name": _name(draws, country),
        "city": draws.one_of(country.towns),
        "segment": "consumer_postpaid",
        "potentially_impacted": True,
        "plan": draws.one_of(ATT_PLANS),
        "lines": 1 + draws.below(6),
        "monthly_fee": _fee(draws, country),
        "currency": country.currency,
        "language": country.locale,
    }
    return Account(account_id, {**cells, **facts}, verdict)


def att_contradiction(account: Account) -> Account:
    """The account as another system of the company knows it: prepaid, or a contract after all."""
    is_prepaid = account.cells["segment"] == "prepaid"
    facts: dict[str, Cell] = {
        "segment": "consumer_postpaid" if is_prepaid else "prepaid",
        "potentially_impacted": True,
    }
    return Account(account.account_id, {**account.cells, **facts}, ATT_GRANTED if is_prepaid else ATT_PREPAID)


# Skype 2015

SKYPE_GRANTED = Verdict("granted", "credit", "minute", 20, has_notice=True)
SKYPE_BUSINESS = Verdict("declined", "business_not_impacted")
SKYPE_NOT_THAT_DAY = Verdict("declined", "not_signed_in_that_day")
SKYPE_SEGMENT_UNKNOWN = Verdict("held", "segment_unknown")
SKYPE_USE_UNKNOWN = Verdict("held", "used_service_on_incident_day_unknown")

SKYPE_SHARES: Shares = (
    (9, SKYPE_BUSINESS, {"segment": "Skype for Business"}),
    (14, SKYPE_NOT_THAT_DAY, {"used_service_on_incident_day": False}),
    # Whatever kind of account it is, it would be declined.
    (1, SKYPE_NOT_THAT_DAY, {"segment": None, "used_service_on_incident_day": False}),
    (1, SKYPE_SEGMENT_UNKNOWN, {"segment": None}),
    (2, SKYPE_USE_UNKNOWN, {"used_service_on_incident_day": None}),
    (2, SKYPE_GRANTED, {"language": None, "time_zone": None}),
)
SKYPE_PLANS = ("Pay As You Go", "Unlimited World", "Unlimited Europe", "Skype Credit", "none")


def skype_account(seed: int, number: int) -> Account:
    """The n-th account of Skype's list."""
    draws = Draws(seed, number)
    verdict, facts = _drawn(draws, SKYPE_SHARES, SKYPE_GRANTED)
    country = draws.one_of(SKYPE_COUNTRIES)
    account_id = f"live:{draws.below(16**6):06x}.{number:08d}"
    cells: dict[str, Cell] = {
        "account_id": account_id,
        "display_name": _name(draws, country),
        "country": country.code,
        "city": draws.one_of(country.towns),
        "segment": "consumer",
        "used_service_on_incident_day": True,
        "language": country.locale,
        "time_zone": country.zone,
        "plan": draws.one_of(SKYPE_PLANS),
        "monthly_fee": _fee(draws, country),
        "currency": country.currency,
    }
    return Account(account_id, {**cells, **facts}, verdict)


def skype_contradiction(account: Account) -> Account:
    """The account as the sign-in log and the billing system disagree about it."""
    used = account.cells["used_service_on_incident_day"] is True
    facts: dict[str, Cell] = {"segment": "consumer", "used_service_on_incident_day": not used}
    return Account(account.account_id, {**account.cells, **facts}, SKYPE_NOT_THAT_DAY if used else SKYPE_GRANTED)


def _drawn(draws: Draws, shares: Shares, usual: Verdict) -> tuple[Verdict, Mapping[str, Cell]]:
    place = draws.below(PERCENT)
    for share, verdict, facts in shares:
        place -= share
        if place < 0:
            return verdict, facts
    return usual, {}


def _name(draws: Draws, country: Country) -> str:
    given, family = draws.one_of(country.given), draws.one_of(country.family)
    return f"{family}, {given}" if draws.below(4) == 0 else f"{given} {family}"


def _fee(draws: Draws, country: Country) -> str:
    minor = country.fee + draws.below(country.fee)
    return f"{minor // 100}.{minor % 100:02d}" if country.decimals else str(minor)


ATT = Case(
    incident_id="att-2024-02-22",
    title="AT&T, 22 February 2024: 5 USD for each account",
    policy=PROJECT / "policies" / "att-2024-02" / "1.yaml",
    event=PROJECT / "events" / "att-2024-02-22.json",
    key="lists/att-2024-02-22.csv",
    sample=PROJECT / "events" / "att-2024-02-22.accounts.csv",
    maker=Maker(
        ListFormat.CSV, att_account, att_contradiction, "name",
        ({"segment": "Großkunde"}, {"segment": "Infinity"}, {"potentially_impacted": "maybe"}),
    ),
    share=50,
)  # fmt: skip

SKYPE = Case(
    incident_id="skype-2015-09-21",
    title="Skype, 21 September 2015: 20 call minutes for seven days",
    policy=PROJECT / "policies" / "skype-2015" / "1.yaml",
    event=PROJECT / "events" / "skype-2015-09-21.json",
    key="lists/skype-2015-09-21.jsonl",
    sample=PROJECT / "events" / "skype-2015-09-21.accounts.jsonl",
    maker=Maker(
        ListFormat.JSONL, skype_account, skype_contradiction, "display_name",
        ({"used_service_on_incident_day": "true"}, {"used_service_on_incident_day": 1}, {"time_zone": "Mars/Olympus"}),
    ),
    share=50,
)  # fmt: skip

CASES: tuple[Case, ...] = (ATT, SKYPE)
