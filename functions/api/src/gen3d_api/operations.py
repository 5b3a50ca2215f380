"""What the API does with jobs: one method a route, `requests` in and `answers` out."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta

from gen3d import images, paths
from gen3d.contract import MAX_OBJECTS
from gen3d.errors import (
    ImageMissing,
    ImageTooLarge,
    InvalidDepth,
    InvalidMask,
    InvalidRequest,
    JobConflict,
    OptionNotOffered,
    UnsupportedImage,
)
from gen3d.formats import PHOTO_FORMATS
from gen3d.internet import PUBLIC, Internet
from gen3d.jobs import (
    MAX_NAME,
    Job,
    ObjectTask,
    PhotoSize,
    Status,
    check_job_id,
    new_job_id,
    now,
    plain,
)
from gen3d.options import SEED_ALONE, Options, require_offered
from gen3d.quotas import Quotas
from gen3d_api import cursors, identities, progress_view, shown, views
from gen3d_api.answers import (
    CreatedJob,
    JobPage,
    JobView,
    LimitsView,
    PhotoLimits,
    UploadForm,
    Uploads,
)
from gen3d_api.requests import (
    CreateJob,
    Initialize,
    MaskUploads,
    Reconstruct,
    RenameJob,
    Retry,
    ShownObject,
)
from gen3d_api.settings import ApiSettings
from gen3d_aws import clients, runs, store, tokens
from gen3d_aws.admissions import Admissions
from gen3d_aws.callers import Caller
from gen3d_aws.observability import count, logger, tracer
from gen3d_aws.repeats import Repeats
from gen3d_aws.runs import FROM_THE_START, Plan, Runs, plan_retry
from gen3d_aws.store import FileStore, JobStore, StoredFile
from gen3d_aws.tokens import TaskGone, Tasks, TokenStore, mask_expired

PAGE = 20
"""Jobs in one answer of the list."""

_UNNAMED = "photo"
_MAX_FILENAME = 255
_DEPTH_TYPE = "image/png"
_CHECKS = 3
"""A photo or mask that is replaced while it is checked is checked again, this often in all."""


@dataclass(frozen=True)
class JobService:
    """The use cases of the API."""

    config: ApiSettings
    jobs: JobStore
    files: FileStore
    tokens: TokenStore
    tasks: Tasks
    runs: Runs
    quotas: Quotas
    internet: Internet = PUBLIC
    """From where photos are fetched."""

    @classmethod
    def from_settings(cls) -> "JobService":
        """Wire the service as the environment says."""
        s = ApiSettings.read()
        jobs = JobStore(s.jobs_table)
        return cls(
            s,
            jobs,
            FileStore(s.bucket),
            TokenStore(s.tokens_table, s.jobs_table),
            Tasks(),
            Runs(s.state_machine_arn, jobs),
            Quotas(s.max_running_jobs, s.max_jobs_per_day, s.max_queued_objects),
        )

    def prepare(self) -> None:
        """Make what the first call of each kind would wait for: clients, and the decoder."""
        for client in (
            identities.identities_client,
            runs.states_client,
            store.s3_client,
            store.hasty_s3_client,
            tokens.states_client,
        ):
            client()
        for table in (self.config.jobs_table, self.config.tokens_table):
            clients.table(table)
        images.prepare()

    @property
    def admissions(self) -> Admissions:
        """Who is let in, by the limits."""
        return Admissions(self.config.tokens_table, self.jobs, self.quotas)

    def create(self, caller: Caller, body: CreateJob, key: str | None = None) -> CreatedJob:
        """Record a job; its photo may be uploaded with the answered form."""
        with self._once(caller, body, key) as job_id:
            job = self._made(caller, job_id) or self._created(caller, body, job_id)
        form = self._form(job.uploads.image(job.content_type), job.content_type)
        created = CreatedJob(job_id=job.job_id, prefix=job.prefix, upload=form)
        if job.depth:
            created.depth = self._form(job.uploads.depth, _DEPTH_TYPE)
        return created

    def _once(
        self, caller: Caller, body: CreateJob, key: str | None
    ) -> AbstractContextManager[str]:
        """The id of the job that a request makes: the same whenever it is sent again."""
        repeats = Repeats(self.config.tokens_table)
        return repeats.of(caller.sub, key, body.model_dump_json(), new_job_id)

    def _made(self, caller: Caller, job_id: str) -> Job | None:
        """What the request made when it was sent before; it may have been deleted since."""
        job = self.jobs.find(caller.sub, job_id)
        return job if job is None else self._job(caller, job_id)

    def _created(self, caller: Caller, body: CreateJob, job_id: str) -> Job:
        assert body.filename is not None
        assert body.contentType is not None
        if body.contentType not in PHOTO_FORMATS:
            heic = body.contentType in ("image/heic", "image/heif")
            raise UnsupportedImage(
                images.HEIC if heic else f"{body.contentType} is not taken. {images.TAKEN}"
            )
        job = self._new(caller, job_id, body.filename, body.contentType)
        job.depth = body.depth
        return self._record(caller, job, body.objects)

    @tracer.capture_method(capture_response=False)
    def create_fetched(self, caller: Caller, body: CreateJob, key: str | None = None) -> JobView:
        """Fetch the photo, record a job and start it; of one that cannot start, nothing stays."""
        with self._once(caller, body, key) as job_id:
            try:
                return self.begin_fetched(caller, body, job_id)
            except Exception:
                self.delete(caller, job_id)
                raise

    def begin_fetched(self, caller: Caller, body: CreateJob, job_id: str) -> JobView:
        """The same of a job whose id is known, which stays where it may not start yet."""
        job = self._made(caller, job_id) or self._fetched(caller, body, job_id)
        if job.status is not Status.CREATED:
            return self._view(job)
        return self._start(job, FROM_THE_START)[1]

    def _fetched(self, caller: Caller, body: CreateJob, job_id: str) -> Job:
        assert body.imageUrl is not None
        shown.text_of(body.objects)
        found = self.internet.fetch(body.imageUrl, images.MAX_BYTES)
        content_type = images.media_type(found.data, found.media_type)
        info = images.check_photo(found.data, content_type)
        shown.require_drawable(body.objects, info.width, info.height)
        filename = body.filename or plain(found.name)[-_MAX_FILENAME:] or _UNNAMED
        job = self._new(caller, job_id, filename, content_type)
        job.image = PhotoSize(width=info.width, height=info.height, bytes=info.bytes)
        return self._record(caller, job, body.objects, found.data)

    def _new(self, caller: Caller, job_id: str, filename: str, content_type: str) -> Job:
        identity_id = identities.identity_of(self.config, caller)
        created = now()
        return Job(
            owner=caller.sub,
            key_id=caller.key_id,
            job_id=job_id,
            identity_id=identity_id,
            prefix=paths.job_prefix(identity_id, job_id),
            email=caller.email,
            filename=filename,
            name=plain(filename.rsplit(".", 1)[0][:MAX_NAME]) or filename[:MAX_NAME],
            content_type=content_type,
            status=Status.CREATED,
            created_at=created,
            ttl=int((created + timedelta(days=self.config.retention_days)).timestamp()),
        )

    def _record(
        self,
        caller: Caller,
        job: Job,
        objects: Sequence[ShownObject],
        photo: bytes | None = None,
    ) -> Job:
        """Record a job, with its photo where it is there, and what the request shows in it."""
        job.text = shown.text_of(objects)
        shown.require_reader(self.config.engine, job.text)
        tasks = shown.tasks(objects)
        job.prompted = sum(len(task.steps) for task in tasks)
        since = job.created_at - timedelta(days=1)
        with self.admissions.creation(job, since, caller.jobs_per_day):
            if photo is not None:
                self.files.write(job.files.image(job.content_type), photo, job.content_type)
            if tasks:
                content = shown.prompts_file(objects, tasks)
                self.files.write(job.files.prompts, content, "application/json")
            self.jobs.create(job)
        count("JobCreated")
        return job

    def list(self, caller: Caller, cursor: str | None) -> JobPage:
        """A page of the caller's jobs and the cursor of the next."""
        page, last = self.jobs.page(caller.sub, cursors.read(cursor), PAGE)
        following = cursors.written(last) if last else None
        return JobPage(jobs=[views.summary(job, self.files) for job in page], cursor=following)

    def limits(self) -> LimitsView:
        """How much may be sent, and how much a person may have."""
        return LimitsView(
            photo=PhotoLimits(
                types=list(PHOTO_FORMATS),
                bytes=images.MAX_BYTES,
                pixels=images.MAX_PIXELS,
                min_side=images.MIN_SIDE,
                max_side=images.MAX_SIDE,
            ),
            objects_per_job=MAX_OBJECTS,
            jobs_at_work=self.quotas.running_jobs or None,
            jobs_per_day=self.quotas.jobs_per_day or None,
            objects_in_queue=self.quotas.queued_objects or None,
        )

    def get(self, caller: Caller, job_id: str) -> JobView:
        """A job, whole."""
        return self._view(self._job(caller, job_id))

    def rename(self, caller: Caller, job_id: str, body: RenameJob) -> JobView:
        """Give a job another name."""
        job = self._job(caller, job_id)
        self.jobs.rename(job, body.name)
        return self.get(caller, job_id)

    @tracer.capture_method(capture_response=False)
    def initialize(self, caller: Caller, job_id: str, body: Initialize) -> tuple[bool, JobView]:
        """Check the photo, then start the execution, which writes everything else of the job.

        Returns
        -------
        tuple of bool and JobView
            Whether this call started it, and the job.
        """
        shown.require_reader(self.config.engine, body.text)
        job = self._job(caller, job_id)
        if job.status is not Status.CREATED:
            return False, self._view(job)
        if job.prompted and body.text not in (None, job.text):
            raise InvalidRequest(
                "text: what shows the job's objects was said when it was created. Leave text out."
            )
        text = job.text if job.prompted else body.text
        return self._start(job.model_copy(update={"text": text}), FROM_THE_START)

    @tracer.capture_method(capture_response=False)
    def retry(self, caller: Caller, job_id: str, body: Retry) -> JobView:
        """Take an ended job up where it ended, or make objects of it anew."""
        job = self._job(caller, job_id)
        wanted = body.wanted(job)
        plan = plan_retry(job, wanted, kept=body.kept(), scene=body.scene)
        _require_offered(job, wanted)
        started, view = self._start(job, plan)
        if not started:
            raise JobConflict("The job is at work again already. Read its status.")
        return view

    def mask_uploads(self, caller: Caller, job_id: str, body: MaskUploads) -> Uploads:
        """Forms to upload masks with, one per object."""
        job = self._job(caller, job_id)
        _require_awaiting(job)
        forms = [self._form(job.uploads.mask(n), "image/png") for n in range(body.count)]
        return Uploads(uploads=forms)

    @tracer.capture_method(capture_response=False)
    def reconstruct(self, caller: Caller, job_id: str, body: Reconstruct) -> JobView:
        """Check every mask, claim the waiting task, resume it."""
        job = self._job(caller, job_id)
        _require_awaiting(job)
        options = {n: o.over(Options()) for n, o in enumerate(body.objects)}
        _require_offered(job, options)
        tasks = [
            ObjectTask.anew(n, o.name or f"Object {n + 1}", options[n])
            for n, o in enumerate(body.objects)
        ]
        with self.admissions.masks(job, sum(len(task.steps) for task in tasks)):
            self._resume(job, tasks)
        count("ReconstructionRequested", len(tasks))
        return self.get(caller, job_id)

    def _resume(self, job: Job, tasks: Sequence[ObjectTask]) -> None:
        masks = [self._check_mask(job, task.n) for task in tasks]
        row = self.tokens.claim_mask(job)
        output = {"objects": [task.model_dump() for task in tasks]}
        try:
            # With the claim in hand: who did not get it changes no mask of the one who did.
            for n, mask in enumerate(masks):
                self._keep_mask(job, n, mask)
            self.jobs.choose(job, tasks)
            self.tasks.succeed(row, output)
        except TaskGone:
            self.tokens.delete(row.callback_id)
            raise mask_expired() from None
        except Exception:
            self.tokens.release_mask(row)
            raise
        try:
            self.tokens.delete(row.callback_id)
        except (
            Exception
        ) as error:  # the job goes on all the same, and the row's time ends by itself
            logger.warning("A token could not be forgotten", exc_info=error)

    def cancel(self, caller: Caller, job_id: str) -> tuple[bool, JobView]:
        """Stop a job; its record and its files stay.

        Returns
        -------
        tuple of bool and JobView
            Whether this call cancelled it, and the job; one that had ended, and was not about to be
            taken up again, stays as it was.
        """
        cancelled = self.jobs.cancel(self._job(caller, job_id))
        if not cancelled:  # a retry may have started what has not begun, or is just beginning
            cancelled = self.runs.withdraw(self._job(caller, job_id))
            cancelled = cancelled or self.jobs.cancel(self._job(caller, job_id))
        job = self._job(caller, job_id)
        if job.status is Status.CANCELLED:  # an earlier call may have been cut off here
            self.runs.stop(job)
            self.tokens.drop(job)
        if cancelled:
            count("JobCancelled")
        return cancelled, self._view(job)

    def delete(self, caller: Caller, job_id: str) -> None:
        """Forget a job and its files, whatever it is doing; gone on with where it was cut off."""
        job = self.jobs.find(caller.sub, check_job_id(job_id))
        if job is None:
            return
        logger.append_keys(job_id=job.job_id)
        self.jobs.tombstone(job)
        job = self.jobs.find(caller.sub, job_id) or job  # an execution may just have begun it
        self.runs.stop(job)
        self.tokens.drop(job)
        self.files.remove(job.prefix)
        self.files.remove(job.uploads.prefix)
        count("JobRemoved")

    def _form(self, key: str, content_type: str) -> UploadForm:
        return UploadForm.model_validate(self.files.upload_form(key, content_type))

    def _job(self, caller: Caller, job_id: str) -> Job:
        job = self.jobs.get(caller.sub, check_job_id(job_id))
        logger.append_keys(job_id=job.job_id)
        return job

    def _view(self, job: Job) -> JobView:
        at_work = job.status in (Status.INITIALIZING, Status.RECONSTRUCTING)
        if not at_work and not job.awaits_model:
            return views.detail(job, self.files)
        place = self.tokens.place(job)
        return views.detail(
            job, self.files, place.ahead, progress_view.told(job, place.in_hand, self.files)
        )

    def _start(self, job: Job, plan: Plan) -> tuple[bool, JobView]:
        """Start an execution of a job that has none, where its owner may have another."""
        with self.admissions.run(job, plan.work if plan.objects else job.prompted):
            if job.image is None:
                job = job.model_copy(update={"image": self._keep_photo(job)})
                if job.depth:
                    self._keep_depth(job)
            begun = self.runs.start(job, plan)
        if begun is None:
            return False, self._view(self.jobs.get(job.owner, job.job_id))
        count("JobStarted")
        return True, views.detail(begun, self.files)

    def _keep_photo(self, job: Job) -> PhotoSize:
        """Check the photo and keep what was checked where no browser may write."""
        target = job.files.image(job.content_type)
        for _ in range(_CHECKS):
            file = self.files.open(job.uploads.image(job.content_type), images.MAX_BYTES)
            if file is None:  # kept by an earlier call, whose execution never began
                file = self.files.open(target, images.MAX_BYTES)
            if file is None:
                raise ImageMissing(
                    "The photo is not there yet. Upload it, then initialize the job."
                )
            if file.size > images.MAX_BYTES:
                raise ImageTooLarge(
                    f"The photo has more than {images.MAX_BYTES // 2**20} MB. "
                    "Save it smaller and create a new job."
                )
            info = images.check_photo(file.data, job.content_type)
            if file.key == target or self.files.keep(file, target, job.content_type):
                return PhotoSize(width=info.width, height=info.height, bytes=info.bytes)
        raise ImageMissing(
            "The photo was replaced while it was being checked. Upload it once, then try again."
        )

    def _keep_depth(self, job: Job) -> None:
        """Check the depth map against the photo, and keep what was checked likewise."""
        assert job.image is not None
        target = job.files.depth
        file = self.files.open(job.uploads.depth, images.MAX_BYTES)
        if file is None:  # kept by an earlier call, as photos are
            file = self.files.open(target, images.MAX_BYTES)
        if file is None:
            raise InvalidDepth(
                "The depth map is not there yet. Upload it by its form, then initialize the job."
            )
        if file.size > images.MAX_BYTES:
            raise InvalidDepth(
                f"The depth map has more than {images.MAX_BYTES // 2**20} MB. Save it smaller."
            )
        images.read_depth(file.data, job.image.width, job.image.height)
        if file.key != target and not self.files.keep(file, target, _DEPTH_TYPE):
            raise InvalidDepth(
                "The depth map was replaced while it was being checked. Upload it once, then try "
                "again."
            )

    def _check_mask(self, job: Job, n: int) -> StoredFile:
        assert job.image is not None
        file = self.files.open(job.uploads.mask(n), images.MAX_BYTES)
        if file is None:
            raise InvalidMask(f"Mask {n} is not there. Upload it, then send the request again.")
        if file.size > images.MAX_BYTES:
            raise InvalidMask(
                f"Mask {n} has more than {images.MAX_BYTES // 2**20} MB. "
                "Send a black and white PNG of the photo's size."
            )
        try:
            images.read_mask(file.data, job.image.width, job.image.height)
        except InvalidMask as error:
            raise InvalidMask(f"Mask {n}: {error.message}") from None
        return file

    def _keep_mask(self, job: Job, n: int, checked: StoredFile) -> None:
        """Keep what was checked where no browser may write."""
        if not self.files.keep(checked, job.files.object(n).mask, "image/png"):
            raise InvalidMask(
                f"Mask {n} was replaced while it was being checked. Upload it once, then try again."
            )


def _require_awaiting(job: Job) -> None:
    if job.status is Status.EXPIRED:
        raise mask_expired()
    if job.status is not Status.AWAITING_MASK:
        raise JobConflict(f"The job does not wait for a mask: it is {job.status}. Read its status.")


def _require_offered(job: Job, options: Mapping[int, Options]) -> None:
    """Refuse what the job's engine would refuse, before anybody waits for it."""
    offers = job.model.offers if job.model else SEED_ALONE
    for n, chosen in options.items():
        try:
            require_offered(chosen.engine, offers)
        except OptionNotOffered as error:
            raise OptionNotOffered(f"Object {n}: {error.message}") from None
