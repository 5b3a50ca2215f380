"""What the tables and the bucket are asked for: much of it moto would not miss."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody

from gen3d.images import MAX_BYTES
from gen3d.jobs import Job, JobObject, Status, new_job_id, now
from gen3d_aws import inventory
from gen3d_aws.clients import ATTEMPTS
from gen3d_aws.store import URL_SECONDS, FileStore, JobStore
from tests.support import BUCKET, OWNER, PREFIX, client, make_job, table

from .conftest import Calls

KEY = f"{PREFIX}image.png"
CUP = JobObject(n=0, name="Cup")
PutJob = Callable[[Job], Job]


@pytest.fixture
def _pages_of_one(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer holds a single row, as one of a megabyte holds a part of them."""
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        limit = {"Limit": 1} if operation in ("Query", "Scan") else {}
        return real(self, operation, parameters | limit)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


@pytest.mark.usefixtures("_pages_of_one")
def test_rows_beyond_the_first_answer_count_too(jobs: JobStore, put_job: PutJob) -> None:
    ids = {new_job_id() for _ in range(3)}
    for job_id in ids:
        put_job(make_job(Status.RECONSTRUCTING, job_id=job_id, objects={"0": CUP}))
    assert jobs.created_since(OWNER, now() - timedelta(hours=1)) == dict.fromkeys(ids, "")
    assert jobs.active(OWNER) == ids
    assert {record.job_id for record in inventory.records("JobsTable")} == ids
    assert jobs.queued_objects(OWNER) == 3
    assert jobs.queued_objects(OWNER, without=ids) == 0


def test_what_the_index_shows_is_looked_up(
    jobs: JobStore, put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may show for a moment what has ended, or is gone."""
    gone, ended, queued = (new_job_id() for _ in range(3))
    put_job(make_job(Status.CANCELLED, job_id=ended, objects={"0": CUP}))
    put_job(make_job(Status.RECONSTRUCTING, job_id=queued, objects={"0": CUP}))
    monkeypatch.setattr(JobStore, "_in_status", lambda *_: [gone, ended, queued])
    assert jobs.queued_objects(OWNER) == 1


def test_a_record_is_read_as_it_is_and_not_as_it_was(jobs: JobStore, calls: Calls) -> None:
    jobs.find(OWNER, new_job_id())
    jobs.created_since(OWNER, now())
    list(inventory.records("JobsTable"))
    assert [read["ConsistentRead"] for _, read in calls.made] == [True, True, True]


def test_a_new_record_has_the_stages_into_which_the_state_machine_writes(
    jobs: JobStore, put_job: PutJob
) -> None:
    put_job(make_job())
    (row,) = table("JobsTable").scan()["Items"]
    assert row["createdAt"] == "2026-11-22T23:00:00.000Z"  # as the state machine spells it
    assert row["stages"] == {"initialize": {}, "mask": {}, "reconstruct": {}}
    assert None not in row.values()  # a condition would take it for something


def test_a_form_takes_one_file_of_one_type_that_is_no_larger_than_a_photo(
    files: FileStore,
) -> None:
    form = files.upload_form(KEY, "image/png")
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert form["url"].endswith(f"{BUCKET}.s3.amazonaws.com/")
    assert form["fields"]["Content-Type"] == "image/png"
    for condition in (
        {"bucket": BUCKET},
        {"key": KEY},
        {"Content-Type": "image/png"},
        ["content-length-range", 0, MAX_BYTES + 1],
    ):
        assert condition in policy["conditions"]
    left = datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)
    assert timedelta(0) < left <= timedelta(seconds=URL_SECONDS)


def test_a_link_is_signed_for_an_hour_and_saves_under_any_name(files: FileStore) -> None:
    link = urlsplit(files.link(KEY, 'Käse "1"/2.glb'))
    assert unquote(link.path) == f"/{KEY}"
    query = {name: value for name, (value,) in parse_qs(link.query).items()}
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-Expires"] == str(URL_SECONDS)
    assert query["response-content-disposition"] == (
        "attachment; filename=\"Kse 1/2.glb\"; filename*=UTF-8''K%C3%A4se%20%221%22%2F2.glb"
    )
    assert "response-content-disposition" not in files.link(KEY)


def test_a_file_has_the_type_that_it_was_written_with(files: FileStore) -> None:
    files.write(KEY, b"photo", "image/png")
    assert client("s3").head_object(Bucket=BUCKET, Key=KEY)["ContentType"] == "image/png"


@pytest.mark.parametrize(("most", "data"), [(None, b"photo"), (5, b"photo"), (4, b"")])
def test_a_file_larger_than_was_asked_for_is_not_read(
    most: int | None, data: bytes, files: FileStore
) -> None:
    files.write(KEY, b"photo", "image/png")
    found = files.open(KEY, most)
    assert found is not None
    assert (found.key, found.size, found.data) == (KEY, 5, data)


def test_what_was_read_is_kept_as_its_type_unless_it_was_replaced_since(files: FileStore) -> None:
    files.write(KEY, b"photo", "text/html")
    read = files.open(KEY)
    assert read is not None
    assert files.keep(read, f"{KEY}.kept", "image/png")
    kept = client("s3").head_object(Bucket=BUCKET, Key=f"{KEY}.kept")
    assert (kept["ContentType"], kept["ContentLength"]) == ("image/png", 5)
    files.write(KEY, b"other", "image/png")
    assert not files.keep(read, f"{KEY}.kept", "image/png")


@pytest.mark.parametrize(
    ("fault", "reads"),
    [(ReadTimeoutError(endpoint_url="https://s3.example.com/"), ATTEMPTS), (ValueError("x"), 1)],
    ids=["breaks off", "another fault"],
)
def test_a_read_that_breaks_off_is_made_as_often_as_any_call(
    fault: Exception, reads: int, files: FileStore, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(KEY, b"photo", "image/png")

    def read(*_: Any, **_options: Any) -> bytes:
        raise fault

    monkeypatch.setattr(StreamingBody, "read", read)
    with pytest.raises(type(fault)):
        files.open(KEY)
    assert len(calls.of("GetObject")) == reads


@pytest.mark.parametrize("code", ["PreconditionFailed", "412", "NoSuchKey", "404"])
def test_what_was_replaced_or_removed_is_not_kept(
    code: str, files: FileStore, calls: Calls
) -> None:
    files.write(KEY, b"photo", "image/png")
    read = files.open(KEY)
    assert read is not None
    calls.fail("CopyObject", code)
    assert not files.keep(read, f"{KEY}.kept", "image/png")
    calls.fail("CopyObject", "AccessDenied")
    with pytest.raises(ClientError):
        files.keep(read, f"{KEY}.kept", "image/png")


def test_files_beyond_the_first_answer_are_removed_too(
    files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        files.write(f"{PREFIX}{n}", b"x", "image/png")
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        few = {"MaxKeys": 1} if operation == "ListObjectsV2" else {}
        return real(self, operation, parameters | few)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    assert files.remove(PREFIX) == 3
    assert files.remove(PREFIX) == 0
