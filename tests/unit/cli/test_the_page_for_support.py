"""docs/support-and-finance.md, "Support: one account": each command there is run, on the incident that it names."""

import re
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.event_file import read_event
from kulanz_local.embedded import PROJECT
from tests.support.handed import ALONE, TWO, discretion_content
from tests.support.reading import read
from tests.support.small_campaign import event
from tests.support.world import BUCKET, World
from tests.support.world_door import BERT
from tests.support.world_stack import WorldStack, run

PAGE = (PROJECT / "docs" / "support-and-finance.md").read_text(encoding="utf-8")
SUPPORT = PAGE.partition("\n## Support: one account\n")[2].partition("\n## ")[0]
COMMANDS = tuple(
    dict.fromkeys(
        line.removeprefix("$ ")
        for line in re.findall(r"^\$ kulanz .+$|(?<=`)kulanz [a-z-]+ [^`.]*\d[^`]*(?=`)", SUPPORT, re.MULTILINE)
    )
)
STORIES = PROJECT / "local" / "kulanz_local" / "stories"
POLICIES = {
    "acme": PROJECT / "policies" / "saas-uptime" / "1.yaml",
    "o2de": STORIES / "o2de-voice-1.yaml",
    "swisscom": STORIES / "swisscom-2018-request-1.yaml",
}
LISTS: Mapping[str, bytes] = {
    "acme": (PROJECT / "events" / "acme-2025-10-07.accounts.csv").read_bytes(),
    "o2de": b"account_id,voice_hit\no2-00000042,\no2-00000042,yes\n",
    "swisscom": b"account_id,product,contract_has_outage_compensation,monthly_fee\n"
    b"7-0042,Smart Business Connect,false,40.00\n",
}
INCIDENTS = {"acme": "acme-2025-10-07", "o2de": "o2de-voice-2012-12-12", "swisscom": "swisscom-2018-01"}


def stack_of(name: str) -> WorldStack:
    """A stack on which the incident of the page was decided, with a discretion file."""
    world = World()
    document = load_policy(POLICIES[name])
    policy = document.policy
    world.policies.publish(policy.id, policy.version, document_json(document))
    pinned = {"bucket": BUCKET, "key": f"lists/{name}.csv"}
    pinned["version_id"] = world.lists.upload(pinned["key"], LISTS[name])
    rows = LISTS[name].count(b"\n") - 1
    known = read_event(PROJECT / "events" / "acme-2025-10-07.json")
    told = known if name == "acme" else event(rows=rows, incident_id=INCIDENTS[name])
    told["detail"]["campaign"]["policy"] = {"id": policy.id, "version": policy.version}
    told["detail"]["campaign"]["affected"] = {"s3": pinned, "rows": rows}
    told["detail"]["campaign"]["limits"] = {"held": "100 %", "conflicts": "100 %"}
    world.publish(told)
    world.run_until_quiet()
    stack = WorldStack(world)
    limits = {"alone": ALONE, "two": TWO}
    may = discretion_content(goodwill={"CHF": limits, "USD": limits}, cases={"EUR": limits})
    stack.discretion().publish(1, discretion_json(may))
    return stack


def incident_of(command: str) -> str:
    """The incident that a command is about, by its id or by its account."""
    return next(
        (name for name, id_ in INCIDENTS.items() if id_ in command), "swisscom" if " 7-0042" in command else "acme"
    )


def _given(stack: WorldStack) -> None:
    stack.world.now = datetime(2026, 11, 15, tzinfo=UTC)
    assert run(stack, *shlex.split("goodwill 7-0042 20.00 CHF --reason long_wait --ticket T-4711")).exit_code == 0


def _asked_for(stack: WorldStack) -> None:
    assert run(stack, *shlex.split("goodwill 7-0042 60.00 CHF --reason long_wait --ticket T-4711")).exit_code == 1
    stack.desk = BERT


BEFORE: Mapping[str, Callable[[WorldStack], None]] = {
    "kulanz void goodwill-2026-11/1": _given,
    "kulanz approve-goodwill": _asked_for,
}
"""What has to be there before some of the commands, by how they begin."""


def test_every_command_of_the_page_does_what_it_says() -> None:
    failed = []
    for command in COMMANDS:
        stack = stack_of(incident_of(command))
        for start, prepare in BEFORE.items():
            if command.startswith(start):
                prepare(stack)
        done = run(stack, *shlex.split(command.replace("CODE", "long_wait"))[1:])
        if done.exit_code != 0:
            failed.append(f"{command}\n{done.output}")
    assert not failed, "\n".join(failed)
    assert {shlex.split(one)[1] for one in COMMANDS} >= {"ask", "accept", "cases", "decide", "goodwill", "void"}


def test_the_seven_questions_have_one_command_each() -> None:
    questions = SUPPORT.partition("\n### ")[0]
    rows = [row.split("|")[1:4] for row in questions.splitlines() if row.startswith("| ")][1:]
    commands = {asked.strip(): re.findall(r"`(kulanz [^`]+)`", typed) for asked, typed, _ in rows}
    wanted = ("get a credit?", "Why did I not", "When does it come", "expired", "amount is wrong", "closed", "anyway")
    assert [question for question in wanted if not any(question in asked for asked in commands)] == []
    assert {question: len(found) for question, found in commands.items() if len(found) != 1} == {}


def _granted(stack: WorldStack) -> str:
    return run(stack, "ask", "A-1001", "--incident", INCIDENTS["acme"]).stdout


def _offer_ended(stack: WorldStack) -> str:
    stack.world.now += timedelta(days=60)
    return run(stack, "ask", "7-0042").stdout


ANSWERS: Mapping[str, tuple[str, Callable[[WorldStack], str]]] = {
    "GRANTED 100.00 USD": ("acme", _granted),
    "due": ("acme", _granted),
    "Facts used": ("acme", _granted),
    "notice": ("acme", _granted),
    "OFFER ENDED": ("swisscom", _offer_ended),
    "open until": ("swisscom", _offer_ended),
    "monthly_fee_unknown": ("acme", lambda stack: run(stack, "ask", "A-1004").stdout),
}
"""What the page says to look at, and an answer that has it."""


def test_what_the_page_says_to_look_at_is_in_the_answer() -> None:
    missing = [word for word, (name, ask) in ANSWERS.items() if word not in read(ask(stack_of(name)))]
    assert missing == []
    assert [word for word in ANSWERS if word not in PAGE] == []


def test_the_second_step_of_an_answer_has_the_facts() -> None:
    assert "2. Facts used" in read(_granted(stack_of("acme")))
