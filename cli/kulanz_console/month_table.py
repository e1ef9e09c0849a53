"""A month as a table, for whoever files it: the command writes it, and the console's page has it to be loaded down."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kulanz_console.drawing.ways import SEVERAL, STATES, channels_of, rejected_of

CSV_FIELDS = (
    *("campaign", "policy", "version", "delivery", "measure", "planned", "granted", *STATES, "overdue"),
    *("expired", "open", "expired_is_exact", "ledger_account", "reason_code", "treatment"),
    *("additions", "by_channel", "rejected_with"),
)


def csv_of(campaigns: Iterable[Mapping[str, Any]]) -> str:
    """A line for each campaign and measure. No field comes from a customer."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_FIELDS)
    for one in campaigns:
        for line in one["lines"]:
            by_state = {**line["by_state"], "voided": line["voided"]}
            sums = [by_state.get(state, "0") for state in STATES]
            head = [one["campaign"], one["policy"], one["policy_version"], one["delivery"] or "", line["measure"]]
            law = line["expired"], line["open"], "yes" if line["is_exact"] else "no"
            alone = [{"lines": [line]}]
            way = *_booked(one), _added(one), _listed(channels_of(alone)), _listed(rejected_of(alone))
            writer.writerow([*head, line["planned"], line["granted"], *sums, line["overdue"], *law, *way])
    return out.getvalue()


def _added(campaign: Mapping[str, Any]) -> str:
    """The deliveries over additions: the first and the last of each channel, and how many."""
    return "; ".join(
        one["first"] if one["deliveries"] == 1 else f"{one['first']} to {one['last']} ({one['deliveries']})"
        for one in campaign.get("additions", ())
    )


def _listed(found: Iterable[Mapping[str, str]]) -> str:
    """Sums by channel, or by channel and code, as one text; it begins with a channel, so it is never a formula."""
    return "; ".join(
        f"{one['channel']} {one['code']}: {one['sum']}" if "code" in one else f"{one['channel']}: {one['delivered']}"
        for one in found
    )


def _booked(campaign: Mapping[str, Any]) -> Iterator[str]:
    """Ledger account, reason code and treatment; `several` where components differ."""
    for name in ("ledger_account", "reason_code", "treatment"):
        named = {one[name] for one in campaign["bookings"]}
        yield named.pop() if len(named) == 1 else SEVERAL
