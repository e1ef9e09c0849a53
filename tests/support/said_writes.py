"""The writes of a store as sentences: what is written where, on which condition, with all values in their places."""

import re
from collections.abc import Mapping
from typing import Any


class Writes:
    """A client of DynamoDB that keeps what it is to write, and finds the items that it is given."""

    def __init__(self, **items: Mapping[str, Any]) -> None:
        self.said: list[str] = []
        self._items = items

    def transact_write_items(self, TransactItems: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        """A transaction: one sentence for each of its actions."""
        self.said += [sentence(kind, action) for one in TransactItems for kind, action in one.items()]
        return {}

    def update_item(self, **action: Any) -> dict[str, Any]:
        """A single update."""
        self.said.append(sentence("Update", action))
        return {}

    def put_item(self, **action: Any) -> dict[str, Any]:
        """A single put."""
        self.said.append(sentence("Put", action))
        return {}

    def get_item(self, Key: Mapping[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """What stands there."""
        found = self._items.get(Key["pk"]["S"])
        return {} if found is None else {"Item": found}


def sentence(kind: str, action: Mapping[str, Any]) -> str:
    """An action as a sentence. Of what is put the place is said, and until when it is kept."""
    key = action.get("Key") or action["Item"]
    names, values = action.get("ExpressionAttributeNames", {}), action.get("ExpressionAttributeValues", {})

    def filled(text: str) -> str:
        return re.sub(r"#\w+|:[a-z]\w*", lambda found: names.get(found[0]) or _plain(values[found[0]]), text)

    told = action.get("UpdateExpression", "")
    condition = action.get("ConditionExpression", "")
    if "ttl" in action.get("Item", {}):
        told = f"until {action['Item']['ttl']['N']}"
    return (
        f"{kind} {action['TableName']} {key['pk']['S']} {key['sk']['S']}"
        f"{f' {filled(told)}' if told else ''}{f' if {filled(condition)}' if condition else ''}"
    )


def _plain(value: Mapping[str, Any]) -> str:
    ((_, found),) = value.items()
    return str(found)
