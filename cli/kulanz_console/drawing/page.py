"""The page: what a controller reads of a campaign, the answer first, then what it rests on."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from kulanz.domain.campaigns.campaign import State
from kulanz_console.drawing.figures import Figures, MeasureTotals, figures_of
from kulanz_console.drawing.markup import (
    Part,
    code,
    definitions,
    document,
    element,
    foreign,
    instant,
    instant_text,
    preformatted,
    section,
    table,
)
from kulanz_console.drawing.sections import amounts_section, law_section, reconciliation_section, results_section
from kulanz_console.drawing.sources import Sources, readings
from kulanz_console.drawing.style import STYLE
from kulanz_console.drawing.text import counted_as
from kulanz_console.drawing.words import held_back_note, sentence, state_kind
from kulanz_console.drawing.worth import value_text
from kulanz_console.drawing.yaml_text import yaml_text

if TYPE_CHECKING:
    from kulanz.application.campaigns.report import ReportedBudget, ReportedEstimate
    from kulanz.application.campaigns.review_plan import ApprovalReview

NOTHING_IS_FETCHED = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
POLICY_COLUMNS = 96
LEAST_COST_USD = Decimal("0.01")


def page(sources: Sources) -> str:
    """The text of the page. It names no account: sums, counts, and what staff did."""
    figures = figures_of(sources.report)
    return document(element("html", _head(sources), _body(sources, figures), lang="en"))


def _head(sources: Sources) -> Element:
    style = element("style")
    style.text = STYLE
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=NOTHING_IS_FETCHED),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"Kulanz report of {sources.report['campaign']}"),
        style,
    )


def _body(sources: Sources, figures: Figures) -> Element:
    report = sources.report
    state = State(report["state"])
    header = element(
        "header",
        element("p", state.value.replace("_", " "), class_=f"state {state_kind(state)}"),
        element("h1", foreign(sources.title or report["campaign"])),
        element("p", "Campaign ", code(report["campaign"]), ". ", sentence(sources, figures), class_="lead"),
    )
    if report["reason"]:
        header.append(element("p", "Reason: ", foreign(report["reason"]), class_="note"))
    main = element(
        "main",
        header,
        _totals(figures, state),
        law_section(sources),
        element("div", results_section(figures), _people(sources), class_="beside"),
        amounts_section(sources),
        reconciliation_section(sources, figures),
        _limits(sources),
        _basis(sources),
        _policy(sources),
        _log(sources),
    )
    footer = element(
        "footer",
        element(
            "p",
            f"Made by kulanz report at {instant_text(sources.made_at)}. All times are UTC. This file loads nothing and"
            " names no account.",
        ),
    )
    return element("body", main, footer)


def _totals(figures: Figures, state: State) -> Element:
    made = section("totals", "In all")
    if not figures.totals:
        made.append(element("p", "No line comes to an amount or a quantity."))
    for one in figures.totals:
        made.append(element("h3", _planned(one)))
        made.append(element("dl", *_large(one, state), class_="totals"))
    return made


def _planned(one: MeasureTotals) -> str:
    planned, offer = value_text(one.measure, one.planned), value_text(one.measure, one.to_offer)
    return f"{planned} planned, of it {offer} to offer" if one.to_offer else f"{planned} planned"


def _large(one: MeasureTotals, state: State) -> Iterator[Element]:
    notes = (
        ("Granted", one.granted, "in the ledger"),
        ("Offered", one.offered, "in the ledger; accepted or not"),
        ("Held back", one.held_back, held_back_note(state, one.held_back < 0)),
    )
    for name, size, note in notes:
        figure = element("span", value_text(one.measure, size), class_="large")
        yield element("div", element("dt", name), element("dd", figure, element("span", note, class_="small")))


def _people(sources: Sources) -> Element:
    plan = sources.plan
    if plan is None:
        asked = definitions([("Opened by", [foreign(sources.campaign["opened_by"])])])
        return section("people", "Who asked, who approved", asked, element("p", "No plan was filed to be approved."))
    requester: list[Part] = (
        [foreign(plan["requester"])] if plan["requester"] else ["no person; source ", foreign(plan["source"])]
    )
    facts: list[tuple[str, Sequence[Part]]] = [
        ("Requested by", requester),
        ("Plan", [code(plan["plan_hash"])]),
        ("Planned at", [instant(plan["planned_at"])]),
        ("Approve before", [instant(plan["approvable_until"])]),
        ("Persons needed", [str(plan["persons_needed"])]),
        *(("Because", [foreign(reason)]) for reason in plan["reasons"]),
    ]
    if plan["lone_operator"]:
        facts.append(("Lone operator", ["this stack lets one person request and approve"]))
    made = section("people", "Who asked, who approved", definitions(facts))
    if not plan["approvals"]:
        made.append(element("p", "Nobody has approved the plan."))
        return made
    made.append(element("h3", "Approved by"))
    made.append(element("ol", *map(_approval, plan["approvals"])))
    return made


def _approval(one: "ApprovalReview") -> Element:
    said = element("li", foreign(one["person"]), " at ", instant(one["at"]))
    if one["limits"]:
        said.append(element("span", "; accepts the limits ", foreign(", ".join(one["limits"]))))
    if one["break_glass"]:
        said.append(element("span", "; alone, because ", foreign(one["break_glass"])))
    return said


def _limits(sources: Sources) -> Element:
    plan, limits = sources.plan, sources.report["limits"]
    made = section("limits", "Limits of the plan")
    exceeded = [] if plan is None else plan["exceeded"]
    if plan is not None and exceeded:
        rows: list[list[Part]] = []
        for limit in exceeded:
            accepted = [one["person"] for one in plan["approvals"] if limit["name"] in one["limits"]]
            rows.append([code(limit["name"]), foreign(limit["figures"]), foreign(", ".join(accepted) or "nobody")])
        made.append(table("Limits that the plan exceeds", ("Limit", "Figures", "Accepted by"), rows))
    else:
        made.append(element("p", "No plan was filed." if plan is None else "The plan is within its limits."))
    stated = [
        *((name, f"{name}, of the rows", f"{_bound(name)} {text}") for name, text in limits["shares"].items()),
        *(
            (f"largest {name}", f"largest amount, {name}", f"at most {text}")
            for name, text in limits["largest"].items()
        ),
        *((f"total {name}", f"total, {name}", f"at most {text}") for name, text in limits["total"].items()),
    ]
    if stated:
        lines: list[list[Part]] = [
            [foreign(said), foreign(text), limits["stated"].get(name, "default")] for name, said, text in stated
        ]
        made.append(table("The limits", ("Of", "Limit", "Stated by"), lines))
    return made


def _bound(share: str) -> str:
    """Which way a share is limited: of rows that an earlier campaign had decided there must be enough."""
    return "at least" if share == "known" else "at most"


def _basis(sources: Sources) -> Element:
    report, plan = sources.report, sources.plan
    policy, pinned = report["policy"], report["list"]
    facts: list[tuple[str, Sequence[Part]]] = [
        ("Policy", [foreign(policy["id"]), f" version {policy['version']}"]),
        ("Policy hash", [code(policy["hash"])]),
        ("List", [foreign(pinned["key"])]),
        ("List version", [code(pinned["version_id"])]),
        ("Rows announced", [f"{pinned['rows_announced']:,}"]),
        ("Rows read", [f"{report['plan']['rows']:,}"]),
        ("Decided as of", [instant(report["decided_at"])]),
        ("First due", [(plan and plan["first_due"]) or "no day is stated"]),
        *(("Budget", [_budget(one)]) for one in report.get("budgets", ())),
        ("AWS cost", [_cost(report["estimate"])]),
        ("Incident revision", [str(sources.campaign["revision"])]),
        ("Engine", [f"{report['engine']}, time zones {report['time_zones']}"]),
    ]
    if (others := report["same_outage"]) is not None:
        named = [*others["same_list"], *others["other_list"]]
        more = "" if others["named_all"] else ", and perhaps more"
        facts.append(("Same outage", [foreign(", ".join(named) + more) if named else "no other campaign"]))
    return section("basis", "What it is based on", definitions(facts))


def _budget(found: "ReportedBudget") -> str:
    """Of which month a campaign is paid, and what its start reserved."""
    at_most = value_text(found["currency"], Decimal(found["at_most"]))
    return f"of {found['month']} in {found['currency']}; its start reserved {at_most}"


def _cost(found: "ReportedEstimate | None") -> str:
    if found is None:
        return "not known before the plan is complete"
    usd, prices = Decimal(found["usd"]), found["prices"]
    amount = f"{usd:,.2f} USD" if usd >= LEAST_COST_USD else f"less than {LEAST_COST_USD} USD"
    return f"{amount}, estimated with the prices of {prices['region']} of {prices['date']}; it is no credit"


def _policy(sources: Sources) -> Element:
    pinned, document_ = sources.report["policy"], sources.policy
    made = section("policy", "The policy")
    if document_ is None:
        made.append(element("p", "This version of the policy is no longer published, so that its text is not here."))
        return made
    chosen = readings(document_, pinned["hash"])
    if chosen is None:
        says = "This command could not confirm that this text has the hash that the campaign decided by."
    elif chosen:
        said = ", ".join(f"{name}: {choice}" for name, choice in chosen.items())
        says = f"This text has the hash of the campaign's policy, with the readings {said}."
    else:
        says = "This text has the hash of the campaign's policy."
    made.append(element("p", foreign(says)))
    holidays = len(document_.get("holidays", ()))
    if holidays:
        made.append(
            element("p", f"With {counted_as(holidays, 'public holiday')}, which the hash covers.", class_="note")
        )
    text = yaml_text(document_["policy"], POLICY_COLUMNS)
    made.append(preformatted(text, "The policy's text"))
    return made


def _log(sources: Sources) -> Element:
    rows: list[list[Part]] = [
        [instant(one["at"]), one["target"].replace("_", " "), foreign(one["reason"]), foreign(one["actor"])]
        for one in sources.log
    ]
    return section(
        "log", "What happened", table("Changes of state, first to last", ("At", "State", "Reason", "By"), rows)
    )
