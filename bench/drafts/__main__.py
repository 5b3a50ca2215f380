"""``python -m bench.drafts``: how long a person waits for a draft, while the endpoint sleeps.

A stack of its own, whose endpoint takes two minutes to wake, is given the sample photo again and
again. The first has everything start that the later ones find.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gen3d_client.client import Client
from gen3d_client.models import Job
from gen3d_local import one_photo
from tests.drawn import drawn
from tests.local.running import ROOT, RunningStack

PHOTO = ROOT / "examples" / "coffee.jpg"
JOBS = 6
WAKE_SECONDS = 120
_PATIENCE = 300
_LOOK_SECONDS = 0.1


def main() -> int:
    """Print a line a job."""
    print("| job | photo to decoder, s | mask to draft mesh, s |\n|---|---|---|", flush=True)
    with _stack() as api:
        for number in range(JOBS):
            decoder, mesh = _job(api)
            name = f"{number + 1}{'' if number else ', cold'}"
            print(f"| {name} | {decoder:.1f} | {mesh:.1f} |", flush=True)
    return 0


@contextmanager
def _stack() -> Iterator[Client]:
    with tempfile.TemporaryDirectory() as folder:
        seconds = {"GEN3D_LOCAL_WAKE_SECONDS": str(WAKE_SECONDS), "GEN3D_LOCAL_IDLE_SECONDS": "1"}
        stack = RunningStack(Path(folder), ROOT / "template.yaml", environment=seconds)
        try:
            stack.start()
            os.environ |= {
                "AWS_ENDPOINT_URL": stack.url,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }
            person = ("ada@example.com", "correct-horse-battery-1")
            with one_photo.client(stack.url, stack.outputs, *person) as gen3d:
                yield gen3d
        finally:
            stack.stop()


def _job(api: Client) -> tuple[float, float]:
    """Seconds from the photo's arrival to a decoder, and from the mask to the draft's mesh."""
    created = api.create(PHOTO)
    job_id = created.job_id
    assert created.upload
    api.upload(created.upload, PHOTO.read_bytes(), "image/jpeg")
    begun = time.monotonic()
    api.initialize(job_id)
    job = _until(api, job_id, lambda job: job.decoder is not None)
    prepared = time.monotonic() - begun
    assert job.decoder
    assert job.embeddings
    model, embeddings = (api.download(link.url) for link in (job.decoder, job.embeddings))
    mask = drawn(model, embeddings)
    begun = time.monotonic()
    api.reconstruct(job_id, [mask], [{"name": "cup"}])
    _until(api, job_id, lambda job: any(each.draft for each in job.objects))
    made = time.monotonic() - begun
    api.delete(job_id)
    return prepared, made


def _until(api: Client, job_id: str, holds: Callable[[Job], bool]) -> Job:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        job = api.job(job_id)
        if holds(job):
            return job
        time.sleep(_LOOK_SECONDS)
    raise SystemExit(f"The job is still {job.status} after {_PATIENCE} s.")


if __name__ == "__main__":
    sys.exit(main())
