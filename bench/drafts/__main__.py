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

from gen3d_client.api import Api, Job, sign_in
from gen3d_client.clicks import parse
from gen3d_client.decoder import Decoder, as_png
from tests.local.running import ROOT, RunningStack

PHOTO = ROOT / "examples" / "coffee.jpg"
CUP = parse("226,232 394,232 330,330")
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
def _stack() -> Iterator[Api]:
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
            token = sign_in(stack.outputs, "ada@example.com", "correct-horse-battery-1")
            yield Api(f"{stack.url}/api", token)
        finally:
            stack.stop()


def _job(api: Api) -> tuple[float, float]:
    """Seconds from the photo's arrival to a decoder, and from the mask to the draft's mesh."""
    job_id = api.create(PHOTO)["jobId"]
    begun = time.monotonic()
    api.initialize(job_id)
    job = _until(api, job_id, lambda job: "decoder" in job)
    prepared = time.monotonic() - begun
    model, embeddings = (api.download(job[name]["url"]) for name in ("decoder", "embeddings"))
    decoder = Decoder(model, embeddings, job["decoder"]["revision"])
    mask = as_png(decoder.full_size(decoder.decode(CUP)))
    begun = time.monotonic()
    api.reconstruct(job_id, [mask], [{"name": "cup"}])
    _until(api, job_id, lambda job: any("draft" in o for o in job["objects"]))
    made = time.monotonic() - begun
    api.delete(job_id)
    return prepared, made


def _until(api: Api, job_id: str, holds: Callable[[Job], bool]) -> Job:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        job = api.job(job_id)
        if holds(job):
            return job
        time.sleep(_LOOK_SECONDS)
    raise SystemExit(f"The job is still {job['status']} after {_PATIENCE} s.")


if __name__ == "__main__":
    sys.exit(main())
