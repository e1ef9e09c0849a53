"""What commands and pages say of states covers each state that there is, and means what the domain means by it."""

from collections.abc import Collection

import pytest

from kulanz.application.delivery.act_on_credit import FOR_A_PERSON
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.void import OVER, Share, VoidState
from kulanz.domain.ledger.hand_decision import CaseKind
from kulanz_cli import cases as cases_command
from kulanz_cli import deliveries as deliveries_command
from kulanz_cli import voids as voids_command
from kulanz_console.drawing import ways
from kulanz_console.views import cases, voids

ON_THE_WAY = set(CreditState) - {CreditState.PARTLY_APPLIED}
"""A credit that is partly on bills counts as applied and as accepted, each with its part."""
TABLES: dict[str, tuple[Collection[str], Collection[str]]] = {
    "shares of a void, in a terminal": (voids_command.SHARES, set(Share)),
    "shares of a void, on a page": (voids.SHARES, set(Share)),
    "states of a void that waits for nobody or stopped": (voids.STATES, {*OVER, VoidState.FLAGGED}),
    "the way of a credit": (ways.STATES, ON_THE_WAY),
    "what a credit's states mean": (ways.SAYS, ON_THE_WAY),
    "deliveries that are not sent": (deliveries_command.NOT_SENT, set(DeliveryState) - {DeliveryState.SENT}),
    "credits that wait for a person": (ways.FOR_A_PERSON, FOR_A_PERSON),
    "kinds of cases, in a terminal": (cases_command.KINDS, set(CaseKind)),
    "kinds of cases, on a page": (cases.KINDS, set(CaseKind)),
}


@pytest.mark.parametrize("what", TABLES)
def test_a_table_has_each_state_once_and_no_other(what: str) -> None:
    said, there_are = TABLES[what]
    assert sorted(map(str, said)) == sorted(map(str, there_are))
