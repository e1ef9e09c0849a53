"""What a confirmed draft requests with a list: a person's words before the source's, the list where it belongs."""

from pathlib import Path
from typing import Any

import pytest

from kulanz_cli import draft

ONE, TWO = Path("one.csv"), Path("two.csv")
ENDED = {"start": "2026-03-10T09:00:00Z", "end": "2026-03-10T10:00:00Z"}
OPEN = {"start": "2026-03-10T11:00:00Z", "end": None}
FOUND: dict[str, Any] = {
    "draft": "it-7-voice", "source": "it", "title": "Of the source", "service": "voice", "functions": ["calls"],
    "suggested": {"policy": "net-credit/3", "list": "lists/suggested.csv"},
}  # fmt: skip
DETAIL: dict[str, Any] = {
    "incident_id": "it-7-voice", "revision": 1, "title": "Of the source", "service": "voice", "functions": ["calls"],
    "windows": [ENDED], "cause": None,
    "campaign": {
        "policy": {"id": "net-credit", "version": 3}, "affected": {"s3": {"key": "lists/suggested.csv"}},
    },
}  # fmt: skip
TOLD = {"title": "Of the person", "cause": "storm", "functions": ["portal"]}


def requested(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], body: dict[str, Any], parts: list[Path], policy: str | None
) -> dict[str, Any]:
    """The event that is checked, whose list is uploaded, and of which the request is made."""
    seen: list[tuple[str, Any, list[Path]]] = []

    def checked(event: Any, door: Any, parts: Any) -> list[str]:
        assert door == "the door"
        seen.append(("checked", event, [*parts]))
        return ["note: something was not checked"]

    def uploaded(event: Any, _: Any, parts: Any, rows: Any) -> Any:
        assert rows == 17
        seen.append(("uploaded", event, [parts] if isinstance(parts, Path) else [*parts]))
        return {"detail": {"campaign": {"of": event["detail"]["campaign"]}}}

    monkeypatch.setattr(draft, "checked", checked)
    monkeypatch.setattr(draft, "with_list" if len(parts) == 1 else "with_parts", uploaded)
    stack: Any = type("_Stack", (), {"door": lambda _: "the door"})()
    made = draft._campaign(found, body, stack, parts, policy, 17)
    (first, event, looked_at), (second, of_list, sent) = seen
    assert (first, second, looked_at, sent) == ("checked", "uploaded", parts, parts)
    assert of_list is event
    assert made == {"of": event["detail"]["campaign"]}
    return dict(event)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"windows": [ENDED]}, {}),
        ({"windows": [ENDED], **TOLD}, TOLD),
        ({"windows": [ENDED], "functions": []}, {"functions": []}),
    ],
)
def test_what_the_person_says_stands_before_what_the_source_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: dict[str, Any], told: dict[str, Any]
) -> None:
    event = requested(monkeypatch, FOUND, body, [ONE], None)
    assert event == {"source": "it", "detail-type": "Incident Resolved", "detail": DETAIL | told}
    assert capsys.readouterr() == ("", "note: something was not checked\n")


@pytest.mark.parametrize(
    ("windows", "kind"),
    [
        ([ENDED], "Incident Resolved"), ([ENDED, ENDED], "Incident Resolved"), ([OPEN], "Incident Declared"),
        ([ENDED, OPEN], "Incident Declared"), ([OPEN, ENDED], "Incident Declared"),
    ],
)  # fmt: skip
def test_an_incident_is_resolved_once_every_window_has_ended(
    monkeypatch: pytest.MonkeyPatch, windows: list[Any], kind: str
) -> None:
    event = requested(monkeypatch, FOUND, {"windows": windows}, [ONE], None)
    assert (event["detail-type"], event["detail"]["windows"]) == (kind, windows)


def test_a_draft_without_a_title_or_a_service_has_its_id_and_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    found = FOUND | {"title": "", "service": None}
    detail = requested(monkeypatch, found, {"windows": [ENDED]}, [ONE], None)["detail"]
    assert detail == DETAIL | {"title": "it-7-voice", "service": "-"}


@pytest.mark.parametrize(
    ("suggested", "parts", "affected"),
    [
        ("lists/suggested.csv", [ONE], {"s3": {"key": "lists/suggested.csv"}}),
        ("lists/suggested.csv", [ONE, TWO], {}),
        (None, [ONE], {}),
    ],
)
def test_one_file_lies_where_the_configuration_says_and_parts_by_their_manifest(
    monkeypatch: pytest.MonkeyPatch, suggested: str | None, parts: list[Path], affected: dict[str, Any]
) -> None:
    found = FOUND | {"suggested": {"policy": "net-credit/3", "list": suggested}}
    event = requested(monkeypatch, found, {"windows": [ENDED]}, parts, None)
    assert event["detail"]["campaign"]["affected"] == affected


@pytest.mark.parametrize(
    ("suggested", "typed", "policy"),
    [
        ("net-credit/3", None, {"id": "net-credit", "version": 3}),
        ("net-credit/3", "other/12", {"id": "other", "version": 12}),
        (None, "other/12", {"id": "other", "version": 12}),
    ],
)
def test_the_policy_that_was_typed_stands_before_the_suggested_one(
    monkeypatch: pytest.MonkeyPatch, suggested: str | None, typed: str | None, policy: dict[str, Any]
) -> None:
    event = requested(monkeypatch, FOUND | {"suggested": {"policy": suggested}}, {"windows": [ENDED]}, [ONE], typed)
    assert event["detail"]["campaign"]["policy"] == policy
