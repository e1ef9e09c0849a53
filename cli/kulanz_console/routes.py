"""The pages of the console and what can be done on them: one table, which the tests go through."""

from collections.abc import Callable
from dataclasses import dataclass

from kulanz_console.views import (
    account,
    audit,
    campaign,
    campaigns,
    cases,
    deliveries,
    drafts,
    goodwill,
    incidents,
    money,
    month,
    plan,
    policies,
    rejects,
    voids,
    waiting,
)
from kulanz_console.visit import Done, File, Shown, Visit

EVERYBODY = ""
"""A page for every role, which shows what the role may read."""


@dataclass(frozen=True, slots=True)
class Question:
    """A page: its path, what answers it, and the use of the API that its first question is."""

    path: str
    view: Callable[[Visit], Shown]
    use: str
    name: str = ""
    """How the menu names it; empty for a page that another page leads to."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that a page leads to: its path, what writes it, and the use of the API that its first question is."""

    path: str
    view: Callable[[Visit], File]
    use: str


@dataclass(frozen=True, slots=True)
class Action:
    """A form's target: what does it, the page that is shown again where it is not done, and its use of the API."""

    path: str
    view: Callable[[Visit], Done]
    again: Callable[[Visit], Shown]
    use: str


READ = "halts.current"
"""The work of this use is permitted to the same roles as reading incidents and campaigns."""

QUESTIONS = (
    Question("/", waiting.show, EVERYBODY, "Waiting for you"),
    Question("/campaigns", campaigns.show, READ, "Campaigns"),
    Question("/plan/<incident>/<seq>", plan.show, READ),
    Question("/sample/<incident>/<seq>", plan.show_sample, "exports.sample"),
    Question("/campaign/<incident>/<seq>", campaign.show, READ),
    Question("/account", account.show, "accounts.ask", "Account"),
    Question("/past", account.show_past, "accounts.ask_past"),
    Question("/cases", cases.show, "cases.of_month", "Cases"),
    Question("/cases/<incident>/<seq>", cases.show_campaign, "cases.of_month"),
    Question("/case/<account>/<incident>/<seq>", cases.show_one, "cases.of_month"),
    Question("/row/<incident>/<seq>", cases.show_row, "cases.of_month"),
    Question("/goodwill", goodwill.show, "goodwill.waiting", "Goodwill"),
    Question("/incidents", incidents.show, READ, "Incidents"),
    Question("/incident/<incident>", incidents.show_one, READ),
    Question("/draft/<draft>", drafts.show, READ),
    Question("/deliveries", deliveries.show, "deliveries.waiting", "Deliveries"),
    Question("/late/<incident>/<seq>", deliveries.show_late, "acknowledgements.late_credits"),
    Question("/rejected/<incident>/<seq>", rejects.show, "acknowledgements.late_credits"),
    Question("/void/<incident>/<seq>/<void>", voids.show, READ),
    Question("/month", month.show, "acknowledgements.overdue", "Month"),
    Question("/policies", policies.show, "policies.published", "Policies"),
    Question("/policy/<policy>/<version>", policies.show_one, "policies.published"),
    Question("/money", money.show, READ, "Budgets and halt"),
    Question("/audit", audit.show, "audit.of_day", "Audit log"),
)
DOWNLOADS = (Download("/month.csv", month.table, "acknowledgements.overdue"),)
ACTIONS = (
    Action("/plan/<incident>/<seq>/approve", plan.approve, plan.show, "approvals.act"),
    Action("/plan/<incident>/<seq>/reject", plan.reject, plan.show, "approvals.act"),
    Action("/plan/<incident>/<seq>/replan", plan.replan, plan.show, "approvals.act"),
    Action("/campaign/<incident>/<seq>/stop", campaign.stop, campaign.show, "stops.act"),
    Action("/account/<account>/<incident>/accept", account.accept, account.show, "acceptances.accept"),
    Action("/account/<account>/goodwill", goodwill.give, account.show, "goodwill.give"),
    Action("/goodwill/<goodwill>/decide", goodwill.decide, goodwill.show, "goodwill.decide"),
    Action("/case/<account>/<incident>/<seq>/decide", cases.decide, cases.show_one, "cases.decide"),
    Action("/case/<account>/<incident>/<seq>/second", cases.second, cases.show_one, "cases.second"),
    Action("/campaign/<incident>/<seq>/void", voids.ask_campaign, campaign.show, "voids.ask"),
    Action("/campaign/<incident>/<seq>/overpaid", voids.ask_overpaid, campaign.show, "voids.ask"),
    Action("/account/<account>/<incident>/void", voids.ask_account, account.show, "voids.ask"),
    Action("/void/<incident>/<seq>/<void>/decide", voids.decide, voids.show, "voids.decide"),
    Action("/rejected/<incident>/<seq>/act", rejects.act, rejects.show, "credits.act"),
    Action("/draft/<draft>/confirm", drafts.confirm, drafts.show, "drafts.confirm"),
    Action("/draft/<draft>/dismiss", drafts.dismiss, drafts.show, "drafts.confirm"),
    Action("/money/halt", money.halt, money.show, "halts.act"),
    Action("/money/budget", money.set_budget, money.show, "budgets.act"),
)
MENU = tuple(one for one in QUESTIONS if one.name)
