"""How fast a policy compiles and decides: run ``python bench/decide.py``; every figure is the best of several runs."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

from kulanz.domain.incident import Incident
from kulanz.domain.policy import compile_policy, freeze, load_policy
from kulanz.domain.time import Window, parse_instant

POLICIES = Path(__file__).parents[1] / "policies"
RUNS = 5
DECISIONS_PER_RUN = 4000
DECISION_LIMIT_MICROSECONDS = 15
COMPILE_LIMIT_MILLISECONDS = 20
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


def best(action: Callable[[], object], count: int) -> float:
    """Give the best time of one call in seconds."""
    times = []
    for _ in range(RUNS):
        start = process_time()
        action()
        times.append((process_time() - start) / count)
    return min(times)


def import_milliseconds() -> tuple[float, bool]:
    """Time the import of what decides in a fresh process; say whether it brought YAML, holidays or pydantic."""
    program = (
        "import sys, time; s = time.process_time(); import kulanz.domain.policy; e = time.process_time();"
        "print(e - s, any(name in sys.modules for name in ('yaml', 'holidays', 'pydantic', 'click')))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()  # noqa: S603 (our own text)
        for _ in range(RUNS)
    ]
    return min(float(seconds) for seconds, _ in runs) * 1000, any(heavy == "True" for _, heavy in runs)


def main() -> None:
    """Measure and print; leave with 1 if a limit is broken."""
    milliseconds, heavy = import_milliseconds()
    print(f"import {milliseconds:.1f} ms, brings YAML, holidays or pydantic: {heavy}")
    within = not heavy
    for policy_id, about, entries, texts in CASES:
        happened = Incident(
            "i",
            1,
            "t",
            "s",
            (),
            (Window(parse_instant(WINDOW[0]), parse_instant(WINDOW[1])),),
            str(entries.get("cause", "")),
        )
        frozen = freeze(load_policy(POLICIES / policy_id / "1.yaml"), {})

        def compile_it(frozen: bytes = frozen, happened: Incident = happened) -> object:
            return compile_policy(frozen, happened, NOW)

        compile_ms = best(compile_it, 1) * 1000
        policy = compile_policy(frozen, happened, NOW)
        rows = [tuple(fact.parse_text(text.get(fact.name, "")) for fact in policy.facts) for text in texts]
        rows = (rows * (DECISIONS_PER_RUN // len(rows) + 1))[:DECISIONS_PER_RUN]

        def decide_all(
            rows: Sequence[tuple[object, ...]] = rows, decide: Callable[..., object] = policy.decide
        ) -> None:
            for row in rows:
                decide(row)

        def parse_all(texts: list[dict[str, str]] = texts, facts: tuple[object, ...] = policy.facts) -> None:
            for text in texts:
                for fact in facts:
                    fact.parse_text(text.get(fact.name, ""))  # type: ignore[attr-defined] # facts of the policy

        decide_us = best(decide_all, len(rows)) * 1e6
        parse_us = best(parse_all, len(texts)) * 1e6
        body = len(json.dumps(policy.decide(rows[0]).to_body(), separators=(",", ":")))
        print(
            f"{policy_id:12} {about}: compile {compile_ms:.1f} ms, parse {parse_us:.1f} us, decide {decide_us:.1f} us, "
            f"body {body} bytes, {len(frozen)} bytes frozen"
        )
        within &= compile_ms < COMPILE_LIMIT_MILLISECONDS
        if policy_id in ("att-2024-02", "br-anatel"):
            within &= decide_us <= DECISION_LIMIT_MICROSECONDS
    print("within the limits" if within else "over a limit")
    sys.exit(0 if within else 1)


if __name__ == "__main__":
    main()
