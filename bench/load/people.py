"""The people: each runs photos through jobs, one after another, as the page would for them.

A process of its own, because locust changes the standard library when it is imported. Reads what
`Plan` says from a JSON file, and writes what happened to another.
"""

import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.env import Environment
from locust.exception import StopUser
from PIL import Image
from urllib3.filepost import encode_multipart_formdata

POLL_SECONDS = 2.0
"""Between two looks at a job, where the answer does not say it."""
TRIES = 5
"""How often a person presses a button that did not work."""
WAIT_SECONDS = 3.0

Json = dict[str, Any]


@dataclass
class Plan:
    """What the people do.

    Parameters
    ----------
    url : str
        The stack's.
    credentials : list of (str, str)
        What each is let in by: what it is called, and itself.
    jobs : int
        Of all people together.
    meshes : int
        Every so many jobs one goes on to its mesh; the others are cancelled or deleted.
    photos : list of str
    cancels : bool
        Whether the API has a call to cancel, or cancels by the first DELETE.
    seconds : float
        After which everybody goes home.
    job_seconds : float
        After which one job is given up as lost.
    """

    url: str
    credentials: list[tuple[str, str]]
    jobs: int
    meshes: int
    photos: list[str]
    cancels: bool
    seconds: float
    job_seconds: float


@dataclass
class Fate:
    """How a job ended."""

    job_id: str
    wanted: str
    end: str
    reason: str = ""
    at: float = 0.0
    """Seconds since the epoch."""


@dataclass
class Outcome:
    """What happened."""

    calls: list[tuple[str, float, int, str]] = field(default_factory=list)
    """Name, milliseconds, status (0 where no answer came), and by what its caller was let in."""
    errors: list[tuple[str, int, str]] = field(default_factory=list)
    """Name, status, and the error's name or the beginning of what was answered."""
    fates: list[Fate] = field(default_factory=list)
    seconds: float = 0.0
    strays: int = 0
    """Jobs in somebody's list at the end that nobody knows of."""
    missing: int = 0
    """Finished jobs that are not in their owner's list."""


class Lost(Exception):
    """A job that does not get where it should."""


class Person(FastHttpUser):
    """Somebody signed in, or a program of theirs."""

    connection_timeout = 30.0
    network_timeout = 60.0
    plan: Plan
    outcome: Outcome
    started = 0
    present = 0

    def on_start(self) -> None:
        """Take what one is let in by."""
        cls = type(self)
        self._by, self._credential = self.plan.credentials[cls.present]
        cls.present += 1
        self._known: set[str] = set()
        self._kept: set[str] = set()

    def on_stop(self) -> None:
        """Leave."""
        type(self).present -= 1

    @task
    def another(self) -> None:
        """One photo, from the gallery to the mesh or to the bin."""
        cls, plan = type(self), self.plan
        number, cls.started = cls.started, cls.started + 1
        if number >= plan.jobs:
            self._compare_the_list()
            raise StopUser
        wanted = "COMPLETED" if number % plan.meshes == 0 else "DELETED"
        fate = Fate("", wanted, "LOST")
        try:
            self._one_job(fate, number)
        except Lost as lost:
            fate.reason = str(lost)
        fate.at = time.time()
        self.outcome.fates.append(fate)
        print(json.dumps(asdict(fate)), flush=True)

    def _one_job(self, fate: Fate, number: int) -> None:
        self._call("GET", "/jobs")
        photo = Path(self.plan.photos[number % len(self.plan.photos)])
        job = self._call("POST", "/jobs", {"filename": photo.name, "contentType": "image/jpeg"})
        fate.job_id = job_id = job["jobId"]
        self._known.add(job_id)
        self._upload(job["upload"], photo.read_bytes(), "image/jpeg", "upload of the photo")
        self._call("POST", "/jobs/{id}/initialize", job_id=job_id)
        job = self._wait(job_id, "AWAITING_MASK")
        self._download(job["embeddings"]["url"], "embeddings")
        if fate.wanted == "COMPLETED":
            self._reconstruct(job)
            job = self._wait(job_id, "COMPLETED")
            self._download(job["objects"][0]["files"]["glb"]["url"], "mesh.glb")
            self._kept.add(job_id)
            fate.end = "COMPLETED"
            return
        if self.plan.cancels:
            if number % 2:
                self._call("POST", "/jobs/{id}/cancel", job_id=job_id)
            self._call("DELETE", "/jobs/{id}", job_id=job_id)
        else:
            self._call("DELETE", "/jobs/{id}", job_id=job_id)
            self._call("DELETE", "/jobs/{id}", job_id=job_id)
        fate.end = "DELETED"

    def _reconstruct(self, job: Json) -> None:
        job_id, size = job["jobId"], (job["image"]["width"], job["image"]["height"])
        forms = self._call("POST", "/jobs/{id}/masks", {"count": 1}, job_id)["uploads"]
        self._upload(forms[0], _mask(*size), "image/png", "upload of a mask")
        body = {"objects": [{"name": "middle"}]}
        self._call("POST", "/jobs/{id}/reconstruct", body, job_id)

    def _wait(self, job_id: str, until: str) -> Json:
        deadline = time.monotonic() + self.plan.job_seconds
        while time.monotonic() < deadline:
            answer = self._answer("GET", "/jobs/{id}", None, job_id)
            job: Json = answer.json()
            if job["status"] == until and (until != "AWAITING_MASK" or "embeddings" in job):
                return job
            if job["status"] in ("FAILED", "EXPIRED", "CANCELLED", "COMPLETED"):
                error = (job.get("error") or {}).get("error", "")
                raise Lost(f"{job['status']} {error} before {until}")
            gevent.sleep(float(answer.headers.get("Retry-After") or POLL_SECONDS))
        raise Lost(f"still {job['status']} after {self.plan.job_seconds:.0f} s")

    def _compare_the_list(self) -> None:
        found: set[str] = set()
        cursor: str | None = None
        while True:
            page = self._call("GET", "/jobs", query=f"?cursor={cursor}" if cursor else "")
            found |= {job["jobId"] for job in page["jobs"]}
            cursor = page["cursor"]
            if not cursor:
                break
        self.outcome.strays += len(found - self._known)
        self.outcome.missing += len(self._kept - found)

    def _call(
        self, method: str, route: str, body: Json | None = None, job_id: str = "", query: str = ""
    ) -> Json:
        answer = self._answer(method, route, body, job_id, query)
        return dict(answer.json()) if answer.text else {}

    def _answer(
        self, method: str, route: str, body: Json | None, job_id: str = "", query: str = ""
    ) -> Any:
        def ask() -> Any:
            return self.client.request(
                method,
                f"/api{route.replace('{id}', job_id)}{query}",
                name=f"{method} {route}",
                json=body,
                headers={"Authorization": f"Bearer {self._credential}"},
                context={"by": self._by},
            )

        return self._until_it_works(f"{method} {route}", ask)

    def _upload(self, form: Json, content: bytes, kind: str, name: str) -> None:
        body, content_type = encode_multipart_formdata(
            [*form["fields"].items(), ("file", ("file", content, kind))]
        )
        headers = {"Content-Type": content_type}
        self._until_it_works(
            name, lambda: self.client.post(form["url"], name=name, data=body, headers=headers)
        )

    def _download(self, url: str, name: str) -> None:
        self._until_it_works(name, lambda: self.client.get(url, name=name))

    def _until_it_works(self, name: str, ask: Callable[[], Any]) -> Any:
        for _ in range(TRIES):
            answer = ask()
            if answer.status_code and answer.status_code < 400:
                return answer
            text = answer.text or str(answer.error)
            self.outcome.errors.append((name, answer.status_code, _reason(text)))
            gevent.sleep(float(answer.headers.get("Retry-After") or WAIT_SECONDS))
        raise Lost(f"{name}: {answer.status_code} {_reason(text)}, {TRIES} times")


def _reason(text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text[:80]


def _mask(width: int, height: int) -> bytes:
    """White in the middle."""
    mask = Image.new("L", (width, height))
    mask.paste(255, (width // 3, height // 3, 2 * width // 3, 2 * height // 3))
    file = io.BytesIO()
    mask.save(file, "PNG")
    return file.getvalue()


def run(plan: Plan) -> Outcome:
    """Let the people in and wait until they have left."""
    outcome = Outcome()
    Person.plan, Person.outcome, Person.host = plan, outcome, plan.url

    @events.request.add_listener
    def note(
        name: str,
        response_time: float,
        response: Any = None,
        context: Json | None = None,
        **_rest: Any,
    ) -> None:
        status = getattr(response, "status_code", 0) or 0
        outcome.calls.append((name, response_time, status, (context or {}).get("by", "")))

    environment = Environment(user_classes=[Person], events=events)
    runner = environment.create_local_runner()
    start = time.monotonic()
    runner.start(len(plan.credentials), spawn_rate=len(plan.credentials))
    while time.monotonic() - start < plan.seconds:
        gevent.sleep(0.2)
        if Person.started >= plan.jobs and not runner.user_count:
            break
    outcome.seconds = time.monotonic() - start
    runner.quit()
    return outcome


if __name__ == "__main__":
    asked, told = (Path(argument) for argument in sys.argv[1:])
    told.write_text(json.dumps(asdict(run(Plan(**json.loads(asked.read_text()))))))
