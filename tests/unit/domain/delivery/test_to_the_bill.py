"""Where what a campaign granted stands on its way to the bill adds up, and says where its counters contradict it."""

from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import Counted, CreditState
from kulanz.domain.delivery.to_the_bill import ToTheBill, to_the_bill
from kulanz.domain.money import Size

PLACE = MovedOf(CampaignId("outage", 1), "EUR", "")
ENDED = (CreditState.APPLIED, CreditState.WRITTEN_OFF)
STATES = [state for state in CreditState if state is not CreditState.VOIDED]


@given(st.dictionaries(st.sampled_from(STATES), st.integers(1, 900)), st.integers(0, 900))
def test_what_is_not_on_bills_is_what_is_neither_there_nor_given_up(
    by_state: dict[CreditState, int], voided: int
) -> None:
    line = ToTheBill("EUR", sum(by_state.values()) + voided, voided, by_state)
    assert line.to_be_booked == sum(by_state.values())
    assert line.not_on_bills == line.to_be_booked - sum(by_state.get(state, 0) for state in ENDED)
    assert line.differences() == []


@given(st.dictionaries(st.sampled_from(list(CreditState)), st.integers(-50, 50)), st.integers(0, 900))
def test_counters_that_say_less_than_nothing_of_any_state_contradict_what_was_granted(
    moved: dict[Counted, Size], granted: int
) -> None:
    """What left one state came into another: here all of it came out of what is due."""
    taken: dict[Counted, Size] = {CreditState.DUE: -sum(moved.values())}
    (line,) = to_the_bill({"EUR": granted}, (), {PLACE: moved}, {PLACE: taken})
    stands = {**line.by_state, CreditState.VOIDED: line.voided}
    wrong = {state for state, size in stands.items() if size < 0}
    assert len(line.differences()) == len(wrong)
    for state in wrong:
        assert any(state.replace("_", " ") in sentence for sentence in line.differences()), state


def test_less_than_nothing_at_one_channel_is_said_also_where_all_of_them_come_to_enough() -> None:
    """What was void at a channel, and is counted as void no more at another, adds up: only by channel it is wrong."""
    moved: dict[Counted, Size] = {CreditState.DUE: -200, CreditState.VOIDED: 200}
    back: dict[Counted, Size] = {CreditState.DUE: 200, CreditState.VOIDED: -200}
    here = PLACE._replace(channel="billing")
    (line,) = to_the_bill({"EUR": 500}, (), {here: moved}, {PLACE: back})
    assert line.differences() == ["EUR: less than nothing is voided at no channel: -200 (in the smallest unit)"]
    (line,) = to_the_bill({"EUR": 500}, (), {here: moved}, {here: back})
    assert (line.differences(), line.by_channel) == ([], {"": {CreditState.DUE: 500}})
