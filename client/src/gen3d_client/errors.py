"""What the client gives up on, each kind with the exit code that the command ends with."""

from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar


def own_version() -> str:
    """The client's version; "" where it runs from a checkout without having been installed."""
    try:
        return version("gen3d-client")
    except PackageNotFoundError:
        return ""


class ApiClientError(Exception):
    """Something that the person at the terminal can mend; the message says how."""

    code: ClassVar[int] = 1


class Refused(ApiClientError):
    """The API says no, by a named error and a sentence.

    Parameters
    ----------
    message : str
    name : str
        The error's, such as ``JobNotFound``; "" where the answer has none.
    status : int
        Of HTTP.
    """

    def __init__(self, message: str, name: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.name = name
        self.status = status


class SignInNeeded(ApiClientError):
    """Nobody is signed in, or no longer, or the password is wrong."""

    code = 3


class Unreachable(ApiClientError):
    """What was asked does not answer, or is no Gen3D."""

    code = 4


class JobFailed(ApiClientError):
    """The job has ended without what was asked for."""

    code = 5


class Outdated(ApiClientError):
    """The API says what this client does not know."""

    code = 6

    def __init__(self, what: str) -> None:
        mine = own_version()
        super().__init__(
            f"{what} This client{' (' + mine + ')' if mine else ''} may be older than the service. "
            "Install a newer one: pip install --upgrade gen3d-client"
        )


class StillRunning(ApiClientError):
    """The job takes longer than somebody was willing to wait."""

    code = 7


class ExtraMissing(ApiClientError):
    """A part of the package that is installed by name alone is asked for."""

    def __init__(self, what: str, extra: str, module: str | None) -> None:
        super().__init__(
            f"{what} needs {module or 'more packages'}, which is not installed: "
            f"pip install 'gen3d-client[{extra}]'"
        )
