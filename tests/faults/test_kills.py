"""``kill -9`` of the whole local stack, with the project's own template, at seven points of a job.

One stack is started, killed and started anew; each point has a job of its own. Needs a minute or
two: it is the real engine that makes embeddings, splat and mesh.
"""

import json
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.local.running import ROOT, RunningStack, eventually
from tests.local.test_gen3d import ADMIN, Person, cup_mask, mails, person
from tests.local.test_restart import alive, children

pytestmark = pytest.mark.timeout(600)

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}
FILES = {"image.jpg", "embeddings.safetensors", "result.json"}
DRAFTS = ("draft/", "objects/0/draft/")
"""Whose files go with the job."""


@pytest.fixture(scope="module", autouse=True)
def _offline() -> None:
    """These tests speak to a server on this machine."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    running = RunningStack(tmp_path_factory.mktemp("killed"), template=ROOT / "template.yaml")
    try:
        yield running.start()
    finally:
        if running.alive:
            running.stop()


@pytest.fixture(scope="module")
def ann(stack: RunningStack) -> Iterator[Person]:
    with pytest.MonkeyPatch.context() as patch:
        yield person(stack, "ann@example.com", patch)


def kill(stack: RunningStack) -> None:
    """End it without a word; nothing that it had started outlives it."""
    started = children(stack.pid)
    assert stack.stop(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: not any(alive(pid) for pid in started))


class DrivenJob:
    """A job that a test drives to a point, and looks at from there."""

    def __init__(self, stack: RunningStack, ann: Person, folder: Path) -> None:
        self.stack, self.ann, self.folder = stack, ann, folder
        self.job_id = ann.create()

    @property
    def job(self) -> dict[str, Any]:
        return self.ann.job(self.job_id)

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        eventually(lambda: holds(self.job))

    def begin(self) -> None:
        answer = self.ann.call("POST", f"/jobs/{self.job_id}/initialize")
        assert answer.status_code in (200, 202), answer.text

    def choose(self) -> None:
        job = self.ann.with_decoder(self.job_id)
        self.ann.upload_mask(job, cup_mask(job), self.folder)
        assert self.ann.reconstruct(job).status_code == 202

    def object_is(self, *statuses: str) -> Callable[[dict[str, Any]], bool]:
        return lambda job: bool(job["objects"]) and job["objects"][0]["status"] in statuses

    def mails(self) -> Counter[str]:
        """How many mails of each subject went to whom."""
        everything = [*mails(self.stack, self.job_id, self.ann.email)]
        everything += mails(self.stack, self.job_id, ADMIN)
        return Counter(f"{mail['to']}: {mail['subject']}" for mail in everything)

    def unsure(self) -> int:
        """How many of its mails were being sent when the stack was killed: SES may have them."""
        path = self.stack.folder / "state" / "items.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            rows = database.execute(
                "select item from items where key like ?", (f"%mail#{self.job_id}%",)
            ).fetchall()
        return sum('"SENDING"' in item for (item,) in rows)

    def executions(self) -> set[str]:
        """Statuses of its executions."""
        path = self.stack.folder / "executions" / "executions.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            rows = database.execute(
                "select status from executions where name like ?", (f"{self.job_id}%",)
            ).fetchall()
        return {status for (status,) in rows}

    def files(self) -> set[str]:
        """What lies under the job's own prefix."""
        job, s3 = self.job, self.stack.client("s3")
        found = s3.list_objects_v2(Bucket=self.stack.outputs["BucketName"], Prefix=job["prefix"])
        return {item["Key"].removeprefix(job["prefix"]) for item in found["Contents"]}

    def rows(self) -> list[str]:
        """What waits for it in the tokens table, or is in the endpoint's hands."""
        table = self.stack.client("dynamodb")
        name = next(n for n in table.list_tables()["TableNames"] if "okens" in n)
        rows = [json.dumps(row) for row in table.scan(TableName=name)["Items"]]
        # What its owner was let in with is kept for the limits of a day.
        return [row for row in rows if self.job_id in row and '"owner#' not in row]


def created(driven: DrivenJob) -> None:
    """Nothing yet but a photo."""


def preparing(driven: DrivenJob) -> None:
    driven.begin()
    # The mask is waited for beside the preparation, whose end is a decoder.
    driven.until(lambda job: job["status"] in ("INITIALIZING", "AWAITING_MASK"))


def waiting(driven: DrivenJob) -> None:
    driven.begin()
    driven.ann.reach(driven.job_id, "AWAITING_MASK")


def reconstructing(driven: DrivenJob) -> None:
    driven.begin()
    driven.choose()
    driven.until(driven.object_is("PENDING"))


def meshing(driven: DrivenJob) -> None:
    driven.begin()
    driven.choose()
    driven.until(driven.object_is("MESHING"))


def mailing(driven: DrivenJob) -> None:
    driven.begin()
    driven.choose()
    folder = driven.stack.folder / "mails"
    before = set(folder.iterdir())
    eventually(lambda: set(folder.iterdir()) - before)


def done(driven: DrivenJob) -> None:
    driven.begin()
    driven.choose()
    driven.ann.reach(driven.job_id, "COMPLETED")
    eventually(lambda: driven.executions() == {"SUCCEEDED"})


POINTS = {
    "created": created,
    "preparing": preparing,
    "waiting for mask": waiting,
    "reconstructing": reconstructing,
    "meshing": meshing,
    "mailing": mailing,
    "done": done,
}


@pytest.mark.cell("kill -9", "the whole local stack", "{point}")
@pytest.mark.parametrize("point", POINTS)
def test_a_kill(point: str, stack: RunningStack, ann: Person, tmp_path: Path) -> None:
    driven = DrivenJob(stack, ann, tmp_path)
    POINTS[point](driven)
    before = driven.job["status"]
    kill(stack)
    unsure = driven.unsure()
    stack.start()
    if point in ("created", "waiting for mask", "done"):
        assert driven.job["status"] == before
    if driven.job["status"] == "CREATED":
        driven.begin()
    if point in ("created", "preparing", "waiting for mask"):
        driven.choose()
    job = ann.reach(driven.job_id, "COMPLETED")
    eventually(lambda: driven.executions() == {"SUCCEEDED"})
    eventually(lambda: len(driven.mails()) >= 2)
    time.sleep(2)  # the other trigger has had its turn
    assert driven.job["status"] == "COMPLETED"
    assert job["run"] == 1
    assert set(driven.mails().values()) <= {1, 2}
    # At least once is what a mail is whose sender died before it heard of it.
    assert driven.mails().total() - len(driven.mails()) <= unsure, driven.mails()
    assert not driven.rows()
    made = {Path(file["url"].split("?")[0]).name for file in job["objects"][0]["files"].values()}
    kept = {f"objects/0/{name}" for name in {"mask.png", "splat.ply", *made}}
    mine = {name for name in driven.files() if not name.startswith(DRAFTS)}
    assert mine == FILES | kept
