"""Jobs in the state in which a request finds them."""

import pytest

from gen3d.jobs import (
    EngineRevision,
    Job,
    Status,
)
from gen3d_aws.store import FileStore
from gen3d_aws.tokens import mask_callback_id
from tests.support import (
    JOB_ID,
    OWNER,
    PREFIX,
    UPLOADS,
    encode,
    make_job,
    mask,
    table,
)

from ..conftest import FakeStates
from .requests import PHOTO, TOKEN, PutJob


@pytest.fixture(autouse=True)
def _signed_in(identity_pool: str) -> None:
    """Every caller has an identity."""


@pytest.fixture
def created(put_job: PutJob, files: FileStore) -> Job:
    """A job whose photo is uploaded."""
    files.write(f"{UPLOADS}image.jpg", PHOTO, "image/jpeg")
    return put_job(make_job())


@pytest.fixture
def awaiting(put_job: PutJob, files: FileStore, states: FakeStates) -> Job:
    """A job that waits for its mask, which is uploaded."""
    job = put_job(
        make_job(Status.AWAITING_MASK, model=EngineRevision(engine="lite", revision="0" * 12))
    )
    files.write(f"{PREFIX}image.jpg", PHOTO, "image/jpeg")
    for n in range(8):
        files.write(job.uploads.mask(n), encode(mask()), "image/png")
    table("TokensTable").put_item(
        Item={
            "callbackId": mask_callback_id(JOB_ID),
            "token": TOKEN,
            "owner": OWNER,
            "jobId": JOB_ID,
        }
    )
    states.waiting[TOKEN] = None
    return job
