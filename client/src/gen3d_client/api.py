"""The HTTP API, request by request.

What passes by itself is asked again: an answer that did not come, a service that is busy. Every
request but those that make a key or a webhook may be sent twice and does its work once; those that
create jobs carry a word of ours by which the API knows them again.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from pathlib import Path
from urllib.parse import quote

import httpx

from gen3d_client import models, photos
from gen3d_client.cognito import Credentials
from gen3d_client.dialogue import Dialogue, Pause, Send, send
from gen3d_client.errors import ApiClientError, Outdated, Refused, SignInNeeded, Unreachable
from gen3d_client.models import (
    Batch,
    Created,
    Deliveries,
    Delivery,
    Job,
    Keys,
    NewKey,
    NewWebhook,
    Page,
    Upload,
    Uploads,
    Webhooks,
)

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_LONGEST_PAUSE = 15.0
PATIENCE = 15.0
"""Seconds for which something that a person waits for is tried again."""
LONG_PATIENCE = 300.0
"""The same while a job runs, which does not need us."""
Objects = Sequence[Mapping[str, object]]
"""Of a job, as the API is told of them."""

_BUSY = {429, 502, 503, 504}
_GONE = {403}


class Api:
    """The API's operations, as dialogues.

    Parameters
    ----------
    url : str
        Of the API.
    credentials : Credentials
    """

    def __init__(self, url: str, credentials: Credentials) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials

    def create(
        self, photo: Path, objects: Objects = (), once: str | None = None, depth: bool = False
    ) -> Dialogue[Created]:
        """Create a job for a photo, which is not uploaded yet.

        Parameters
        ----------
        photo : pathlib.Path
        objects : sequence of mapping
            What shows them; without any, the job waits for somebody's masks.
        once : str, optional
            A word by which the same request makes nothing a second time, for a day.
        depth : bool
            Whether a depth map is to be uploaded, too.
        """
        about = {"filename": photo.name, "contentType": photos.media_type(photo)}
        measured = {"depth": True} if depth else {}
        return (yield from self._created({**about, **measured}, objects, once))

    def create_fetched(
        self, url: str, objects: Objects = (), once: str | None = None
    ) -> Dialogue[Created]:
        """Create a job for a photo that the service fetches, and start it."""
        return (yield from self._created({"imageUrl": url}, objects, once))

    def _created(
        self, about: Mapping[str, object], objects: Objects, once: str | None
    ) -> Dialogue[Created]:
        body = {**about, **({"objects": list(objects)} if objects else {})}
        named = {"Idempotency-Key": once or new_word()}
        answer = yield from self._call("POST", "/jobs", body, headers=named)
        return models.read(Created, answer, "The new job")

    def create_batch(self, photos: Objects, once: str | None = None) -> Dialogue[Batch]:
        """Make a job of each of up to a hundred photos, which the service fetches."""
        named = {"Idempotency-Key": once or new_word()}
        body = {"photos": list(photos)}
        answer = yield from self._call("POST", "/batches", body, headers=named)
        return models.read(Batch, answer, "The new batch")

    def batch(self, batch_id: str, patience: float | None = None) -> Dialogue[Batch]:
        """Read how a batch stands."""
        path = f"/batches/{quote(batch_id, safe='')}"
        answer = yield from self._call("GET", path, patience=patience)
        return models.read(Batch, answer, "The batch")

    def initialize(self, job_id: str, text: str | None = None) -> Dialogue[Job]:
        """Have the photo checked, and start."""
        about = {"text": text} if text else None
        return (yield from self._job("POST", f"{_path(job_id)}/initialize", about))

    def job(self, job_id: str, patience: float | None = None) -> Dialogue[Job]:
        """Read a job."""
        return (yield from self._job("GET", _path(job_id), patience=patience))

    def page(self, cursor: str | None = None) -> Dialogue[Page]:
        """Some of one's jobs, newest first."""
        path = f"/jobs?cursor={quote(cursor, safe='')}" if cursor else "/jobs"
        answer = yield from self._call("GET", path)
        return models.read(Page, answer, "The list of jobs")

    def reconstruct(self, job_id: str, masks: Sequence[bytes], objects: Objects) -> Dialogue[Job]:
        """Send a mask for each object, and go on."""
        path = _path(job_id)
        answer = yield from self._call("POST", f"{path}/masks", {"count": len(masks)})
        forms = models.read(Uploads, answer, "The forms for masks").uploads
        for form, mask in zip(forms, masks, strict=True):
            yield from self.upload(form, mask, "image/png", "The mask")
        body = {"objects": list(objects)}
        return (yield from self._job("POST", f"{path}/reconstruct", body))

    def retry(self, job_id: str, objects: Objects = (), scene: bool = False) -> Dialogue[Job]:
        """Take an ended job up, or make the named objects anew."""
        body = {"objects": list(objects), "scene": scene}
        return (yield from self._job("POST", f"{_path(job_id)}/retry", body))

    def cancel(self, job_id: str) -> Dialogue[Job]:
        """Stop a job, and keep what there is of it."""
        return (yield from self._job("POST", f"{_path(job_id)}/cancel"))

    def rename(self, job_id: str, name: str) -> Dialogue[Job]:
        """Give a job another name."""
        return (yield from self._job("PATCH", _path(job_id), {"name": name}))

    def delete(self, job_id: str) -> Dialogue[None]:
        """Remove a job with all its files."""
        yield from self._call("DELETE", _path(job_id))

    def keys(self) -> Dialogue[Keys]:
        """One's keys, without their secrets."""
        return models.read(Keys, (yield from self._call("GET", "/keys")), "The list of keys")

    def make_key(
        self, name: str, rights: Sequence[str] = (), jobs_per_day: int = 0
    ) -> Dialogue[NewKey]:
        """Make a key, with all rights where none are named."""
        about: dict[str, object] = {"name": name, "jobsPerDay": jobs_per_day}
        if rights:
            about["rights"] = list(rights)
        answer = yield from self._call("POST", "/keys", about, again=False)
        return models.read(NewKey, answer, "The new key")

    def withdraw_key(self, key_id: str) -> Dialogue[None]:
        """Have a key open nothing any more."""
        yield from self._call("DELETE", f"/keys/{quote(key_id, safe='')}")

    def webhooks(self) -> Dialogue[Webhooks]:
        """One's webhooks, without their secrets."""
        answer = yield from self._call("GET", "/webhooks")
        return models.read(Webhooks, answer, "The list of webhooks")

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> Dialogue[NewWebhook]:
        """Have an address told of jobs, of everything where no events are named."""
        about = {"url": url, **({"events": list(events)} if events else {})}
        answer = yield from self._call("POST", "/webhooks", about, again=False)
        return models.read(NewWebhook, answer, "The new webhook")

    def withdraw_webhook(self, webhook_id: str) -> Dialogue[None]:
        """Have an address told nothing any more."""
        yield from self._call("DELETE", _webhook(webhook_id))

    def deliveries(self, webhook_id: str, cursor: str | None = None) -> Dialogue[Deliveries]:
        """Some of what a webhook was told within a week, newest first."""
        path = f"{_webhook(webhook_id)}/deliveries"
        following = f"?cursor={quote(cursor, safe='')}" if cursor else ""
        answer = yield from self._call("GET", f"{path}{following}")
        return models.read(Deliveries, answer, "The list of deliveries")

    def redeliver(self, webhook_id: str, delivery_id: str) -> Dialogue[Delivery]:
        """Have something sent again, under the id that it had."""
        path = f"{_webhook(webhook_id)}/deliveries/{quote(delivery_id, safe='')}/redeliver"
        return models.read(Delivery, (yield from self._call("POST", path)), "The delivery")

    def prove(self) -> Dialogue[None]:
        """Ask for nothing, to see whether one is let in.

        Raises
        ------
        SignInNeeded
            One is not.
        """
        try:
            yield from self._call("GET", "/limits")
        except Refused as error:
            if error.name != "NotAllowed":  # of a key that may create alone, and so is known
                raise

    def upload(self, form: Upload, content: bytes, kind: str, what: str) -> Dialogue[None]:
        """Post a file with the permission that the API gave.

        Raises
        ------
        Refused
            It is too large, or the permission too old.
        """
        answer = yield from _answered(
            Send("POST", form.url, form=form.fields, file=("file", content, kind)), PATIENCE
        )
        if answer.is_success:
            return
        code = _tag("Code", answer.text)
        if code == "EntityTooLarge":
            most = _tag("MaxSizeAllowed", answer.text)
            limit = f" At most {int(most) / 1e6:.0f} MB are taken." if most.isdigit() else ""
            size = f"{len(content) / 1e6:.1f} MB"
            raise Refused(f"{what} has {size}, which is too large.{limit}", code)
        if answer.status_code in _GONE:
            raise Refused(f"{what} may no longer be uploaded: the permission is too old.", code)
        raise Refused(f"{what} was not taken ({answer.status_code} {code}).", code)

    def download(self, url: str, what: str = "A file") -> Dialogue[bytes]:
        """Get a file by its signed link."""
        answer = yield from _answered(Send("GET", url), PATIENCE)
        if answer.is_success:
            return answer.content
        if answer.status_code in _GONE:
            raise Refused(f"{what} is no longer given: the link is too old. Ask again.")
        raise Refused(f"{what} could not be read ({answer.status_code}).")

    def _job(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        patience: float | None = None,
    ) -> Dialogue[Job]:
        answer = yield from self._call(method, path, body, patience)
        return models.read(Job, answer, "The job")

    def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        patience: float | None = None,
        again: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Dialogue[bytes]:
        """Ask the API; a token that it does not take is renewed once."""
        for renew in (False, True):
            allowed = yield from self._credentials.headers(renew)
            request = Send(method, f"{self._url}{path}", {**(headers or {}), **allowed}, body)
            answer = yield from _answered(request, patience or PATIENCE, again)
            if answer.is_success:
                return answer.content
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                raise _refusal(answer)
        raise SignInNeeded("The sign-in is not taken by this API. Sign in again: gen3d login")


def new_word() -> str:
    """A word by which the API knows a request again."""
    return secrets.token_hex(16)


def _answered(request: Send, patience: float, again: bool = True) -> Dialogue[httpx.Response]:
    """Send, and again for so many seconds while nobody answers or somebody is busy.

    Raises
    ------
    Unreachable
        No answer came.
    """
    left = patience
    for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
        last, wait = pause > left, pause
        try:
            answer = yield from send(request)
        except httpx.HTTPError as error:
            safe = again or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            if last or not safe:
                raise _no_answer(request.url, error, safe) from None
        else:
            if last or not _passes(answer):
                return answer
            wait = min(max(pause, _after(answer)), _LONGEST_PAUSE)
        yield Pause(wait)
        left -= wait
    raise AssertionError


def _no_answer(url: str, error: Exception, safe: bool) -> Unreachable:
    said = f"{httpx.URL(url).host} does not answer ({error or type(error).__name__})."
    made = " It may have been done all the same: look before you ask again."
    return Unreachable(said + ("" if safe else made))


def _passes(answer: httpx.Response) -> bool:
    """Whether the same may well succeed in a moment; a person's limit is no such thing."""
    if answer.status_code == httpx.codes.CONFLICT:  # the same request, which is being answered
        return "retry-after" in answer.headers
    return answer.status_code in _BUSY and _error(answer).error != "LimitReached"


def _after(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else 0.0


def _error(answer: httpx.Response) -> models.Failure:
    try:
        return models.Failure.model_validate_json(answer.content)
    except ValueError:
        return models.Failure()


def _refusal(answer: httpx.Response) -> ApiClientError:
    said = _error(answer)
    if answer.is_server_error and said.error != "InternalError":
        return Unreachable(said.message or f"The API answered {answer.status_code}. Try it later.")
    if not said.message:
        return Outdated(f"The API answered {answer.status_code}, without a sentence.")
    return Refused(said.message, said.error, answer.status_code)


def _tag(name: str, xml: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
    return found[1] if found else ""


def _path(job_id: str) -> str:
    return f"/jobs/{quote(job_id, safe='')}"


def _webhook(webhook_id: str) -> str:
    return f"/webhooks/{quote(webhook_id, safe='')}"
