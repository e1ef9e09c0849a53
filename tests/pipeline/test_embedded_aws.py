"""What the embedded AWS promises: nothing of it is left, nothing of the shell's reaches it, two never meet."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kulanz_local import ministack_launcher
from kulanz_local.embedded import EmbeddedAws, EmbeddedAwsError, aws_environment, aws_session

pytestmark = pytest.mark.ministack

GONE_SECONDS = 15
STARTER = """
import json, signal, sys, time
from kulanz_local.embedded import EmbeddedAws
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it starts with & ignore Ctrl-C
with EmbeddedAws() as aws:
    print(json.dumps([aws.process_id, str(aws.folder)]), flush=True)
    time.sleep(600)
"""


def wait_until(what: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while not what():
        assert time.monotonic() < deadline, f"{why} after {GONE_SECONDS} seconds"
        time.sleep(0.05)


def group_is_gone(process_group_id: int) -> bool:
    """Whether no process of a group is left but those that only wait to be collected."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = status.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(group) == process_group_id and state != "Z":
            return False
    return True


def test_nothing_is_left_after_its_block() -> None:
    with EmbeddedAws() as aws:
        process_id, folder = aws.process_id, aws.folder
        assert not group_is_gone(process_id)
    assert group_is_gone(process_id)
    assert not folder.exists()


def fail_inside(started: list[int]) -> None:
    with EmbeddedAws() as aws:
        started.append(aws.process_id)
        raise ZeroDivisionError


def test_nothing_is_left_after_an_error_in_its_block() -> None:
    started: list[int] = []
    with pytest.raises(ZeroDivisionError):
        fail_inside(started)
    assert group_is_gone(started[0])


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_its_starter_is_ended(sign: signal.Signals) -> None:
    starter = subprocess.Popen(  # noqa: S603 - fixed arguments
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert starter.stdout is not None
    process_id, folder = json.loads(starter.stdout.readline())
    starter.send_signal(sign)
    starter.wait(GONE_SECONDS)
    starter.stdout.close()
    wait_until(lambda: group_is_gone(process_id), "MiniStack is still there")
    wait_until(lambda: not Path(folder).exists(), "its folder is still there")


def test_two_at_a_time_know_nothing_of_each_other() -> None:
    with EmbeddedAws() as one, EmbeddedAws() as other:
        session = aws_session()
        session.client("sqs", endpoint_url=one.endpoint).create_queue(QueueName="only-here")
        assert not session.client("sqs", endpoint_url=other.endpoint).list_queues().get("QueueUrls")


def test_none_of_the_shells_settings_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = {
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_SESSION_TOKEN": "secret",
        "PYTHONPATH": "/elsewhere",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    with EmbeddedAws(function_environment={"AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:7"}) as aws:
        environment = Path(f"/proc/{aws.process_id}/environ").read_text().split("\0")
        names = {variable.partition("=")[0] for variable in environment}
    assert not names & set(foreign)
    assert "AWS_ENDPOINT_URL_SNS=http://127.0.0.1:7" in environment


def test_a_tool_with_its_environment_reaches_it_and_no_other() -> None:
    with EmbeddedAws() as aws:
        code = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
        environment = {"PATH": os.environ["PATH"], **aws_environment(aws.endpoint)}
        answered = subprocess.run(  # noqa: S603 - fixed arguments
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
    assert answered.stdout.strip() == "000000000000"


def test_outside_its_block_it_says_so() -> None:
    with pytest.raises(EmbeddedAwsError, match="`with` block"):
        _ = EmbeddedAws().process_id


def test_another_release_of_ministack_is_not_repaired_blindly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ministack_launcher, "version", lambda _: "1.5.34")
    with pytest.raises(SystemExit, match=r"has MiniStack 1\.5\.34, but .* checked against 1\.5\.33 only"):
        ministack_launcher.main()
