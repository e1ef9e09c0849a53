"""``kulanz source``: a configuration is checked with its line, tried with recorded deliveries, and published once."""

import json
from pathlib import Path

import pytest

from kulanz.domain.drafts.reported import Mark
from kulanz.sources.signatures import is_authentic
from kulanz.sources.table import SOURCES
from kulanz_cli import play
from kulanz_cli.draft import MARKS
from kulanz_cli.sources import as_delivery
from tests.support.small_campaign import small_world
from tests.support.sources import SAMPLES, recorded
from tests.support.world_stack import WorldStack, run
from tests.unit.sources.test_signatures import SECRET, SIGNED_AT

PAGE = SAMPLES / "statuspage"


@pytest.mark.parametrize("kind", SOURCES)
def test_the_configuration_and_the_recording_of_each_kind_make_drafts(kind: str) -> None:
    config = str(SAMPLES / kind / "configuration.yaml")
    assert "is right: 1 source" in run(None, "source", "check", config).stdout
    shown = run(None, "source", "check", config, "--payload", str(SAMPLES / kind / "recording.json"))
    assert (shown.exit_code, "proposed" in shown.stdout) == (0, True)


@pytest.mark.parametrize("sample", sorted(PAGE.glob("*.json")), ids=lambda path: path.stem)
def test_every_sample_can_be_tried(sample: Path) -> None:
    shown = run(None, "source", "check", str(PAGE / "configuration.yaml"), "--payload", str(sample), "--json")
    content = json.loads(shown.stdout)
    assert (shown.exit_code, content["unread"]) == (0, [])
    assert bool(content["drafts"]) is (sample.stem != "component-update")


def test_a_delivery_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text('{"event": {}}')
    result = run(None, "source", "check", str(PAGE / "configuration.yaml"), "--payload", str(body))
    assert result.exit_code == 1
    assert "cannot be read: not_of_this_source" in " ".join(result.stdout.split())
    body.write_text("{")
    result = run(None, "source", "check", str(PAGE / "configuration.yaml"), "--payload", str(body))
    assert (result.exit_code, "expected JSON" in result.output) == (3, True)


def test_one_delivery_among_others_that_cannot_be_read_is_named_by_its_place_and_ends_with_1(tmp_path: Path) -> None:
    bodies = recorded("statuspage")
    path = tmp_path / "recording.json"
    for wrong in ([], [1], [1, 3], [len(bodies) + 1]):
        mixed = list(bodies)
        for place in wrong:
            mixed.insert(place - 1, {"event": {}})
        path.write_text(json.dumps({"deliveries": [{"body": body} for body in mixed]}))
        words = ("source", "check", str(PAGE / "configuration.yaml"), "--payload", str(path))
        shown, told = run(None, *words), run(None, *words, "--json")
        content = json.loads(told.stdout)
        assert (shown.exit_code, told.exit_code) == ((1, 1) if wrong else (0, 0))
        assert content["drafts"], "what can be read is made"
        assert [one["file"] for one in content["unread"]] == [f"{path} ({place})" for place in wrong]
        assert all(f"({place}) cannot be read" in " ".join(shown.stdout.split()) for place in wrong)


def written(tmp_path: Path, old: str, new: str, version: int = 1) -> str:
    path = tmp_path / f"config-{version}.yaml"
    text = (PAGE / "configuration.yaml").read_text(encoding="utf-8").replace("version: 1", f"version: {version}")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return str(path)


def test_a_mistake_is_said_with_its_line(tmp_path: Path) -> None:
    result = run(None, "source", "check", written(tmp_path, "kind: statuspage", "kind: mail"))
    assert result.exit_code == 3
    assert "config-1.yaml:5: sources.status.kind: expected one of: statuspage" in " ".join(
        result.output.split()
    ).replace("- ", "-")


def test_a_version_is_published_once_and_the_next_follows_it(tmp_path: Path) -> None:
    stack = WorldStack(small_world())
    assert run(stack, "source", "show").exit_code == 1
    first = str(PAGE / "configuration.yaml")
    assert "version 1 of the configuration of sources is published" in run(stack, "source", "publish", first).stdout
    assert "was published before" in run(stack, "source", "publish", first).stdout
    other = run(stack, "source", "publish", written(tmp_path, "[major]", "[partial]"))
    assert (other.exit_code, "as version 2" in " ".join(other.output.split())) == (3, True)
    renamed = run(stack, "source", "publish", written(tmp_path, "status:", "page:", 2))
    assert (renamed.exit_code, "stopped: true" in " ".join(renamed.output.split())) == (3, True)
    assert run(stack, "source", "publish", written(tmp_path, "[major]", "[partial]", 2)).exit_code == 0
    assert "version 2" in run(stack, "source", "show").stdout


def test_every_mark_has_its_sentence() -> None:
    assert set(MARKS) == set(Mark)


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_played_is_signed_as_its_source_signs(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Then:
        @staticmethod
        def now(_: object) -> object:
            return SIGNED_AT

    monkeypatch.setattr(play, "datetime", Then)
    source, body = SOURCES[kind], as_delivery(recorded(kind)[0])
    headers = play.signed(source, SECRET, body)
    assert is_authentic(source.scheme, headers, body, "", [SECRET], SIGNED_AT) is bool(headers)


def test_a_recording_is_played_with_some_twice_and_some_late() -> None:
    bodies = recorded("statuspage")
    sent = play.shuffled(bodies)
    assert sent != bodies
    assert all(body in sent for body in bodies)
    assert len(sent) == len(bodies) + 2


def test_what_comes_over_a_bus_cannot_be_played() -> None:
    words = ["--source", "health", "--kind", "aws_health", "--secret", "x"]
    result = run(WorldStack(small_world()), "source", "play", str(SAMPLES / "aws_health/recording.json"), *words)
    assert (result.exit_code, "event bus" in result.output) == (3, True)
