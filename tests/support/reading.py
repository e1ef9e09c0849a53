"""What a person reads on a terminal, whatever its width breaks into lines."""


def read(output: str) -> str:
    """The words of an output, in one line."""
    return " ".join(output.split())
