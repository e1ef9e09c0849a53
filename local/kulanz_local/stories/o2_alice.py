"""O2/Alice, December 2012: mail protocols down for days, no word on compensation, and a voice incident beside it."""

from collections.abc import Iterator
from pathlib import Path

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz_cli.outcomes import EXIT_UNUSABLE
from kulanz_local.embedded import PROJECT
from kulanz_local.stories.telling import Stage, counted

TITLE = "O2 and Alice, December 2012: mail down for days, nobody says what it is worth"
MAIL = "o2de-alice-mail-2012-12"
VOICE = "o2de-voice-2012-12-12"
HERE = Path(__file__).parent
MAIL_MINOR, VOICE_MINOR = 500, 200
ALONE_MINOR = 300
"""What one person may give by hand; what is still owed then comes of the second policy."""
MAIL_ACCOUNTS_LEAST = 60

_MAIL_FACTS = {
    "incident_id": MAIL,
    "title": "POP3, IMAP and SMTP fail for Alice addresses; web mail and internet work",
    "service": "e-mail",
    "functions": ["POP3", "IMAP", "SMTP"],
    "facts": {"working": "web mail, internet", "earlier_this_year": "2012-07"},
}
_VOICE_FACTS = {
    "incident_id": VOICE,
    "title": "Telephony down",
    "service": "voice",
    "functions": ["calls"],
    "cause": "systems had to be restarted",
    "windows": [{"start": "2012-12-12T08:00:00Z", "end": "2012-12-12T11:30:00Z"}],
}


def _mail_row(number: int) -> tuple[str, tuple[str, str]]:
    """A customer, and whether the mail incident hit them: of seven, five use an Alice address."""
    kind = number % 7
    domain, uses = ("o2", "true") if kind == 0 else ("alice", "false") if kind == 1 else ("alice", "true")
    hit = ("", "") if kind > 1 else ("declined", "no_alice_mail_in_use")
    return f"o2-{number:08d},{domain},{uses}", hit


def _voice_row(number: int) -> tuple[str, tuple[str, str]]:
    """A customer, and whether they could not call: of thirty, of one nobody knows."""
    if number % 30 == 1:
        return f"o2-{number:08d},", ("held", "voice_hit_unknown")
    hit = number % 5 != 0
    return f"o2-{number:08d},{str(hit).lower()}", (("granted", "credit") if hit else ("declined", "not_hit"))


def tell(stage: Stage, accounts: int) -> None:
    """Tell the story with so many customers of the mail incident; half of them are on the voice incident's list too."""
    accounts = max(MAIL_ACCOUNTS_LEAST, accounts)
    mail = [_mail_row(number) for number in range(accounts)]
    voice = [_voice_row(number) for number in range(accounts // 2, 3 * accounts)]
    declined = sum(1 for _, verdict in mail if verdict[0])
    hit = accounts - declined
    voice_hit = sum(1 for _, verdict in voice if verdict[0] == "granted")
    stage.tell(f"\n[bold]{TITLE}[/bold]")
    for path in (PROJECT / "policies" / "o2de-alice-mail" / "1.yaml", *sorted(HERE.glob("o2de-*.yaml"))):
        stage.publish_policy(path)
    mail_list = stage.upload("o2de-alice-mail.csv", ["account_id,mail_domain,uses_email", *(row for row, _ in mail)])
    voice_list = stage.upload("o2de-voice.csv", ["account_id,voice_hit", *(row for row, _ in voice)])

    stage.tell("It is declared with no end in sight; a day later the cause is found at a partner.")
    open_window = [{"start": "2012-12-09T23:00:00Z"}]
    stage.send("Incident Declared", {**_MAIL_FACTS, "revision": 1, "cause": None, "windows": open_window})
    stage.send("Incident Updated", {**_MAIL_FACTS, "revision": 2, "cause": "a partner", "windows": open_window})
    stage.request(MAIL, 2, "o2de-alice-mail", 1, mail_list)
    stage.tell("In the same week another 50,000 have no telephone: an incident of its own, beside the first.")
    campaign = {"policy": {"id": "o2de-voice", "version": 1}, "affected": voice_list}
    stage.send("Incident Declared", {**_VOICE_FACTS, "revision": 1, "campaign": campaign})

    first = stage.closed(CampaignId(MAIL, 1))
    stage.tell("Whoever uses an Alice address is held: there is no decision on compensation yet. Nobody is refused.")
    no_word = "no_word_on_compensation_yet"
    stage.compare(first, {("held", no_word): hit, ("declined", "no_alice_mail_in_use"): declined}, {})
    beside = stage.closed(CampaignId(VOICE, 1))
    stage.compare(beside, counted(verdict for _, verdict in voice), {("granted", "EUR"): voice_hit * VOICE_MINOR})

    unknown = [row.partition(",")[0] for row, verdict in voice if verdict[0] == "held"]
    _decide_without_a_fact(stage, unknown)
    waiting = [row.partition(",")[0] for row, verdict in mail[: accounts // 2] if not verdict[0]]
    _decide_before_the_word(stage, waiting[0], waiting[1])

    stage.tell("It is resolved. A second policy version decides those that were held, and changes nothing else.")
    closed_window = [{"start": "2012-12-09T23:00:00Z", "end": "2012-12-12T23:00:00Z"}]
    stage.send("Incident Resolved", {**_MAIL_FACTS, "revision": 3, "cause": "a partner", "windows": closed_window})
    stage.request(MAIL, 3, "o2de-alice-mail", 2, mail_list)
    second = stage.closed(CampaignId(MAIL, 2))
    stage.compare(
        second,
        {
            ("granted", "credit"): hit - 1,
            ("unchanged", "credit"): 1,
            ("unchanged", "no_alice_mail_in_use"): declined,
        },
        {("granted", "EUR"): (hit - 1) * MAIL_MINOR - ALONE_MINOR},
    )
    stage.expect_notices(second.id, hit - 1)
    stage.expect_status(MAIL, ["incident_declared", "incident_updated", "incident_resolved"])
    stage.expect_status(VOICE, ["incident_declared"])
    _check_accounts(stage, list(_both(accounts)))


def _decide_without_a_fact(stage: Stage, unknown: list[str]) -> None:
    """Of the accounts whose row lacks a fact, one gets what the policy owes with it, and one nothing."""
    voice = str(CampaignId(VOICE, 1))
    stage.tell(f"Of {len(unknown)} customers nobody knows whether they could call: cases, which wait for a person.")
    stage.publish_discretion()
    fact, why = ("--fact", "voice_hit=yes"), ("--reason", "called")
    stage.expect("a case", stage.kulanz_of_person("cases", voice, unknown[0], *fact), 0)
    decide = ("decide", voice, unknown[0], "--by-policy", *fact, *why)
    stage.expect("decide by the policy", stage.kulanz_of_person(*decide), 0)
    no = ("--decline", "--reason", "no_sign_of_it")
    stage.expect("decline", stage.kulanz_of_person("decide", voice, unknown[1], *no), 0)
    stage.expect(
        "decide twice", stage.kulanz_of_second("decide", voice, unknown[1], "--by-policy", *fact, *why), EXIT_UNUSABLE
    )
    stage.expect_entries(unknown[0], {f"{VOICE}/1": ("granted", {"EUR": VOICE_MINOR})})
    stage.expect_entries(unknown[1], {f"{VOICE}/1": ("declined", {})})


def _decide_before_the_word(stage: Stage, first: str, second: str) -> None:
    """One of those for whom there is no policy yet is decided within a person's limit, one above it by two persons."""
    mail = str(CampaignId(MAIL, 1))
    stage.tell("Two customers do not want to wait. One person decides up to 3.00 EUR; above that, two.")
    why = ("--reason", "called")
    stage.expect("decide alone", stage.kulanz_of_person("decide", mail, first, "--amount", "3.00 EUR", *why), 0)
    stage.expect("decide above", stage.kulanz_of_person("decide", mail, second, "--amount", "5.00 EUR", *why), 0)
    stage.expect_entries(second, {f"{MAIL}/1": ("held", {})})
    (proposed,) = stage.asked("cases", "--proposed")["proposed"]
    stage.expect("what waits for a second person", proposed["account_id"], second)
    agree = ("approve-case", mail, second, "--case", proposed["hash"][:12])
    stage.expect("the second yes of the first person", stage.kulanz_of_person(*agree), EXIT_UNUSABLE)
    stage.expect("the yes of the second person", stage.kulanz_of_second(*agree), 0)
    stage.expect_entries(first, {f"{MAIL}/1": ("granted", {"EUR": ALONE_MINOR})})
    stage.expect_entries(second, {f"{MAIL}/1": ("granted", {"EUR": MAIL_MINOR})})


def _both(accounts: int) -> Iterator[str]:
    """A few customers whom both incidents hit."""
    for number in range(accounts // 2, accounts):
        if number % 7 > 1 and number % 5 != 0 and number % 30 != 1:
            yield f"o2-{number:08d}"


def _check_accounts(stage: Stage, hit_by_both: list[str]) -> None:
    """Nobody is paid twice for one incident, and one incident never pays for the other."""
    ledger = stage.stack.answers().ledger
    for account_id in hit_by_both[:20]:
        decided = [(str(entry.key.campaign), entry.status.value) for entry in ledger.of_account(account_id)]
        wanted = [(f"{MAIL}/1", "held"), (f"{MAIL}/2", "granted"), (f"{VOICE}/1", "granted")]
        stage.expect(f"decisions about a customer of both incidents ({account_id})", decided, wanted)
    stage.expect("ask", stage.kulanz("ask", hit_by_both[0]), 0)
