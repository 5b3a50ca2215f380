"""The routes of the API: who answers, with what, and what may be refused. `ROUTES` has them all.

A route is a function here. Its parameters say what it is given: the ``service``, the ``shares``,
the ``keys`` or the ``webhooks``; the ``caller``, where somebody has to be signed in; ids of the
path; the ``body``, whose annotation is its model; and what stands behind the question mark. What is
``personal`` no key may do. `gen3d_api.handler` serves them, `gen3d_api.description` describes them,
and `make copies` writes the template's.
"""

from collections.abc import Callable, Mapping

from gen3d.errors import (
    AddressRefused,
    FetchFailed,
    Gen3DError,
    IdempotencyKeyReused,
    ImageMissing,
    ImageTooLarge,
    ImageTooSmall,
    InvalidDepth,
    InvalidImage,
    InvalidMask,
    JobConflict,
    JobNotFound,
    LimitReached,
    MaskExpired,
    OptionNotOffered,
    UnsupportedImage,
)
from gen3d_api import batches
from gen3d_api.answers import (
    BatchView,
    CreatedJob,
    DeliveryPage,
    DeliveryView,
    Description,
    JobPage,
    JobView,
    KeyPage,
    LimitsView,
    NewKey,
    NewWebhook,
    SharedPage,
    SharedView,
    SharePage,
    ShareView,
    Uploads,
    WebhookPage,
)
from gen3d_api.key_operations import KeyService
from gen3d_api.operations import JobService
from gen3d_api.requests import (
    CreateBatch,
    CreateJob,
    CreateKey,
    CreateShare,
    CreateWebhook,
    Initialize,
    MaskUploads,
    Reconstruct,
    RenameJob,
    Retry,
)
from gen3d_api.route import Answer, Gives, Route
from gen3d_api.share_operations import ShareService
from gen3d_api.webhook_operations import WebhookService
from gen3d_aws.callers import Caller

ROUTES: list[Route] = []
"""In the order in which they are described."""

_Answers = Callable[..., Answer]


def _route(
    key: str,
    gives: Mapping[int, Gives],
    *refuses: type[Gen3DError],
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    personal: bool = False,
) -> Callable[[_Answers], _Answers]:
    method, path = key.split()

    def add(answer: _Answers) -> _Answers:
        ROUTES.append(
            Route(method, path, answer, gives, refuses, query or {}, headers or {}, personal)
        )
        return answer

    return add


_ONCE = {
    "Idempotency-Key": "A word of your own, such as a UUID, by which the same request may be sent "
    "again within a day: it is answered with what it made at first. With another body it is "
    "refused, while the first is still being answered told to come again."
}
_FILE = (ImageTooLarge, ImageTooSmall, InvalidImage, UnsupportedImage)
_PHOTO = (ImageMissing, InvalidDepth, *_FILE)
_JOB = Gives(JobView, "The job.")


@_route(
    "POST /jobs",
    {
        201: Gives(
            CreatedJob,
            "Created. POST the photo to `upload.url` as a form with `upload.fields` and then "
            "`file`.",
        ),
        202: Gives(JobView, "The photo was fetched from `imageUrl`, and the job is started."),
    },
    *_FILE,
    AddressRefused,
    FetchFailed,
    InvalidMask,
    JobConflict,
    IdempotencyKeyReused,
    LimitReached,
    headers=_ONCE,
)
def create_job(
    service: JobService, caller: Caller, body: CreateJob, idempotency_key: str | None
) -> Answer:
    """Create a job and the permission to upload its photo, or fetch it and start.

    The form is good for an hour, for one file of this type and of at most 20 MB. Whoever has
    created as many jobs within a day as a person may (`MaxJobsPerDay`) is refused with 429.

    With `depth` the answer has a second form, for a depth map of the photo: a grey PNG of 16 bits,
    of the photo's aspect and upright, in millimetres, 0 where nothing is known. An engine that
    takes one (`takes` of the job) sizes objects by it, and their files are in metres; others leave
    it.

    With `objects` the request is the whole job: masks are made of what shows them, and nobody is
    waited for. After the upload it takes `initialize` alone; with `imageUrl` not even that. What
    shows nothing fails its own object, by `NothingFound` or `InvalidMask`, and the job where all
    do. Masks that do not fit a photo that was fetched are refused with 422 at once.

    A photo is fetched within 15 seconds, over https, port 443, from public addresses alone, by at
    most three redirects, each of which is checked anew. Where it is not there, or no photo, or too
    large, the answer says so, and no job is made.
    """
    if body.imageUrl is not None:
        return Answer(202, service.create_fetched(caller, body, idempotency_key))
    return Answer(201, service.create(caller, body, idempotency_key))


@_route(
    "GET /jobs",
    {200: Gives(JobPage, "A page of them.")},
    query={"cursor": "The `cursor` of the page before."},
)
def list_jobs(service: JobService, caller: Caller, cursor: str | None) -> Answer:
    """The caller's jobs, newest first.

    Twenty at a time; `cursor` of the answer goes into the next request.
    """
    return Answer(200, service.list(caller, cursor))


@_route("GET /jobs/{jobId}", {200: _JOB})
def get_job(service: JobService, caller: Caller, job_id: str) -> Answer:
    """A job with signed links to what exists of it.

    Links live an hour; what does not exist yet is left out. `Retry-After` says the same as
    `pollSeconds`: after how long it is worth asking again.
    """
    job = service.get(caller, job_id)
    return Answer(200, job, job.poll_seconds)


@_route("PATCH /jobs/{jobId}", {200: _JOB}, JobConflict)
def rename_job(service: JobService, caller: Caller, job_id: str, body: RenameJob) -> Answer:
    """Give a job another name."""
    return Answer(200, service.rename(caller, job_id, body))


@_route("DELETE /jobs/{jobId}", {204: Gives(None, "It is gone.")})
def delete_job(service: JobService, caller: Caller, job_id: str) -> Answer:
    """Forget a job and its files; again, or where there is none, and nothing more happens.

    Its execution is stopped, whatever it does, its record hidden, and its files go. 503 where
    something was in the way: asked for again, it goes on.
    """
    service.delete(caller, job_id)
    return Answer(204)


@_route(
    "POST /jobs/{jobId}/initialize",
    {202: Gives(JobView, "It is started."), 200: Gives(JobView, "It had been started before.")},
    *_PHOTO,
    JobConflict,
    LimitReached,
)
def initialize_job(service: JobService, caller: Caller, job_id: str, body: Initialize) -> Answer:
    """Check the photo and start the execution; again, and nothing more happens.

    The photo is read whole (type, size, pixels, damage), as is the depth map where the job was
    created with `depth`, and what was checked is kept where no browser may write. The execution is
    named like the job, and writes INITIALIZING. What to look for is for the sam engine only; others
    answer 400. Whoever has as many jobs at work as a person may (`MaxRunningJobs`), those that wait
    for a mask not counted, is refused with 429.
    """
    started, job = service.initialize(caller, job_id, body)
    return Answer(202 if started else 200, job)


@_route(
    "POST /jobs/{jobId}/masks",
    {200: Gives(Uploads, "A form for each mask, in the order of the objects.")},
    JobConflict,
    MaskExpired,
)
def create_mask_uploads(
    service: JobService, caller: Caller, job_id: str, body: MaskUploads
) -> Answer:
    """Permissions to upload one mask per object.

    409 while the job does not wait for masks, 410 once it has expired.
    """
    return Answer(200, service.mask_uploads(caller, job_id, body))


@_route(
    "POST /jobs/{jobId}/reconstruct",
    {202: Gives(JobView, "The masks are taken, and the job goes on.")},
    InvalidMask,
    JobConflict,
    LimitReached,
    MaskExpired,
    OptionNotOffered,
)
def reconstruct_job(service: JobService, caller: Caller, job_id: str, body: Reconstruct) -> Answer:
    """Check the masks and resume the execution with them.

    There is an entry for each mask, in their order; name and options, and any part of them, may be
    left out. What the engine offers stands in the job's `offers`; what it does not is refused by a
    sentence that says what may be chosen. Every mask is checked (PNG, the photo's size, neither
    empty nor full) and kept where no browser may write; then the waiting task is claimed in one
    transaction with the objects' records. 409 where the job does not wait or was given masks
    already, 410 where it has expired, 422 with the number of the mask that is wrong, 429 for
    whoever would have more than `MaxQueuedObjects` objects in the queue, each counted as often as
    it has seeds.
    """
    return Answer(202, service.reconstruct(caller, job_id, body))


@_route(
    "POST /jobs/{jobId}/cancel",
    {
        202: Gives(JobView, "It is stopped."),
        200: Gives(JobView, "It had ended, and stays as it was."),
    },
)
def cancel_job(service: JobService, caller: Caller, job_id: str) -> Answer:
    """Stop a job, or a retry of it that has not begun, and keep what there is of it."""
    cancelled, job = service.cancel(caller, job_id)
    return Answer(202 if cancelled else 200, job)


@_route(
    "POST /jobs/{jobId}/retry",
    {202: Gives(JobView, "It is at work again.")},
    *_PHOTO,
    JobConflict,
    LimitReached,
    OptionNotOffered,
)
def retry_job(service: JobService, caller: Caller, job_id: str, body: Retry) -> Answer:
    """Take an ended job up where it ended, or make the named objects anew and no others.

    FAILED, EXPIRED and CANCELLED go on where they ended, COMPLETED with the objects that failed.
    Embeddings, masks, splats and meshes that exist are kept, but for what was named. Options are
    whole, so that what is left out of them is the default; what differs in `mesh` alone is made
    from the splat that there is, without the model. Of an object of which several seeds were tried,
    `keep` names the one by which it is kept from now on; nothing is made for it but the scene, and
    400 is the answer to a seed that has made nothing. 409 where the job has not ended, or nothing
    of it failed and nothing was named; 400 for an object that it has not; 429 as for `initialize`
    and `reconstruct`.
    """
    return Answer(202, service.retry(caller, job_id, body))


@_route("GET /limits", {200: Gives(LimitsView, "What may be sent, and how much.")})
def get_limits(service: JobService, caller: Caller) -> Answer:  # noqa: ARG001  signed in
    """How much may be sent, and how much the caller may have."""
    return Answer(200, service.limits())


@_route(
    "POST /keys",
    {201: Gives(NewKey, "Made. Its secret is in no other answer.")},
    LimitReached,
    personal=True,
)
def create_key(keys: KeyService, caller: Caller, body: CreateKey) -> Answer:
    """Make a key, with which a program does what its owner may.

    What is created with it is its owner's.
    """
    return Answer(201, keys.create(caller, body))


@_route("GET /keys", {200: Gives(KeyPage, "All of them.")}, personal=True)
def list_keys(keys: KeyService, caller: Caller) -> Answer:
    """The caller's keys, oldest first."""
    return Answer(200, keys.list(caller))


@_route(
    "DELETE /keys/{keyId}", {204: Gives(None, "Within a minute it opens nothing.")}, personal=True
)
def withdraw_key(keys: KeyService, caller: Caller, key_id: str) -> Answer:
    """Forget a key; jobs that were created with it go on."""
    keys.withdraw(caller, key_id)
    return Answer(204)


@_route(
    "POST /webhooks",
    {201: Gives(NewWebhook, "Registered. Its secret is in no other answer.")},
    AddressRefused,
    FetchFailed,
    LimitReached,
    personal=True,
)
def create_webhook(webhooks: WebhookService, caller: Caller, body: CreateWebhook) -> Answer:
    """Register an address that is told when a job comes to a state of which its owner would hear.

    It is posted a JSON object as Standard Webhooks describes it, signed with the secret in the
    answer: see `webhooks` of this description. It is reached over https, port 443, at public
    addresses alone, and no redirect is followed. Whoever answers 2xx within 15 seconds is told
    once, and may be told twice: `webhook-id` is then the same. Anything else is tried again, eight
    times within a day; 410 ends the webhook.
    """
    return Answer(201, webhooks.create(caller, body))


@_route("GET /webhooks", {200: Gives(WebhookPage, "All of them.")})
def list_webhooks(webhooks: WebhookService, caller: Caller) -> Answer:
    """The caller's webhooks, oldest first, without their secrets."""
    return Answer(200, webhooks.list(caller))


@_route(
    "DELETE /webhooks/{webhookId}",
    {204: Gives(None, "It is told nothing any more.")},
    personal=True,
)
def withdraw_webhook(webhooks: WebhookService, caller: Caller, webhook_id: str) -> Answer:
    """Forget a webhook; what waits to be sent to it is not sent."""
    webhooks.withdraw(caller, webhook_id)
    return Answer(204)


@_route(
    "GET /webhooks/{webhookId}/deliveries",
    {200: Gives(DeliveryPage, "A page of them.")},
    query={"cursor": "The `cursor` of the page before."},
)
def list_deliveries(
    webhooks: WebhookService, caller: Caller, webhook_id: str, cursor: str | None
) -> Answer:
    """What was sent to a webhook within a week, newest first, and what it answered."""
    return Answer(200, webhooks.deliveries(caller, webhook_id, cursor))


@_route(
    "POST /webhooks/{webhookId}/deliveries/{deliveryId}/redeliver",
    {202: Gives(DeliveryView, "It is about to be sent.")},
    JobConflict,
)
def redeliver(
    webhooks: WebhookService, caller: Caller, webhook_id: str, delivery_id: str
) -> Answer:
    """Send something again, the same under the same id, whatever became of it.

    It is tried for a day, as at first. 409 where the webhook has ended by a 410.
    """
    return Answer(202, webhooks.redeliver(caller, webhook_id, delivery_id))


@_route(
    "POST /batches",
    {202: Gives(BatchView, "It is noted, and what may begin has begun.")},
    JobConflict,
    IdempotencyKeyReused,
    LimitReached,
    headers=_ONCE,
)
def create_batch(
    service: JobService, caller: Caller, body: CreateBatch, idempotency_key: str | None
) -> Answer:
    """Make a job of each of up to a hundred photos.

    Each is as one that POST /jobs fetches; one that is refused leaves the others. Those for which
    there is no room (`MaxRunningJobs`, `MaxQueuedObjects`) wait, and begin by themselves, within a
    minute of when there is. More than a person may create within a day (`MaxJobsPerDay`) are
    refused at once, all of them.
    """
    return Answer(202, batches.create(service, caller, body, idempotency_key))


@_route("GET /batches/{batchId}", {200: Gives(BatchView, "The batch.")})
def get_batch(service: JobService, caller: Caller, batch_id: str) -> Answer:
    """How a batch stands: its jobs and how many of them are where.

    It is known for as long as jobs are kept.
    """
    return Answer(200, batches.get(service, caller, batch_id))


@_route("POST /shares", {201: Gives(ShareView, "Shared.")}, JobConflict, JobNotFound, LimitReached)
def create_share(shares: ShareService, caller: Caller, body: CreateShare) -> Answer:
    """Share an object with whoever has the link, for some days.

    They see its model, its picture and its name, and may download its files; the photo, the masks,
    the job and its owner they do not learn of. It ends when it was said to, or with the job, or
    when it is withdrawn. 409 while the object has no mesh.
    """
    return Answer(201, shares.create(caller, body))


@_route("GET /shares", {200: Gives(SharePage, "All of them.")})
def list_shares(shares: ShareService, caller: Caller) -> Answer:
    """The caller's shares, newest first."""
    return Answer(200, shares.list(caller))


@_route("DELETE /shares/{shareId}", {204: Gives(None, "It opens nothing any more.")})
def withdraw_share(shares: ShareService, caller: Caller, share_id: str) -> Answer:
    """End a share.

    Who had opened it before may read its files for a quarter of an hour more.
    """
    shares.withdraw(caller, share_id)
    return Answer(204)


@_route("GET /shared/{shareId}", {200: Gives(SharedView, "What is shared.")})
def get_shared(shares: ShareService, share_id: str) -> Answer:
    """What a share opens, to whoever has its id; nobody has to be signed in.

    404 alike for one that has ended, was withdrawn or never was.
    """
    return Answer(200, shares.shared(share_id))


@_route("GET /s/{shareId}", {200: Gives(SharedPage, "A page, whatever the id.")})
def preview_shared(shares: ShareService, share_id: str) -> Answer:
    """The link that people send: a page with title and picture that leads on to the model.

    Nobody has to be signed in. Where a share opens nothing, the page that follows says so.
    """
    return Answer(200, shares.page(share_id))


@_route("GET /openapi.json", {200: Gives(Description, "An OpenAPI document, of version 3.1.")})
def describe() -> Answer:
    """What this API takes and answers, for programs; nobody has to be signed in."""
    from gen3d_api.description import document  # examples and all: few ask for it

    return Answer(200, Description(document(ROUTES)))
