"""What pages say under a condition: an answer that is changed in one place, and what is said then or no more."""

from collections.abc import Mapping, Sequence
from typing import Any

from kulanz_console.port import NotAnswered, Why
from tests.support.console_waiting import CASE, DRAFT, HELD_DRAFT, VOID, WAITING_CASE

PLAN, CAMPAIGN, SECOND = "/plan/second/1", "/campaign/net-outage/1", "/campaign/second/1"
GRANTED, HELD, DECLINED = (f"/account?id={name}" for name in ("granted-1", "held-1", "declined-1"))
NOBODY = "/account?id=nobody&incident=net-outage"
PAST = "/past?id=declined-1"
AT, SHOWN = "2026-03-04T05:06:07Z", "2026-03-04 05:06:07 UTC"
UNKNOWN = NotAnswered("there is none", Why.UNKNOWN)
ROWS_OF = [{"reason": "r", "offset": number, "line": None} for number in range(1, 22)]
OVERPAID = [{"result": "overpaid", "write_result": "none", "measure": "EUR", "sum": "1234"}]
AMOUNTS = [
    {
        "result": "granted", "reason": f"r{number}", "measure": "EUR", "lines": 1, "smallest": "1", "largest": "1",
        "histogram": [{"least": "1", "most": "1", "lines": 1}],
    }
    for number in range(7)
]  # fmt: skip
SENT = {
    "delivery": "billing/7", "state": "open", "reason": "", "campaign": "in-9/2", "credits": 7, "sums": [],
    "sent_at": None,
}  # fmt: skip
CREDIT = {
    "account_id": "a-9", "subject": "-", "state": "rejected", "code": "co-9", "not_on_bills": "1.00", "amount": "2.00",
    "measure": "EUR", "credit_id": "c-9", "reversed": "3.00",
}  # fmt: skip
VERSIONS = [{"id": "p-9", "version": number, "published_at": "1970-01-01T00:00:00Z"} for number in (1, 2)]
WINDOW = {"start": {"at": AT, "field": "f", "assumed": False}, "end": {"at": AT, "field": "f", "assumed": False}}
CLOSED = {"reason": "list_gone", "says": "the time to decide it is over"}
ASK, ONE = "accounts.ask", "approvals.plan"
OF_CAMPAIGN, OF_MONTH = "acknowledgements.of_campaign", "acknowledgements.of_month"
REJECTED = "acknowledgements.rejected_credits"
OFFER = {"open": True, "accepted": False, "accepted_at": None, "ended": False, "late": False, "replaced": False}
OFFERED = {"decisions.0.offer": OFFER, "standings.0.state": "offered", "standings.0.offered_by": ["net-outage/1"]}
ACCEPT = "/account/declined-1/net-outage/accept"
CASES: Mapping[tuple[str, str], Sequence[tuple[Any, ...]]] = {
    (DECLINED, ASK): [
        ({"found_as": "line-7"}, "line-7 is a line of this account, by the list of the incident."),
        ({"withheld": {"before": AT, "decisions": 1}}, f"this id changed hands at {SHOWN}. What was decided"),
        ({"withheld": {"before": AT, "decisions": 1}}, 'href="/past?id=declined-1"'),
        ({"standings.0.withdrawn": True}, "The incident was withdrawn."),
        ({"standings.0.began": None}, "-began 2026-02-27"),
        ({"standings.0.subject": "line-7", "decisions.0.subject": "line-7"}, "Network down, line-7"),
        (
            {"standings.0.overpaid": {"campaign": "in-9/2", "sums": {"EUR": "1234"}}},
            "Overpaid: 12.34 EUR more than is owed now, as campaign in-9/2 found",
        ),
        ({"decisions.0.superseded": True}, "(a later campaign has decided since)"),
        (OFFERED, f'action="{ACCEPT}"'),
        ({**OFFERED, "decisions.0.offer": {**OFFER, "open": False}}, f'-action="{ACCEPT}"', OFFERED),
        ({"decisions.0.explained": "list_gone"}, "The pinned list was deleted"),
        (
            {
                "decisions.0.explained": "differs",
                "decisions.0.recomputed": {"outcome": "held", "reason": "fee_unknown"},
            },
            "today: held (fee_unknown)",
        ),
        ({"decisions.0.steps": []}, "-Policy net-credit, version 1: A credit"),
        ({"standings.0.state": "voided"}, "All of it was voided; nothing is granted (not_affected)"),
    ],
    (HELD, ASK): [
        ({"decisions.0.superseded": True}, '-href="/case/held-1/net-outage/1"'),
        ({"decisions.0.status": "granted"}, '-href="/case/held-1/net-outage/1"'),
    ],
    (NOBODY, ASK): [
        ({"listed_nowhere": False}, "-The account was not on the list, or its row was rejected."),
        ({"listed_nowhere": False}, "Campaign net-outage/1: the account was not on its list"),
        (
            {"listed_nowhere": False, "final": False},
            "-Campaign net-outage/1: the account was not on its list",
            {"listed_nowhere": False},
        ),
        ({"final": False, "campaigns.0.state": "applying"}, "Campaign net-outage/1 is at work: this can change."),
        ({"campaigns": []}, "The incident has no campaign: nobody was decided about."),
        ({"campaigns": [], "incidents": []}, "Name the incident above, and its lists are searched"),
        ({"withheld": {"before": AT, "decisions": 1}}, "-Nothing was decided about this account"),
    ],
    (GRANTED, "goodwill.waiting"): [
        ({"waiting.0.account_id": "other"}, "-Goodwill of 60.00 EUR waits for a second person"),
        ({"waiting.0.state": "over"}, "-Goodwill of 60.00 EUR waits for a second person"),
    ],
    (GRANTED, "voids.waiting"): [
        ({"voids.0.campaign": "second/1"}, "-A void of net-outage/1 is not over"),
    ],
    (GRANTED, "cases.of_campaign"): [
        ({"next": "more"}, "Not every row of the list of net-outage/1 was looked at."),
        (
            {"cases.0.account_id": "granted-1", "cases.0.kind": "conflict"},
            (
                "A row of the list of net-outage/1 contradicts what was decided. It is a case; it is to be decided"
                " before 2027-04-05"
            ),
        ),
        (
            {"cases.0.account_id": "granted-1", "cases.0.kind": "conflict", "closed": CLOSED},
            "contradicts what was decided. Nobody can decide it now: the time to decide it is over",
        ),
        ({"": NotAnswered("so it is", Why.LATER)}, "that contradict could not be looked up: so it is"),
    ],
    (PAST, ASK): [
        ({"withheld": {"before": AT, "decisions": 1}}, f"this id changed hands at {SHOWN}. What is marked below"),
        ({"decisions": []}, "Decided before the id changed hands"),
    ],
    (PAST, "accounts.ask_past"): [
        ({"standings": [], "decisions": []}, "Nothing was decided under this id."),
        ({"standings.0.subject": "line-7", "decisions.0.subject": "line-7"}, "Network down, line-7"),
        ({"standings.0.began": None}, "-began 2026-02-27"),
        ({"standings.0.title": None}, "-Network down"),
    ],
    (SECOND, "campaigns.one"): [
        ({"state": "applying", "seconds_left": 61}, "0:01:01 left"),
        ({"state": "applying"}, "Progress"),
        ({"state": "rejected"}, "A right list comes with the next revision of the incident"),
        ({"reason": ""}, "-Reason: the plan adds up"),
        ({"state": "paused"}, "its decision digest, from the reason of the pause"),
        ({"state": "paused"}, 'value="resume"'),
        ({"state": "closed"}, '-value="cancel"'),
        ({"state": "flagged"}, 'value="settle"'),
    ],
    (CAMPAIGN, "campaigns.rejected"): [
        ({"rows": []}, "No row was rejected or is in conflict."),
        ({"rows": [], "refused": "list_gone"}, "-No row was rejected or is in conflict.", {"rows": []}),
        ({"refused": "list_gone"}, "The campaign was refused as a whole, and nobody was credited:"),
        ({"next": "more"}, "There is more than this page shows"),
        ({"rows": ROWS_OF[:20]}, "byte 1, byte 2, byte 3"),
        ({"rows": ROWS_OF}, "byte 20,..."),
    ],
    (CAMPAIGN, "acknowledgements.of_campaign"): [
        ({"lines": []}, "-Not on bills"),
        ({"lines": [], "delivery": "billing/7", "delivery_state": "sent"}, "Delivery billing/7: sent"),
        ({"differences": ["plan and ledger: x"]}, "Differs: plan and ledger: x"),
        ({"differences": ["plan and ledger: x"]}, "-No unexplained difference."),
        ({"why_not": ""}, "-In no delivery:"),
        ({"lines.0.overdue": "1.00"}, 'href="/late/net-outage/1"'),
        ({"lines.0.by_state.rejected": "1.00"}, 'href="/rejected/net-outage/1"'),
    ],
    (CAMPAIGN, ONE): [
        ({"repeats.nearly_equal": 3}, "3 rows have nearly the id of another row"),
        ({"repeats.nearly_equal": 3, "repeats.repeated": 0, "repeats.contradicting": 0}, "-rows name an account again"),
    ],
    (CAMPAIGN, "campaigns.reconciliation"): [
        ({"report.plan.worth": OVERPAID}, 'action="/campaign/net-outage/1/overpaid"'),
    ],
    (SECOND, ONE): [
        ({"": UNKNOWN}, '-href="/plan/second/1"'),
    ],
    (CAMPAIGN, "campaigns.log"): [
        ({"log.0.reason": "so and so"}, ": so and so by"),
    ],
    (PLAN, ONE): [
        ({"": UNKNOWN}, "second/1 has no plan to approve Reason: the plan adds up"),
        ({"amounts": AMOUNTS}, "Pictures of the most frequent ones; 1 are not drawn."),
        ({"incident.windows": [{"start": AT, "end": None}] * 4}, "and 1 more windows"),
        ({"incident.windows": [{"start": AT, "end": None}] * 3}, "-2026-02-10"),
        ({"lone_operator": True}, "This stack lets one person request and approve."),
        ({"not_automatic": ""}, "-Not executed automatically:"),
        ({"sums": []}, "Approve the plan"),
        ({"sums": []}, "Will be granted nothing"),
        ({"at_most": {}}, "with all offers and claims nothing"),
        ({"sums.0.before": "1234"}, "(before: 12.34 EUR)"),
        ({"amounts": []}, "No line gets an amount or a quantity."),
        ({"largest": []}, "-The largest amounts of the plan"),
        ({"estimate": None}, "-AWS cost"),
        ({"incident.cause": ""}, "Cause none is stated"),
        ({"incident.windows.0.end": None}, "to now; it goes on"),
        ({"list.uploaded_at": None}, "its version was deleted"),
        ({"list.is_older": True}, "The list is older than the outage"),
        ({"list.same_as": ["in-9/2"]}, "it has the same content as the list of in-9/2"),
        ({"usual.0.times": None}, "-times as much a line as before"),
        ({"usual": []}, "No closed campaign was found under this policy"),
        ({"usual": [], "sums": []}, "-No closed campaign was found under this policy", {"usual": []}),
        ({"repeats.repeated": 3}, "3 of 40 rows repeat an account of this same list"),
        (
            {"repeats.contradicting": 3, "repeats.whole_list": False},
            "3 of 40 rows looked at, a sample, repeat an account",
        ),
        ({"repeats.repeated": 3}, "at most: 3 rows repeat an account of this list, each is granted once"),
        ({"repeats.repeated": 3}, "at most: an account that repeats is counted each time"),
        (
            {"repeats.repeated": 3, "sums": []},
            "-rows repeat an account of this list, each is granted once",
            {"repeats.repeated": 3},
        ),
        ({"repeats.repeated": 3}, "Approve at most 480.00 EUR"),
        ({"repeats.repeated": 3, "sums": []}, "-Approve at most", {"repeats.repeated": 3}),
        ({"repeats.nearly_equal": 3}, "3 rows have nearly the id of another row of 40"),
        ({"budgets.0.is_enough": False}, "not enough"),
        ({"budgets.0.is_enough": False}, "Budget not enough : 2026-03 EUR"),
        ({"budgets.0.limit": "100000", "budgets.0.left": "96505"}, "The budget of 2026-03 in EUR is enough."),
        ({"budgets.0.limit": "100000", "budgets.0.left": "96505"}, "Budget left in 2026-03 965.05 EUR"),
        ({"compared_with": "in-9/2"}, "At least 0 % are known from in-9/2."),
        ({"exceeded": [{"name": "held", "figures": "x"}]}, "Limit exceeded : held x. Your approval has to name it."),
        ({"exceeded": [{"name": "held", "figures": "x"}]}, 'name="limit" value="held"'),
        ({"exceeded": [{"name": "held", "figures": "x"}]}, "-The plan is within its limits."),
        ({"requester": "sso:anna"}, "Whoever requested it cannot approve it."),
        ({"requester": "sso:anna"}, "-no person; source billing"),
        ({"first_due": None}, "-first due"),
        ({"approvable_until": "2026-03-01T09:00:00Z"}, "Expired on 2026-03-01 09:00:00 UTC"),
        ({"approvable_until": "2026-03-01T09:00:00Z"}, "-approve before"),
        ({"approvable_until": "2026-03-01T09:00:00Z"}, '-action="/plan/second/1/approve"'),
        ({"state": "closed"}, '-action="/plan/second/1/replan"'),
        (
            {"approvals": [{"person": "sso:ben", "at": AT, "limits": ["held", "total"], "break_glass": ""}]},
            f"ben, {SHOWN}; accepts the limits held, total",
        ),
        (
            {"approvals": [{"person": "sso:ben", "at": AT, "limits": [], "break_glass": "nobody is awake"}]},
            f"ben, {SHOWN}; alone, because nobody is awake",
        ),
        ({"your_yes": "asked"}, '-action="/plan/second/1/approve"'),
        ({"your_yes": "machine"}, '-action="/plan/second/1/reject"'),
        ({"your_yes": "unlisted"}, '-action="/plan/second/1/reject"'),
    ],
    (CASE, "cases.one"): [
        ({"closed": CLOSED}, "Nobody can decide it now: the time to decide it is over"),
        ({"closed": CLOSED}, '-action="/case/held-1/net-outage/1/decide"'),
        ({"amended": True}, "The incident was amended since."),
        ({"only_decline": CLOSED}, "Nothing can be granted here: the time to decide it is over"),
        ({"only_decline": CLOSED}, "-Another amount, beside what was granted before"),
        ({"no_amount": CLOSED}, "No amount can be stated: the time to decide it is over"),
        ({"subject": "line-7"}, "Account held-1, line-7"),
        ({"subject": "line-7"}, 'name="subject" value="line-7"'),
        ({"reason": "held"}, "-segment_unknown ·"),
        ({"steps": []}, "The steps cannot be shown again."),
        ({"earlier": {"EUR": "1234"}}, "Granted before for this incident: 12.34 EUR"),
        ({"would_owe.0.decision": None}, "nothing more is owed"),
        ({"would_owe": []}, "Fill in what is known, to see it."),
        ({"missing.0.holds": False}, "-the policy holds the row for it"),
        ({"missing.0.choices": []}, 'name="fact_segment" value=""'),
        ({"kind": "conflict"}, "The row at byte 9,273"),
        ({"kind": "rejected"}, "Nothing of it can be read."),
        ({"kind": "rejected", "row": {"fee": "x7"}}, "fee x7"),
        ({"kind": "rejected", "field": "fee", "expected": "an amount"}, "fee: expected an amount"),
        (
            {"kind": "conflict", "stands": {"outcome": "declined", "reason": "first"}},
            "By the row that was decided: declined (first)",
        ),
    ],
    (WAITING_CASE, "cases.proposed"): [
        ({"proposed.0.by_hand.note": "so and so"}, "Note so and so"),
        ({"proposed.0.by_hand.facts": {"fee": "7.77"}}, "fee 7.77"),
        ({"proposed.0.subject": "line-7"}, "-It waits for a second person"),
        ({"proposed.0.your_yes": "counts"}, 'value="agree"'),
        ({"proposed.0.your_yes": "machine"}, '-action="/case/referred-1/net-outage/1/second"'),
    ],
    ("/cases/net-outage/1", "cases.of_campaign"): [
        ({"cases.0.subject": "line-7"}, "referred-1, line-7"),
        ({"closed": CLOSED}, "Nobody can decide these now: the time to decide it is over"),
        ({"cases": []}, "Nothing of it waits for a person."),
        ({"cases.0.field": "f-9", "cases.0.expected": "e-9"}, "(f-9): expected e-9"),
    ],
    ("/cases?month=2026-03", "cases.of_month"): [
        ({"campaigns.0.later": [2, 3]}, "may have decided these since: 2, 3"),
        ({"campaigns.0.closed": CLOSED}, "net-outage/1: the time to decide it is over"),
        ({"campaigns": []}, "Nothing waits for a person."),
    ],
    ("/sample/second/1", "exports.sample"): [
        ({"rows.0.subject": "line-7"}, "3002, line-7"),
        ({"rows.0.decision": None}, "nothing more is owed"),
        ({"rows": []}, "The list has no row that can be decided."),
        ({"rows": []}, "-tail -c +1876 LIST"),
    ],
    (VOID, "voids.one"): [
        ({"reason": ""}, "-v-1; planned"),
        ({"ends": "unused"}, "the campaign is flagged, and ends with this void"),
        ({"about": "overpaid"}, "It takes back what the campaign found overpaid"),
        ({"about": "overpaid"}, "With something unused of what was overpaid: 8."),
        ({"about": "overpaid"}, "Of what was overpaid"),
        ({"state": "flagged"}, 'value="settle"'),
        ({"state": "flagged"}, '-value="reject"'),
        ({"state": "planning"}, "Its plan is being made. Nothing is taken back."),
        ({"plan.sums": []}, "-unused: would be taken back"),
        (
            {"plan.asked": [{"channel": "b", "measure": "EUR", "credits": 7, "sum": "1234"}]},
            "b: 12.34 EUR. Credits: 7.",
        ),
        ({"plan.notices": 7}, "Notices to customers: 7."),
        (
            {"plan.notices": 7, "plan.asked": [{"channel": "b", "measure": "EUR", "credits": 7, "sum": "1234"}]},
            "Of what the biller is asked for, they follow once it has booked that.",
        ),
        ({"plan.notices": 7}, "-Customers are not told"),
        ({"plan.decisions": 0}, "-Customers are not told"),
        (
            {"done": {"lines": 7, "unmatched": 0, "decisions": 0, "sums": [], "asked": [], "notices": 0}},
            "What was taken back",
        ),
        ({"approvals": [{"person": "sso:ben", "at": AT}]}, f"ben, {SHOWN}"),
        ({"your_yes": "counts"}, 'value="approve"'),
        ({"your_yes": "machine"}, '-value="reject"'),
    ],
    (DRAFT, "drafts.one"): [
        ({"windows.0.start.assumed": True}, "incident_updates.u2.display_at, assumed) to"),
        ({"windows.0.end.assumed": True}, "incident_updates.u5.display_at, assumed)"),
        ({"windows.0.end": None}, "to now: it goes on"),
        ({"windows.0.end": None}, "configuration counts: it goes on"),
        ({"windows": []}, "The source states no window."),
        ({"by.major": [WINDOW, WINDOW]}, "only what was down as a whole: 0:00:00 (2 windows)"),
        ({"windows": [], "components": []}, "-To scale"),
        ({"marks": ["no_window"]}, "no window"),
        ({"components": []}, "The source names none."),
        ({"components.0.marks": ["planned", "no_window"]}, ": planned, no_window"),
        ({"suggested.policy": "p-9/2"}, "What the configuration suggests"),
        ({"suggested.policy": "p-9/2"}, 'name="policy" value="p-9/2"'),
        ({"confirmed": {"revision": 4, "by": "sso:ben", "at": AT, "digest": "x"}}, "Confirmed as revision 4"),
        ({"confirmed": {"revision": 4, "by": "sso:ben", "at": AT, "digest": "x"}}, "Confirm it again, as it is now"),
        (
            {"dismissed": {"reason": "no outage", "by": "sso:ben", "at": AT, "digest": "x"}},
            f"Dismissed by sso:ben, {SHOWN}: no outage",
        ),
        ({"changed": ["it is longer"]}, "Since then: it is longer"),
    ],
    (HELD_DRAFT, "drafts.one"): [
        ({"problem": ""}, "-It cannot be confirmed:"),
        ({"problem": ""}, f'action="{HELD_DRAFT}/confirm"'),
    ],
    ("/incident/second", "incidents.revision"): [
        ({"content": {"title": "Other"}}, "The latest revision states no window."),
        ({"content": {"title": "Other"}}, "-service: broadband"),
        ({"content.windows.0.end": None}, "to now: it goes on"),
    ],
    ("/incident/second", "campaigns.of_incident"): [
        ({"campaigns": []}, "The incident has no campaign: nobody was decided about."),
        ({"campaigns.0.state": "applying"}, "applying"),
    ],
    ("/incidents", "incidents.refused"): [
        (
            {
                "events": [{
                    "received_at": AT, "detail_type": "X", "incident_id": "in-9", "source": "s", "reason": "r",
                    "field": "", "message": "m",
                }],
                "more": True,
            },
            "There may be more.",
        ),
        (
            {
                "events": [{
                    "received_at": AT, "detail_type": "X", "incident_id": "", "source": "s-9", "reason": "r",
                    "field": "f-9", "message": "m",
                }],
            },
            "X s-9: r f-9 m",
        ),
    ],
    ("/", "acknowledgements.overdue"): [
        (
            {"due_soon": [{"campaign": "in-9/2", "due": AT, "credits": 7, "measure": "EUR", "sum": "1.00"}]},
            "Credits that will soon be late",
        ),
        (
            {"overdue": [{"campaign": "in-9/2", "due": AT, "credits": 7, "measure": "EUR", "sum": "1.00"}]},
            'href="/late/in-9/2"',
        ),
    ],
    ("/", "halts.current"): [
        (
            {"halted": True, "since": AT, "reason": "so"},
            f"The stack is halted Nothing is executed, accepted or published since {SHOWN}.",
        ),
    ],
    ("/", "campaigns.troubles"): [
        (
            {"troubles": [{"kind": "notices", "on": "in-9/2", "since": AT, "urgent": True, "says": "x"}]},
            f"since {SHOWN} Look now.",
        ),
    ],
    ("/", "campaigns.waiting"): [
        ({"next": "more"}, "There is more than this page shows"),
        ({"campaigns.0.approvable_until": "2026-03-01T09:00:00Z"}, "Expired on 2026-03-01 09:00:00 UTC"),
        ({"campaigns.0.state": "paused", "campaigns.0.reason": "paused_by_hand: x"}, "paused by hand"),
    ],
    ("/", "goodwill.waiting"): [
        ({"waiting.0.your_yes": "counts"}, "-until 2026-03-15 09:00:50 UTC. It needs another person's yes."),
    ],
    ("/", "deliveries.waiting"): [
        ({"deliveries": [SENT]}, "Deliveries that are not sent"),
    ],
    ("/campaigns", "campaigns.of_month"): [
        ({"campaigns.0.state": "applying", "campaigns.0.seconds_left": 61}, "0:01:01 left"),
        ({"campaigns.0.state": "flagged", "campaigns.0.reason": "so_so"}, "flagged so so"),
    ],
    ("/rejected/net-outage/1", "acknowledgements.rejected_credits"): [
        ({"credits": [CREDIT]}, "Choose an account to send its credit"),
    ],
    ("/rejected/net-outage/1?credit=c-9", "acknowledgements.rejected_credits"): [
        ({"credits": [CREDIT]}, "taken back by a reversal"),
        ({"credits": [{**CREDIT, "code": ""}]}, "-a person has to look (co-9)", {"credits": [CREDIT]}),
        ({"credits": [{**CREDIT, "reversed": "0.00"}]}, "-taken back by a reversal", {"credits": [CREDIT]}),
    ],
    ("/policies", "policies.published"): [
        ({"policies": VERSIONS}, '00:00:00 UTC, href="/policy/p-9/2" 2'),
        ({"policies": []}, "No policy is published."),
    ],
    ("/goodwill", "goodwill.waiting"): [
        ({"waiting.0.state": "over"}, "waited too long; it is asked for again under another id"),
        ({"waiting.0.state": "over"}, '-action="/goodwill/T-1/decide"'),
        ({"waiting.0.incident": "in-9"}, "Incident in-9"),
        ({"waiting.0.your_yes": "counts"}, "Approve 60.00 EUR"),
        ({"waiting.0.your_yes": "machine"}, '-action="/goodwill/T-1/decide"'),
        ({"waiting": []}, "No goodwill waits for a second person."),
    ],
    ("/month", "acknowledgements.of_month"): [
        ({"campaigns.0.differences": ["it differs"]}, "net-outage/1: it differs"),
        ({"campaigns.0.lines.0.expired": "1.00"}, "1.00 EUR of what is not on bills has expired unused."),
        ({"campaigns.0.lines.0.asked_back": "1.00"}, "1.00 EUR of it is asked back of the biller, and not void yet."),
        ({"campaigns": []}, "No campaign was opened in 2026-03."),
    ],
    ("/deliveries", "acknowledgements.of_month"): [
        ({"next": "more", "campaigns": []}, "-Nothing waits for a delivery.", {"campaigns": []}),
        ({"campaigns": []}, "Nothing waits for a delivery."),
    ],
}  # fmt: skip
"""By a page and the question whose answer is changed: where, and what is said then; with a `-` what is no more.
Where that holds only beside another change, that one is named behind.
"""
