"""A job from wherever it stands to its end: what is asked of it next, its status says.

So a command that was interrupted is gone on with by the same steps: each may be done again, and
does its work once.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

from gen3d_client import option_words
from gen3d_client.api import LONG_PATIENCE, Api
from gen3d_client.dialogue import Dialogue, Pause, Tell, Told, compute
from gen3d_client.errors import ExtraMissing, JobFailed, Outdated, Refused, StillRunning
from gen3d_client.models import COMPLETED, CREATED, KNOWN_ENDS, Created, Job, Upload
from gen3d_client.photos import media_type
from gen3d_client.plans import Plan, Wanted

WAIT_SECONDS = 1800.0
_SOON_SECONDS = 1.0
_SOON_LOOKS = 30
_OUR_FAULTS = {
    *("ImageTooLarge", "UnsupportedImage", "InvalidImage", "ImageTooSmall", "ImageMissing"),
    *("EntityTooLarge", "InvalidMask", "OptionNotOffered", "InvalidRequest"),
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

    def make(self, plan: Plan, begun: Callable[[Created], None]) -> Dialogue[Job]:
        """Make a job of a photo, and see it through; nothing is left of one that is refused.

        Parameters
        ----------
        plan : Plan
        begun : callable
            Told of the job, so that somebody can go on with it.
        """
        created = yield from self._api.create(plan.photo)
        begun(created)
        yield Tell(self._told, f"{CREATED}  {plan.photo.name} as {created.job_id}")
        try:
            yield from self._upload(plan, created.upload)
            yield from self._api.initialize(created.job_id, plan.text)
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
        """See a job through to its end, with a plan where it still needs somebody's masks.

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
        soon, past, sent = (_SOON_LOOKS, CREATED, False) if begun else (0, "", False)
        if after_run >= 0:
            soon = _SOON_LOOKS
        while True:
            job = yield from self._api.job(job_id, LONG_PATIENCE)
            yield Tell(self._told, job)
            if job.ended and job.run > after_run:
                return job
            if job.status == CREATED and plan and not begun:
                yield from self._begin(job_id, plan, upload)
                begun, soon, past = True, _SOON_LOOKS, CREATED
            elif plan and not sent and job.waits_for_masks(plan.chooses):
                yield from self._send_masks(job, plan)
                sent, soon, past = True, _SOON_LOOKS, job.status
            elif not (plan or sent) and job.waits_for_masks():
                yield Tell(self._told, "It waits for somebody's clicks: make them on the page.")
                sent = True
            if time.monotonic() > deadline:
                raise StillRunning(
                    f"The job is still {job.status} after {self._seconds:.0f} s; it goes on. "
                    f"See it through: gen3d watch {job_id}"
                )
            # What was asked for shows in the record a moment later, which says how soon to look
            # as if nobody had asked.
            waits = soon > 0 and (job.status == past or job.run <= after_run)
            soon -= 1
            pause = min(_SOON_SECONDS if waits else job.poll_seconds or _SOON_SECONDS, self._pace)
            yield Pause(max(0.0, min(pause, deadline - time.monotonic())))

    def _upload(self, plan: Plan, form: Upload) -> Dialogue[None]:
        photo = plan.photo
        yield from self._api.upload(form, photo.read_bytes(), media_type(photo), photo.name)

    def _begin(self, job_id: str, plan: Plan, form: Upload | None) -> Dialogue[None]:
        """Start a job whose photo may have gone up before the break, or not."""
        try:
            yield from self._api.initialize(job_id, plan.text)
        except Refused as error:
            if error.name != "ImageMissing" or form is None:
                raise
            yield from self._upload(plan, form)
            yield from self._api.initialize(job_id, plan.text)

    def _send_masks(self, job: Job, plan: Plan) -> Dialogue[None]:
        if job.offers:
            may = option_words.written(job.offers)
            yield Tell(self._told, f"may be chosen by --option: {may}")
        masks = yield from self._masks(job, plan.objects)
        objects = [
            {
                **({"name": wanted.name} if wanted.name else {}),
                **({"options": wanted.options} if wanted.options else {}),
            }
            for wanted in plan.objects
        ]
        try:
            yield from self._api.reconstruct(job.job_id, masks, objects)
        except Refused as error:
            if error.name != "JobConflict":  # which says that they were taken before a break
                raise

    def _masks(self, job: Job, objects: Sequence[Wanted]) -> Dialogue[list[bytes]]:
        """Read what was drawn, and decode what was clicked."""
        masks = [wanted.mask.read_bytes() if wanted.mask else b"" for wanted in objects]
        if all(masks):
            return masks
        try:
            from gen3d_client.decoder import Decoder, drawn
        except ModuleNotFoundError as error:
            raise ExtraMissing("To make a mask of clicks", "click", error.name) from None
        if job.decoder is None or job.embeddings is None:
            raise Outdated("The job waits for a mask, and has nothing to make it by.")
        model = yield from self._api.download(job.decoder.url, "The decoder")
        embeddings = yield from self._api.download(job.embeddings.url, "The embeddings")
        decoder = yield from compute(partial(Decoder, model, embeddings, job.decoder.revision))
        for n, wanted in enumerate(objects):
            if not masks[n]:
                masks[n], words = yield from compute(partial(drawn, decoder, wanted.clicks))
                yield Tell(self._told, words)
        return masks


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
