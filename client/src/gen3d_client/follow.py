"""A job from wherever it stands to its end: what is asked of it next, its status says.

So a command that was interrupted is gone on with by the same steps: each may be done again, and
does its work once.
"""

import re
import time
from collections.abc import Callable

from gen3d_client import option_words
from gen3d_client.api import LONG_PATIENCE, Api, Objects
from gen3d_client.dialogue import Dialogue, Pause, Tell, Told, compute
from gen3d_client.errors import JobFailed, Outdated, Refused, StillRunning
from gen3d_client.models import COMPLETED, CREATED, KNOWN_ENDS, Batch, Created, Job, Upload
from gen3d_client.photos import media_type
from gen3d_client.plans import Plan

WAIT_SECONDS = 1800.0
_SOON_SECONDS = 1.0
_SOON_LOOKS = 30
_BATCH_SECONDS = 5.0
_OUR_FAULTS = {
    *("ImageTooLarge", "UnsupportedImage", "InvalidImage", "ImageTooSmall", "ImageMissing"),
    *("EntityTooLarge", "InvalidDepth", "InvalidRequest"),
}
"""What is wrong with what was sent, so that nothing can come of the job."""


class Follower:
    """Goes on with jobs.

    Parameters
    ----------
    api : Api
    told : callable
        Hears of each look at a job, and of what is done.
    seconds : float
        When to give up; the job itself goes on.
    pace : float, optional
        Seconds between two looks, at most; the job says how many are worth it.
    """

    def __init__(
        self, api: Api, told: Told, seconds: float = WAIT_SECONDS, pace: float | None = None
    ) -> None:
        self._api, self._told, self._seconds = api, told, seconds
        self._pace = float("inf") if pace is None else pace

    def make(
        self, plan: Plan, begun: Callable[[Created], None], once: str | None = None
    ) -> Dialogue[Job]:
        """Make a job of a photo, and see it through; nothing is left of one that is refused.

        Parameters
        ----------
        plan : Plan
        begun : callable
            Told of the job, so that somebody can go on with it.
        once : str, optional
            A word by which the same plan makes no second job, for a day.
        """
        objects = yield from compute(plan.request)
        try:
            created = yield from self._created(plan, objects, once)
        except Refused as error:
            if error.name != "JobNotFound":  # what the word stands for was deleted since
                raise
            created = yield from self._created(plan, objects, None)
        begun(created)
        yield Tell(self._told, f"{CREATED}  {plan.name} as {created.job_id}")
        try:
            if created.forms:
                yield from self._begin(created.job_id, plan, created.forms)
            return (yield from self.go_on(created.job_id, plan, begun=True))
        except Refused as error:
            if error.name in _OUR_FAULTS:
                yield from self._api.delete(created.job_id)
            raise

    def go_on(
        self,
        job_id: str,
        plan: Plan | None = None,
        upload: Upload | None = None,
        begun: bool = False,
        after_run: int = -1,
    ) -> Dialogue[Job]:
        """See a job through to its end, with a plan where its photo may not be up yet.

        Parameters
        ----------
        job_id : str
        plan : Plan, optional
        upload : Upload, optional
            Where its photo may still have to go up.
        begun : bool
            Whether it was started already.
        after_run : int
            A run whose end is past, as another one was asked for.

        Raises
        ------
        StillRunning
            It has not ended in time.
        """
        deadline = time.monotonic() + self._seconds
        soon, past = (_SOON_LOOKS, CREATED) if begun else (0, "")
        offered = waits = False
        if after_run >= 0:
            soon = _SOON_LOOKS
        while True:
            job = yield from self._api.job(job_id, LONG_PATIENCE)
            yield Tell(self._told, job)
            if job.ended and job.run > after_run:
                return job
            if job.status == CREATED and plan and not begun:
                yield from self._go_on_with_photo(job_id, plan, upload)
                begun, soon, past = True, _SOON_LOOKS, CREATED
            if job.offers and not offered:
                may = option_words.written(job.offers)
                yield Tell(self._told, f"may be chosen by --option: {may}")
                offered = True
            if job.waits_for_masks and not (plan or waits):
                yield Tell(self._told, "It waits for somebody's clicks: make them on the page.")
                waits = True
            if time.monotonic() > deadline:
                raise StillRunning(
                    f"The job is still {job.status} after {self._seconds:.0f} s; it goes on. "
                    f"See it through: gen3d watch {job_id}"
                )
            # What was asked for shows in the record a moment later, which says how soon to look
            # as if nobody had asked.
            hurried = soon > 0 and (job.status == past or job.run <= after_run)
            soon -= 1
            pause = min(_SOON_SECONDS if hurried else job.poll_seconds or _SOON_SECONDS, self._pace)
            yield Pause(max(0.0, min(pause, deadline - time.monotonic())))

    def batch(self, batch_id: str) -> Dialogue[Batch]:
        """See a batch through until each of its photos has come to an end.

        Raises
        ------
        StillRunning
            They have not in time.
        """
        deadline = time.monotonic() + self._seconds
        said = ""
        while True:
            batch = yield from self._api.batch(batch_id, LONG_PATIENCE)
            now = ", ".join(f"{number} {plainly(what)}" for what, number in batch.counts.items())
            if now != said:
                yield Tell(self._told, now)
                said = now
            if not batch.at_work:
                return batch
            if time.monotonic() > deadline:
                raise StillRunning(
                    f"{batch.at_work} photos are at work after {self._seconds:.0f} s; they go on. "
                    f"See them through: gen3d batch --go-on {batch_id}"
                )
            pause = min(_BATCH_SECONDS, self._pace, deadline - time.monotonic())
            yield Pause(max(0.0, pause))

    def _created(self, plan: Plan, objects: Objects, once: str | None) -> Dialogue[Created]:
        if plan.photo:
            measured = plan.depth is not None
            return (yield from self._api.create(plan.photo, objects, once, measured))
        return (yield from self._api.create_fetched(str(plan.url), objects, once))

    def _begin(self, job_id: str, plan: Plan, form: Upload) -> Dialogue[None]:
        assert plan.photo is not None
        if plan.depth and form.beside:  # first, so that with the photo everything is there
            depth = plan.depth.read_bytes()
            yield from self._api.upload(form.beside, depth, "image/png", plan.depth.name)
        content, kind = plan.photo.read_bytes(), media_type(plan.photo)
        yield from self._api.upload(form, content, kind, plan.name)
        yield from self._api.initialize(job_id)

    def _go_on_with_photo(self, job_id: str, plan: Plan, form: Upload | None) -> Dialogue[None]:
        """Start a job whose photo may have gone up before the break, or not."""
        try:
            yield from self._api.initialize(job_id)
        except Refused as error:
            if error.name != "ImageMissing" or form is None:
                raise
            yield from self._begin(job_id, plan, form)


def plainly(name: str) -> str:
    """A name of the API's as words: ``atWork`` is "at work"."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", name)


def completed(job: Job) -> Job:
    """A job that has come to what it was for.

    Raises
    ------
    JobFailed, Outdated
        It has not.
    """
    if job.status == COMPLETED:
        failed = [thing for thing in job.objects if not thing.files]
        if job.objects and len(failed) == len(job.objects):
            said = failed[0].error.message if failed[0].error else ""
            raise JobFailed(said or "No object of the job came to a mesh.")
        return job
    if job.status not in KNOWN_ENDS:
        raise Outdated(f"The job ended as {job.status}, which is not known here.")
    raise JobFailed(job.why)
