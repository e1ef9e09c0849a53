"""What pages say of lists, forms and roles under a condition; the rest stands in `conditions_of_pages`."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.conditions_of_pages import (
    ASK,
    AT,
    CAMPAIGN,
    CREDIT,
    DECLINED,
    GRANTED,
    HELD,
    OF_CAMPAIGN,
    ONE,
    PLAN,
    REJECTED,
    SECOND,
    SENT,
    SHOWN,
    UNKNOWN,
)
from tests.support.console_waiting import CASE, DRAFT, VOID

DUE = {"campaign": "in-9/2", "due": AT, "credits": 7, "measure": "EUR", "sum": "1.00"}
TROUBLE = {"kind": "notices", "on": "in-9/2", "since": AT, "urgent": False, "says": "x"}
HALTED = {"halted": True, "since": AT, "by": "sso:ben", "reason": "so"}
KEPT = {
    "campaign": "in-9/2",
    "state": "settled",
    "reason": "r",
    "since": AT,
    "due": [{"measure": "EUR", "sum": "1.00"}],
}
WAITS = {"incident_id": "in-9", "after": "in-9/2", "opens_at": AT, "void": None}
YES_NO = {"name": "hit", "type": "yes_no", "choices": [], "holds": False}
OFFERED_WORTH = [{"result": "offered", "write_result": "none", "measure": "EUR", "sum": "1234"}]
DIFFERS = {
    "decisions.0.recomputed": {"outcome": "held", "reason": "fee_unknown"},
    "decisions.0.explained": "differs",
}
SUMS = [{"measure": "EUR", "sum": "1.00"}, {"measure": "CHF", "sum": "2.00"}]
DECIDED = {"revision": 4, "by": "sso:ben", "at": AT, "digest": "d"}
DISMISSED = {"reason": "none", "by": "sso:ben", "at": AT, "digest": "d"}
IN_MARCH = "/cases?month=2026-03"

MORE: Mapping[tuple[str, str], Sequence[tuple[Any, ...]]] = {
    (DECLINED, ASK): [
        ({"decisions.0.because": "Not affected, so sorry."}, "The account does not get it. Not affected, so sorry."),
        ({"standings.0.subject": "console-7", "decisions.0.subject": "console-7"}, "net-outage, console-7, began"),
        ({**DIFFERS, "decisions.0.explained": "agrees"}, "-today: held", DIFFERS),
    ],
    (HELD, ASK): [
        (
            {"standings.0.subject": "line-7", "decisions.0.subject": "line-7"},
            'href="/case/held-1/net-outage/1?subject=line-7"',
        ),
    ],
    (GRANTED, "goodwill.reasons"): [
        ({"reasons": []}, "No discretion file is published, so nobody may give goodwill."),
    ],
    (SECOND, "campaigns.reconciliation"): [
        ({"report.plan.worth": OFFERED_WORTH}, "Offered 0.00 EUR Not granted 12.34 EUR"),
        ({"report.apply.worth": [{**OFFERED_WORTH[0], "write_result": "written"}]}, "Offered 12.34 EUR"),
    ],
    (SECOND, OF_CAMPAIGN): [
        ({"lines": [], "delivery": None, "differences": ["x"]}, "On its way to bills"),
        ({"lines": [], "delivery": "billing/7", "delivery_state": "sent"}, "On its way to bills"),
    ],
    (CAMPAIGN, OF_CAMPAIGN): [({"": UNKNOWN}, "-On its way to bills")],
    (CAMPAIGN, "campaigns.log"): [({"log.0.reason": ""}, "planning by open_campaign")],
    (CASE, "cases.one"): [({"missing": [YES_NO]}, "yes no Show what it would owe")],
    (CASE, "goodwill.reasons"): [({"reasons": []}, "No discretion file is published, so nobody may decide by hand.")],
    ("/cases", "cases.proposed"): [({"proposed": []}, "-Decisions that wait for a second person")],
    ("/campaigns", "campaigns.of_month"): [
        ({"campaigns": []}, "There is no campaign here."),
        ({"campaigns.0.state": "cancelled", "campaigns.0.reason": "so_so: x"}, "net-outage/1 cancelled so so 28"),
        ({"campaigns.0.state": "cancelled", "campaigns.0.reason": ""}, "net-outage/1 cancelled 28"),
    ],
    ("/deliveries", "deliveries.waiting"): [
        ({"kept_back": [KEPT]}, f"in-9/2 settled {SHOWN} 1.00 EUR"),
        ({"kept_back": [KEPT], "acknowledgements.of_month:campaigns": []}, "Only what is kept back."),
        ({"deliveries": [SENT]}, 'href="/deliveries?channel=billing"'),
        ({"deliveries": [SENT]}, "-No delivery was made yet"),
        ({"deliveries": [{**SENT, "reason": "sums_differ"}]}, "open: sums_differ"),
        ({"deliveries": [{**SENT, "sums": SUMS}]}, "1.00 EUR, 2.00 CHF"),
    ],
    ("/deliveries", "acknowledgements.of_month"): [
        ({"campaigns.0.delivery": "billing/7", "campaigns.0.delivery_state": "sent"}, "No delivery waits to be sent."),
    ],
    ("/deliveries", "acknowledgements.overdue"): [
        ({"overdue": [DUE]}, 'href="/late/in-9/2"'),
        ({"overdue": [DUE]}, "-No credit is late."),
        ({"due_soon": [DUE]}, f"in-9/2 {SHOWN} 7 1.00 EUR"),
    ],
    ("/deliveries?channel=billing", "deliveries.of_channel"): [
        ({"deliveries": [SENT]}, "-The channel has no deliveries."),
        ({"deliveries": [SENT], "next": "more"}, "There is more than this page shows"),
    ],
    (DRAFT, "drafts.one"): [
        ({"digest": "d", "confirmed": DECIDED}, f'-action="{DRAFT}/dismiss"'),
        ({"digest": "d", "dismissed": DISMISSED}, f'-action="{DRAFT}/dismiss"'),
        ({"digest": "d", "dismissed": DISMISSED}, "Dismissed Calls and portal disturbed"),
        ({"digest": "e", "dismissed": DISMISSED}, f"Dismissed by sso:ben, {SHOWN}"),
    ],
    ("/incidents", "incidents.of_month"): [({"incidents": []}, "No incident was recorded in 2026-03.")],
    ("/incidents", "drafts.of_month"): [({"drafts": []}, "No source reported anything.")],
    ("/", "cases.proposed"): [
        ({"proposed.0.subject": "line-7"}, "referred-1, line-7"),
        ({"proposed.0.your_yes": "counts"}, "(known_fact) anna 2026-03-15"),
    ],
    ("/", "campaigns.waiting"): [
        ({"campaigns.0.approvable_until": None}, "-approve before"),
        ({"kept": [WAITS]}, f"execution of in-9/2 has surely ended. It opens by itself after {SHOWN}"),
        ({"kept": [{**WAITS, "void": "v-9"}]}, f"until the void v-9 has ended. It is tried again after {SHOWN}"),
    ],
    ("/", ONE): [
        ({"": UNKNOWN}, "Open it to see whether its list has a warning."),
        ({"": UNKNOWN}, "Lists that this page did not look at: 1."),
        ({"": UNKNOWN}, 'href="/?lists=all"'),
        ({"usual.0.times": None}, "-Its list has a warning: read the plan's checks."),
        ({"usual.0.times": None}, "-Lists with a warning: 1."),
        ({"your_yes": "asked"}, "It needs another person's yes. 40"),
    ],
    ("/?lists=all", ONE): [({"": UNKNOWN}, "Lists that this page did not look at: 1. ")],
    (VOID, "voids.one"): [({"your_yes": "agreed"}, "You have said yes. It needs the yes of a person other than anna.")],
    (PLAN, ONE): [({"state": "closed", "usual": []}, "-No closed campaign was found under", {"usual": []})],
    ("/rejected/net-outage/1", REJECTED): [({"credits": [{**CREDIT, "subject": "line-7"}]}, "a-9, line-7 rejected")],
    ("/late/net-outage/1", "acknowledgements.late_credits"): [
        ({"credits": [{**CREDIT, "due": AT, "due_by": "list"}]}, f"a-9 {SHOWN} list rejected (co-9)"),
        ({"credits": [{**CREDIT, "due": AT, "due_by": "list", "code": ""}]}, f"a-9 {SHOWN} list rejected 2.00 EUR"),
        ({"credits": [{**CREDIT, "due": AT, "due_by": "list", "subject": "line-7"}]}, f"a-9, line-7 {SHOWN}"),
        ({"credits": [{**CREDIT, "due": AT, "due_by": "list"}]}, "-No credit of this campaign is late."),
    ],
    ("/money", "halts.current"): [
        ({**HALTED, "lifted_by": ["sso:eva"]}, "Would lift it: sso:eva"),
        (HALTED, f"halted since {SHOWN} by sso:ben. so"),
        (HALTED, 'name="action" value="lift"'),
        (HALTED, '-name="action" value="set"'),
        ({"your_yes": "machine"}, '-action="/money/halt"'),
        ({"your_yes": "agreed"}, "You have said yes."),
    ],
    ("/audit", "audit.of_day"): [({"entries": []}, "Nothing was done. Choose another day")],
    ("/money", "budgets.since"): [({"budgets": []}, "No budget is set, and nothing was reserved or spent.")],
    ("/", "acknowledgements.of_month"): [
        (
            {"campaigns.0.lines.0.by_state.rejected": "1.00", "campaigns.0.lines.1.by_state.rejected": "2"},
            "1.00 EUR rejected, 2 call minutes rejected",
        ),
    ],
    ("/", "incidents.refused"): [
        (
            {"events": [{"received_at": AT, "incident_id": "", "source": "s-9", "message": "m-9"}]},
            f"Events that were refused {SHOWN} s-9: m-9",
        ),
    ],
    ("/", "campaigns.troubles"): [
        ({"troubles": [TROUBLE, {**TROUBLE, "on": "in-8/1"}]}, f"notices: in-8/1 x since {SHOWN}"),
        ({"troubles": [{**TROUBLE, "urgent": True}]}, f"since {SHOWN} Look now."),
    ],
}  # fmt: skip
"""As `CASES` of the other module."""
OTHERS: Sequence[tuple[str, str, str]] = (
    ("/account", DECLINED, "Look up one account by its exact id"),
    ("/past", "/past?id=declined-1", "Look up one id: all that was ever decided under it"),
    ("/campaigns?incident=second", "/campaigns", "Campaigns of second"),
    ("/row/net-outage/1?row=7", "/row/net-outage/1?row=x", "tail -c +8 LIST"),
    ("/cases/net-outage/1?kind=held", "/cases/net-outage/1", 'kind=held" aria-current="true"'),
    (IN_MARCH, "/cases", 'value="2026-03"'),
    (f"{CASE}?fact_segment=consumer", CASE, "selected consumer"),
    ("/deliveries?channel=billing", "/deliveries", "The channel has no deliveries."),
    ("/?lists=all", "/campaigns", "Plans that wait for an approval"),
)  # fmt: skip
"""A page, another where it stands not, and what it says."""
