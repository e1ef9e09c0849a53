"""The one error of a policy that cannot be used."""

from collections.abc import Mapping

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

    def located(self, file: str, lines: Mapping[Path, int]) -> "PolicyError":
        """Give the same error with the file and the line of the nearest entry that stands in it.

        One that names its file already is of a data file, and stays as it is.
        """
        if self.file:
            return self
        path = self.path
        while path and path not in lines:
            path = path[:-1]
        return PolicyError(self.problem, self.path, file=file, line=self.line or lines.get(path))

    def __str__(self) -> str:
        place = ":".join(part for part in (self.file, str(self.line) if self.line else "") if part)
        return ": ".join(part for part in (place, self.field, self.problem) if part)


class DataFileNamed(PolicyError):
    """A data file's name where data stands: whoever reads YAML takes the file in, nobody else can.

    ``content`` is the entry of the file that belongs here: lines, list or texts.
    """

    def __init__(self, name: str, content: str, path: Path) -> None:
        super().__init__("expected it written out; a data file is taken in when the policy's YAML is read", path)
        self.name = name
        self.content = content
