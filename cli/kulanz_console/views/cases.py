"""*Cases*: what a policy held or referred, with its steps; and a person's decision within the limits.

A decision names the case as it was shown. Above one person's limit it waits for a second person, who sees it here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.time import parse_instant
from kulanz_console import answered
from kulanz_console.paths import campaign_path, segment, url
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.forms import action_id, filled, on_campaign, reasons_of
from kulanz_console.views.months import last_months, month_of
from kulanz_console.visit import Answer, Done, Shown, Visit

BYTE_DIGITS_MOST = 15
"""Of a place in a list: S3 keeps no object of a petabyte."""
MONTHS_BACK = 14
"""Months whose campaigns are looked at: an incident may be decided for 400 days unless the stack says otherwise."""
CONFLICT, REJECTED = "conflict", "rejected"
KINDS = ("held", "referred", CONFLICT, REJECTED)
FACT = "fact_"
"""What the name of a field begins with that states a fact."""
BY_POLICY, BY_AMOUNT, DECLINED = "policy", "amount", "decline"


def waiting_in(visit: Visit, months: Sequence[str]) -> list[Answer]:
    """The campaigns of some months with cases, those with the earliest deadline first."""
    parts = visit.together(*(_month_of(visit, month) for month in months))
    found = [one for part, _ in parts for one in part]
    return sorted(found, key=lambda one: (one["decidable_until"], one["decided_at"], one["campaign"]))


def _month_of(visit: Visit, month: str) -> Any:
    return lambda: visit.pages("cases.of_month", "campaigns", month=month)


def proposed(visit: Visit) -> tuple[list[Any], bool]:
    """Decisions that wait for a second person, each with what would be decided; and whether there are more."""
    found, is_more = visit.pages("cases.proposed", "proposed")
    return [{**one, "path": case_path(one), "came_to": _came_to(one["by_hand"]["decision"])} for one in found], is_more


def case_path(one: Mapping[str, Any]) -> str:
    """The page of a case; of a row that contradicts the decided one, with that row."""
    path = f"/case/{segment(one['account_id'])}/{campaign_path(one['campaign'])}"
    row = str(one["row_offset"]) if one.get("kind") == CONFLICT else None
    return url(path, subject=None if one["subject"] == WHOLE_ACCOUNT else one["subject"], row=row)


def show(visit: Visit) -> Shown:
    """The queue: campaigns with cases, by their deadline; and what waits for a second person."""
    chosen = month_of(visit) if visit.query.get("month", "").strip() else ""
    months = [chosen] if chosen else last_months(visit.now, MONTHS_BACK)
    campaigns, (waiting, is_more) = visit.together(lambda: waiting_in(visit, months), lambda: proposed(visit))
    content = {
        "campaigns": [line_of_queue(one, visit) for one in campaigns],
        "kinds": KINDS,
        "proposed": waiting,
        "is_more": is_more,
        "month": chosen,
    }
    return Shown("cases.html", visit.words("Cases"), content)


def line_of_queue(one: Answer, visit: Visit) -> dict[str, Any]:
    """A campaign with its age and the days that are left for it."""
    return {
        **one,
        "days_old": max(0, (visit.now - parse_instant(one["decided_at"])).days),
        "days_left": max(0, (parse_instant(one["decidable_until"]) - visit.now).days),
        "is_over": one["closed"] is not None,
    }


def show_campaign(visit: Visit) -> Shown:
    """What of a campaign waits, in the order of its list."""
    kind = visit.query.get("kind", "").strip() or None
    of = on_campaign(visit)
    first = visit.ask("cases.of_campaign", {"kind": kind}, **of)
    found, is_more = visit.pages("cases.of_campaign", "cases", {"kind": kind}, **of)
    cases = [{**one, "path": _path_of({**one, "campaign": first["campaign"]})} for one in found]
    content = {
        "campaign": first["campaign"], "first": first, "cases": cases, "is_more": is_more, "kinds": KINDS, "kind": kind,
    }  # fmt: skip
    return Shown("campaign_cases.html", visit.words("Cases of {campaign}", campaign=first["campaign"]), content)


def _path_of(one: Mapping[str, Any]) -> str:
    """The page of what waits; of a row without an account, that on which a person says whose it is."""
    if "account_id" in one:
        return case_path(one)
    return url(f"/row/{campaign_path(one['campaign'])}", row=str(one["row_offset"]))


def show_row(visit: Visit) -> Shown:
    """A rejected row: a person who knows whose it is says so, and then sees it as a case of that account."""
    if account := visit.query.get("account", "").strip():
        return _show(visit, account)
    campaign = f"{visit.of['incident']}/{visit.of['seq']}"
    row = _row(visit) or "0"
    is_byte = row.isdecimal() and len(row) <= BYTE_DIGITS_MOST
    content = {"campaign": campaign, "row": row, "byte": int(row) if is_byte else None}
    return Shown("row.html", visit.words("A row of {campaign}", campaign=campaign), content)


def show_one(visit: Visit) -> Shown:
    """A case: what the policy did so far, what it would owe, and how it can be decided."""
    return _show(visit, visit.of["account"])


def _show(visit: Visit, account: str) -> Shown:
    facts, subject = _facts(visit), _subject(visit)
    case, (waiting, _), reasons = visit.together(
        lambda: _case(visit, account, subject, facts),
        lambda: proposed(visit),
        lambda: reasons_of(visit) if visit.may("cases.decide") else [],
    )
    named = (case["account_id"], case["campaign"], case["subject"])
    content = {
        "case": case,
        "facts": facts,
        "row": case["row_offset"] if case["kind"] in (CONFLICT, REJECTED) else None,
        "said": {name: text for name, text in case["row"].items() if text},
        "stands": _came_to(case["stands"]),
        "owed": [_owed(one) for one in case["would_owe"]],
        "proposal": next(
            (one for one in waiting if (one["account_id"], one["campaign"], one["subject"]) == named), None
        ),
        "reasons": reasons,
        "way": visit.form.get("way", ""),
        "ids": {name: action_id(visit, name) for name in ("decide", "second")},
        "path": f"/case/{segment(case['account_id'])}/{campaign_path(case['campaign'])}",
    }
    return Shown("case.html", visit.words("Case of {account}", account=case["account_id"]), content)


def _case(visit: Visit, account: str, subject: str, facts: Mapping[str, str]) -> Answer:
    """The case, with what it would owe. A fact that it cannot have is said, and the case is shown without it."""
    of, named = {"account": account, **on_campaign(visit)}, {"subject": subject, "row": _row(visit)}
    try:
        return visit.ask("cases.one", {**named, "facts": canonical_json(facts) if facts else None}, **of)
    except NotAnswered as problem:
        if not facts or problem.why not in (Why.REFUSED, Why.WRONG):
            raise
        visit.problem = visit.problem or str(problem)
        return visit.ask("cases.one", named, **of)


def _owed(one: Answer) -> dict[str, Any]:
    stated = ", ".join(f"{name} = {value}" for name, value in one["facts"].items())
    way = f"{BY_POLICY}:{canonical_json(dict(one['facts']))}"
    decision = one["decision"]
    is_decided = decision is not None and Outcome(decision["outcome"]) not in (Outcome.HELD, Outcome.REFERRED)
    return {"with": stated, "way": way, "came_to": _came_to(decision), "steps": one["steps"], "is_decided": is_decided}


def _came_to(body: Mapping[str, Any] | None) -> str:
    """What a decision is in a few words; empty where nothing is owed any more."""
    return "" if body is None else answered.summary(Decision.from_body(dict(body)))


def _subject(visit: Visit) -> str:
    return (visit.query.get("subject") or visit.form.get("subject") or WHOLE_ACCOUNT).strip()


def _row(visit: Visit) -> str | None:
    """Where the row starts that is in question, where that is not the decided one."""
    return (visit.query.get("row") or visit.form.get("row") or "").strip() or None


def _facts(visit: Visit) -> dict[str, str]:
    """The facts that were filled in to ask what they would come to, or those of the form that is shown again."""
    stated = {**visit.form, **visit.query}
    found = {name.removeprefix(FACT): text.strip() for name, text in stated.items() if name.startswith(FACT)}
    return {name: text for name, text in found.items() if text}


def decide(visit: Visit) -> Done:
    """Decide the case that was shown: by the policy, by an amount, or not at all."""
    way, reason, subject = visit.form.get("way", ""), filled(visit, "reason"), _subject(visit)
    if not way:
        raise NotAnswered("choose how it is decided", Why.WRONG)
    if not reason:
        raise NotAnswered("choose a reason", Why.WRONG)
    body: dict[str, Any] = {
        "seen": visit.form.get("seen", ""), "reason": reason, "note": filled(visit, "note"), "subject": subject,
        **_way(visit, way),
    }  # fmt: skip
    if (row := _row(visit)) is not None:
        if not row.isdecimal():
            raise NotAnswered("expected the byte at which the row starts", Why.WRONG)
        body["row"] = int(row)
    done = visit.kulanz.act(
        "cases.decide", body, account=visit.of["account"], **on_campaign(visit), id=action_id(visit, "decide")
    )
    return _done(visit, done)


def _way(visit: Visit, way: str) -> dict[str, Any]:
    if way == DECLINED:
        return {"way": DECLINED}
    if way == BY_AMOUNT:
        amount, measure = filled(visit, "amount"), filled(visit, "measure")
        if not amount or not measure:
            raise NotAnswered("state the amount, such as 5.00, and its currency or unit, such as EUR", Why.WRONG)
        return {"way": BY_AMOUNT, "amount": amount, "measure": measure}
    name, _, text = way.partition(":")
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if name != BY_POLICY or not isinstance(facts, dict):
        raise NotAnswered("choose how it is decided", Why.WRONG)
    return {"way": BY_POLICY, "facts": facts}


def second(visit: Visit) -> Done:
    """Agree, as the second person, to the decision that was shown, or reject it."""
    action, reason = visit.form.get("action", ""), filled(visit, "reason")
    if action == "reject" and not reason:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    body = {"action": action, "hash": visit.form.get("hash", ""), "subject": _subject(visit)}
    if action == "reject":
        body["reason"] = reason
    done = visit.kulanz.act(
        "cases.second", body, account=visit.of["account"], **on_campaign(visit), id=action_id(visit, "second")
    )
    return _done(visit, done)


def _done(visit: Visit, done: Answer) -> Done:
    """Where a case is seen after: it stays one while it waits or was rejected, and is an answer once it is decided."""
    by_hand = done["by_hand"]
    came_to = "" if by_hand is None else _came_to(by_hand["decision"])
    incident = visit.of["incident"]
    match done["state"]:
        case "decided":
            said = visit.words("The case is decided: {decision}", decision=came_to)
            if visit.may("accounts.ask"):
                return Done(url("/account", id=done["account_id"], incident=incident), str(said))
            return Done(f"/cases/{campaign_path(done['campaign'])}", str(said))
        case "waits":
            said = visit.words("It waits for a second person: {decision}", decision=came_to)
        case _:
            said = visit.words("It is rejected. The case stays open.")
    return Done(case_path(done), str(said))
