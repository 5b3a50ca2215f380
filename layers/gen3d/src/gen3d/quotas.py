"""What one person may have at a time, so that nobody takes the service from the others."""

from dataclasses import dataclass

from gen3d.errors import InvalidRequest, LimitReached


@dataclass(frozen=True)
class Quotas:
    """How much a person may have; 0 stands for no limit.

    Each check takes what the person has already, without what is asked for.
    """

    running_jobs: int
    jobs_per_day: int
    queued_objects: int

    def check_day(self, created: int) -> None:
        """Refuse another job to who has created this many within a day.

        Raises
        ------
        LimitReached
        """
        if self.jobs_per_day and created >= self.jobs_per_day:
            raise LimitReached(
                f"You have created {created} jobs within a day, as many as one person may. "
                "Come back tomorrow, or ask the administrator for more.",
                retry_after=3600,
            )

    def check_running(self, running: int) -> None:
        """Refuse to begin another job for who has this many at work.

        Raises
        ------
        LimitReached
        """
        if self.running_jobs and running >= self.running_jobs:
            raise LimitReached(
                f"{running} of your jobs are at work, as many as one person may have. "
                "Wait until one is done, or cancel one.",
                retry_after=30,
            )

    def check_queued(self, queued: int, more: int) -> None:
        """Refuse to queue `more` objects for who has this many in the queue.

        Raises
        ------
        LimitReached
        InvalidRequest
            They alone are more than that, so that waiting is of no use.
        """
        if self.queued_objects and more > self.queued_objects:
            raise InvalidRequest(
                f"objects: {more} at once are more than the {self.queued_objects} that one person "
                f"may have in the queue. Ask for {self.queued_objects} at most."
            )
        if self.queued_objects and queued + more > self.queued_objects:
            raise LimitReached(
                f"{queued} of your objects wait to be reconstructed, and {more} more would exceed "
                f"the {self.queued_objects} that one person may have. Wait until some are done, "
                "or choose fewer.",
                retry_after=60,
            )


def check_key(created: int, most: int) -> None:
    """Refuse another job to a key with which this many were created within a day.

    Parameters
    ----------
    created : int
    most : int
        0 stands for no limit.

    Raises
    ------
    LimitReached
    """
    if most and created >= most:
        raise LimitReached(
            f"{created} jobs were created with this key within a day, as many as it may. "
            "Come back tomorrow, or use a key that may more.",
            retry_after=3600,
        )
