"""A job that ends well, and what passes through it."""

import json
import threading
from typing import Any

import pytest

from gen3d.jobs import ObjectStatus, ObjectTask, PhotoSize, Status
from gen3d.options import SEED_ALONE, EngineOptions, MeshOptions, OneOf, Options
from gen3d.paths import JobFiles
from gen3d_aws.tokens import Tasks, TokenStore
from tests.support import BUCKET, JOB_ID, OWNER, PREFIX, client, load_event, table

from .fake_functions import (
    EMBEDDINGS,
    ENGINE_MESH,
    Answer,
    Hangs,
    Raises,
    Refused,
    Returns,
    TaskNeverEnds,
    task_succeeds,
)
from .harness import WRITES, Harness, all_states

THROTTLED = "ThrottlingException"


def published() -> Any:
    """The job's result."""
    file = client("s3").get_object(Bucket=BUCKET, Key=JobFiles(PREFIX).result)
    return json.loads(file["Body"].read())


def test_a_job_runs_from_the_photo_to_the_mail(harness: Harness) -> None:
    harness.objects = 2
    ended = harness.run()

    assert ended.status == "SUCCEEDED"
    assert ended.states[:3] == ["Accept", "Begin", "Prepare"]
    for way in (
        ["DraftWanted", "DraftPhoto", "RecordDraft"],
        ["PreparationWanted", "Initialize", "RecordPrepared", "TookLong", "Prepared"],
        ["MaskWanted", "WaitForMask", "BeginReconstruction", "Awake", "Chosen", "EachObject"],
    ):
        assert [state for state in ended.states if state in way] == way
    last = ["AnyMesh", "MakeScene", "Publish", "Complete", "Notify", "Done"]
    assert ended.states[-6:] == last
    job = harness.job
    assert job.status is Status.COMPLETED
    assert job.model is not None
    assert (job.model.engine, job.model.revision) == ("lite", "0123456789ab")
    assert [o.status for o in job.ordered_objects] == [ObjectStatus.COMPLETED] * 2
    assert [o.mesh["faces"] for o in job.ordered_objects if o.mesh] == [20, 20]
    for times in (job.stages.initialize, job.stages.mask, job.stages.reconstruct):
        assert times.milliseconds is not None
    assert job.run == 1
    assert job.text == "cup"
    assert job.image == PhotoSize(width=64, height=48, bytes=1000)
    assert harness.notices == ["completed"]


def waited_long(harness: Harness) -> None:
    """Let any preparation count as one that took long."""
    (way,) = all_states(harness.machine)["TookLong"]["Choices"]
    assert "> 60000" in way["Condition"]
    way["Condition"] = way["Condition"].replace("> 60000", ">= 0")


def test_who_waited_for_an_instance_to_wake_is_called_back(harness: Harness) -> None:
    waited_long(harness)
    ended = harness.run()
    assert "NotifyPrepared" in ended.states
    assert sorted(harness.notices) == ["completed", "prepared"]
    assert set(harness.notify.calls[0]) == set(load_event("notify/prepared"))


@pytest.mark.parametrize("answer", [Raises(), Raises("MailFailed"), Hangs()])
def test_who_cannot_be_called_back_finds_the_job_waiting(answer: Answer, harness: Harness) -> None:
    waited_long(harness)
    if isinstance(answer, Hangs):
        harness.set_timeout("NotifyPrepared")
    harness.notify.next(answer)
    assert harness.run().status == "SUCCEEDED"
    assert sorted(harness.notices) == ["completed", "prepared"]
    if isinstance(answer, Hangs):
        answer.over.set()


def test_the_functions_are_sent_what_their_samples_show(harness: Harness) -> None:
    harness.run()
    initialize, reconstruct = harness.submit.calls
    for payload, sample in (
        (initialize, load_event("submit/initialize")),
        (reconstruct, load_event("submit/reconstruct")),
        (harness.mesh.calls[0], load_event("mesh/object")),
        (harness.notify.calls[0], load_event("notify/completed")),
    ):
        assert set(payload) == set(sample)
        assert {type(payload[key]) for key in payload} == {type(sample[key]) for key in sample}
        for key in {"owner", "jobId", "prefix", "contentType", "text", "bucket", "splat"} & set(
            payload
        ):
            assert payload[key] == sample[key]


def test_options_reach_engine_and_mesh_step_and_are_kept(harness: Harness) -> None:
    chosen = Options(
        engine=EngineOptions(quality="fast", seed=9), mesh=MeshOptions(faces=5000, texture=512)
    )
    harness.options = chosen
    harness.run()
    assert harness.submit.calls[1]["options"] == chosen.model_dump()
    assert harness.mesh.calls[0]["options"] == chosen.model_dump()
    assert [o.options for o in harness.job.ordered_objects] == [chosen]
    assert [o["options"] for o in published()["objects"]] == [chosen.model_dump()]


def test_an_engine_s_mesh_goes_the_way_of_a_splat(harness: Harness) -> None:
    """Under a key of its own, beside objects of splats."""

    def as_mesh(payload: dict[str, Any]) -> dict[str, Any]:
        client("stepfunctions").send_task_success(
            taskToken=payload["taskToken"], output=json.dumps(ENGINE_MESH)
        )
        return Returns({"callbackId": "c"})(payload)

    harness.objects = 2
    harness.submit.for_object(1, as_mesh)
    assert harness.run().status == "SUCCEEDED"
    *meshes, scene = harness.mesh.calls
    assert [one["mesh"] for one in scene["objects"]] == [False, True]
    assert sorted((c["prefix"], c["splat"], c["mesh"]) for c in meshes) == [
        (f"{PREFIX}objects/0/", f"{PREFIX}objects/0/splat.ply", None),
        (f"{PREFIX}objects/1/", None, f"{PREFIX}objects/1/engine.glb"),
    ]
    first, second = harness.job.ordered_objects
    assert first.gaussians is not None
    assert first.engine_mesh is None
    assert second.engine_mesh == ENGINE_MESH
    assert second.gaussians is None
    assert second.status is ObjectStatus.COMPLETED
    assert [o["splat"].get("shape") for o in published()["objects"]] == [None, "mesh"]


def test_what_the_engine_offers_is_kept(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    offers = {"quality": OneOf(values=("fast", "standard"), seconds={"fast": 1.5})}
    answered = {name: offered.model_dump(mode="json") for name, offered in offers.items()}
    monkeypatch.setitem(EMBEDDINGS, "offers", answered)
    harness.run()
    assert harness.job.model is not None
    assert harness.job.model.offers == offers


@pytest.mark.parametrize("takes", [["depth"], ["depth", "heat"]])
def test_a_depth_map_is_told_of_with_each_object_and_what_the_engine_takes_is_kept(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, takes: list[str]
) -> None:
    monkeypatch.setitem(EMBEDDINGS, "takes", takes)
    harness.depth, harness.objects = True, 2
    assert harness.run().status == "SUCCEEDED"
    initialize, *objects = harness.submit.calls
    assert "depth" not in initialize
    assert [one["depth"] for one in objects] == [True, True]
    assert harness.job.model is not None
    assert harness.job.model.takes == tuple(takes)
    drafts = [call for call in harness.lite.calls if call["task"] == "reconstruct"]
    assert not any("depth" in call for call in drafts)


def test_a_photo_without_a_depth_map_has_none(harness: Harness) -> None:
    assert harness.run().status == "SUCCEEDED"
    assert [one.get("depth") for one in harness.submit.calls] == [None, False]
    assert harness.job.model is not None
    assert harness.job.model.takes == ()


def test_an_engine_that_says_nothing_offers_a_seed(harness: Harness) -> None:
    harness.run()
    assert harness.job.model is not None
    assert harness.job.model.offers == SEED_ALONE


def test_objects_from_before_options_have_a_seed(harness: Harness) -> None:
    """As the API of the version before sends them to an execution of this one."""
    harness.start()
    harness.wait_for(Status.AWAITING_MASK)
    row = TokenStore("TokensTable", "JobsTable").claim_mask(harness.job)
    harness._jobs.choose(harness.job, [ObjectTask.anew(0, "Cup", Options())])
    Tasks().succeed(row, {"objects": [{"n": 0, "name": "Cup", "seed": 5, "have": "nothing"}]})
    harness.wait_for(Status.COMPLETED)
    assert Options(**harness.submit.calls[1]["options"]) == Options().with_seed(5)
    assert [o.seed for o in harness.job.ordered_objects] == [5]


def test_a_job_without_a_text_has_none(harness: Harness) -> None:
    harness.text = None
    assert harness.run().status == "SUCCEEDED"
    assert harness.submit.calls[0]["text"] is None
    assert harness.job.text is None


def test_the_result_lies_where_it_wakes_the_notify_function(harness: Harness) -> None:
    ended = harness.run()
    assert ended.status == "SUCCEEDED", ended
    file = client("s3").head_object(Bucket=BUCKET, Key=JobFiles(PREFIX).result)
    assert file["ContentType"] == "application/json"
    result = published()
    assert (result["owner"], result["jobId"], result["run"]) == (OWNER, JOB_ID, 1)
    assert result["embeddings"] == EMBEDDINGS
    assert [o["status"] for o in result["objects"]] == ["COMPLETED"]


def test_eight_objects_are_worked_on_at_the_same_time(harness: Harness) -> None:
    together = threading.Barrier(8)

    def once_all_are_here(payload: dict[str, object]) -> dict[str, object]:
        if payload["stage"] == "reconstruct":
            together.wait(timeout=20)
        return task_succeeds(payload)

    harness.objects = 8
    harness.submit.always(once_all_are_here)
    assert harness.run().status == "SUCCEEDED"
    assert [o.status for o in harness.job.ordered_objects] == [ObjectStatus.COMPLETED] * 8
    *meshes, scene = harness.mesh.calls
    assert sorted(payload["splat"] for payload in meshes) == [
        f"{PREFIX}objects/{n}/splat.ply" for n in range(8)
    ]
    assert [one["n"] for one in scene["objects"]] == list(range(8))
    assert harness.notices == ["completed"]


@pytest.mark.parametrize("state", WRITES)
def test_a_throttled_write_is_made_again(state: str, harness: Harness) -> None:
    harness.fail(state, THROTTLED, THROTTLED)
    assert harness.run().status == "SUCCEEDED"
    assert harness.job.status is Status.COMPLETED
    assert len(harness.retry_waits) == 2


def test_a_wait_whose_transaction_met_another_write_is_recorded_again(harness: Harness) -> None:
    harness.fail("WaitForMask", "TransactionCanceledException", "TransactionCanceledException")
    assert harness.run().status == "SUCCEEDED"
    assert harness.job.status is Status.COMPLETED
    assert len(harness.retry_waits) == 2


def test_a_failed_upload_of_the_result_is_made_again(harness: Harness) -> None:
    harness.fail("Publish", "S3Exception", "S3Exception")
    assert harness.run().status == "SUCCEEDED"
    assert harness.job.status is Status.COMPLETED


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ServiceException"])
def test_a_throttled_function_is_called_again_as_another_attempt(
    code: str, harness: Harness
) -> None:
    harness.submit.next(Refused(code), Refused(code), task_succeeds, Refused(code))
    harness.mesh.next(Refused(code))
    harness.notify.next(Refused(code))
    assert harness.run().status == "SUCCEEDED"
    assert [(c["stage"], c["attempt"]) for c in harness.submit.calls] == [
        ("initialize", 0),
        ("initialize", 1),
        ("initialize", 2),
        ("reconstruct", 0),
        ("reconstruct", 1),
    ]
    assert len(harness.mesh.calls) == 2
    assert harness.notices == ["completed", "completed"]


@pytest.mark.parametrize(
    "state",
    ["Begin", "BeginReconstruction", "RecordSplat", "RecordMesh", "Complete"],
)
def test_a_write_whose_answer_is_lost_is_made_again(state: str, harness: Harness) -> None:
    harness.lose_answer(state)
    assert harness.run().status == "SUCCEEDED"
    job = harness.job
    assert job.status is Status.COMPLETED
    assert [o.status for o in job.ordered_objects] == [ObjectStatus.COMPLETED]
    assert len(harness.retry_waits) == 1
    assert harness.notices == ["completed"]


def test_a_wait_whose_answer_is_lost_is_recorded_with_the_token_that_counts(
    harness: Harness,
) -> None:
    harness.lose_answer("WaitForMask")
    arn = harness.start()
    harness.wait_until(
        lambda: [row["attempt"] for row in table("TokensTable").scan()["Items"]] == [1]
    )
    harness.give_masks()
    assert harness.wait_for_end(arn).status == "SUCCEEDED"
    assert harness.notices == ["completed"]


def test_functions_that_were_idle_for_weeks_are_waited_for(harness: Harness) -> None:
    idle = [Refused("CodeArtifactUserPendingException")] * 3
    for function in (harness.submit, harness.mesh, harness.notify):
        function.next(*idle)
    assert harness.run().status == "SUCCEEDED"
    assert harness.job.status is Status.COMPLETED


def test_tokens_go_nowhere_but_to_submit_and_the_table(harness: Harness) -> None:
    """What is published, recorded, mailed or shown at the end holds none."""
    harness.objects = 2
    harness.set_timeout("Reconstruct")
    harness.submit.for_object(1, TaskNeverEnds())
    ended = harness.run()

    tokens = [c["taskToken"] for c in harness.submit.calls]
    tokens += [row["token"] for row in table("TokensTable").scan()["Items"]]
    result = client("s3").get_object(Bucket=BUCKET, Key=JobFiles(PREFIX).result)["Body"].read()
    shown = [
        ended,
        result,
        table("JobsTable").scan()["Items"],
        harness.mesh.calls,
        harness.notify.calls,
        harness.announced,
    ]
    assert len(tokens) == 5  # the late one was tried again
    for token in tokens:
        assert token not in str(shown)
