"""The one error of a policy that cannot be used."""

type Path = tuple[str | int, ...]


class PolicyError(ValueError):
    """What is wrong with a policy: the file and line where known, the field, and what to do."""

    def __init__(self, problem: str, path: Path = (), *, file: str = "", line: int | None = None) -> None:
        self.problem = problem
        self.path = path
        self.file = file
        self.line = line
        super().__init__(problem)

    @property
    def field(self) -> str:
        """The field as it is written in messages: ``who[0].when``."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text

    def __str__(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line) if self.line else "") if part)
        return ": ".join(part for part in (place, self.field, self.problem) if part)
