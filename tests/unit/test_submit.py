"""What is put into the endpoint's queue, and that a token goes no further than its row."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from gen3d import contract
from gen3d.contract import InitializeRequest, ReconstructRequest
from gen3d.errors import DependencyUnavailable
from gen3d.jobs import variant_key
from gen3d.options import MAX_SEED, EngineOptions, Options
from gen3d_aws.store import FileStore
from gen3d_aws.tokens import TokenRow, TokenStore, callback_id
from tests.support import BUCKET, JOB_ID, OWNER, PREFIX, Context, QueueSettings, load_event, submit

from .conftest import Calls, FakeStates

INITIALIZE, RECONSTRUCT = load_event("submit/initialize"), load_event("submit/reconstruct")
TOKEN = INITIALIZE["taskToken"]
URI = f"s3://{BUCKET}/{PREFIX}"


def call(event: dict[str, Any]) -> Any:
    return submit.handler(event, Context())


@pytest.mark.parametrize(
    ("event", "request_"),
    [
        (
            INITIALIZE,
            InitializeRequest(
                image=f"{URI}image.jpg", output=f"{URI}embeddings.safetensors", text="cup"
            ),
        ),
        (
            RECONSTRUCT,
            ReconstructRequest(
                image=f"{URI}image.jpg",
                mask=f"{URI}objects/0/mask.png",
                output=f"{URI}objects/0/splat.ply",
                options=Options().with_seed(7),
            ),
        ),
    ],
    ids=["initialize", "reconstruct"],
)
def test_the_endpoint_is_sent_what_the_container_reads(
    event: Any,
    request_: InitializeRequest | ReconstructRequest,
    calls: Calls,
    files: FileStore,
) -> None:
    answer = call(event)

    (made,) = calls.of("InvokeEndpointAsync")
    assert [sent.owner for sent in TokenStore("TokensTable").window().sent] == [OWNER]
    name = f"{JOB_ID}-1-{event['stage']}-0-0"
    assert answer == {"callbackId": name}
    assert made == {
        "EndpointName": "gen3d",
        "InputLocation": f"s3://{BUCKET}/async/in/{name}.json",
        "ContentType": "application/json",
        "InferenceId": name,
        "CustomAttributes": name,
        "InvocationTimeoutSeconds": 900,
        "RequestTTLSeconds": 3000,
    }
    sent = files.read(f"async/in/{name}.json")
    assert sent is not None
    assert contract.RequestAdapter.validate_json(sent) == request_


def test_a_depth_map_goes_with_the_photo_s_objects(files: FileStore) -> None:
    assert sent_for({**RECONSTRUCT, "depth": True}, files)["depth"] == f"{URI}depth.png"


def test_without_a_depth_map_nothing_is_said_of_one(files: FileStore) -> None:
    assert "depth" not in sent_for(RECONSTRUCT, files)  # which containers from before read


def sent_for(event: dict[str, Any], files: FileStore) -> Any:
    """What the endpoint is sent for an event."""
    call(event)
    return json.loads(files.read(f"async/in/{JOB_ID}-1-{event['stage']}-0-0.json") or b"")


def test_options_reach_the_endpoint_whole(calls: Calls, files: FileStore) -> None:
    options = Options(engine=EngineOptions(quality="fine", seed=3)).model_dump()
    sent = sent_for(RECONSTRUCT | {"options": options}, files)
    assert (sent["options"], sent["seed"]) == (options, 3)


def test_an_engine_from_before_options_is_sent_what_it_knows(
    calls: Calls, files: FileStore
) -> None:
    assert set(sent_for(RECONSTRUCT, files)) == {"task", "image", "mask", "output", "seed"}


def test_an_execution_from_before_options_sends_a_seed(calls: Calls, files: FileStore) -> None:
    event = {key: value for key, value in RECONSTRUCT.items() if key != "options"}
    assert sent_for(event | {"seed": 9}, files)["seed"] == 9


def test_the_container_reads_with_the_same_models() -> None:
    inference = pytest.importorskip("gen3d_inference.http_server")
    assert inference.contract is contract


def test_file_and_row_are_written_before_the_endpoint_can_answer(calls: Calls) -> None:
    call(INITIALIZE)
    assert [operation for operation, _ in calls.made] == [
        "PutObject",
        "PutItem",
        "GetItem",  # the window
        "Query",
        "TransactWriteItems",
        "InvokeEndpointAsync",
        "UpdateItem",  # it was sent
        "GetItem",
        "Query",
    ]


def test_the_row_maps_the_invocation_to_its_token(
    calls: Calls, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    call(RECONSTRUCT | {"run": 3})
    (row,) = [row for row in rows("TokensTable") if row["callbackId"] != "window"]
    assert row.pop("ttl") > 0
    assert row.pop("sentAt") > row.pop("place")
    assert row.pop("failureLocation").startswith("s3://")
    assert row == {
        "callbackId": f"{JOB_ID}-3-reconstruct-0-0",
        "token": TOKEN,
        "owner": OWNER,
        "jobId": JOB_ID,
        "run": 3,
        "stage": "reconstruct",
        "state": "SENT",
    }


def test_the_same_attempt_again_is_sent_once(
    calls: Calls, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    assert call(INITIALIZE) == call(INITIALIZE)
    assert len(calls.of("InvokeEndpointAsync")) == 1
    assert len(rows("TokensTable")) == 2


def test_a_request_that_the_index_does_not_show_yet_is_sent_by_who_has_put_it_there(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TokenStore, "waiting", lambda _: [])
    call(INITIALIZE)
    assert len(calls.of("InvokeEndpointAsync")) == 1


def test_an_answer_resumes_the_task_that_was_entered_anew(
    calls: Calls, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    call(INITIALIZE)
    call(INITIALIZE | {"taskToken": "another"})
    assert [row["token"] for row in rows("TokensTable") if "token" in row] == ["another"]


def test_an_attempt_takes_the_place_of_the_one_before(
    calls: Calls, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    call(INITIALIZE)
    call(INITIALIZE | {"attempt": 1})
    waiting = {row["callbackId"] for row in rows("TokensTable")} - {"window"}
    assert waiting == {f"{JOB_ID}-1-initialize-0-1"}


def test_every_attempt_object_and_stage_has_its_own_id(calls: Calls) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"attempt": 1},
        {"n": 7, "key": "7"},
        {"key": "0.7"},
        {"stage": "initialize"},
        {"run": 2},
    ]
    assert len({call(RECONSTRUCT | change)["callbackId"] for change in changes}) == 6


def test_an_id_is_no_longer_than_sagemaker_takes() -> None:
    key = variant_key(contract.MAX_OBJECTS, MAX_SEED)
    assert len(callback_id(JOB_ID, 99_999, "reconstruct", key, 999)) <= 64


def test_without_an_endpoint_the_error_says_how_to_deploy_one(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QueueSettings.read(), "endpoint_name", "")
    with pytest.raises(Exception, match="ContainerImage") as refused:
        call(INITIALIZE)
    assert type(refused.value).__name__ == "EndpointMissing"
    assert calls.made == []


@pytest.mark.parametrize("operation", ["Query", "TransactWriteItems", "InvokeEndpointAsync"])
def test_what_stands_in_the_queue_is_not_undone_by_a_fault_of_sending(
    operation: str,
    calls: Calls,
    rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    calls.fail(operation, "InternalServerError")
    assert call(INITIALIZE)["callbackId"]
    (row,) = [row for row in rows("TokensTable") if row["callbackId"] != "window"]
    assert row["state"] == "QUEUED"
    assert row["lane"] == "endpoint"


@pytest.mark.parametrize("operation", ["PutObject", "PutItem"])
def test_a_passing_fault_has_the_name_that_is_tried_again(operation: str, calls: Calls) -> None:
    calls.fail(operation, "ThrottlingException", 9)
    with pytest.raises(DependencyUnavailable):
        call(INITIALIZE)
    assert calls.of("InvokeEndpointAsync") == []


@pytest.mark.parametrize(
    ("message", "name"),
    [("Endpoint gen3d not found.", "EndpointMissing"), ("What?", "InferenceFailed")],
)
def test_a_request_that_the_endpoint_refuses_fails_its_task_and_lets_the_next_go(
    message: str,
    name: str,
    calls: Calls,
    states: FakeStates,
    rows: Callable[[str], list[dict[str, Any]]],
) -> None:
    states.waiting[TOKEN] = None
    error = {"Error": {"Code": "ValidationError", "Message": message}}
    calls.fail_with("InvokeEndpointAsync", ClientError(error, "InvokeEndpointAsync"))  # type: ignore[arg-type]
    call(INITIALIZE)
    assert [resumed["error"] for resumed in states.resumed] == [name]
    call(RECONSTRUCT)
    assert len(calls.of("InvokeEndpointAsync")) == 2
    assert {row["callbackId"] for row in rows("TokensTable")} == {
        "window",
        f"{JOB_ID}-1-reconstruct-0-0",
    }


@pytest.mark.parametrize("missing", ["stage", "owner", "jobId", "attempt", "prefix"])
def test_a_complaint_never_shows_the_token(missing: str, logs: StringIO) -> None:
    event = {k: v for k, v in INITIALIZE.items() if k != missing} | {"taskToken": "secret"}
    with pytest.raises(ValidationError) as refused:
        call(event)
    assert missing in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "secret" not in logs.getvalue()


def test_a_row_that_is_printed_hides_its_token() -> None:
    assert TOKEN not in repr(TokenRow("c", TOKEN, OWNER, JOB_ID))


def test_tokens_are_never_logged_nor_sent(
    calls: Calls,
    files: FileStore,
    logs: StringIO,
    capsys: pytest.CaptureFixture[str],
) -> None:
    call(RECONSTRUCT)
    sent = files.read(f"async/in/{JOB_ID}-1-reconstruct-0-0.json") or b""
    printed = (
        logs.getvalue()
        + capsys.readouterr().out
        + sent.decode()
        + str(calls.of("InvokeEndpointAsync"))
    )
    assert "Submitted" in printed
    assert TOKEN not in printed
