"""``kulanz policy``: what can be done with policies, by who does it."""

from kulanz_cli.groups import lazy_group, section
from kulanz_cli.outcomes import FILE_CODES

COMMANDS = {
    "Read the rulebook": section(
        ("list", "rulebook_commands", "list_rules", "List the rules of the book, or of the stack."),
        ("show", "rulebook_commands", "show_rule", "Show all about a rule, with a worked example."),
        ("page", "rulebook_commands", "page", "Print the whole book as one page of Markdown."),
    ),
    "Write a policy": section(
        ("new", "rulebook_commands", "new", "Begin your own policy ID from one of the book."),
        ("check", "policy", "check", "Check policies and data files, or folders of them."),
        ("test", "policy", "test", "Run worked examples: those of the policy's rule."),
        ("explain", "policy", "explain", "Decide one account and show the steps of the arithmetic."),
        ("schema", "policy", "schema", "Print the JSON Schema of policy files, for editors."),
    ),
    "Publish it": section(
        ("publish", "publish", "publish", "Publish the policy of a file, or every one of a folder."),
    ),
}  # fmt: skip


@lazy_group(COMMANDS, epilog=FILE_CODES)
def policy() -> None:
    """Read the rulebook; write, test and publish policies."""
