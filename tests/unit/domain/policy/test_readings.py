"""Where sources disagree about a rule, its policy can be told which to follow, and each reading gives its own sum."""

from collections.abc import Mapping
from typing import Any

import pytest

from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.policy_examples import run
from tests.unit.domain.policy.rulebook import POLICIES

WEEK = [("2022-05-09T09:00:00Z", "2022-05-13T14:00:00Z")]
"""From Monday to Friday, in London."""
NIGHT = [("2023-02-06T05:00:00Z", "2023-02-07T11:00:00Z")]
"""30 hours."""


def spring(hours: float, *months: int) -> list[tuple[str, str]]:
    """Interruptions of so many hours on the first of each month from May 2015 on."""
    minutes = int(hours * 60)
    ends = f"{9 + minutes // 60:02}:{minutes % 60:02}"
    return [(f"2015-{month:02}-01T09:00:00Z", f"2015-{month:02}-01T{ends}:00Z") for month in months]


DECEMBER = [("2018-12-06T05:30:00Z", "2018-12-07T03:27:00Z")]
REPORTED = {"segment": "residential", "reported_at": "2022-05-09T09:00:00Z"}
SWEDISH = {"annual_network_cost": "6000", "price_base_amount": "52500"}
ATT = {"segment": "consumer_postpaid", "line_monthly_rate": "62.00", "towers": 12}
TWO_DAYS_AND_A_BIT = [("2025-03-03T06:00:00Z", "2025-03-05T07:00:00Z")]
TKG = {"segment": "consumer", "monthly_fee": "39.99", "reported_at": "2026-05-04T08:00:00Z"}
TO_NOON = [("2026-05-04T08:00:00Z", "2026-05-08T10:00:00Z")]
VOICE = {"plan": "voice", "basic_fee": "1395", "all_services_lost_24h": True}
KOREAN = {"monthly_fee": "72000", "claimed": True}
DAY_IN_MAY = [("2023-05-01T15:00:00Z", "2023-05-02T15:00:00Z")]

READINGS = [
    ("ofcom-ac-repair", "deadline_day_counts", REPORTED, WEEK, "16.80 GBP"),
    ("ofcom-ac-repair", "days_after_deadline", REPORTED, WEEK, "8.40 GBP"),
    ("o2uk-2018-12", "month_of_31_days", {"type": "pay_monthly", "airtime": "13.00"}, DECEMBER, "0.84 GBP"),
    ("o2uk-2018-12", "month_of_30_days", {"type": "pay_monthly", "airtime": "13.00"}, DECEMBER, "0.87 GBP"),
    ("tkg-58-3", "counts", TKG, TO_NOON, "10.00 EUR"),
    ("tkg-58-3", "does_not_count", TKG, TO_NOON, "5.00 EUR"),
    ("tkg-58-3", "one_service", TKG | {"services": ["internet", "phone"]}, TO_NOON, "10.00 EUR"),
    ("tkg-58-3", "all_services", TKG | {"services": ["internet", "phone"]}, TO_NOON, "not_a_complete_outage"),
    ("se-ellag", "to_each_increment", SWEDISH, NIGHT, "2600.00 SEK"),
    ("se-ellag", "to_the_total", SWEDISH, NIGHT, "2250.00 SEK"),
    ("ofgem-multi", "at_least_three_hours", {}, spring(3, 5, 6, 7, 8), "75.00 GBP"),
    ("ofgem-multi", "more_than_three_hours", {}, spring(3, 5, 6, 7, 8), "fewer_than_four_interruptions"),
    ("ofgem-multi", "more_than_three_hours", {}, spring(3.1, 5, 6, 7, 8), "75.00 GBP"),
    ("ofgem-multi", "more_than_four", {}, spring(3, 5, 6, 7, 8), "fewer_than_four_interruptions"),
    ("ofgem-multi", "more_than_four", {}, spring(3, 5, 6, 7, 8, 9), "75.00 GBP"),
    ("att-guarantee-wireless", "full_days", ATT, TWO_DAYS_AND_A_BIT, "4.00 USD"),
    ("att-guarantee-wireless", "begun_days", ATT, TWO_DAYS_AND_A_BIT, "6.00 USD"),
    ("kddi-2022-07", "days_of_july", VOICE, WEEK, "290 JPY"),
    ("kddi-2022-07", "thirty_days", VOICE, WEEK, "293 JPY"),
    ("kr-terms-2022", "thirty_days", KOREAN, DAY_IN_MAY, "26400 KRW"),
    ("kr-terms-2022", "as_it_is", KOREAN, DAY_IN_MAY, "25549 KRW"),
]


@pytest.mark.parametrize(
    ("policy_id", "reading", "account", "windows", "expected"), READINGS, ids=[f"{one[0]}-{one[1]}" for one in READINGS]
)
def test_each_reading_of_a_rule_gives_its_own_amount(
    policy_id: str, reading: str, account: Mapping[str, Any], windows: list[tuple[str, str]], expected: str
) -> None:
    assert decided(policy_id, reading, account, windows) == expected


def decided(policy_id: str, reading: str, account: Mapping[str, Any], windows: list[tuple[str, str]]) -> str:
    """Give the money of a decision, or its reason where there is none."""
    facts = {name: value for name, value in account.items() if name != "towers"}
    incident = {"windows": [{"start": start, "end": end} for start, end in windows], "towers": account.get("towers")}
    document = load_policy(POLICIES / policy_id / "1.yaml")
    example = {"account": facts, "incident": incident, "reading": reading, "expected": {"money": []}}
    result = run(document, example)
    found = [difference.decided for difference in result.differences if difference.what == "money"]
    return found[0] if found else result.explanation.rsplit("Reason: ", 1)[1].removesuffix(".").replace(" ", "_")


@pytest.mark.parametrize(
    ("reading", "each"),
    [
        ("three_billing_cycles", "100 GB, each billing cycle, 3 times"),
        ("advertised", "200 GB, each billing cycle, once"),
    ],
)
def test_what_optus_advertised_is_less_than_what_its_app_gives(reading: str, each: str) -> None:
    document = load_policy(POLICIES / "optus-2023-11" / "1.yaml")
    example = {"account": {"plan": "postpaid_mobile"}, "reading": reading, "expected": {"units": []}}
    told = run(document, example).explanation
    assert each in told


def test_every_parameter_of_the_rulebook_is_decided_both_ways_here_or_by_an_example() -> None:
    """A choice that changes nothing would be no reading."""
    chosen = {(policy_id, reading) for policy_id, reading, *_ in READINGS}
    chosen |= {("optus-2023-11", "three_billing_cycles"), ("optus-2023-11", "advertised")}
    elsewhere = {"skype-2015": "eligible", "aws-ec2-region": "minimum_test"}
    for file in sorted(POLICIES.glob("*/[0-9]*.yaml")):
        policy = load_policy(file).policy
        for name, parameter in policy.parameters.items():
            if elsewhere.get(policy.id) != name:
                assert {(policy.id, choice) for choice in parameter.choices} <= chosen
