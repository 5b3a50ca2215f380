"""The two clients: one that waits, one on an event loop."""

import asyncio
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from client.tests.pretend import JOB, Pretend
from gen3d_client.client import AsyncClient, Client
from gen3d_client.cognito import Token
from gen3d_client.errors import ApiClientError, Refused, SignInNeeded
from gen3d_client.models import Created, Job
from gen3d_client.plans import Plan, Wanted

OPENING = {"__enter__": "__aenter__", "__exit__": "__aexit__"}


def methods(kind: type) -> dict[str, list[str]]:
    found = inspect.getmembers(kind, callable)
    return {
        name: list(map(str, inspect.signature(each).parameters.values()))
        for name, each in found
        if name in (*OPENING, *OPENING.values()) or not name.startswith("_")
    }


def test_both_have_the_same_methods() -> None:
    waiting = {OPENING.get(name, name): each for name, each in methods(Client).items()}
    assert methods(AsyncClient) == waiting


def test_every_method_of_one_is_awaited_of_the_other() -> None:
    for name in methods(AsyncClient):
        assert inspect.iscoroutinefunction(getattr(AsyncClient, name)), name


@pytest.fixture
def plan(photo: Path) -> Plan:
    return Plan(photo=photo, objects=[Wanted(name="chair", mask=photo.with_name("mask.png"))])


def looks(pretend: Pretend) -> None:
    pretend.jobs[JOB] = [pretend.job("CREATED"), pretend.job("RECONSTRUCTING"), pretend.done()]


def test_a_program_that_waits(pretend: Pretend, plan: Plan, tmp_path: Path) -> None:
    looks(pretend)
    told: list[str] = []
    begun: list[Created] = []
    with Client(f"{pretend.url}/api", Token("good"), pace=0) as gen3d:
        job = gen3d.make(plan, lambda what: told.append(str(what)), begun.append)
        assert gen3d.save(job, tmp_path / "a.glb") == [tmp_path / "a.glb"]
        assert gen3d.jobs(5)[0].job_id == begun[0].job_id == JOB
        gen3d.delete(JOB)
        with pytest.raises(Refused, match="no such job") as refused:
            gen3d.job(JOB)
    assert (refused.value.name, refused.value.status) == ("JobNotFound", 404)
    assert told


def test_a_job_that_was_deleted_is_made_anew_by_the_same_word(pretend: Pretend, plan: Plan) -> None:
    looks(pretend)
    gone = {"error": "JobNotFound", "message": "There is no such job."}
    pretend.answers["POST /api/jobs"] = [(404, gone)]
    with Client(f"{pretend.url}/api", Token("good"), pace=0) as gen3d:
        gen3d.make(plan, once="order-17")
    assert pretend.words[0] == "order-17" != pretend.words[1]


def test_a_program_on_an_event_loop_does_other_things_meanwhile(
    pretend: Pretend, plan: Plan, tmp_path: Path
) -> None:
    looks(pretend)
    told: list[Job | str] = []

    async def hear(what: Job | str) -> None:
        await asyncio.sleep(0)
        told.append(what)

    async def both() -> tuple[list[Path], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        async with AsyncClient(f"{pretend.url}/api", Token("good"), pace=0.01) as gen3d:
            job = await gen3d.make(plan, hear)
            files = await gen3d.save(job, tmp_path / "b.stl")
            with pytest.raises(ApiClientError):
                await gen3d.job("none")
        ticking.cancel()
        return files, ticks

    files, ticks = asyncio.run(both())
    assert files[0].read_text() == "stl"
    assert ticks > 5
    assert any(isinstance(what, Job) for what in told)


def test_a_token_that_nobody_can_renew_is_asked_for_again(pretend: Pretend) -> None:
    with Client(f"{pretend.url}/api", Token("old")) as gen3d, pytest.raises(SignInNeeded):
        gen3d.page()


def test_the_core_needs_two_packages() -> None:
    """What measures photos and what serves agents is loaded where it is asked for."""
    script = (
        "import sys, gen3d_client.command, gen3d_client.client\n"
        "heavy = {'numpy', 'onnxruntime', 'PIL', 'safetensors', 'mcp', 'boto3', 'gen3d'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(
    ("hidden", "words", "extra"),
    [
        ("mcp", ["mcp"], "mcp"),
    ],
)
def test_an_extra_that_is_not_there_is_named(
    photo: Path, hidden: str, words: list[str], extra: str
) -> None:
    script = (
        f"import sys; sys.modules[{hidden!r}] = None\n"
        f"from gen3d_client.command import main; sys.exit(main({words!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=photo.parent, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"needs {hidden}" in done.stderr
    assert f"pip install 'gen3d-client[{extra}]'" in done.stderr
