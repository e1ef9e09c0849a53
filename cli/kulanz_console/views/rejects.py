"""*Rejected credits*: what the biller refused or took back, and what finance does with each."""

from decimal import Decimal
from typing import Any

from kulanz_console.drawing.ways import FOR_A_PERSON, SAYS
from kulanz_console.paths import campaign_path, url
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views.forms import action_id, filled, on_campaign
from kulanz_console.views.months import last_months
from kulanz_console.visit import Done, Shown, Visit

MONTHS_BACK = 2
SEND_AGAIN, WRITE_OFF = "send_again", "write_off"


def waiting_in(visit: Visit) -> list[dict[str, Any]]:
    """The campaigns of the last months with such credits, with their sums by measure."""
    parts = visit.together(*(_month_of(visit, month) for month in last_months(visit.now, MONTHS_BACK)))
    found = []
    for part, _ in parts:
        for one in part:
            sums = [
                {"measure": line["measure"], "state": state, "sum": line["by_state"][state]}
                for line in one["lines"]
                for state in FOR_A_PERSON
                if state in line["by_state"]
            ]
            if sums:
                found.append({"campaign": one["campaign"], "sums": sums})
    return found


def _month_of(visit: Visit, month: str) -> Any:
    return lambda: visit.pages("acknowledgements.of_month", "campaigns", month=month)


def show(visit: Visit) -> Shown:
    """The credits of a campaign that wait for a person, by account, and the form for the one that was chosen."""
    found, is_more = visit.pages("acknowledgements.rejected_credits", "credits", None, **on_campaign(visit))
    campaign = f"{visit.of['incident']}/{visit.of['seq']}"
    chosen = visit.query.get("credit", "") or visit.form.get("credit_id", "")
    one = next((one for one in found if one["credit_id"] == chosen), None)
    content = {
        "campaign": campaign,
        "credits": found,
        "is_more": is_more,
        "says": SAYS,
        "chosen": one,
        "is_reversed": one is not None and Decimal(one["reversed"]) > 0,
        "path": f"/rejected/{campaign_path(campaign)}",
        "form_id": action_id(visit, "credit"),
    }
    return Shown("rejected.html", visit.words("Rejected credits of {campaign}", campaign=campaign), content)


def act(visit: Visit) -> Done:
    """Send a credit again, there or to another channel, with its account at the biller corrected or as it was; or write
    it off.
    """
    action, reason = visit.form.get("action", ""), filled(visit, "reason")
    if not reason:
        raise NotAnswered("state a reason; the audit log keeps it", Why.WRONG)
    body = {
        "action": action, "reason": reason,
        **{name: visit.form.get(name, "") for name in ("account_id", "subject", "credit_id")},
    }  # fmt: skip
    if action == SEND_AGAIN:
        body |= {name: value for name in ("biller_account", "channel") if (value := filled(visit, name))}
    done = visit.kulanz.act("credits.act", body, **on_campaign(visit), id=action_id(visit, "credit"))
    path = f"/rejected/{campaign_path('{incident}/{seq}'.format(**visit.of))}"
    if done["second_person_needed"]:
        said = visit.words("It is written off when another person writes it off, too.")
        if action == SEND_AGAIN:
            said = visit.words("It is sent to the other channel when another person sends it there, too.")
        return Done(url(path, credit=done["credit_id"]), str(said))
    if done["state"] == "due":
        return Done(path, str(visit.words("The credit is due again. The next delivery of additions has it.")))
    return Done(path, str(visit.words("The credit is now: {state}.", state=visit.words.code(done["state"]))))
