"""What the counting endpoint takes a call for: it passes no call on that it cannot count."""

from bench.counting_endpoint import Counts

KEY = {"pk": {"S": "OPEN"}, "sk": {"S": "CAMPAIGN#a/1"}}


def test_every_action_of_a_transaction_is_counted() -> None:
    counts = Counts()
    actions = [
        {"Put": {"Item": KEY}},
        {"Update": {"Key": KEY}},
        {"Delete": {"Key": KEY}},
        {"ConditionCheck": {"Key": KEY}},
    ]
    counts.take("DynamoDB.TransactWriteItems", {"TransactItems": actions})
    assert counts.write_units == 2 * len(actions)
