"""An agent's way in: tools by MCP, over stdio, for one who is signed in, or has a key.

An agent touches files below one folder alone, and overwrites none unless it says so. A job that
takes longer than a call may is gone on with by the next one, as the command does after a break.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from gen3d_client import plans, results
from gen3d_client.access import opened
from gen3d_client.client import AsyncClient
from gen3d_client.cognito import Credentials
from gen3d_client.errors import (
    ApiClientError,
    SignInNeeded,
    StillRunning,
    Unreachable,
    own_version,
)
from gen3d_client.follow import completed
from gen3d_client.models import Created, Job
from gen3d_client.sign_ins import Kept, Unfinished
from gen3d_client.site import Site

P = ParamSpec("P")
T = TypeVar("T")

_CALL_SECONDS = 45.0
"""Less than the minute after which many agents give a call up."""
_INSTRUCTIONS = (
    "Gen3D makes a textured 3D mesh of an object in a photo. Give make_mesh a photo and points on "
    "the object or a box around it, in pixels of the upright photo or in percent of its sides; "
    "without either it takes what the photo is about. "
    "A job that is not done when a call returns is gone on with by wait_for_job. Look at what came "
    "of it by look_at_job before you say that it is good."
)
_READS = ToolAnnotations(read_only_hint=True)
JobId = Annotated[str, Field(description="A job's id, as list_jobs says it")]
Seconds = Annotated[float, Field(description="How long to wait before answering", ge=0, le=1800)]


class Door:
    """What the tools do.

    Parameters
    ----------
    address : str
        Of the Gen3D; "" for the last sign-in.
    folder : pathlib.Path
        Below which files are read and written.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self._kept, self._address, self._folder = Kept(), address, folder.resolve()

    async def make_mesh(
        self,
        context: Context,
        photo: Annotated[
            str, Field(description="Path of a JPEG, PNG, WebP or AVIF photo, or its https address")
        ],
        points: Annotated[
            str,
            Field(description='On the object, as "x,y x,y" or "45%,30%"; "-x,y" is off it'),
        ] = "",
        box: Annotated[
            str, Field(description='Around the object, as "left,top,right,bottom"')
        ] = "",
        out: Annotated[
            str, Field(description="Path of the mesh: .glb, .stl, .obj, .ply …; or of a folder")
        ] = "",
        options: Annotated[
            list[str], Field(description="Such as mesh.quality=fine or mesh.height=420 (mm)")
        ] = [],  # noqa: B006  is never changed
        overwrite: bool = False,
        wait_seconds: Seconds = _CALL_SECONDS,
    ) -> dict[str, object]:
        """Make a 3D mesh of an object in a photo."""
        url = photo if photo.startswith("https://") else None
        path = None if url else self._inside(photo)
        parts = [("--click", points), ("--box", box), *(("--option", each) for each in options)]
        plan = plans.from_words(path, [part for part in parts if part[1]], url)
        to = self._free(out or f"{plan.stem}.glb", overwrite)
        results.check_writable(to)
        site, credentials = await self._opened()

        def begun(created: Created) -> None:
            going = Unfinished(address=site.address, plan=plan, out=to, upload=created.upload)
            self._kept.note(created.job_id, going)
            self._kept.answered(once)
            begun_jobs.append(created.job_id)

        begun_jobs: list[str] = []
        once = self._kept.once(site.address, plan)
        async with AsyncClient(site.api_url, credentials) as gen3d:
            try:
                job = await gen3d.make(plan, _Teller(context), begun, wait_seconds, once.word)
            except StillRunning:
                return _later(await gen3d.job(begun_jobs[0]))
            except (SignInNeeded, Unreachable) as error:
                goes_on = "".join(f" {each} goes on: wait_for_job." for each in begun_jobs)
                raise ApiClientError(f"{error}{goes_on}") from None
            except ApiClientError:
                self._kept.answered(once)
                for job_id in begun_jobs:
                    self._kept.done(job_id)
                raise
            return await self._finished(gen3d, job, to)

    async def wait_for_job(
        self, context: Context, job: JobId, wait_seconds: Seconds = _CALL_SECONDS
    ) -> dict[str, object]:
        """Wait until a job is done; one that make_mesh began is then written where it said."""
        going = self._kept.unfinished(job)
        plan, upload = (going.plan, going.upload) if going else (None, None)
        async with await self._client() as gen3d:
            try:
                found = await gen3d.go_on(job, plan, upload, _Teller(context), wait_seconds)
            except StillRunning:
                return _later(await gen3d.job(job))
            return await self._finished(gen3d, found, going.out if going else None)

    async def list_jobs(
        self, most: Annotated[int, Field(description="How many, newest first", ge=1, le=100)] = 20
    ) -> list[dict[str, object]]:
        """List the person's jobs."""
        async with await self._client() as gen3d:
            found = await gen3d.jobs(most)
        known = {"jobId", "name", "status", "createdAt", "objects"}
        return [{k: v for k, v in job.as_json().items() if k in known} for job in found]

    async def look_at_job(
        self, job: JobId, n: Annotated[int, Field(description="Which object", ge=0)] = 0
    ) -> list[str | Image]:
        """See how an object came out: its picture, and what is known of its mesh."""
        async with await self._client() as gen3d:
            found = await gen3d.job(job)
            link = results.preview(found, n)
            if link is None:
                raise ApiClientError(f"There is no picture yet: the job is {found.status}.")
            picture = await gen3d.download(link.url)
        thing = next(each for each in found.objects if each.n == n)
        words = [f"{thing.name}: {thing.status}; the job is {found.status}."]
        words += [] if thing.files else ["The picture is of a draft."]
        words += [str(each) for each in (thing.mesh.warnings if thing.mesh else [])]
        return [" ".join(words), Image(data=picture, format="png")]

    async def fetch_files(
        self,
        job: JobId,
        out: Annotated[str, Field(description="Path, whose ending says the format; or a folder")],
        overwrite: bool = False,
    ) -> list[str]:
        """Write a job's mesh in another format, or all its files into a folder."""
        to = self._free(out, overwrite)
        results.check_writable(to)
        async with await self._client() as gen3d:
            return [str(each) for each in await gen3d.save(await gen3d.job(job), to)]

    async def _finished(self, gen3d: AsyncClient, job: Job, to: Path | None) -> dict[str, object]:
        self._kept.done(job.job_id)
        completed(job)
        files = await gen3d.save(job, to) if to else []
        return {
            "jobId": job.job_id,
            "status": job.status,
            "written": [str(file) for file in files],
            "warnings": [
                text for thing in job.objects if thing.mesh for text in thing.mesh.warnings
            ],
        }

    async def _client(self) -> AsyncClient:
        site, credentials = await self._opened()
        return AsyncClient(site.api_url, credentials)

    async def _opened(self) -> tuple[Site, Credentials]:
        return await asyncio.to_thread(opened, self._kept, self._address)

    def _inside(self, name: str) -> Path:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder):
            raise ApiClientError(
                f"{name} is not below {self._folder}. Start the server with --folder for another."
            )
        return path

    def _free(self, name: str, overwrite: bool) -> Path:
        path = self._inside(name)
        if path.is_file() and not overwrite:
            raise ApiClientError(f"{name} is there already. Name another, or say overwrite.")
        return path


class _Teller:
    """Tells an agent how far a job is."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __call__(self, what: Job | str) -> None:
        if isinstance(what, str):
            return
        far = [thing.progress.fraction for thing in what.objects if thing.progress]
        await self._context.report_progress(sum(far) / len(far) if far else 0, 1, what.status)


def _later(job: Job) -> dict[str, object]:
    return {
        "jobId": job.job_id,
        "status": job.status,
        "next": "It goes on. Call wait_for_job with this id.",
    }


def _told(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A tool whose refusals reach the agent as they are said."""

    @functools.wraps(tool)
    async def told(*arguments: P.args, **named: P.kwargs) -> T:
        try:
            return await tool(*arguments, **named)
        except ApiClientError as error:
            raise ToolError(str(error)) from None

    return told


def server(address: str, folder: Path) -> MCPServer:
    """The server with its tools; what a tool refuses, it says in a sentence."""
    door = Door(address, folder)
    # Quiet: what httpx says of each request has signed links in it.
    made = MCPServer(
        "gen3d", instructions=_INSTRUCTIONS, version=own_version(), log_level="WARNING"
    )
    made.add_tool(_told(door.make_mesh))
    made.add_tool(_told(door.wait_for_job))
    made.add_tool(_told(door.list_jobs), annotations=_READS)
    made.add_tool(_told(door.look_at_job), annotations=_READS, structured_output=False)
    made.add_tool(_told(door.fetch_files))
    return made


def serve(address: str, folder: Path) -> None:
    """Serve over stdio, until it is closed."""
    if not folder.is_dir():
        raise ApiClientError(f"{folder} is no folder. Name one by --folder.")
    asyncio.run(server(address, folder).run_stdio_async())
