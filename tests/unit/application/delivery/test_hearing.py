"""Lines of an answer file find their delivery."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.delivery.hear_answers import Sheet, _Line
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.answers import AnswerResult, BillerAnswer
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.entries import EntryKind
from kulanz.domain.delivery.ids import DeliveryId

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LINES = 50


@pytest.mark.parametrize("state", [None, *DeliveryState])
def test_a_delivery_is_looked_for_once_however_many_lines_name_it(state: DeliveryState | None) -> None:
    asked: list[DeliveryId] = []

    def delivery(named: DeliveryId) -> Delivery | None:
        asked.append(named)
        if state is None:
            return None
        return Delivery(named, CampaignId("i", 1), FileFormat.CSV, NOW, "delivery", state)

    ports: Any = SimpleNamespace(deliveries=SimpleNamespace(delivery=delivery))
    sheet = Sheet("billing", ports, "file")
    lines = [
        _Line(number, number + 1, BillerAnswer(7, "0" * 32, f"a-{number}", "-", EntryKind.ACCEPTED))
        for number in range(LINES)
    ]
    for line in lines:
        sheet.find(line)

    assert asked == [DeliveryId("billing", 7)]
    results = {None if line.heard is None else line.heard.result for line in lines}
    assert results == {None if state is DeliveryState.SENT else AnswerResult.BEFORE_DELIVERY}
