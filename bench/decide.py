"""How fast policies compile, type a row's facts and decide; every figure is the best of several runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

from kulanz.domain.incident import Incident
from kulanz.domain.policy import compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window, parse_instant

POLICIES = Path(__file__).parents[1] / "policies"
RUNS = 5
DECISIONS_PER_RUN = 4000
NOW = datetime(2026, 6, 1, tzinfo=UTC)

REPORTED = "2026-05-04T08:{:02}:00Z"
WINDOW = ("2026-05-04T08:00:00Z", "2026-05-10T22:00:00Z")
CASES: tuple[tuple[str, str, dict[str, object], list[dict[str, str]]], ...] = (
    (
        "att-2024-02",
        "eligibility and a fixed amount",
        {},
        [{"segment": segment, "potentially_impacted": "true"} for segment in ("consumer_postpaid", "prepaid")],
    ),
    (
        "br-anatel",
        "eligibility, one measure, one amount",
        {},
        [{"plan": f"{cents // 100}.{cents % 100:02}", "reimbursed_in_time": "true"} for cents in range(2000, 9000, 7)],
    ),
    (
        "tkg-58-3",
        "a sum over days from each customer's own report",
        {"cause": "technical_fault"},
        [
            {
                "segment": "consumer",
                "monthly_fee": f"{euros}.99",
                "reported_at": REPORTED.format(euros % 60),
                "services": "internet",
                "services_out": "internet",
                "substitute_provided": "false",
                "price_reduction_57": "0.00",
            }
            for euros in range(10, 90)
        ],
    ),
    (
        "fi-eml",
        "tiers for each outage, a cap per calendar year",
        {"cause": "storm"},
        [
            {
                "annual_network_fee": f"{euros}.50",
                "known_to_operator": REPORTED.format(euros % 60),
                "work_safe_from": "",
                "already_paid_2026": "12.00",
            }
            for euros in range(100, 160)
        ],
    ),
)


@dataclass(frozen=True, slots=True)
class Decided:
    """What a policy costs a processor, in seconds: once when a worker begins a campaign, and for each row."""

    policy_id: str
    about: str
    compile_seconds: float
    parse_seconds: float
    decide_seconds: float


def best(action: Callable[[], object], count: int) -> float:
    """The best time of one of the `count` calls that an action makes, in seconds."""
    times = []
    for _ in range(RUNS):
        start = process_time()
        action()
        times.append((process_time() - start) / count)
    return min(times)


def decided() -> list[Decided]:
    """Each of the cases."""
    return [_measured(*case) for case in CASES]


def _measured(policy_id: str, about: str, entries: dict[str, object], texts: list[dict[str, str]]) -> Decided:
    window = Window(parse_instant(WINDOW[0]), parse_instant(WINDOW[1]))
    happened = Incident("i", 1, "t", "s", (), (window,), str(entries.get("cause", "")))
    frozen = freeze(load_policy(POLICIES / policy_id / "1.yaml"), {})
    policy = compile_policy(frozen, happened, NOW)
    rows = [tuple(fact.parse_text(text.get(fact.name, "")) for fact in policy.facts) for text in texts]
    rows = (rows * (DECISIONS_PER_RUN // len(rows) + 1))[:DECISIONS_PER_RUN]

    def decide_all() -> None:
        for row in rows:
            policy.decide(row)

    def parse_all() -> None:
        for text in texts:
            for fact in policy.facts:
                fact.parse_text(text.get(fact.name, ""))

    return Decided(
        policy_id,
        about,
        best(lambda: compile_policy(frozen, happened, NOW), 1),
        best(parse_all, len(texts)),
        best(decide_all, len(rows)),
    )
