"""What the API does with jobs: one method a route, plain data in and out."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import views
from botocore.exceptions import ClientError
from gen3d import images, paths
from gen3d.contract import MAX_OBJECTS, Seed, TextPrompt
from gen3d.errors import (
    ImageMissing,
    ImageTooLarge,
    InvalidMask,
    InvalidRequest,
    JobConflict,
    JobNotFound,
    Unauthorized,
    UnsupportedImage,
)
from gen3d.jobs import (
    TERMINAL,
    Image,
    Job,
    JobObject,
    Status,
    check_job_id,
    execution_input,
    new_job_id,
    now,
)
from gen3d.limits import Limits
from gen3d.observability import count, logger, tracer
from gen3d.settings import Settings, settings
from gen3d.store import FileStore, JobStore, error_code
from gen3d.tokens import TaskGone, Tasks, TokenStore, mask_callback_id, mask_expired
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from mypy_boto3_cognito_identity import CognitoIdentityClient
    from mypy_boto3_stepfunctions import SFNClient

PAGE = 20
"""Jobs in one answer of the list."""


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the verified ID token says."""

    sub: str
    email: str
    id_token: str


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CreateJob(_Body):
    """A photo is about to be uploaded."""

    filename: str = Field(min_length=1, max_length=255)
    contentType: str = Field(max_length=100)  # noqa: N815  the API speaks camelCase


class RenameJob(_Body):
    """A job's new name."""

    name: str = Field(min_length=1, max_length=100)


class Initialize(_Body):
    """What to look for in the photo, for engines that find things by their names."""

    text: TextPrompt | None = None


class MaskUploads(_Body):
    """How many masks are about to be uploaded."""

    count: int = Field(ge=1, le=MAX_OBJECTS)


class ObjectRequest(_Body):
    """One object to reconstruct."""

    name: str | None = Field(default=None, min_length=1, max_length=100)
    seed: Seed = 0


class Reconstruct(_Body):
    """The objects, in the order of their masks."""

    objects: list[ObjectRequest] = Field(min_length=1, max_length=MAX_OBJECTS)


@dataclass(frozen=True)
class JobService:
    """The use cases of the API."""

    config: Settings
    jobs: JobStore
    files: FileStore
    tokens: TokenStore
    tasks: Tasks
    limits: Limits

    @classmethod
    def from_settings(cls) -> "JobService":
        """Wire the service as the environment says."""
        s = settings()
        return cls(
            s,
            JobStore(s.jobs_table),
            FileStore(s.bucket),
            TokenStore(s.tokens_table, s.jobs_table),
            Tasks(),
            Limits(s.max_running_jobs, s.max_jobs_per_day, s.max_queued_objects),
        )

    def create(self, caller: Caller, body: CreateJob) -> dict[str, Any]:
        """Record a job; its photo may be uploaded to the answered form or prefix."""
        if body.contentType not in paths.IMAGE_SUFFIX:
            raise UnsupportedImage(
                f"{body.contentType} is not taken. Send a JPEG, PNG or WebP photo."
            )
        identity_id = _identity_id(self.config, caller)
        job_id = new_job_id()
        created = now()
        self.limits.check_day(self.jobs.created_since(caller.sub, created - timedelta(days=1)))
        job = Job(
            owner=caller.sub,
            job_id=job_id,
            identity_id=identity_id,
            prefix=paths.job_prefix(identity_id, job_id),
            email=caller.email,
            filename=body.filename,
            name=body.filename.rsplit(".", 1)[0].strip()[:100] or body.filename[:100],
            content_type=body.contentType,
            status=Status.CREATED,
            created_at=created,
            ttl=int((created + timedelta(days=self.config.retention_days)).timestamp()),
        )
        self.jobs.create(job)
        count("JobCreated")
        form = self.files.upload_form(job.files.image(job.content_type), job.content_type)
        return {"jobId": job_id, "prefix": job.prefix, "upload": form}

    def list(self, caller: Caller, cursor: str | None) -> dict[str, Any]:
        """A page of the caller's jobs and the cursor of the next."""
        page, last = self.jobs.page(caller.sub, _read_cursor(cursor), PAGE)
        following = _write_cursor(last) if last else None
        return {"jobs": [views.summary(job, self.files) for job in page], "cursor": following}

    def get(self, caller: Caller, job_id: str) -> dict[str, Any]:
        """A job, whole."""
        return views.detail(self._job(caller, job_id), self.files)

    def rename(self, caller: Caller, job_id: str, body: RenameJob) -> dict[str, Any]:
        """Give a job another name."""
        job = self._job(caller, job_id)
        self.jobs.rename(job, body.name)
        return self.get(caller, job_id)

    @tracer.capture_method(capture_response=False)
    def initialize(
        self, caller: Caller, job_id: str, body: Initialize
    ) -> tuple[bool, dict[str, Any]]:
        """Check the photo, then start the execution that is named like the job.

        Returns
        -------
        tuple of bool and dict
            Whether this call started it, and the job.
        """
        if body.text is not None and self.config.engine == "lite":
            raise InvalidRequest("The lite engine finds objects by clicks only. Leave text out.")
        job = self._job(caller, job_id)
        first = job.status is Status.CREATED and self._begin(job, body.text)
        job = self._job(caller, job_id)
        # Also where an earlier call recorded the start but was cut off before it started anything.
        if job.status is Status.INITIALIZING:
            try:
                self._start(job)
            except ClientError:
                if first:  # else an earlier call may well have started it
                    self.jobs.unbegin(job)
                raise
        return first, self.get(caller, job_id)

    def mask_uploads(self, caller: Caller, job_id: str, body: MaskUploads) -> dict[str, Any]:
        """Forms to upload masks with, one per object."""
        job = self._job(caller, job_id)
        _require_awaiting(job)
        forms = [
            self.files.upload_form(job.files.object(n).mask, "image/png") for n in range(body.count)
        ]
        return {"uploads": forms}

    @tracer.capture_method(capture_response=False)
    def reconstruct(self, caller: Caller, job_id: str, body: Reconstruct) -> dict[str, Any]:
        """Check every mask, claim the waiting task, resume it."""
        job = self._job(caller, job_id)
        _require_awaiting(job)
        for n in range(len(body.objects)):
            self._check_mask(job, n)
        objects = [
            JobObject(n=n, name=o.name or f"Object {n + 1}", seed=o.seed)
            for n, o in enumerate(body.objects)
        ]
        row = self.tokens.claim_mask(job, objects)
        output = {"objects": [o.model_dump(include={"n", "name", "seed"}) for o in objects]}
        try:
            self.tasks.succeed(row, output)
        except TaskGone:
            self.tokens.delete(row.callback_id)
            raise mask_expired() from None
        except Exception:
            self.tokens.release_mask(row)
            raise
        self.tokens.delete(row.callback_id)
        count("ReconstructionRequested", len(objects))
        return self.get(caller, job_id)

    def delete(self, caller: Caller, job_id: str) -> dict[str, Any]:
        """Cancel a running job and keep its record; forget one that has ended."""
        job = self._job(caller, job_id)
        running = job.status not in TERMINAL
        cancelled = running and self.jobs.cancel(job)
        if running or job.status is Status.CANCELLED:  # an earlier call may have been cut off here
            self._stop(job)
            self.tokens.delete(mask_callback_id(job.job_id))
        if not cancelled:
            self.jobs.delete(job)
        self.files.remove(job.prefix)
        count("JobRemoved")
        return {"jobId": job_id, "status": Status.CANCELLED.value if cancelled else "DELETED"}

    def _job(self, caller: Caller, job_id: str) -> Job:
        job = self.jobs.get(caller.sub, check_job_id(job_id))
        logger.append_keys(job_id=job.job_id)
        return job

    def _begin(self, job: Job, text: str | None) -> bool:
        image = self._check_photo(job)
        try:
            self.jobs.begin(job, image, text)
        except JobConflict:
            return False
        return True

    def _check_photo(self, job: Job) -> Image:
        key = job.files.image(job.content_type)
        size = self.files.size(key)
        if size is not None and size > images.MAX_BYTES:
            raise ImageTooLarge(
                f"The photo has more than {images.MAX_BYTES // 2**20} MB. "
                "Save it smaller and create a new job."
            )
        data = self.files.read(key)
        if data is None:
            raise ImageMissing("The photo is not there yet. Upload it, then initialize the job.")
        info = images.check_photo(data, job.content_type)
        return Image(width=info.width, height=info.height, bytes=info.bytes)

    def _check_mask(self, job: Job, n: int) -> None:
        assert job.image is not None
        key = job.files.object(n).mask
        size = self.files.size(key)
        if size is not None and size > images.MAX_BYTES:
            raise InvalidMask(
                f"Mask {n} has more than {images.MAX_BYTES // 2**20} MB. "
                "Send a black and white PNG of the photo's size."
            )
        data = self.files.read(key)
        if data is None:
            raise InvalidMask(f"Mask {n} is not there. Upload it, then send the request again.")
        try:
            images.read_mask(data, job.image.width, job.image.height)
        except InvalidMask as error:
            raise InvalidMask(f"Mask {n}: {error.message}") from None

    def _start(self, job: Job) -> None:
        try:
            _states().start_execution(
                stateMachineArn=self.config.state_machine_arn,
                name=job.job_id,
                input=execution_input(job, 1),
            )
        except ClientError as error:
            if error_code(error) != "ExecutionAlreadyExists":
                raise
        else:
            count("JobStarted")

    def _stop(self, job: Job) -> None:
        arn = self.config.state_machine_arn.replace(":stateMachine:", ":execution:", 1)
        try:
            _states().stop_execution(
                executionArn=f"{arn}:{job.job_id}", error="Cancelled", cause="By the owner"
            )
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise


@cache
def _states() -> "SFNClient":
    return boto3.client("stepfunctions")


@cache
def _identities() -> "CognitoIdentityClient":
    return boto3.client("cognito-identity")


def _identity_id(config: Settings, caller: Caller) -> str:
    """The caller's identity, whose name their folder bears: from the token, never from them."""
    provider = f"cognito-idp.{config.aws_region}.amazonaws.com/{config.user_pool_id}"
    try:
        answer = _identities().get_id(
            IdentityPoolId=config.identity_pool_id, Logins={provider: caller.id_token}
        )
    except ClientError as error:
        if error_code(error) == "NotAuthorizedException":
            raise Unauthorized("The sign-in has expired. Sign in again.") from None
        raise
    return str(answer["IdentityId"])


def _require_awaiting(job: Job) -> None:
    if job.status is Status.EXPIRED:
        raise mask_expired()
    if job.status is not Status.AWAITING_MASK:
        raise JobConflict(f"The job does not wait for a mask: it is {job.status}. Read its status.")


def _write_cursor(job_id: str) -> str:
    return base64.urlsafe_b64encode(job_id.encode()).decode()


def _read_cursor(cursor: str | None) -> str | None:
    if not cursor:
        return None
    try:
        return check_job_id(base64.urlsafe_b64decode(cursor).decode())
    except (ValueError, JobNotFound):  # not base64, not text, or not an id
        raise InvalidRequest("cursor: not one of ours. Leave it out to start again.") from None
