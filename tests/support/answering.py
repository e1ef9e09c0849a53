"""A stack whose API answers what a test says: for what a command prints of an answer, and how it ends."""

import re
from collections.abc import Iterator
from typing import Any, cast

from kulanz.application.door.parameters import is_action_id
from kulanz_cli.door import Door
from kulanz_cli.stack import Stack


class Answering(Stack):
    """A stack whose API answers what a test says, each page of it once. `deliveries__one` answers `deliveries.one`."""

    def __init__(self, **pages: Any) -> None:
        super().__init__("kulanz")
        self._pages = {use.replace("__", "."): found for use, found in pages.items()}

    def door(self) -> Door:
        return cast("Door", self)

    def ask(self, use: str, *_: object, **__: object) -> Any:
        """The only page of an answer."""
        (found,) = self._pages[use]
        return found

    def pages(self, use: str, *_: object, **__: object) -> Iterator[Any]:
        """The pages of an answer."""
        return iter(self._pages[use])

    def lose(self, name: str) -> None:
        """Have no answer any more, named as in the beginning, as for somebody who lacks the role."""
        del self._pages[name.replace("__", ".")]

    def permits(self, use: str) -> bool:
        """Every role is there, but for what the stack has no answer to."""
        return use == "halts.current" or use in self._pages

    def act(self, use: str, *_: object, **values: object) -> Any:
        """What an action came to. An id that the API refuses is refused here, too."""
        if not is_action_id(str(values.get("id", "none"))):
            raise ValueError("the command made an id that the API does not take")
        return self.ask(use)


def cells(output: str) -> list[list[str]]:
    """The lines of an output, each as its cells: two blanks stand between them."""
    return [re.split(r"  +", line.strip()) for line in output.splitlines()]
