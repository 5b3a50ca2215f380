"""Where a page of a list ends, as the next request is told."""

import base64

from gen3d.errors import InvalidRequest
from gen3d.jobs import is_ulid


def written(last: str) -> str:
    """The cursor after what has this id."""
    return base64.urlsafe_b64encode(last.encode()).decode()


def read(cursor: str | None) -> str | None:
    """The id after which a page begins; None for the first.

    Raises
    ------
    InvalidRequest
        It is none that an answer gave.
    """
    if not cursor:
        return None
    try:
        last = base64.urlsafe_b64decode(cursor).decode()
    except ValueError:  # not base64, or not text
        last = ""
    if not is_ulid(last):
        raise InvalidRequest("cursor: not one of ours. Leave it out to start again.")
    return last
