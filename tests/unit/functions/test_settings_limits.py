"""Within which limits a stack may set what is a number, a name or a word: at each edge, and one beyond it."""

from dataclasses import dataclass, field

import pytest

from kulanz.config.environment import Environment, SettingError
from kulanz.config.grant_credits import GrantCreditsConfig
from kulanz.config.stated import SETTINGS
from tests.unit.functions.test_composed import Named, names

LIMITS: dict[str, tuple[int, int]] = {
    "calls_in_flight": (1, 32),
    "chunk_bytes": (256, 16_777_216),
    "decidable_days": (2, 36_500),
    "maximum_concurrency": (1, 100),
    "recipients_per_message": (1, 1_000),
    "retention_days": (1, 36_500),
    "warn_before_days": (0, 62),
    "write_rate": (80, 1_000_000),
}
"""The least and the most of each setting that is a number."""


@dataclass(frozen=True, slots=True)
class Noting(Environment):
    """An environment that keeps which numbers were asked for."""

    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def integer(self, name: str, lowest: int, highest: int) -> int:
        self.asked.append((name, lowest, highest))
        return lowest


def test_every_number_that_a_stack_sets_has_its_limits_here() -> None:
    found: dict[str, list[int]] = {}
    for name, read in SETTINGS.items():
        given = Noting(Named())
        read(given)
        if given.asked:
            ((_, *found[name]),) = given.asked
    assert {name: tuple(ends) for name, ends in found.items()} == LIMITS


@pytest.mark.parametrize("name", LIMITS)
def test_a_number_is_taken_at_both_of_its_ends_and_not_beyond(name: str) -> None:
    given = Noting(Named())
    SETTINGS[name](given)
    ((variable, lowest, highest),) = given.asked
    assert [SETTINGS[name](Environment({variable: str(one)})) for one in (lowest, highest)] == [lowest, highest]
    for wrong in (lowest - 1, highest + 1):
        with pytest.raises(SettingError, match=f"{variable}: .*from {lowest} to {highest}"):
            SETTINGS[name](Environment({variable: str(wrong)}))


WORDS: list[tuple[str, str, bool]] = [
    ("CONSOLE_SCOPE", "openid", True), ("CONSOLE_SCOPE", "email openid profile", True),
    ("CONSOLE_SCOPE", "openid2", False), ("CONSOLE_SCOPE", "myopenid email", False), ("CONSOLE_SCOPE", "email", False),
    ("CONSOLE_HOST", "console.example.com", True), ("CONSOLE_HOST", "localhost:8443", True),
    ("CONSOLE_HOST", "https://console.example.com", False), ("CONSOLE_HOST", "console.example.com/", False),
    ("CONSOLE_HOST", "Console.example.com", False), ("CONSOLE_HOST", "a:123456", False),
    ("CONSOLE_HOST", "a" * 253, True), ("CONSOLE_HOST", "a" * 254, False),
    ("CONSOLE_ISSUER", "https://login.example.com", True), ("CONSOLE_ISSUER", "https://login.example:443/a/b/", True),
    ("CONSOLE_ISSUER", "http://login.example.com", False), ("CONSOLE_ISSUER", "https://login.example.com?a=b", False),
    ("CONSOLE_ISSUER", "https://user@login.example.com", False),
    ("BUDGET_ZONE", "Europe/Berlin", True), ("BUDGET_ZONE", "UTC", True), ("BUDGET_ZONE", "Berlin", False),
    ("OTHER_CHANNELS", "letters:csv, voice:jsonl", True), ("OTHER_CHANNELS", "letters:csv,letters:csv", False),
    ("OTHER_CHANNELS", "letters:csv,letters:jsonl", False), ("OTHER_CHANNELS", "letters:pdf", False),
    ("DELIVERY_CHANNEL", "billing:csv", True), ("DELIVERY_CHANNEL", "", True),
    ("DELIVERY_CHANNEL", "billing:pdf", False),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "text", "is_taken"), WORDS)
def test_a_setting_in_words_is_one_of_its_kind(variable: str, text: str, is_taken: bool) -> None:
    fields = {"CONSOLE_SCOPE": "console_scope", "CONSOLE_HOST": "console_host", "CONSOLE_ISSUER": "console_issuer"} | {
        "BUDGET_ZONE": "budget_zone", "OTHER_CHANNELS": "other_channels", "DELIVERY_CHANNEL": "channel"
    }  # fmt: skip
    given = Environment({variable: text})
    if is_taken:
        SETTINGS[fields[variable]](given)
    else:
        with pytest.raises(SettingError, match=variable):
            SETTINGS[fields[variable]](given)


@pytest.mark.parametrize(("rate", "workers"), [(80, 100), (80, 7), (1_000, 3), (1_000_000, 1)])
def test_all_workers_together_write_at_the_rate_and_none_has_less_than_its_share(rate: int, workers: int) -> None:
    stated = {"TARGET_WRITE_RATE": str(rate), "MAXIMUM_CONCURRENCY": str(workers)}
    given = {name: Named()[name] for name in names()} | stated
    assert GrantCreditsConfig.read(given).units_per_second * workers == pytest.approx(rate)
