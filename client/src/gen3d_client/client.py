"""The client, for programs: `Client` for those that wait, `AsyncClient` for those on an event loop.

    with Client.sign_in("http://localhost:20005", "you@example.com", password) as gen3d:
        job = gen3d.make(Plan(photo=Path("chair.jpg"), objects=[Wanted(clicks=[Click(320, 240)])]))
        gen3d.save(job, Path("chair.glb"))

A program that nobody signs in for has a key: ``Client.with_key(address, key)``. Both have the same
methods, which run the same dialogues.
"""

import asyncio
import inspect
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

import httpx

from gen3d_client import cognito, results
from gen3d_client import site as sites
from gen3d_client.api import Api, Objects
from gen3d_client.cognito import Credentials, Session, Tokens
from gen3d_client.dialogue import Compute, Dialogue, Pause, Send, Tell, Told
from gen3d_client.follow import WAIT_SECONDS, Follower, completed
from gen3d_client.key import Key
from gen3d_client.models import (
    Batch,
    Created,
    Delivery,
    Job,
    KeyRow,
    NewKey,
    NewWebhook,
    Page,
    Summary,
    Upload,
    WebhookRow,
)
from gen3d_client.plans import Plan
from gen3d_client.site import Site

T = TypeVar("T")

_TIMEOUT = httpx.Timeout(60.0, read=120.0)


def _nobody(_what: Job | str) -> None:
    """Hears nothing."""


def _begun(_created: Created) -> None:
    """Keeps nothing."""


def _request(http: httpx.Client | httpx.AsyncClient, step: Send) -> httpx.Request:
    files = {"file": step.file} if step.file else None
    return http.build_request(
        step.method, step.url, headers=dict(step.headers), json=step.json, data=step.form,
        files=files,
    )  # fmt: skip


class Client:
    """Calls a Gen3D, and waits for what it answers.

    Parameters
    ----------
    api_url : str
    credentials : Credentials
    pace : float, optional
        Seconds between two looks at a job, at most; the job says how many are worth it.
    """

    def __init__(self, api_url: str, credentials: Credentials, pace: float | None = None) -> None:
        self._api = Api(api_url, credentials)
        self._pace = pace
        self._http = httpx.Client(timeout=_TIMEOUT)

    @classmethod
    def sign_in(cls, address: str, email: str, password: str, pace: float | None = None) -> Self:
        """Sign in at the address of a page; the sign-in is renewed as long as the client lives."""
        site, tokens = signed_in(address, email, password)
        return cls(site.api_url, Session(site, tokens), pace)

    @classmethod
    def with_key(cls, address: str, key: str, pace: float | None = None) -> Self:
        """Be let in by a key, at the address of a page."""
        return cls(*_by_key(address, key), pace)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def create(
        self, photo: Path, objects: Objects = (), once: str | None = None, depth: bool = False
    ) -> Created:
        """Create a job for a photo, and perhaps its depth map, neither of which is uploaded yet."""
        return self.run(self._api.create(photo, objects, once, depth))

    def create_fetched(self, url: str, objects: Objects = (), once: str | None = None) -> Created:
        """Create a job for a photo that the service fetches, and start it."""
        return self.run(self._api.create_fetched(url, objects, once))

    def create_batch(self, photos: Objects, once: str | None = None) -> Batch:
        """Make a job of each of up to a hundred photos, which the service fetches."""
        return self.run(self._api.create_batch(photos, once))

    def batch(self, batch_id: str) -> Batch:
        """Read how a batch stands."""
        return self.run(self._api.batch(batch_id))

    def finish_batch(
        self, batch_id: str, told: Told = _nobody, seconds: float = WAIT_SECONDS
    ) -> Batch:
        """See a batch through until each of its photos has come to an end."""
        follower = Follower(self._api, told, seconds, self._pace)
        return self.run(follower.batch(batch_id))

    def upload(self, form: Upload, content: bytes, kind: str, what: str = "The file") -> None:
        """Post a file with the permission that the API gave."""
        self.run(self._api.upload(form, content, kind, what))

    def initialize(self, job_id: str, text: str | None = None) -> Job:
        """Have the photo checked, and start."""
        return self.run(self._api.initialize(job_id, text))

    def job(self, job_id: str) -> Job:
        """Read a job."""
        return self.run(self._api.job(job_id))

    def page(self, cursor: str | None = None) -> Page:
        """Some of one's jobs, newest first."""
        return self.run(self._api.page(cursor))

    def jobs(self, most: int) -> list[Summary]:
        """One's newest jobs."""
        return self.run(_jobs(self._api, most))

    def reconstruct(self, job_id: str, masks: Sequence[bytes], objects: Objects) -> Job:
        """Send a mask for each object, and go on."""
        return self.run(self._api.reconstruct(job_id, masks, objects))

    def retry(self, job_id: str, objects: Objects = (), scene: bool = False) -> Job:
        """Take an ended job up, or make the named objects anew."""
        return self.run(self._api.retry(job_id, objects, scene))

    def cancel(self, job_id: str) -> Job:
        """Stop a job, and keep what there is of it."""
        return self.run(self._api.cancel(job_id))

    def rename(self, job_id: str, name: str) -> Job:
        """Give a job another name."""
        return self.run(self._api.rename(job_id, name))

    def delete(self, job_id: str) -> None:
        """Remove a job with all its files."""
        self.run(self._api.delete(job_id))

    def keys(self) -> list[KeyRow]:
        """One's keys, oldest first; a key lists none."""
        return self.run(self._api.keys()).keys

    def make_key(self, name: str, rights: Sequence[str] = (), jobs_per_day: int = 0) -> NewKey:
        """Make a key for a program, with all rights where none are named; a key makes none."""
        return self.run(self._api.make_key(name, rights, jobs_per_day))

    def withdraw_key(self, key_id: str) -> None:
        """Have a key open nothing any more, from within a minute on."""
        self.run(self._api.withdraw_key(key_id))

    def webhooks(self) -> list[WebhookRow]:
        """One's webhooks, oldest first."""
        return self.run(self._api.webhooks()).webhooks

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> NewWebhook:
        """Have an address told of jobs, of all where no events are named; a key adds none."""
        return self.run(self._api.add_webhook(url, events))

    def withdraw_webhook(self, webhook_id: str) -> None:
        """Have an address told nothing any more."""
        self.run(self._api.withdraw_webhook(webhook_id))

    def deliveries(self, webhook_id: str, most: int) -> list[Delivery]:
        """What a webhook was told last, within a week."""
        return self.run(_deliveries(self._api, webhook_id, most))

    def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Have something sent again, under the id that it had."""
        return self.run(self._api.redeliver(webhook_id, delivery_id))

    def download(self, url: str) -> bytes:
        """Get a file by its signed link."""
        return self.run(self._api.download(url))

    def make(
        self,
        plan: Plan,
        told: Told = _nobody,
        begun: Callable[[Created], None] = _begun,
        seconds: float = WAIT_SECONDS,
        once: str | None = None,
    ) -> Job:
        """Make meshes of a photo, from the upload to the end.

        With a word of yours (`once`) the same plan makes no second job within a day, but goes on
        with the first.

        Raises
        ------
        JobFailed
        """
        follower = Follower(self._api, told, seconds, self._pace)
        return completed(self.run(follower.make(plan, begun, once)))

    def go_on(
        self,
        job_id: str,
        plan: Plan | None = None,
        upload: Upload | None = None,
        told: Told = _nobody,
        seconds: float = WAIT_SECONDS,
        after_run: int = -1,
    ) -> Job:
        """See a job through to its end, whatever that is."""
        follower = Follower(self._api, told, seconds, self._pace)
        return self.run(follower.go_on(job_id, plan, upload, after_run=after_run))

    def save(self, job: Job, to: Path, draft: bool = False) -> list[Path]:
        """Write a job's files: the one that `to` is called after, or all into a folder."""
        return self.run(results.save(self._api, job, to, draft))

    def run(self, dialogue: Dialogue[T]) -> T:
        """Do what a dialogue asks for."""
        return _run(self._http, dialogue)


class AsyncClient:
    """The same on an event loop.

    Parameters
    ----------
    api_url : str
    credentials : Credentials
    pace : float, optional
        Seconds between two looks at a job, at most; the job says how many are worth it.
    """

    def __init__(self, api_url: str, credentials: Credentials, pace: float | None = None) -> None:
        self._api = Api(api_url, credentials)
        self._pace = pace
        self._http = httpx.AsyncClient(timeout=_TIMEOUT)

    @classmethod
    async def sign_in(
        cls, address: str, email: str, password: str, pace: float | None = None
    ) -> Self:
        """Sign in at the address of a page; the sign-in is renewed as long as the client lives."""
        site, tokens = await asyncio.to_thread(signed_in, address, email, password)
        return cls(site.api_url, Session(site, tokens), pace)

    @classmethod
    async def with_key(cls, address: str, key: str, pace: float | None = None) -> Self:
        """Be let in by a key, at the address of a page."""
        return cls(*await asyncio.to_thread(_by_key, address, key), pace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def create(
        self, photo: Path, objects: Objects = (), once: str | None = None, depth: bool = False
    ) -> Created:
        """Create a job for a photo, and perhaps its depth map, neither of which is uploaded yet."""
        return await self.run(self._api.create(photo, objects, once, depth))

    async def create_fetched(
        self, url: str, objects: Objects = (), once: str | None = None
    ) -> Created:
        """Create a job for a photo that the service fetches, and start it."""
        return await self.run(self._api.create_fetched(url, objects, once))

    async def create_batch(self, photos: Objects, once: str | None = None) -> Batch:
        """Make a job of each of up to a hundred photos, which the service fetches."""
        return await self.run(self._api.create_batch(photos, once))

    async def batch(self, batch_id: str) -> Batch:
        """Read how a batch stands."""
        return await self.run(self._api.batch(batch_id))

    async def finish_batch(
        self, batch_id: str, told: Told = _nobody, seconds: float = WAIT_SECONDS
    ) -> Batch:
        """See a batch through until each of its photos has come to an end."""
        follower = Follower(self._api, told, seconds, self._pace)
        return await self.run(follower.batch(batch_id))

    async def upload(self, form: Upload, content: bytes, kind: str, what: str = "The file") -> None:
        """Post a file with the permission that the API gave."""
        await self.run(self._api.upload(form, content, kind, what))

    async def initialize(self, job_id: str, text: str | None = None) -> Job:
        """Have the photo checked, and start."""
        return await self.run(self._api.initialize(job_id, text))

    async def job(self, job_id: str) -> Job:
        """Read a job."""
        return await self.run(self._api.job(job_id))

    async def page(self, cursor: str | None = None) -> Page:
        """Some of one's jobs, newest first."""
        return await self.run(self._api.page(cursor))

    async def jobs(self, most: int) -> list[Summary]:
        """One's newest jobs."""
        return await self.run(_jobs(self._api, most))

    async def reconstruct(self, job_id: str, masks: Sequence[bytes], objects: Objects) -> Job:
        """Send a mask for each object, and go on."""
        return await self.run(self._api.reconstruct(job_id, masks, objects))

    async def retry(self, job_id: str, objects: Objects = (), scene: bool = False) -> Job:
        """Take an ended job up, or make the named objects anew."""
        return await self.run(self._api.retry(job_id, objects, scene))

    async def cancel(self, job_id: str) -> Job:
        """Stop a job, and keep what there is of it."""
        return await self.run(self._api.cancel(job_id))

    async def rename(self, job_id: str, name: str) -> Job:
        """Give a job another name."""
        return await self.run(self._api.rename(job_id, name))

    async def delete(self, job_id: str) -> None:
        """Remove a job with all its files."""
        await self.run(self._api.delete(job_id))

    async def keys(self) -> list[KeyRow]:
        """One's keys, oldest first; a key lists none."""
        return (await self.run(self._api.keys())).keys

    async def make_key(
        self, name: str, rights: Sequence[str] = (), jobs_per_day: int = 0
    ) -> NewKey:
        """Make a key for a program, with all rights where none are named; a key makes none."""
        return await self.run(self._api.make_key(name, rights, jobs_per_day))

    async def withdraw_key(self, key_id: str) -> None:
        """Have a key open nothing any more, from within a minute on."""
        await self.run(self._api.withdraw_key(key_id))

    async def webhooks(self) -> list[WebhookRow]:
        """One's webhooks, oldest first."""
        return (await self.run(self._api.webhooks())).webhooks

    async def add_webhook(self, url: str, events: Sequence[str] = ()) -> NewWebhook:
        """Have an address told of jobs, of all where no events are named; a key adds none."""
        return await self.run(self._api.add_webhook(url, events))

    async def withdraw_webhook(self, webhook_id: str) -> None:
        """Have an address told nothing any more."""
        await self.run(self._api.withdraw_webhook(webhook_id))

    async def deliveries(self, webhook_id: str, most: int) -> list[Delivery]:
        """What a webhook was told last, within a week."""
        return await self.run(_deliveries(self._api, webhook_id, most))

    async def redeliver(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Have something sent again, under the id that it had."""
        return await self.run(self._api.redeliver(webhook_id, delivery_id))

    async def download(self, url: str) -> bytes:
        """Get a file by its signed link."""
        return await self.run(self._api.download(url))

    async def make(
        self,
        plan: Plan,
        told: Told = _nobody,
        begun: Callable[[Created], None] = _begun,
        seconds: float = WAIT_SECONDS,
        once: str | None = None,
    ) -> Job:
        """Make meshes of a photo, from the upload to the end.

        With a word of yours (`once`) the same plan makes no second job within a day, but goes on
        with the first.

        Raises
        ------
        JobFailed
        """
        follower = Follower(self._api, told, seconds, self._pace)
        return completed(await self.run(follower.make(plan, begun, once)))

    async def go_on(
        self,
        job_id: str,
        plan: Plan | None = None,
        upload: Upload | None = None,
        told: Told = _nobody,
        seconds: float = WAIT_SECONDS,
        after_run: int = -1,
    ) -> Job:
        """See a job through to its end, whatever that is."""
        follower = Follower(self._api, told, seconds, self._pace)
        return await self.run(follower.go_on(job_id, plan, upload, after_run=after_run))

    async def save(self, job: Job, to: Path, draft: bool = False) -> list[Path]:
        """Write a job's files: the one that `to` is called after, or all into a folder."""
        return await self.run(results.save(self._api, job, to, draft))

    async def run(self, dialogue: Dialogue[T]) -> T:
        """Do what a dialogue asks for."""
        answer: httpx.Response | None = None
        wrong: Exception | None = None
        while True:
            try:
                step = dialogue.throw(wrong) if wrong else dialogue.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            answer = wrong = None
            try:
                match step:
                    case Send():
                        answer = await self._http.send(_request(self._http, step))
                    case Pause(seconds):
                        await asyncio.sleep(seconds)
                    case Compute(function):
                        await asyncio.to_thread(function)
                    case Tell(told, what):
                        heard = told(what)
                        if inspect.isawaitable(heard):
                            await heard
            except Exception as error:
                wrong = error


def signed_in(address: str, email: str, password: str) -> tuple[Site, Tokens]:
    """Find a Gen3D, and sign a person in.

    Raises
    ------
    Unreachable
        There is none.
    SignInNeeded
        Password or address are wrong.
    """
    site = ask(sites.find(address))
    return site, ask(cognito.sign_in(site, email, password))


def _by_key(address: str, key: str) -> tuple[str, Credentials]:
    credentials = Key(key)
    return ask(sites.find(address)).api_url, credentials


def ask(dialogue: Dialogue[T]) -> T:
    """Do what a dialogue asks for that no client's credentials are needed for."""
    with httpx.Client(timeout=_TIMEOUT) as http:
        return _run(http, dialogue)


def _jobs(api: Api, most: int) -> Dialogue[list[Summary]]:
    page = yield from api.page()
    jobs = list(page.jobs)
    while page.cursor and len(jobs) < most:
        page = yield from api.page(page.cursor)
        jobs += page.jobs
    return jobs[:most]


def _deliveries(api: Api, webhook_id: str, most: int) -> Dialogue[list[Delivery]]:
    page = yield from api.deliveries(webhook_id)
    found = list(page.deliveries)
    while page.cursor and len(found) < most:
        page = yield from api.deliveries(webhook_id, page.cursor)
        found += page.deliveries
    return found[:most]


def _run(http: httpx.Client, dialogue: Dialogue[T]) -> T:
    answer: httpx.Response | None = None
    wrong: Exception | None = None
    while True:
        try:
            step = dialogue.throw(wrong) if wrong else dialogue.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = wrong = None
        try:
            match step:
                case Send():
                    answer = http.send(_request(http, step))
                case Pause(seconds):
                    time.sleep(seconds)
                case Compute(function):
                    function()
                case Tell(told, what):
                    told(what)
        except Exception as error:
            wrong = error
