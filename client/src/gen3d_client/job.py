"""One photo from the upload to the files on disk, with a line for each thing that happens."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gen3d_client import clicks as clicking
from gen3d_client import option_words
from gen3d_client.api import Api, HowFar, Job, Link
from gen3d_client.clicks import Click
from gen3d_client.decoder import Decoder, as_png
from gen3d_client.errors import ApiClientError
from gen3d_client.option_words import Options

_WAIT_SECONDS = 1800
_STAGES = {"AWAITING_MASK": "initialize", "RECONSTRUCTING": "mask", "COMPLETED": "reconstruct"}
"""The stage that has ended when a status comes."""
_MAIL_SECONDS = 20
_MOVED = 0.1
"""Of an object's way: so far it has to have come for a line of its own."""


@dataclass
class Progress:
    """Prints a line when the job's status changes, or its object has come further."""

    start: float = field(default_factory=time.monotonic)
    status: str = ""
    far: HowFar | None = None

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        print(f"{time.monotonic() - self.start:6.1f} s  {text}", flush=True)

    def __call__(self, job: Job) -> None:
        """Look at a job that was read."""
        if job["status"] == self.status:
            for thing in job.get("objects", []):
                self._look(thing.get("progress"))
            return
        self.status = job["status"]
        ended = (job.get("stages") or {}).get(_STAGES.get(self.status, ""), {})
        ms = ended.get("ms")
        self.say(self.status + (f"  ({_STAGES[self.status]}: {ms:.0f} ms)" if ms else ""))

    def _look(self, far: HowFar | None) -> None:
        if far is None:
            return
        moved = far["fraction"] - (self.far["fraction"] if self.far else 0)
        if self.far and far["phase"] == self.far["phase"] and moved < _MOVED:
            return
        self.far = far
        rest = far["restSeconds"]
        left = f", about {rest:.0f} s left" if rest is not None else ""
        self.say(f"{far['phase']}, {far['fraction']:.0%}{left}")


def run(
    api: Api, image: Path, clicks: list[Click], options: Options, out: Path, console: str
) -> None:
    """Run a job and write what comes out.

    Parameters
    ----------
    api : Api
    image : pathlib.Path
        A JPEG, PNG or WebP photo.
    clicks : list of Click
        On one object; where there are none, what the photo seems to be about is taken.
    options : dict
        What is chosen for it, as `gen3d_client.option_words.parse` reads it.
    out : pathlib.Path
        Folder for the files.
    console : str
        Address of our pages, which show the history and the mail.

    Raises
    ------
    ApiClientError
        The job failed, with the sentence that the person would read; a draft of the object is in
        the folder where one stands.
    """
    progress = Progress()
    job_id = api.create(image)["jobId"]
    progress.say(f"CREATED  {image.name} as {job_id}")
    api.initialize(job_id)
    job = _reached(api, job_id, "AWAITING_MASK", progress, best=bool(options))
    if "offers" in job:
        progress.say(f"may be chosen by --option: {option_words.written(job['offers'])}")
    out.mkdir(parents=True, exist_ok=True)
    mask = _mask(api, job, clicks, progress)
    (out / "mask.png").write_bytes(mask)
    api.reconstruct(job_id, [mask], [{"name": image.stem, "options": options}])
    _write(api, _completed(api, job_id, progress, out), out)
    _write_mail(out, console, job_id)
    _write_history(out, console, job_id)
    size = sum(file.stat().st_size for file in out.iterdir() if file.is_file())
    progress.say(
        f"{out}/ holds {', '.join(sorted(f.name for f in out.iterdir()))} ({size / 1e6:.1f} MB)"
    )


def _mask(api: Api, job: Job, clicks: list[Click], progress: Progress) -> bytes:
    model = api.download(job["decoder"]["url"])
    embeddings = api.download(job["embeddings"]["url"])
    decoder = Decoder(model, embeddings, job["decoder"]["revision"])
    if clicks:
        clicking.check(clicks, *decoder.size)
        candidate = decoder.decode(clicks)
        where = "clicks"
    else:
        click, candidate = decoder.salient()
        where = f"no CLICK given: took what stands out at {click.x:g},{click.y:g}"
    mask = decoder.full_size(candidate)
    progress.say(
        f"mask decoded, {mask.mean():.0%} of the photo, score {candidate.score:.2f} ({where})"
    )
    return as_png(mask)


def _reached(api: Api, job_id: str, status: str, progress: Progress, best: bool = False) -> Job:
    job = api.wait(job_id, status, progress, _WAIT_SECONDS, best=best)
    if job["status"] != status:
        raise ApiClientError(_why(job))
    return job


def _completed(api: Api, job_id: str, progress: Progress, out: Path) -> Job:
    """The complete job; of one that failed, the draft is written where one stands."""
    job = api.wait(job_id, "COMPLETED", progress, _WAIT_SECONDS)
    if job["status"] == "COMPLETED":
        return job
    draft = next((thing["draft"] for thing in job.get("objects", []) if "draft" in thing), None)
    if draft is None:
        raise ApiClientError(_why(job))
    folder = out / "draft"
    folder.mkdir(exist_ok=True)
    _write_files(api, draft["files"], folder)
    raise ApiClientError(f"{_why(job)} A draft of it stands: it is in {folder}.")


def _why(job: Job) -> str:
    error = job.get("error") or {}
    return error.get("message") or f"The job ended as {job['status']}."


def _write(api: Api, job: Job, out: Path) -> None:
    thing = job["objects"][0]
    _write_files(api, thing["files"], out)
    if "splat" in thing:
        (out / "splat.ply").write_bytes(api.download(thing["splat"]["url"]))
    if "engineMesh" in thing:
        (out / "engine.glb").write_bytes(api.download(thing["engineMesh"]["url"]))


def _write_files(api: Api, files: Mapping[str, Link], folder: Path) -> None:
    for ending, file in files.items():
        name = "preview.png" if ending == "preview" else f"mesh.{ending}"
        (folder / name).write_bytes(api.download(file["url"]))


def _write_history(out: Path, console: str, job_id: str) -> None:
    """The execution ends after the job has and its mails went out, so it is waited for, too.

    Who stops the stack before has cut it off, and the next start goes on with it.
    """
    deadline = time.monotonic() + _MAIL_SECONDS
    while True:
        answer = httpx.get(f"{console}executions/{job_id}/history.json", timeout=30)
        running = answer.json()["detail"]["status"] == "RUNNING"
        if not running or time.monotonic() > deadline:
            break
        time.sleep(0.25)
    (out / "execution.json").write_bytes(answer.content)


def _write_mail(out: Path, console: str, job_id: str) -> None:
    """The mail is sent after the job has ended, so it is waited for a little."""
    deadline = time.monotonic() + _MAIL_SECONDS
    while time.monotonic() < deadline:
        for mail in httpx.get(f"{console}mail.json", timeout=30).json()["mails"]:
            if f"/jobs/{job_id}" in mail["html"]:  # the owner's, not the admin's
                (out / "mail.html").write_text(mail["html"])
                return
        time.sleep(0.25)
    raise ApiClientError("The job is complete, but no mail came; see the notify function's log.")
