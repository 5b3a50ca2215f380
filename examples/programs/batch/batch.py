"""Makes a mesh of each photo of a folder, as a build job does: ``batch.py PHOTOS MESHES``.

``PHOTOS/manifest.json`` says what is wanted, by the names of ``gen3d mesh``'s options; without it a
mesh is made of what each photo is about:

    [{"photo": "coffee.jpg", "mesh": "cup.glb", "click": "226,232 330,330"},
     {"photo": "shelf.png", "box": "10%,20%,60%,80%", "option": ["mesh.quality=fast"]}]

Who is let in says GEN3D_KEY with GEN3D_ADDRESS, or ``gen3d login``. A mesh that is there is left
out. A job is asked for by what it is made of, so that a run after one that broke off goes on with
its jobs, for a day, and takes up those that failed. A photo that comes to nothing keeps none of the
others; the table at the end, which GitHub shows beside the run, says why. The exit code is
``gen3d``'s, the highest of all.
"""

import argparse
import asyncio
import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from gen3d_client.access import opened
from gen3d_client.client import AsyncClient
from gen3d_client.errors import ApiClientError, JobFailed, Outdated, SignInNeeded, Unreachable
from gen3d_client.follow import completed
from gen3d_client.models import Created, Job
from gen3d_client.plans import Plan, from_words
from gen3d_client.sign_ins import Kept

ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}
FOR_ALL = (SignInNeeded, Unreachable, Outdated)
"""What the next photo would meet, too."""


@dataclass
class Row:
    """A photo of the batch, and what has become of it."""

    photo: str
    mesh: str
    says: str = ""
    code: int = 0


async def main() -> int:
    """Make them, a few at a time; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("meshes", type=Path)
    parser.add_argument("--at-once", type=int, default=3, help="jobs at a time (%(default)s)")
    options = parser.parse_args()
    turns = asyncio.Semaphore(options.at_once)
    try:
        site, credentials = opened(Kept(), "")
        entries = manifest(options.photos)
        async with AsyncClient(site.api_url, credentials) as gen3d:

            async def in_turn(entry: dict[str, object]) -> Row:
                async with turns:
                    return await made(gen3d, entry, options.photos, options.meshes)

            rows = await asyncio.gather(*map(in_turn, entries))
    except ApiClientError as error:
        print(f"gen3d: {error}", file=sys.stderr)
        return error.code
    tell(rows)
    return max((row.code for row in rows), default=0)


def manifest(folder: Path) -> list[dict[str, object]]:
    """What is wanted of which photo."""
    file = folder / "manifest.json"
    if not file.exists():
        photos = (path for path in sorted(folder.glob("*")) if path.suffix.lower() in ENDINGS)
        return [{"photo": photo.name} for photo in photos]
    try:
        entries = json.loads(file.read_bytes())
        if all(isinstance(entry["photo"], str) for entry in entries):
            return list(entries)
    except (ValueError, KeyError, TypeError):
        pass
    raise ApiClientError(f"{file} is no manifest. Write a list, of which each has its photo.")


async def made(gen3d: AsyncClient, entry: dict[str, object], photos: Path, meshes: Path) -> Row:
    """Make one mesh; what keeps all photos from theirs is raised."""
    photo = photos / str(entry["photo"])
    mesh = meshes / str(entry.get("mesh") or f"{photo.stem}.glb")
    row = Row(photo.name, mesh.name)
    if mesh.exists():
        row.says = "is there"
        return row
    try:
        plan = planned(photo, entry)
        job = await seen_through(gen3d, plan)
        await gen3d.save(completed(job), mesh)
        row.says = f"made by job {job.job_id}"
    except FOR_ALL:
        raise
    except ApiClientError as error:
        row.says, row.code = str(error), error.code
    print(f"{row.photo}: {row.says}", flush=True)
    return row


def planned(photo: Path, entry: dict[str, object]) -> Plan:
    """An entry as `gen3d mesh` would be told of it."""
    parts: list[tuple[str, str]] = []
    for name, value in entry.items():
        if name in ("photo", "mesh"):
            continue
        if name not in ("click", "box", "text", "polygon", "mask", "option"):
            raise ApiClientError(f"{name!r} is nothing that shows an object.")
        values = value if isinstance(value, list) else [value]
        parts += [
            (f"--{name}", str(photo.parent / str(each) if name == "mask" else each))
            for each in values
        ]
    return from_words(photo, parts)


async def seen_through(gen3d: AsyncClient, plan: Plan) -> Job:
    """A job's end; one of an earlier run that came to nothing is taken up again."""
    assert plan.photo
    asked = hashlib.sha256(plan.photo.read_bytes() + json.dumps(plan.request()).encode())
    begun: list[Created] = []
    looks: list[Job | str] = []
    try:
        return await gen3d.make(plan, looks.append, begun.append, once=asked.hexdigest())
    except JobFailed:
        first = next(look for look in looks if isinstance(look, Job))
        if not first.ended:
            raise
        await gen3d.retry(first.job_id)
        return await gen3d.go_on(first.job_id, after_run=first.run)


def tell(rows: list[Row]) -> None:
    """Say what became of each, also where GitHub shows it."""
    lines = ["| photo | mesh | |", "|---|---|---|"]
    lines += [f"| {row.photo} | {'' if row.code else row.mesh} | {row.says} |" for row in rows]
    print("\n".join(lines))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
