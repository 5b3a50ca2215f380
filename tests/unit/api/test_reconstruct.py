"""Checking the masks and resuming the execution, once."""

import json
from dataclasses import replace
from time import time
from typing import Any

import pytest
from botocore.response import StreamingBody
from PIL import Image as Pillow

from gen3d import images
from gen3d.images import MAX_BYTES
from gen3d.jobs import (
    EngineRevision,
    Job,
    JobObject,
    Status,
    new_job_id,
)
from gen3d.options import Options
from gen3d_api.operations import JobService
from gen3d_aws import tokens
from gen3d_aws.runs import plan_retry
from gen3d_aws.store import FileStore, JobStore
from gen3d_aws.tokens import mask_callback_id
from tests.support import (
    BUCKET,
    JOB_ID,
    OWNER,
    api,
    client,
    encode,
    finished_object,
    make_job,
    mask,
    table,
)

from ..conftest import Calls, FakeStates
from .requests import TOKEN, Answer, PutJob, Rows, call, refused

# POST /jobs/{jobId}/masks


def test_each_object_gets_a_form_for_its_mask(awaiting: Job) -> None:
    status, body = call("create_mask_uploads", {"count": 8})
    assert status == 200
    keys = [form["fields"]["key"] for form in body["uploads"]]
    assert keys == [awaiting.uploads.mask(n) for n in range(8)]
    assert {form["fields"]["Content-Type"] for form in body["uploads"]} == {"image/png"}


@pytest.mark.parametrize("count", [0, 9, -1, "x", None, 1.5])
def test_another_count_of_masks_is_refused(count: Any, awaiting: Job) -> None:
    assert refused(call("create_mask_uploads", {"count": count})) == (400, "InvalidRequest")


@pytest.mark.parametrize("name", ["create_mask_uploads", "reconstruct_job"])
@pytest.mark.parametrize("status", set(Status) - {Status.AWAITING_MASK, Status.DELETED})
def test_masks_are_only_taken_while_the_job_waits(
    name: str, status: Status, put_job: PutJob
) -> None:
    put_job(make_job(status))
    expected = (410, "MaskExpired") if status is Status.EXPIRED else (409, "JobConflict")
    assert refused(call(name)) == expected


# POST /jobs/{jobId}/reconstruct


def test_reconstructing_resumes_the_execution_with_its_objects(
    awaiting: Job, states: FakeStates, rows: Rows
) -> None:
    status, body = call("reconstruct_job", {"objects": [{"name": "Cup", "seed": 7}, {}]})

    assert status == 202
    assert [(o["name"], o["status"]) for o in body["objects"]] == [
        ("Cup", "PENDING"),
        ("Object 2", "PENDING"),
    ]
    (resumed,) = states.resumed
    assert resumed["token"] == TOKEN
    nothing = {"have": "nothing", **dict.fromkeys(("splat", "mesh", "error"))}
    assert json.loads(resumed["output"]) == {
        "objects": [
            {"n": n, "name": name, "seed": seed, "options": spelled(seed), **nothing}
            for n, name, seed in ((0, "Cup", 7), (1, "Object 2", 0))
        ]
    }
    assert rows("TokensTable") == []
    (row,) = rows("JobsTable")
    kept = row["objects"]["0"]
    assert json.loads(kept.pop("options")) == spelled(7)
    assert kept == {"n": 0, "name": "Cup", "seed": 7, "status": "PENDING"}


def spelled(seed: int) -> dict[str, Any]:
    """Options of which a seed was chosen."""
    return Options().with_seed(seed).model_dump()


@pytest.fixture
def offering(awaiting: Job) -> None:
    """The job that waits, whose engine says what it offers."""
    offers = {"quality": {"values": ["fast", "standard"]}, "seed": {"minimum": 0, "maximum": 7}}
    table("JobsTable").update_item(
        Key={"owner": OWNER, "jobId": JOB_ID},
        UpdateExpression="SET model.offers = :offers",
        ExpressionAttributeValues={":offers": json.dumps(offers)},
    )


FINE: dict[str, Any] = {
    "engine": {"quality": "fast", "seed": 7},
    "mesh": {"quality": "fine", "faces": 5000},
}


def test_options_are_taken_whole(offering: None, states: FakeStates) -> None:
    status, body = call("reconstruct_job", {"objects": [{"options": FINE}]})
    assert status == 202
    chosen = {
        "engine": {**FINE["engine"], "seeds": 1},
        "mesh": {**FINE["mesh"], "texture": None, "height": None},
    }
    assert [o["options"] for o in body["objects"]] == [chosen]
    assert json.loads(states.resumed[0]["output"])["objects"][0]["options"] == chosen


def test_what_may_be_chosen_is_said(offering: None) -> None:
    offers = call("get_job")[1]["offers"]
    assert offers["engine"]["quality"]["values"] == ["fast", "standard"]
    assert offers["mesh"]["faces"] == {"minimum": 1000, "maximum": 200_000}


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        ({"quality": "fine"}, "Object 1: engine.quality: the engine does not offer fine. "
         "Choose fast or standard."),
        ({"seed": 8}, "Object 1: engine.seed: the engine does not offer 8. "
         "Choose a whole number from 0 to 7."),
    ],
)  # fmt: skip
def test_what_the_engine_does_not_offer_is_refused(
    engine: Any, sentence: str, offering: None, states: FakeStates
) -> None:
    answer = call("reconstruct_job", {"objects": [{}, {"options": {"engine": engine}}]})
    assert refused(answer) == (422, "OptionNotOffered")
    assert answer[1]["message"] == sentence
    assert states.resumed == []


def test_an_engine_from_before_options_offers_a_seed(awaiting: Job, states: FakeStates) -> None:
    fast = {"objects": [{"options": {"engine": {"quality": "fast"}}}]}
    assert refused(call("reconstruct_job", fast)) == (422, "OptionNotOffered")
    seed = {"objects": [{"options": {"engine": {"seed": 7}}}, {}]}
    assert call("reconstruct_job", seed)[0] == 202


@pytest.mark.parametrize(
    "body",
    [
        {"objects": []},
        {"objects": [{}] * 9},
        {"objects": None},
        {},
        {"objects": [{"seed": -1}]},
        {"objects": [{"seed": 2**31}]},
        {"objects": [{"name": ""}]},
        {"objects": [{"name": "x" * 101}]},
        {"objects": [{"mask": "else"}]},
        {"objects": [{"options": {"engine": {"quality": "best"}}}]},
        {"objects": [{"options": {"engine": {"qualty": "fast"}}}]},
        {"objects": [{"options": {"faces": 5000}}]},
        {"objects": [{"options": {"mesh": {"faces": 999}}}]},
        {"objects": [{"options": {"mesh": {"faces": 200_001}}}]},
        {"objects": [{"options": {"mesh": {"texture": 1000}}}]},
    ],
)
def test_other_objects_than_1_to_8_are_refused(
    body: Any, awaiting: Job, states: FakeStates
) -> None:
    assert refused(call("reconstruct_job", body)) == (400, "InvalidRequest")
    assert states.resumed == []


def test_eight_objects_are_taken(awaiting: Job, states: FakeStates) -> None:
    assert call("reconstruct_job", {"objects": [{}] * 8})[0] == 202


def test_reconstructing_twice_is_a_conflict(awaiting: Job, states: FakeStates) -> None:
    assert call("reconstruct_job")[0] == 202
    assert refused(call("reconstruct_job")) == (409, "JobConflict")
    assert len(states.resumed) == 1


def test_of_two_claims_at_once_one_wins(
    awaiting: Job, states: FakeStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request comes while the first holds the claim and has not resumed yet."""
    succeed = states.send_task_success
    second: list[Answer] = []

    def while_resuming(**call_: str) -> Any:
        second.append(call("reconstruct_job"))
        return succeed(**call_)

    monkeypatch.setattr(states, "send_task_success", while_resuming)
    assert call("reconstruct_job")[0] == 202
    assert refused(second[0]) == (409, "JobConflict")
    assert len(states.resumed) == 1


def test_a_job_that_is_cancelled_meanwhile_is_not_resumed(
    awaiting: Job, states: FakeStates, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancellation comes between the check of the masks and the claim."""
    monkeypatch.setattr(JobService, "_check_mask", lambda _, job, n: jobs.cancel(job))
    assert refused(call("reconstruct_job")) == (409, "JobConflict")
    assert states.resumed == []


@pytest.mark.parametrize(("age", "status"), [(65, 202), (50, 409), (0, 409)])
def test_a_claim_that_nobody_followed_up_can_be_made_again(
    age: int, status: int, awaiting: Job, monkeypatch: pytest.MonkeyPatch
) -> None:

    table("TokensTable").update_item(
        Key={"callbackId": mask_callback_id(JOB_ID)},
        UpdateExpression="SET claimedAt = :t",
        ExpressionAttributeValues={":t": int(time()) - age},
    )
    assert call("reconstruct_job")[0] == status


@pytest.mark.parametrize("gone", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_task_that_has_ended_is_gone(
    gone: str, awaiting: Job, states: FakeStates, rows: Rows
) -> None:
    states.waiting[TOKEN] = gone
    assert refused(call("reconstruct_job")) == (410, "MaskExpired")
    assert rows("TokensTable") == []


def test_an_answer_that_is_lost_is_not_a_mask_that_came_too_late(
    awaiting: Job, states: FakeStates
) -> None:
    """The second attempt meets what the first has done."""
    states.lost = 1
    assert call("reconstruct_job")[0] == 202
    assert len(states.resumed) == 1


def test_a_token_that_cannot_be_forgotten_is_no_failure(
    awaiting: Job, states: FakeStates, calls: Calls
) -> None:
    calls.fail("DeleteItem", "ThrottlingException")
    assert call("reconstruct_job")[0] == 202
    assert calls.of("DeleteItem")


def test_resuming_is_not_repeated_by_the_client_itself() -> None:
    """It could not tell its own success from a task that is gone."""
    config: Any = tokens.states_client().meta.config
    assert config.retries["total_max_attempts"] == 1


def test_a_passing_failure_gives_the_claim_back(awaiting: Job, states: FakeStates) -> None:
    states.waiting[TOKEN] = "ThrottlingException"
    assert refused(call("reconstruct_job")) == (503, "DependencyUnavailable")
    states.waiting[TOKEN] = None
    assert call("reconstruct_job")[0] == 202


def test_a_claim_that_is_given_back_too_late_leaves_no_row(
    awaiting: Job, states: FakeStates, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is deleted while its masks are kept: a row without a time would stay for ever."""

    def deleted(*_: Any) -> bool:
        assert call("delete_job")[0] == 204
        return False

    monkeypatch.setattr(FileStore, "keep", deleted)
    assert refused(call("reconstruct_job")) == (422, "InvalidMask")
    assert rows("TokensTable") == []


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        pytest.param(None, "Mask 1 is not there", id="missing"),
        pytest.param(b"", "not a PNG", id="0 bytes"),
        pytest.param(encode(mask(), "JPEG"), "not a PNG", id="jpeg"),
        pytest.param(encode(mask(9, 9)), "9×9", id="wrong size"),
        pytest.param(encode(Pillow.new("L", (64, 48))), "empty", id="empty"),
        pytest.param(encode(Pillow.new("L", (64, 48), 255)), "whole photo", id="everywhere"),
        pytest.param(encode(mask()) + bytes(MAX_BYTES), "20 MB", id="too many bytes"),
    ],
)
def test_a_bad_mask_is_named_by_its_number(
    bad: bytes | None, says: str, awaiting: Job, files: FileStore, states: FakeStates
) -> None:
    key = awaiting.uploads.mask(1)
    files.remove(key)
    if bad is not None:
        files.write(key, bad, "image/png")
    answer = call("reconstruct_job", {"objects": [{}, {}]})
    assert refused(answer) == (422, "InvalidMask")
    assert answer[1]["message"].startswith("Mask 1")
    assert says in answer[1]["message"]
    assert states.resumed == []
    assert call("reconstruct_job", {"objects": [{}]})[0] == 202


def test_a_mask_may_be_as_large_as_is_said_and_a_larger_one_is_not_even_read(
    awaiting: Job, states: FakeStates, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = len(encode(mask()))
    monkeypatch.setattr(images, "MAX_BYTES", most)
    files.write(awaiting.uploads.mask(1), bytes(most + 1), "image/png")
    read = StreamingBody.read
    sizes: list[int] = []

    def noted(self: StreamingBody, amt: int | None = None) -> bytes:
        sizes.append(len(data := read(self, amt)))
        return data

    monkeypatch.setattr(StreamingBody, "read", noted)
    assert refused(call("reconstruct_job", {"objects": [{}, {}]})) == (422, "InvalidMask")
    assert call("reconstruct_job", {"objects": [{}]})[0] == 202
    assert set(sizes) == {most}


# What was checked is what is used


def test_a_mask_is_kept_where_no_browser_may_write(
    awaiting: Job, states: FakeStates, files: FileStore
) -> None:
    call("reconstruct_job", {"objects": [{}, {}]})
    for n in range(2):
        kept = client("s3").get_object(Bucket=BUCKET, Key=awaiting.files.object(n).mask)
        assert (kept["Body"].read(), kept["ContentType"]) == (encode(mask()), "image/png")
    assert files.read(awaiting.files.object(2).mask) is None


def test_a_mask_that_is_replaced_while_it_is_checked_is_refused(
    awaiting: Job, states: FakeStates, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = images.read_mask

    def replaced(data: bytes, *size: int) -> Any:
        files.write(awaiting.uploads.mask(0), encode(mask(9, 9)), "image/png")
        return check(data, *size)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(images, "read_mask", replaced)
        assert refused(call("reconstruct_job")) == (422, "InvalidMask")
    assert files.read(awaiting.files.object(0).mask) is None
    assert states.resumed == []
    files.write(awaiting.uploads.mask(0), encode(mask()), "image/png")
    assert call("reconstruct_job")[0] == 202


def test_objects_whose_masks_were_not_kept_are_none(
    awaiting: Job, states: FakeStates, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that then expires would be taken up to reconstruct them, for ever without masks."""
    keep, kept = FileStore.keep, []

    def once(*arguments: Any) -> bool:
        kept.append(arguments)
        return len(kept) == 1 and keep(*arguments)

    monkeypatch.setattr(FileStore, "keep", once)
    assert refused(call("reconstruct_job", {"objects": [{}, {}]})) == (422, "InvalidMask")
    assert len(kept) == 2
    job = jobs.get(OWNER, JOB_ID)
    assert not job.objects
    model = EngineRevision(engine="lite", revision="0" * 12)
    expired = job.model_copy(update={"status": Status.EXPIRED, "model": model})
    assert plan_retry(expired).resume == "mask"


def test_masks_of_who_came_second_change_nothing(
    awaiting: Job, states: FakeStates, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another browser sends another mask while the first one's is being sent on."""
    succeed = states.send_task_success
    other = encode(mask(9, 9))

    def while_resuming(**call_: str) -> Any:
        files.write(awaiting.uploads.mask(0), other, "image/png")
        assert refused(call("reconstruct_job"))[1] in ("JobConflict", "InvalidMask")
        return succeed(**call_)

    monkeypatch.setattr(images, "read_mask", lambda *_: None)
    monkeypatch.setattr(states, "send_task_success", while_resuming)
    assert call("reconstruct_job")[0] == 202
    assert files.read(awaiting.files.object(0).mask) == encode(mask())


# How much one person may have in the queue


def waiting_objects(count: int) -> dict[str, JobObject]:
    return {str(n): JobObject(n=n, name="Cup") for n in range(count)}


def test_who_has_a_full_queue_waits(
    awaiting: Job, states: FakeStates, put_job: PutJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    quotas = replace(api.service.quotas, queued_objects=10)
    monkeypatch.setattr(api, "service", replace(api.service, quotas=quotas))
    put_job(
        make_job(
            Status.RECONSTRUCTING,
            job_id=new_job_id(),
            objects={**waiting_objects(8), "8": finished_object(8)},
        )
    )
    put_job(make_job(Status.RECONSTRUCTING, owner="another", objects=waiting_objects(8)))
    put_job(make_job(Status.FAILED, job_id=new_job_id(), objects=waiting_objects(8)))

    answer = call("reconstruct_job", {"objects": [{}] * 3})
    assert refused(answer) == (429, "LimitReached")
    assert answer[1]["retryAfter"] > 0
    assert states.resumed == []
    assert call("reconstruct_job", {"objects": [{}] * 2})[0] == 202
