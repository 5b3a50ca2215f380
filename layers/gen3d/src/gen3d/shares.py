"""Shares: one object of a job, readable by whoever has the link, for as long as its owner says.

The id is the secret. It stands for one object and says nothing of its owner, and what it opens is
looked up with each request: a share that is withdrawn or has ended opens nothing from then on.
"""

import secrets
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from gen3d.errors import JobConflict, LimitReached, ShareNotFound
from gen3d.jobs import Job, JobObject

MOST = 100
"""Shares that a person may have at a time."""

MAX_DAYS = 365

LINK_SECONDS = 900
"""How long a share's links to files live: who opened it before it ended may read for so long."""

_ID_BYTES = 16


class Share(BaseModel):
    """What is kept of a share.

    Attributes
    ----------
    owner : str
        Whose job it is.
    n : int
        Of the object in its job.
    name : str
        The object's when it was shared, for its owner's list.
    ttl : int
        When the row goes by itself, in seconds since 1970: some time after its end.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")

    share_id: str
    owner: str
    job_id: str
    n: int
    name: str
    created_at: datetime
    ends_at: datetime
    ttl: int

    @classmethod
    def of(cls, job: Job, shared: JobObject, days: int, at: datetime) -> Self:
        """Share an object for some days, but for no longer than its job is kept."""
        ends = min(int((at + timedelta(days=days)).timestamp()), job.ttl)
        return cls(
            share_id=secrets.token_urlsafe(_ID_BYTES),
            owner=job.owner,
            job_id=job.job_id,
            n=shared.n,
            name=shared.name,
            created_at=at,
            ends_at=datetime.fromtimestamp(ends, at.tzinfo),
            ttl=ends,
        )

    def has_ended(self, at: datetime) -> bool:
        """Whether it opens nothing any more; its row may be there for a while."""
        return at >= self.ends_at


def nothing_there() -> ShareNotFound:
    """The same of a share that ended, was withdrawn or never was: they are not told apart."""
    return ShareNotFound(
        "Nothing is behind this link: it has ended, was withdrawn, or is not complete. "
        "Ask the person who sent it for a new one."
    )


def object_to_share(job: Job, n: int) -> JobObject | None:
    """An object of a job; None where it has no such.

    Raises
    ------
    JobConflict
        It has no mesh, so that there is nothing to be seen.
    """
    found = next((o for o in job.ordered_objects if o.n == n), None)
    if found is not None and found.mesh is None:
        raise JobConflict("The object has no mesh yet. Share it once it is finished.")
    return found


def check_count(shares: int) -> None:
    """Refuse another share to who has as many as a person may.

    Raises
    ------
    LimitReached
    """
    if shares >= MOST:
        raise LimitReached(
            f"You have {shares} links, as many as one person may. Withdraw one that is not needed."
        )
