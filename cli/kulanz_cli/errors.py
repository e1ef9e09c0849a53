"""What may go wrong in any command without being a fault of ours, as one sentence for the person at the terminal."""

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.policy.language.errors import PolicyError
from kulanz_cli.outcomes import Unusable


def foreseen(error: Exception) -> Unusable | None:
    """The error as a sentence; None where it is a fault of the program, whose traceback has to be seen."""
    match error:
        case PolicyError() | Refused() | ListRefused():
            return Unusable(str(error))
        case TryAgain():
            return Unusable(f"AWS did not answer as it should ({error}); try again")
        case ClientError():
            code = error.response.get("Error", {}).get("Code", "no code")
            return Unusable(f"AWS refused {error.operation_name}: {code}; check what your credentials permit")
        case BotoCoreError():
            return Unusable(f"AWS did not answer as it should ({error}); try again")
        case OSError() if error.filename is not None:
            return Unusable(f"{error.filename}: {error.strerror}")
        case _:
            return None
