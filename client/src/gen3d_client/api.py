"""The HTTP API, as a signed-in person's browser calls it."""

import mimetypes
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NotRequired, Required, TypedDict

import boto3
import httpx

from gen3d_client.errors import ApiClientError
from gen3d_client.option_words import Offers

_POLL_SECONDS = 0.25


class Link(TypedDict):
    """A signed link."""

    url: str


class DecoderLink(Link):
    """Where the decoder is, of which revision, and whether a better one is on its way."""

    revision: str
    draft: bool


class Upload(Link):
    """Where a file may be posted, and with which fields."""

    fields: dict[str, str]


class Uploads(TypedDict):
    """One for each mask."""

    uploads: list[Upload]


class Draft(TypedDict):
    """A mesh that stands in until there is the object's own."""

    files: dict[str, Link]


class HowFar(TypedDict):
    """How far an object is."""

    phase: str
    fraction: float
    restSeconds: float | None


class Thing(TypedDict):
    """An object of a job, once it is made, or a draft of it."""

    files: dict[str, Link]
    splat: NotRequired[Link]
    engineMesh: NotRequired[Link]
    draft: NotRequired[Draft]
    progress: NotRequired[HowFar]


class StageTime(TypedDict, total=False):
    """How long a stage of a job took."""

    ms: float


class Job(TypedDict, total=False):
    """What of ``GET /jobs/{jobId}`` is read here."""

    jobId: Required[str]
    status: Required[str]
    run: Required[int]
    pollSeconds: Required[float | None]
    upload: Upload
    decoder: DecoderLink
    embeddings: Link
    offers: Offers
    objects: list[Thing]
    stages: dict[str, StageTime]
    error: dict[str, str] | None


class Api:
    """Calls the API with an ID token.

    Parameters
    ----------
    url : str
        Of the API.
    token : str
    """

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
        self._files = httpx.Client(timeout=300)  # signed links carry their own permission

    def create(self, image: Path) -> Job:
        """Create a job for a photo and upload it."""
        kind = mimetypes.guess_type(image.name)[0] or "application/octet-stream"
        about = {"filename": image.name, "contentType": kind}
        job: Job = self._call("POST", "/jobs", about).json()
        self.upload(job["upload"], image.read_bytes(), kind)
        return job

    def initialize(self, job_id: str) -> Job:
        """Start the job."""
        job: Job = self._call("POST", f"/jobs/{job_id}/initialize").json()
        return job

    def job(self, job_id: str) -> Job:
        """Read a job."""
        job: Job = self._call("GET", f"/jobs/{job_id}").json()
        return job

    def reconstruct(self, job_id: str, masks: list[bytes], objects: list[dict[str, object]]) -> Job:
        """Send a mask for each object, and go on."""
        forms: Uploads = self._call("POST", f"/jobs/{job_id}/masks", {"count": len(masks)}).json()
        for form, mask in zip(forms["uploads"], masks, strict=True):
            self.upload(form, mask, "image/png")
        job: Job = self._call("POST", f"/jobs/{job_id}/reconstruct", {"objects": objects}).json()
        return job

    def wait(
        self,
        job_id: str,
        until: str,
        told: Callable[[Job], None],
        seconds: float,
        every: float = _POLL_SECONDS,
        best: bool = False,
    ) -> Job:
        """Poll until the job has this status, or has ended: then there is nothing more to poll for.

        One that is AWAITING_MASK also needs a decoder by which to make it, if only a draft's, or
        where the `best` is wanted that: only then it is known what may be chosen.

        Raises
        ------
        ApiClientError
            It takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.job(job_id)
            told(job)
            there = job["status"] == until
            if until == "AWAITING_MASK":
                decoder = job.get("decoder")
                there &= decoder is not None and not (best and decoder.get("draft"))
            if there or job["pollSeconds"] is None:
                return job
            time.sleep(every)
        raise ApiClientError(
            f"The job is still {job['status']} after {seconds:.0f} s; see the console."
        )

    def delete(self, job_id: str) -> None:
        """Remove a job with all its files."""
        answer = self._http.delete(f"/jobs/{job_id}")
        if not answer.is_success:
            raise ApiClientError(_sentence(answer))

    def upload(self, form: Upload, content: bytes, kind: str) -> None:
        """Post a file with the permission that the API gave."""
        files = {"file": ("file", content, kind)}
        answer = self._files.post(form["url"], data=form["fields"], files=files)
        if not answer.is_success:
            raise ApiClientError(
                f"The upload was refused ({answer.status_code}): {answer.text[:300]}"
            )

    def download(self, url: str) -> bytes:
        """Get a file by its signed link."""
        answer = self._files.get(url)
        if not answer.is_success:
            raise ApiClientError(
                f"A file could not be read ({answer.status_code}): {answer.text[:300]}"
            )
        return answer.content

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response:
        answer = self._http.request(method, path, json=body)
        if not answer.is_success:
            raise ApiClientError(_sentence(answer))
        return answer


def sign_in(outputs: dict[str, str], email: str, password: str) -> str:
    """Sign a user in, who is made where they are not there yet; gives the ID token."""
    cognito = boto3.client("cognito-idp")
    client, pool = outputs["UserPoolClientId"], outputs["UserPoolId"]
    try:
        cognito.sign_up(
            ClientId=client,
            Username=email,
            Password=password,
            UserAttributes=[{"Name": "email", "Value": email}],
        )
    except cognito.exceptions.UsernameExistsException:
        pass
    else:  # no mail to wait for
        cognito.admin_confirm_sign_up(UserPoolId=pool, Username=email)
    answer = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": email, "PASSWORD": password},
    )
    return answer["AuthenticationResult"]["IdToken"]


def _sentence(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return f"The API answered {answer.status_code}: {answer.text[:300]}"
