"""Policies that cannot be used: each is refused with the line, the field and what to do."""

from pathlib import Path

import pytest

from kulanz.domain.policy import PolicyError, document_from_json, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.frozen import read_frozen
from kulanz.domain.policy.explaining.explanation import explain
from tests.unit.domain.policy.rulebook import compiled, incident, written

NOT_YAML = {
    "not YAML": ("id: [", None, "not YAML"),
    "tabs": ("kulanz: 1\n\tid: x", 2, "not YAML"),
    "a character that nobody sees": (written("pay: 5 USD\n# \x00"), 6, "U+0000 is not allowed"),
    "empty": ("", None, "empty"),
    "a list": ("- 1", 1, "written as name: value"),
    "a text": ("pay 5 USD", 1, "written as name: value"),
    "two documents": (written("pay: 5 USD\n---\nkulanz: 1"), 6, "one document"),
    "a duplicate key": (written("pay: 5 USD\npay: 6 USD"), 6, "written twice"),
    "a nested duplicate key": (written("facts:\n  a: text\n  a: money\npay: 5 USD"), 7, "written twice"),
    "an expression with commas in braces": (
        written("pay: 5 USD\ncap: {at: max(5 USD, 3 USD)}"),
        6,
        "cap: '3 USD)' has no value; in braces, put an expression",
    ),
    "a float": (written("pay: 5.00"), 5, "must say what it is"),
    "a float with an exponent": (written("pay: 1e3"), 5, "must say what it is"),
    "NaN": (written("pay: .nan"), 5, "must say what it is"),
    "an anchor": (written("sources: &a [x]\npay: 5 USD"), 5, "anchors"),
    "a recursive alias": (written("sources: &a [*a]\npay: 5 USD"), 5, "anchors"),
    "a tag": (written("pay: !!python/object:os.system x"), 5, "tags"),
    "a tag of a key": (written("!!str pay: 5 USD"), 5, "plain text before the colon"),
    "a space from a web page": (written("pay: 5\u00a0USD"), 5, "this is no plain space: delete it and type one"),
    "a division by zero": (written("pay: 1 / 0 * 5 USD"), 5, "pay: with 1 and 0 this can never be computed"),
    "a division by nothing": (
        written("pay: 5 USD / nothing"),
        5,
        "pay: with 5 USD and nothing this can never be computed",
    ),
    "a day after the last": (written("when: 9999-12-31 + 1 day > day(decided_at)\npay: 5 USD"), 5, "never be computed"),
    "a working day that nobody knows": (
        written("working_days: DE\nwhen: 2050-01-01 + 1 working day > day(decided_at)\npay: 5 USD"),
        6,
        "never be computed",
    ),
    "nothing of nothing": (
        written("values: {v: nothing}\nwhen: v >= 0\npay: 5 USD"),
        5,
        "say what there is nothing of",
    ),
    "a list of nothing": (written("when: 1 in [nothing]\npay: 5 USD"), 5, "values written out"),
    "a key that is a list": (written("? [a]\n: 5"), 5, "plain text before the colon"),
    "deep nesting": ("[" * 5000, 1, "levels"),
    "deep block nesting": ("\n".join(" " * n + "a:" for n in range(60)), 18, "levels"),
    "too many entries": (written("sources: [" + "a," * 30_000 + "a]"), None, "entries"),
}

NOT_A_POLICY = {
    "no language": ("id: x\nversion: 1\ntitle: t\npay: 5 USD", 1, "'kulanz' is missing"),
    "another language": ("kulanz: 2\nid: x\nversion: 1\ntitle: t\npay: 5 USD", 1, "whole number from 1 to 1"),
    "no title": ("kulanz: 1\nid: x\nversion: 1\npay: 5 USD", 1, "'title' is missing"),
    "an id with a slash": ("kulanz: 1\nid: ../x\nversion: 1\ntitle: t\npay: 5 USD", 2, "a policy id"),
    "version nought": ("kulanz: 1\nid: x\nversion: 0\ntitle: t\npay: 5 USD", 3, "whole number"),
    "a version in quotes": ("kulanz: 1\nid: x\nversion: '1'\ntitle: t\npay: 5 USD", 3, "whole number"),
    "an unknown entry": (written("pays: 5 USD"), 5, "unknown entry; did you mean 'pay'? known here"),
    "a channel without its form": (
        written("pay: 5 USD\nchannel: billing"),
        6,
        "a channel and its form such as billing:csv",
    ),
    "a channel of another form": (written("pay: 5 USD\nchannel: billing:xml"), 6, "channel: expected a channel"),
    "a channel in capitals": (written("pay: 5 USD\nchannel: Billing:csv"), 6, "channel: expected a channel"),
    "nothing owed": (written("currency: EUR"), 1, "say what is owed"),
    "pay and heads": (written("pay: 5 USD\nheads: [{name: a, pay: 5 USD}]"), 6, "either pay and give, or heads"),
    "a value that nothing uses": (
        written("values:\n  most: 4 USD\npay: 5 USD"),
        6,
        "values.most: nothing uses it, so it changes nothing; use it, or remove it",
    ),
    "a reading that nothing uses": (
        written("parameters:\n  test: {a: one, b: other}\npay: 5 USD"),
        6,
        "parameters.test: nothing uses it",
    ),
    "an exposure that nothing reads": (
        written("exposure: {ignore_under: 10 min}\npay: 5 USD"),
        5,
        "exposure: nothing reads `outage`, so it changes nothing; where nothing is owed unless some outage is left",
    ),
    "an exposure beside raw windows": (
        written("exposure: {ignore_under: 10 min}\nwhen: total(windows) > 1 h\npay: 5 USD"),
        5,
        "nothing reads `outage`",
    ),
    "a reason without a condition": (
        written("otherwise: too_short\npay: 5 USD * full(total(outage), 1 h)"),
        5,
        "otherwise: it is the reason where `when` does not hold, and there is none",
    ),
    "a head's reason without a condition": (
        written("heads:\n  - {name: a, pay: 5 USD, otherwise: x}"),
        6,
        "heads[0].otherwise: it is the reason",
    ),
    "a clause after one without condition": (
        written("who:\n  - decline: all\n  - decline later: total(outage) > 1 h\npay: 5 USD"),
        7,
        "who[1]: this clause can never be reached",
    ),
    "days of a country by no clock": (
        written("jurisdiction: DE\npay: 5 USD * days(outage)"),
        5,
        "jurisdiction: its days would begin at midnight UTC; name its clock, such as zone: Europe/Berlin",
    ),
    "a yearly cap of a country by no clock": (
        written("jurisdiction: DE\npay: 5 USD\ncap: {per: calendar year, at: 9 USD}"),
        5,
        "name its clock",
    ),
    "daily amounts of a country by no clock": (
        written("jurisdiction: DE\nfor_each: day\npay: 5 USD"),
        5,
        "name its clock",
    ),
    "a condition beside heads": (
        written("heads: [{name: a, pay: 5 USD}]\nwhen: total(outage) > 1 h"),
        6,
        "when: a policy with heads says this at each of them; a condition of all stands under who",
    ),
    "a period beside heads": (
        written("heads: [{name: a, pay: 5 USD}]\nfor_each: month"),
        6,
        "for_each: a policy with heads says this at each of them",
    ),
    "two heads of a name": (written("heads: [{name: a, pay: 5 USD}, {name: a, pay: 5 USD}]"), 5, "its own name"),
    "a head without a benefit": (written("heads: [{name: a}]"), 5, "pay or give"),
    "no such currency": (written("pay: 5.00 XYZ"), 5, "expected an operator"),
    "no currency": (written("facts: {fee: money}\npay: fee"), 5, "which currency"),
    "an unknown zone": (written("zone: Europe/Atlantis\npay: 5 USD"), 5, "IANA"),
    "no such holidays": (written("working_days: XX\npay: 5 USD"), 5, "public holidays"),
    "a reserved name": (written("facts: {outage: text}\npay: 5 USD"), 5, "language's own"),
    "a name used twice": (written("facts: {a: text}\nvalues: {a: 1}\npay: 5 USD"), 6, "already used under facts"),
    "a cap in another currency": (written("pay: 50.00 EUR\ncap: {at: 5 USD}"), 6, "cap[0].at: money in EUR is paid"),
    "a cap where nothing is paid": (
        written("give: {quantity: 1, unit: GB}\ncap: {at: 5 USD}"),
        6,
        "cap[0].at: no money is paid",
    ),
    "a cap of the amount itself": (written("pay: 50.00 EUR\ncap: {at: amount}"), 6, "known under payout and mode only"),
    "a notice's channel by the amount": (
        written(
            'pay: 5 EUR\nnotice:\n  channel: if(amount > 9 EUR, "letter", "email")\n'
            "  texts: {declined: {en: {subject: a, text: b}}}"
        ),
        7,
        "it reads the amount of the whole incident",
    ),
    "a step of rounding in another currency": (
        written("pay: 5 EUR\nrounding: {to: 100 JPY}"),
        6,
        "rounding.to: amounts in EUR cannot be rounded",
    ),
    "a step of rounding in one of two currencies": (
        written("heads: [{name: a, pay: 5 EUR}, {name: b, pay: 5 CHF}]\nrounding: {to: 0.05 CHF}"),
        6,
        "rounding.to: amounts in EUR cannot be rounded",
    ),
    "due on a day that does not exist": (written("pay: 5 USD\ndue: 2026-02-30"), 6, "due: expected a day that exists"),
    "a choice of more than there is": (
        written("give: {choose: 3, of: g, unit: game}\nrestrictions: {g: {a: [x], b: [y]}}"),
        5,
        "choose: expected a whole number from 1 to 2",
    ),
    "terms in words that say how often": (
        written("give: {quantity: 1, unit: GB, usable: {each: month}}"),
        5,
        "usable.each: this says how often, or what of; write each beside usable",
    ),
    "money that is given": (written("give: {quantity: 5, unit: USD}"), 5, "unit: money is paid: pay: 5 USD"),
    "a choice of one and a half": (
        written("give: {choose: '1.5', of: g, unit: game}\nrestrictions: {g: [x, y]}"),
        5,
        "choose: expected a whole",
    ),
    "no time at all": (written("give: {quantity: 1, unit: GB, times: 0}"), 5, "times: expected a fixed whole number"),
    "so many times as nothing": (
        written("give: {quantity: 1, unit: GB, times: nothing}"),
        5,
        "times: expected a fixed whole number",
    ),
    "half a time": (written("give: {quantity: 1, unit: GB, times: '1.5'}"), 5, "times: expected a fixed whole number"),
    "a minimum of nothing": (
        written("facts: {a: {type: number, minimum: nothing}}\npay: 5 USD"),
        5,
        "facts.a.minimum: expected a number",
    ),
    "a minimum that cannot be computed": (
        written("facts: {a: {type: number, minimum: 1 / 0}}\npay: 5 USD"),
        5,
        "facts.a.minimum: with 1 and 0 this can never be",
    ),
    "a minimum above the maximum": (
        written("facts: {a: {type: number, minimum: 5, maximum: 1}}\npay: 5 USD"),
        5,
        "facts.a.minimum: the minimum is above",
    ),
    "a default below the minimum": (
        written("facts: {a: {type: money, currency: USD, minimum: 5, default: 4.99 USD}}\npay: a"),
        5,
        "facts.a.default: the default is below",
    ),
    "a default above the maximum, in a currency without decimals": (
        written("facts: {a: {type: money, currency: JPY, maximum: 100, default: 500 JPY}}\npay: a"),
        5,
        "facts.a.default: the default is below the minimum or above the maximum",
    ),
    "a default that cannot be computed": (
        written("facts: {a: {type: number, default: 1 / 0}}\npay: 5 USD"),
        5,
        "facts.a.default: with 1 and 0 this can never be",
    ),
    "a currency of a text": (
        written("facts: {a: {type: text, currency: EUR}}\npay: 5 USD"),
        5,
        "facts.a.currency: only money and amounts",
    ),
    "a wrong fact type": (written("facts: {a: float}\npay: 5 USD"), 5, "one of text"),
    "choices of a number": (
        written("facts: {a: {type: number, choices: [x]}}\npay: 5 USD"),
        5,
        "only texts have choices",
    ),
    "a default of another type": (
        written("facts: {a: {type: number, default: '\"x\"'}}\npay: 5 USD"),
        5,
        "expected number",
    ),
    "a default of a list that is not empty": (
        written("facts: {a: {type: numbers, default: 5}}\npay: 5 USD"),
        5,
        "can only be `nothing`",
    ),
    "a default out of choices": (
        written("facts: {a: {choices: [x], default: y}}\npay: 5 USD"),
        5,
        "expected one of x",
    ),
    "a default in quotes": (
        written("facts: {a: {type: text, default: '\"y\"'}}\npay: 5 USD"),
        5,
        "without quotes of its own",
    ),
    "a limit in another currency": (
        written("facts: {a: {type: money, currency: EUR, minimum: 1 USD}}\npay: 5 USD"),
        5,
        "facts.a.minimum: expected an amount such as 5 EUR, written out",
    ),
    "an amount as the limit of a number": (
        written("facts: {a: {type: number, maximum: 1 USD}}\npay: 5 USD"),
        5,
        "facts.a.maximum: expected a number, written out",
    ),
    "a limit of what has none": (
        written("facts: {a: {type: day, minimum: 2020-01-01}}\npay: 5 USD"),
        5,
        "facts.a.minimum: only numbers and money have a minimum and a maximum",
    ),
    "a zone that is none": (written("facts: {a: {type: zone, default: Atlantis}}\npay: 5 USD"), 5, "IANA"),
    "a parameter without its sentence": (written("parameters: {p: {a: A, b: [B]}}\npay: 5 USD"), 5, "expected a text"),
    "two outcomes": (written("who: {decline: a, hold: b}\npay: 5 USD"), 5, "exactly one of decline"),
    "when and unless": (written("who: {decline: a, when: yes, unless: yes}\npay: 5 USD"), 5, "not both"),
    "no list of that name": (written("give: {quantity: 1, unit: GB, restriction: x}"), 5, "no list of this name"),
    "a choice without a list": (written("give: {choose: 1, unit: game}"), 5, "choose and of"),
    "quantity and choice": (
        written("give: {quantity: 1, choose: 1, of: x, unit: game}"),
        5,
        "either quantity or choose",
    ),
    "a validity without an end": (written("give: {quantity: 1, unit: GB, valid: {from: grant}}"), 5, "how long"),
    "a validity that ends before it starts": (
        written("give: {quantity: 1, unit: GB, valid: {from: 2024-02-02, until: 2024-02-01}}"),
        5,
        "ends before it starts",
    ),
    "a validity beyond the calendar": (
        written("give: {quantity: 1, unit: GB, valid: 9999 months}"),
        5,
        "at most 100 years",
    ),
    "a mode of two ways": (written("pay: 5 USD\nmode: {claim: yes, offer: yes}"), 6, "exactly one of automatic"),
    "a mode never reached": (written("pay: 5 USD\nmode: [claim, automatic]"), 6, "never be reached"),
    "a claim that is taken for a condition": (
        written("facts: {claimed: yes_no}\npay: 5 USD\nmode: {claim: claimed}"),
        7,
        "write claim alone; whether it has come in is claim: {made: ...}",
    ),
    "a last mode with a condition": (
        written("facts: {a: yes_no}\npay: 5 USD\nmode: [{offer: a}, {automatic: not a}]"),
        7,
        "mode[1]: the last mode is what is left, and has no condition: write automatic alone",
    ),
    "an unknown due date": (written("pay: 5 USD\ndue: soon"), 6, "when it is due"),
    "a notice without its default language": (
        written("pay: 5 USD\nnotice: {texts: {granted: {de: {subject: a, text: b}}}}"),
        6,
        "default language",
    ),
    "a notice of what is taken back without one of what is given": (
        written(
            "pay: 5 USD\nnotice: {texts: {voided: {en: {subject: a, text: b}}, held: {en: {subject: a, text: b}}}}"
        ),
        6,
        "add a text for granted or offered",
    ),
    "a notice of what is taken back without its default language": (
        written(
            "pay: 5 USD\nnotice: {texts: {granted: {en: {subject: a, text: b}}, voided: {de: {subject: a, text: b}}}}"
        ),
        6,
        "default language",
    ),
    "a notice that tells the whole amount where a later campaign grants the difference": (
        written("pay: 5 USD\nnotice: {texts: {granted: {en: {subject: a, text: b}}}, values: {credit: amount}}"),
        6,
        "{{ amount }} in a text is what is granted",
    ),
    "a clause with two outcomes": (
        written("who:\n  - decline a: yes\n    refer b: yes\npay: 5 USD"),
        7,
        "one outcome and one condition",
    ),
    "a clause with two conditions": (
        written("who:\n  - decline a: yes\n    when: no\npay: 5 USD"),
        7,
        "one outcome and one condition",
    ),
    "a clause with one of each": (
        written("who:\n  - decline a unless: yes\n    when: no\npay: 5 USD"),
        6,
        "`when` or `unless`, not both",
    ),
    "a clause without a condition after its name": (
        written("who:\n  - decline a:\npay: 5 USD"),
        6,
        "an expression that gives yes or no",
    ),
    "a clause in other words": (written("who:\n  - reject a: yes\npay: 5 USD"), 6, "unknown entry"),
    "a reason that is no code": (written("who:\n  - decline Not-so: yes\npay: 5 USD"), 6, "unknown entry"),
    "a rounding step of nothing": (written("pay: 5 USD\nrounding: {to: 0 USD}"), 6, "above zero"),
}

BAD = NOT_YAML | NOT_A_POLICY


def assert_refused(text: str, line: int | None, says: str, folder: Path) -> None:
    file = folder / "1.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    assert says in str(caught.value)
    assert str(file) in str(caught.value)
    if line is not None:
        assert caught.value.line == line, str(caught.value)


@pytest.mark.parametrize(("text", "line", "says"), BAD.values(), ids=BAD.keys())
def test_a_policy_that_cannot_be_used_is_refused_with_line_and_reason(
    text: str, line: int | None, says: str, tmp_path: Path
) -> None:
    assert_refused(text, line, says, tmp_path)


def test_ten_megabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    file = tmp_path / "1.yaml"
    file.write_bytes(b"[" * 10_000_000)
    with pytest.raises(PolicyError, match="bytes"):
        load_policy(file)


def test_another_encoding_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "1.yaml"
    file.write_bytes("title: für".encode("latin-1"))
    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy(file)
    with pytest.raises(PolicyError, match="cannot read it"):
        load_policy(tmp_path / "2.yaml")
    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy("title: \ud800")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":2}',
        b'{"format":1}',
        b'{"format":1,"policy":{"id":"x"}}',
        b"\xff",
        b'{"format":1,"policy":[],"holidays":1}',
    ],
)
def test_bytes_that_are_no_published_policy_are_refused(data: bytes) -> None:
    for read in (document_from_json, read_frozen):
        with pytest.raises(PolicyError):
            read(data)


def test_an_unknown_parameter_or_choice_is_refused() -> None:
    document = load_policy(written('parameters: {p: {a: A, b: B}}\nwhen: p = "a"\npay: 5 USD'))
    with pytest.raises(PolicyError, match="no parameter 'q'; known: p"):
        freeze(document, {"q": "a"})
    with pytest.raises(PolicyError, match="one of a, b"):
        freeze(document, {"p": "c"})


def test_a_fact_of_the_incident_of_another_type_is_refused() -> None:
    with pytest.raises(PolicyError, match="the incident's fact 'towers': expected a plain decimal number"):
        compiled(
            written("facts: {towers: {type: number, from: incident}}\nwhen: towers > 1\npay: 5 USD"),
            incident(towers="many"),
        )


def test_a_fact_of_the_incident_out_of_range_is_refused_or_holds() -> None:
    text = written(
        "facts: {towers: {type: number, from: incident, maximum: 500, default: 1}}\nwhen: towers >= 1\npay: 5 USD"
    )
    with pytest.raises(PolicyError, match="the incident's fact 'towers': expected a value of at most 500"):
        compiled(text, incident(towers=501))
    held = compiled(text.replace("maximum", "invalid: hold, maximum"), incident(towers=501))
    assert held.decide(()).reason == "towers_unknown"


@pytest.mark.parametrize(
    "lines", ["at least 5: 1 USD, is 3: 2 USD", "is 3: 1 USD, below 5: 2 USD", "more than 5: 1 USD, is 5: 2 USD"]
)
def test_a_tier_that_can_be_reached_is_good(lines: str) -> None:
    text = f"facts: {{n: number}}\nvalues: {{x: {{by: n, tiers: {{{lines}, otherwise: nothing}}}}}}\npay: x"
    assert compiled(written(text)).facts[0].name == "n"


def resting(tables: int) -> str:
    """Give a policy of tables that rest on one another."""
    lines = [f"  v{n}: {{by: v{n - 1}, tiers: {{at least 1: 1, otherwise: 0}}}}" for n in range(1, tables)]
    return written("\n".join(["facts: {v0: number}", "values:", *lines, f"when: v{tables - 1} > 0", "pay: 1 USD"]))


def test_what_is_just_within_the_limits_is_decided_and_explained() -> None:
    policy = compiled(resting(50))
    assert explain(policy, (60,)).decision == policy.decide((60,))
    assert policy.decide((60,)).outcome.value == "granted"
    with pytest.raises(PolicyError, match="at most 100 levels"):
        compiled(resting(51))


def test_an_incident_too_long_for_a_cap_per_period_is_refused() -> None:
    paid = "facts: {paid: {type: money, per: month, currency: EUR}}\npay: 5 EUR\ncap: {per: month, at: 9 EUR - paid}"
    with pytest.raises(PolicyError, match="lasts more than 4000 days, too long for a cap per month"):
        compiled(written(paid), incident(("1990-01-01T00:00:00Z", "2026-05-12T08:00:00Z")))


def test_a_benefit_nobody_could_use_is_refused_when_the_campaign_opens() -> None:
    with pytest.raises(PolicyError, match="nobody could use it"):
        compiled(written("give: {quantity: 1, unit: GB, valid: {until: 2020-01-01}}"))
