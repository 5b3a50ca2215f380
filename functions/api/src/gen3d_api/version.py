"""Which version of the API this is, and which it speaks.

A version is raised by what breaks callers alone, and then the one before is answered for a year
more (ADR 45). What is added raises nothing: callers ignore what they do not know.
"""

from gen3d.errors import UnsupportedVersion

VERSION = 1
"""`docs.generate.compatible` says where it has to be raised."""

SPOKEN = (VERSION,)
"""All that are answered; who names none gets the first."""

HEADER = "Gen3D-Version"
"""In a request, the version that its author read of; in an answer, the one that it is of."""


def asked_for(said: str | None) -> int:
    """The version that a caller wants.

    Raises
    ------
    UnsupportedVersion
        It is none that is spoken here, or no version at all.
    """
    if said is None:
        return SPOKEN[0]
    if said not in map(str, SPOKEN):
        spoken = " and ".join(map(str, SPOKEN))
        raise UnsupportedVersion(
            f"{HEADER}: this API speaks version {spoken}. "
            "Name that, or leave the header out; a newer program may need a newer deployment."
        )
    return int(said)
