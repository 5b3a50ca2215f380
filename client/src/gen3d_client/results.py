"""A job's files on disk: which there are, and what each is called."""

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from gen3d_client.api import Api
from gen3d_client.dialogue import Dialogue
from gen3d_client.errors import ApiClientError
from gen3d_client.models import Job, Link, Thing

_ENDING = re.compile(r"[0-9A-Za-z]+(\.[0-9A-Za-z]+)*")
_LONGEST_NAME = 60
PREVIEW = "preview"

Links = Mapping[str, Link]


def save(api: Api, job: Job, to: Path, draft: bool = False) -> Dialogue[list[Path]]:
    """Write a job's files.

    Parameters
    ----------
    api : Api
    job : Job
    to : pathlib.Path
        A file such as ``chair.glb``, of the format that it ends with: the object's, or of several
        the scene's. A folder, to be made or not, gets all of them.
    draft : bool
        Of the draft, where there is one.

    Raises
    ------
    ApiClientError
        There is no such file, or it cannot be written.
    """
    if is_folder(to):
        wanted = {to / name: link for name, link in _everything(job, draft).items()}
        if not wanted:
            raise ApiClientError(f"The job has no files{' of a draft' if draft else ''} yet.")
    else:
        wanted = {to: _one(job, to.name, draft)}
    for path, link in wanted.items():
        content = yield from api.download(link.url, path.name)
        _write(path, content)
    return list(wanted)


def is_folder(to: Path) -> bool:
    """Whether a folder is meant: one that is there, or a name that ends with no format."""
    return to.is_dir() or not to.suffix


def check_writable(to: Path) -> None:
    """Look whether a file or folder could be written, before anything is begun for it.

    Raises
    ------
    ApiClientError
    """
    folder = to if is_folder(to) else to.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".gen3d-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ApiClientError(
            f"Nothing can be written into {folder}: {error.strerror}. Name another place."
        ) from None


def preview(job: Job, n: int = 0) -> Link | None:
    """The picture of an object, or of its draft."""
    things = [thing for thing in job.objects if thing.n == n]
    for thing in things:
        found = thing.files.get(PREVIEW) or (thing.draft and thing.draft.files.get(PREVIEW))
        if found:
            return found
    return None


def file_name(text: str) -> str:
    """What somebody called something, as a part of a path that leads nowhere else."""
    words = re.sub(r"[^\w.-]+", "-", text).strip("-.")
    return words[:_LONGEST_NAME] or "object"


def _everything(job: Job, draft: bool) -> dict[str, Link]:
    if draft:
        things = {f"{thing.n}": thing.draft.files for thing in job.objects if thing.draft}
        named = {n: _named(files) for n, files in things.items()}
    else:
        named = {str(thing.n): _of_object(thing) for thing in job.objects}
    if len(job.objects) <= 1:
        return next(iter(named.values()), {})
    files = {
        f"{thing.n}-{file_name(thing.name)}/{name}": link
        for thing in job.objects
        for name, link in named.get(str(thing.n), {}).items()
    }
    scene = job.scene.files if job.scene and not draft else {}
    return files | _named(scene, "scene")


def _of_object(thing: Thing) -> dict[str, Link]:
    others = {"mask.png": thing.mask, "splat.ply": thing.splat, "engine.glb": thing.engine_mesh}
    return _named(thing.files) | {name: link for name, link in others.items() if link}


def _named(files: Links, stem: str = "mesh") -> dict[str, Link]:
    return {
        "preview.png" if ending == PREVIEW else f"{stem}.{ending}": link
        for ending, link in files.items()
        if _ENDING.fullmatch(ending)  # it becomes a part of a path
    }


def _one(job: Job, name: str, draft: bool) -> Link:
    """The file of the format that a name ends with; of two such endings the longer one."""
    several = len(job.objects) > 1
    if draft:
        found = next((thing.draft.files for thing in job.objects if thing.draft), {})
        several = False
    elif several:
        found = job.scene.files if job.scene else {}
    else:
        thing = job.objects[0] if job.objects else Thing()
        splat = {"splat.ply": thing.splat} if thing.splat else {}
        found = {**thing.files, **splat}
    links = {"png" if ending == PREVIEW else ending: link for ending, link in found.items()}
    for ending in sorted(links, key=len, reverse=True):
        if name == ending or name.lower().endswith(f".{ending}"):
            return links[ending]
    if not links:
        what = "draft of it" if draft else "mesh"
        raise ApiClientError(f"The job is {job.status}, and there is no {what} to get.")
    there = ", ".join(sorted(links))
    what = "the objects together" if several else "a draft" if draft else "the object"
    more = " Name a folder to get each object's." if several else ""
    raise ApiClientError(
        f"There is no {name} of {what}; it may end with: {there}.{more} "
        f"gen3d fetch {job.job_id} --out …"
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ApiClientError(f"{path} cannot be written: {error.strerror}.") from None
