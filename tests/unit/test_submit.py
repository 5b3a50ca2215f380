"""What is put into the endpoint's queue, and that a token goes no further than its row."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from gen3d import contract
from gen3d.contract import InitializeRequest, ReconstructRequest
from gen3d.settings import settings
from gen3d.store import FileStore
from gen3d.tokens import TokenRow, callback_id
from pydantic import ValidationError

from tests.support import BUCKET, JOB_ID, OWNER, PREFIX, Context, load_event, submit

from .conftest import Calls

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
                seed=7,
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
    name = f"{JOB_ID}-{event['stage']}-0-0"
    assert answer == {"callbackId": name}
    assert made == {
        "EndpointName": "gen3d",
        "InputLocation": f"s3://{BUCKET}/async/in/{name}.json",
        "ContentType": "application/json",
        "InferenceId": name,
        "InvocationTimeoutSeconds": 900,
        "RequestTTLSeconds": 3000,
    }
    sent = files.read(f"async/in/{name}.json")
    assert sent is not None
    assert contract.RequestAdapter.validate_json(sent) == request_


def test_the_container_reads_with_the_same_models() -> None:
    inference = pytest.importorskip("container.inference")
    assert inference.RequestAdapter is contract.RequestAdapter


def test_the_row_is_written_before_the_endpoint_can_answer(
    calls: Calls,
) -> None:
    call(INITIALIZE)
    assert [operation for operation, _ in calls.made] == [
        "PutItem",
        "PutObject",
        "InvokeEndpointAsync",
    ]


def test_the_row_maps_the_invocation_to_its_token(
    calls: Calls, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    call(RECONSTRUCT)
    (row,) = rows("TokensTable")
    assert row.pop("ttl") > 0
    assert row == {
        "callbackId": f"{JOB_ID}-reconstruct-0-0",
        "token": TOKEN,
        "owner": OWNER,
        "jobId": JOB_ID,
    }


def test_the_same_attempt_again_is_the_same_invocation(
    calls: Calls, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    assert call(INITIALIZE) == call(INITIALIZE)
    first, second = calls.of("InvokeEndpointAsync")
    assert first == second
    assert len(rows("TokensTable")) == 1


def test_every_attempt_object_and_stage_has_its_own_id(calls: Calls) -> None:
    for change in ({}, {"attempt": 1}, {"n": 7}, {"stage": "initialize"}):
        call(RECONSTRUCT | change)
    ids = [made["InferenceId"] for made in calls.of("InvokeEndpointAsync")]
    assert len(set(ids)) == 4


def test_an_id_is_no_longer_than_sagemaker_takes() -> None:
    assert len(callback_id(JOB_ID, "reconstruct", contract.MAX_OBJECTS, 999)) <= 64


def test_without_an_endpoint_the_error_says_how_to_deploy_one(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "endpoint_name", "")
    with pytest.raises(Exception, match="ContainerImage") as refused:
        call(INITIALIZE)
    assert type(refused.value).__name__ == "InferenceFailed"
    assert calls.made == []


def test_an_endpoint_that_refuses_fails_the_task(calls: Calls) -> None:
    calls.fail("InvokeEndpointAsync", "ValidationError")
    with pytest.raises(Exception, match="ValidationError"):
        call(INITIALIZE)


def test_throttling_has_the_name_that_is_tried_again(calls: Calls) -> None:
    calls.fail("InvokeEndpointAsync", "ThrottlingException")
    with pytest.raises(Exception, match="ThrottlingException") as refused:
        call(INITIALIZE)
    assert type(refused.value).__name__ == "ThrottlingException"


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
    sent = files.read(f"async/in/{JOB_ID}-reconstruct-0-0.json") or b""
    printed = (
        logs.getvalue()
        + capsys.readouterr().out
        + sent.decode()
        + str(calls.of("InvokeEndpointAsync"))
    )
    assert "Submitted" in printed
    assert TOKEN not in printed
