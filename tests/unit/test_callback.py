"""How the endpoint's notifications end the tasks that wait for them."""

import html
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gen3d.errors import ERRORS, DependencyUnavailable, Gen3DError, InvalidMask
from gen3d.queue import Request, Stage
from gen3d_aws.dispatch import Dispatcher
from gen3d_aws.store import FileStore
from gen3d_aws.tokens import TokenRow, TokenStore
from tests.support import BUCKET, JOB_ID, OWNER, ROOT, Context, QueueSettings, callback, load_event

from .conftest import Calls, FakeStates, let_wait

TOKEN = "AQCEAAAAKgAAAAMAAAAAAAAAAtoken"
RESULTS = {
    "initialize": {
        "width": 640,
        "height": 480,
        "bytes": 9,
        "timings": {"encode": 1.5},
        "engine": "lite",
        "revision": "0123456789ab",
        "candidates": 2,
    },
    "reconstruct": {
        "gaussians": 5000,
        "pose": {"rotation": [1, 0, 0, 0], "translation": [0, 0, 1], "scale": [1, 1, 1]},
        "bytes": 9,
        "timings": {"decode": 2},
        "engine": "lite",
        "revision": "0123456789ab",
    },
}


def message(event: dict[str, Any]) -> dict[str, Any]:
    """SageMaker's message inside an SNS event."""
    return json.loads(event["Records"][0]["Sns"]["Message"])  # type: ignore[no-any-return]


def call(event: dict[str, Any], **changes: Any) -> None:
    event["Records"][0]["Sns"]["Message"] = json.dumps(message(event) | changes)
    callback.handler(event, Context())


@pytest.fixture
def waiting(aws: None, states: FakeStates) -> FakeStates:
    """Both stages of a job wait."""
    for stage in RESULTS:
        row = TokenRow(f"{JOB_ID}-1-{stage}-0-0", f"{TOKEN}-{stage}", OWNER, JOB_ID)
        let_wait(row)
        states.waiting[row.token] = None
    return states


def put_result(files: FileStore, event: dict[str, Any], result: Any) -> None:
    location = message(event)["responseParameters"]["outputLocation"]
    files.write(location.split("/", 3)[3], json.dumps(result).encode(), "application/json")


@pytest.mark.parametrize("stage", RESULTS)
def test_an_answer_ends_its_task_with_the_result(
    stage: str, waiting: FakeStates, files: FileStore, rows: Callable[[str], list[Any]]
) -> None:
    event = load_event(f"callback/{stage}_completed")
    put_result(files, event, RESULTS[stage])

    call(event)

    (resumed,) = waiting.resumed
    assert resumed["token"] == f"{TOKEN}-{stage}"
    assert json.loads(resumed["output"]) == RESULTS[stage]
    assert [row["callbackId"] for row in rows("TokensTable") if "token" in row] == [
        f"{JOB_ID}-1-{other}-0-0" for other in RESULTS if other != stage
    ]


def test_answers_are_counted_by_what_they_are(
    waiting: FakeStates, files: FileStore, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = (
        load_event("callback/initialize_completed"),
        load_event("callback/reconstruct_failed"),
    )
    put_result(files, good, RESULTS["initialize"])
    for event in (good, bad):
        call(event)
    counted = capsys.readouterr().out
    assert counted.count('"InvocationSucceeded":[1.0]') == 1
    assert counted.count('"InvocationFailed":[1.0]') == 1


@pytest.mark.parametrize(
    "reason",
    ["Request expired.", "The TTL of the request has passed.", "Time to live exceeded", "Expired"],
)
def test_a_request_that_waited_too_long_has_a_name_of_its_own(reason: str) -> None:
    assert callback.failure_of(reason).name == "InferenceExpired"


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("reconstruct_failed", "ReconstructionFailed", "no usable gaussians"),
        ("initialize_expired", "InferenceExpired", "waited too long"),
    ],
)
def test_a_failure_ends_its_task_with_a_named_error(
    name: str, error: str, says: str, waiting: FakeStates
) -> None:
    call(load_event(f"callback/{name}"))
    (resumed,) = waiting.resumed
    assert resumed["error"] == error
    assert says in resumed["cause"]


@pytest.mark.parametrize("result", [None, {}, {"width": 1}, []])
def test_an_answer_of_another_form_is_a_failure(
    result: Any, waiting: FakeStates, files: FileStore
) -> None:
    event = load_event("callback/initialize_completed")
    if result is not None:
        put_result(files, event, result)
    call(event)
    assert waiting.resumed[0]["error"] == "InferenceFailed"


@pytest.mark.parametrize("name", ["initialize_completed", "reconstruct_failed"])
def test_a_notification_that_nobody_waits_for_is_left(
    name: str, states: FakeStates, aws: None, logs: StringIO
) -> None:
    call(load_event(f"callback/{name}"), inferenceId="unknown")
    assert states.resumed == []
    assert "Nothing waits" in logs.getvalue()


@pytest.mark.parametrize("known", [True, False], ids=["answered", "cancelled"])
def test_each_answer_makes_room_for_the_next(known: bool, states: FakeStates, calls: Calls) -> None:
    store = TokenStore("TokensTable")
    ids = [f"{JOB_ID}-1-reconstruct-{n}-0" for n in range(3)]
    for n, id_ in enumerate(ids):
        request = Request(f"2026-11-28T19:00:0{n}.000Z", id_, OWNER, Stage.RECONSTRUCT)
        store.enqueue(TokenRow(id_, f"t{n}", OWNER, JOB_ID), request, 60)
    Dispatcher.of(QueueSettings.read()).dispatch()
    if not known:
        store.delete(ids[0])
    call(load_event("callback/reconstruct_failed"))
    assert [s.callback_id for s in store.window().sent] == ids[1:]
    assert [made["InferenceId"] for made in calls.of("InvokeEndpointAsync")] == ids


def test_a_duplicate_is_left(waiting: FakeStates) -> None:
    for _ in range(2):
        call(load_event("callback/reconstruct_failed"))
    assert len(waiting.resumed) == 1


@pytest.mark.parametrize("name", ["initialize_completed", "initialize_expired"])
@pytest.mark.parametrize("gone", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_an_answer_that_comes_too_late_is_left(
    gone: str, name: str, waiting: FakeStates, files: FileStore, rows: Callable[[str], list[Any]]
) -> None:
    waiting.waiting[f"{TOKEN}-initialize"] = gone
    event = load_event(f"callback/{name}")
    put_result(files, load_event("callback/initialize_completed"), RESULTS["initialize"])
    call(event)
    assert waiting.resumed == []
    assert [row["callbackId"] for row in rows("TokensTable") if "token" in row] == [
        f"{JOB_ID}-1-reconstruct-0-0"
    ]


@pytest.mark.parametrize("name", ["initialize_completed", "initialize_expired"])
def test_a_passing_failure_is_raised_and_the_next_delivery_resumes(
    name: str, waiting: FakeStates, files: FileStore
) -> None:
    put_result(files, load_event("callback/initialize_completed"), RESULTS["initialize"])
    waiting.waiting[f"{TOKEN}-initialize"] = "ThrottlingException"
    with pytest.raises(DependencyUnavailable):
        call(load_event(f"callback/{name}"))
    waiting.waiting[f"{TOKEN}-initialize"] = None
    call(load_event(f"callback/{name}"))
    assert len(waiting.resumed) == 1


# The reason that SageMaker gives


def wrapped(body: str) -> str:
    return (
        f'ClientError: Received client error (422) from model with message "{body}". See '
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:"
        "group=/aws/sagemaker/Endpoints/gen3d in account 123456789012 for more information."
    )


def as_it_is(body: str) -> str:
    return wrapped(body)


def quoted_once_more(body: str) -> str:
    return wrapped(json.dumps(body)[1:-1])


SENTENCES = [
    "The mask is empty.",
    'Say "cup" {or} \\ "{spoon}".',
    'It said {"error": "OutOfMemory"}.',
    "Zeile\neins, é, 猫, \u2028.",
    "",
]


def quoted_twice_more(body: str) -> str:
    return quoted_once_more(json.dumps(body)[1:-1])


def quoted_for_html(body: str) -> str:
    return wrapped(html.escape(body))


def quoted_for_both(body: str) -> str:
    return wrapped(html.escape(json.dumps(body)[1:-1]))


WRAPPINGS = [as_it_is, quoted_once_more, quoted_twice_more, quoted_for_html, quoted_for_both]


@pytest.mark.parametrize("wrap", WRAPPINGS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_containers_error_is_found_in_the_reason(
    sentence: str, wrap: Callable[[str], str]
) -> None:
    body = json.dumps(InvalidMask(sentence).body(), separators=(",", ":"))
    error = callback.failure_of(wrap(body))
    assert (error.name, error.message) == ("InvalidMask", sentence)


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_a_line_that_ends_in_the_middle_of_a_sentence_is_read(wrap: Callable[[str], str]) -> None:
    """JSON has no such line; who quotes it in a log may."""
    reason = wrap('{"error":"InvalidMask","message":"Zeile eins"}').replace("Zeile ", "Zeile\n")
    assert callback.failure_of(reason).message == "Zeile\neins"


@given(st.text(), st.sampled_from(WRAPPINGS))
def test_any_sentence_survives_the_way(sentence: str, wrap: Callable[[str], str]) -> None:
    body = json.dumps(InvalidMask(sentence).body(), separators=(",", ":"))
    error = callback.failure_of(wrap(body))
    assert (error.name, error.message) == ("InvalidMask", sentence)


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "InternalServerError",
        wrapped("<html>Traceback (most recent call last)</html>"),
        wrapped('{"error":"NoSuchName","message":"m"}'),
        wrapped('{"error":'),
        wrapped('{"error":"Inval'),
        wrapped('{"error":"InvalidMask","mess'),
        "ClientError: Your invocation timed out while waiting for a response from container model.",
    ],
)
def test_a_reason_without_an_error_of_ours_is_a_plain_failure(reason: str) -> None:
    error = callback.failure_of(reason)
    assert error.name == "InferenceFailed"
    for secret in ("Traceback", "123456789012", "{"):
        assert secret not in error.message


CONSOLE = (
    "See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:"
    "group=/aws/sagemaker/Endpoints/gen3d in account 123456789012 for more information."
)
EXAMPLES = "aws/amazon-sagemaker-examples#"
SDK = "aws/sagemaker-python-sdk#"
NO_RESPONSE = (
    "Amazon SageMaker could not get a response from the gen3d endpoint. This can occur when CPU or "
    "memory utilization is high."
)
TOO_LONG = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
PAGE = (
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>500 Internal Server Error'
    "</title>\n<h1>Internal Server Error</h1>"
)
SAID = {
    # Of asynchronous endpoints: notifications as they came, and a failure's file.
    "left out, client (a notification of 2023-01-29, quoted by its subscriber)": (
        "ClientError: Received client error (400) from model. See the SageMaker Endpoint logs in "
        "your account for more information."
    ),
    "left out, server (awslabs/osml-model-runner, tile_request_table.py)": (
        "ClientError: Received server error (500) from model. See the SageMaker Endpoint logs in "
        "your account for more information."
    ),
    "no answer, processors busy (nine files of one run, a public post-mortem)": NO_RESPONSE,
    # Of others, which share the words.
    "the process ended (three public logs of endpoints)": (
        'Received server error (0) from model with message "An error occurred while handling '
        f'request as the model process exited.". {CONSOLE}'
    ),
    f"no answer ({EXAMPLES}2815, {EXAMPLES}3089)": (
        f'Received server error (0) from model with message "{NO_RESPONSE} To check your '
        "utilization, see Amazon CloudWatch. To fix this problem, use an instance type with more "
        f'CPU capacity or memory.". {CONSOLE}'
    ),
    f"no answer in time ({SDK}1119)": (
        f'Received server error (0) from primary with message "{TOO_LONG}". {CONSOLE}'
    ),
    f"unreadable body ({SDK}4395, {EXAMPLES}4324, {EXAMPLES}4551)": (
        "Received server error (500) from primary and could not load the entire response body. "
        f"{CONSOLE}"
    ),
    f"empty body ({EXAMPLES}833)": (
        f'Received server error (500) from model with message "". {CONSOLE}'
    ),
    f"a web server's page ({EXAMPLES}924, {EXAMPLES}407)": (
        f'Received server error (500) from model with message "{PAGE}". {CONSOLE}'
    ),
    "a page, cut off (awsdocs/amazon-sagemaker-developer-guide#203)": (
        f'Received server error (500) from primary with message "{PAGE[:56]}'
    ),
    "no length (deepjavalibrary/djl-serving#2567)": (
        "The response from container primary did not specify the required Content-Length header"
    ),
    "somebody else's error (MustaphaU/rerror)": (
        "Received server error (500) from primary with message "
        f'"{{"error": "cannot unpack non-iterable NoneType object"}}". {CONSOLE}'
    ),
}
"""What SageMaker was seen to say without an error of ours, and where."""


@pytest.mark.parametrize("reason", SAID.values(), ids=SAID)
def test_what_sagemaker_says_of_itself_is_tried_again(reason: str) -> None:
    error = callback.failure_of(reason)
    assert error.name == "InferenceFailed"
    assert "123456789012" not in error.message
    assert tried_again("InferenceFailed") == {"Initialize": 2, "Reconstruct": 2}


def tried_again(error: str) -> dict[str, int]:
    """How often the states that wait for the endpoint try an error again."""
    definition = yaml.safe_load((ROOT / "statemachines" / "gen3d.asl.yaml").read_text())
    each = definition["States"]["EachObject"]["ItemProcessor"]["States"]
    prepare = [b["States"] for b in definition["States"]["Prepare"]["Branches"]]
    (preparing,) = [states for states in prepare if "Initialize" in states]
    states = {"Initialize": preparing["Initialize"], "Reconstruct": each["Reconstruct"]}
    return {
        name: rule["MaxAttempts"]
        for name, state in states.items()
        for rule in state["Retry"]
        if error in rule["ErrorEquals"]
    }


@pytest.mark.parametrize("reason", list(SAID.values())[:2])
@pytest.mark.parametrize("body", ["whole", "cut off", "quoted", "in HTML's way"])
def test_an_answer_that_the_reason_leaves_out_is_read_where_it_lies(
    reason: str, body: str, waiting: FakeStates, files: FileStore
) -> None:
    written = json.dumps(InvalidMask("The mask is empty.").body(), separators=(",", ":"))
    forms = {
        "whole": written,
        "cut off": written[:-3],
        "quoted": json.dumps(written),
        "in HTML's way": html.escape(written),
    }
    event = load_event("callback/reconstruct_failed")
    key = "async/failed/0b1c-error.out"
    files.write(key, forms[body].encode(), "application/json")
    TokenStore("TokensTable").note_sent(message(event)["inferenceId"], f"s3://{BUCKET}/{key}")
    call(event, failureReason=reason)
    (resumed,) = waiting.resumed
    assert resumed["error"] == "InvalidMask"
    assert resumed["cause"].startswith("The mask is empty")


def test_an_answer_may_be_faster_than_the_senders_note(
    waiting: FakeStates, files: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = load_event("callback/reconstruct_failed")
    key = "async/failed/0b1c-error.out"
    files.write(key, json.dumps(InvalidMask("m").body()).encode(), "application/json")

    def meanwhile(seconds: float) -> None:
        assert 0 < seconds < 5
        TokenStore("TokensTable").note_sent(message(event)["inferenceId"], f"s3://{BUCKET}/{key}")

    monkeypatch.setattr("time.sleep", meanwhile)
    call(event, failureReason=next(iter(SAID.values())))
    assert waiting.resumed[0]["error"] == "InvalidMask"


BODY = json.dumps(InvalidMask("The mask is empty.").body()).encode()


@pytest.mark.parametrize(
    "written", [None, b"", b"\xff\xfe", NO_RESPONSE.encode(), BODY + b" " * 2**20]
)
def test_an_answer_that_is_not_there_or_not_ours_is_a_plain_failure(
    written: bytes | None, waiting: FakeStates, files: FileStore
) -> None:
    event = load_event("callback/reconstruct_failed")
    key = "async/failed/0b1c-error.out"
    if written is not None:
        files.write(key, written, "text/plain")
    TokenStore("TokensTable").note_sent(message(event)["inferenceId"], f"s3://{BUCKET}/{key}")
    call(event, failureReason=next(iter(SAID.values())))
    assert waiting.resumed[0]["error"] == "InferenceFailed"


@pytest.mark.parametrize("wrap", WRAPPINGS)
@pytest.mark.parametrize("end", ["", '"', '". See https://console.aws.amazon.com for more.'])
def test_a_body_that_was_cut_off_keeps_its_name_and_what_there_is_of_its_sentence(
    wrap: Callable[[str], str], end: str
) -> None:
    body = json.dumps(InvalidMask("The mask \u00e9 is empty.").body(), separators=(",", ":"))
    whole = wrap(body)
    cut = whole[: whole.index("mpty")] + end
    error = callback.failure_of(cut)
    assert (error.name, error.message) == ("InvalidMask", "The mask é is e …")


@given(st.text(), st.sampled_from(WRAPPINGS), st.integers(0, 400), st.sampled_from(["", '"']))
def test_a_cut_anywhere_names_an_error_that_can_be_written(
    sentence: str, wrap: Callable[[str], str], at: int, end: str
) -> None:
    body = json.dumps(InvalidMask(sentence).body(), separators=(",", ":"))
    error = callback.failure_of(wrap(body)[:at] + end)
    assert error.name in ("InvalidMask", "InferenceFailed", "InferenceExpired")
    assert error.message.encode().decode() == error.message


def test_an_errors_patience_survives_the_way() -> None:
    body = json.dumps({"error": "StorageUnavailable", "message": "m", "retryAfter": 7})
    assert callback.failure_of(wrapped(body)).retry_after == 7


@given(st.text() | st.text().map(lambda t: wrapped('{"error"' + t)))
def test_any_reason_names_an_error(reason: str) -> None:
    error: Gen3DError = callback.failure_of(reason)
    assert error.name in ERRORS
    assert error.message


def test_the_raw_reason_is_in_the_log_and_the_failure_by_its_name(
    waiting: FakeStates, logs: StringIO
) -> None:
    """In the fields for which the query asks that the admin's mail holds."""
    call(load_event("callback/reconstruct_failed"), failureReason="disk full on ip-10-0-0-1")
    raw, named = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert raw["reason"] == "disk full on ip-10-0-0-1"
    assert named["error"] == "InferenceFailed"
    assert "Try again" in named["reason"]
    assert {raw["callback_id"], named["callback_id"]} == {f"{JOB_ID}-1-reconstruct-0-0"}


def test_tokens_are_never_logged(
    waiting: FakeStates, logs: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    for code in (None, "TaskTimedOut"):
        waiting.waiting[f"{TOKEN}-reconstruct"] = code
        call(load_event("callback/reconstruct_failed"))
    printed = logs.getvalue() + capsys.readouterr().out
    assert "ReconstructionFailed" in printed
    assert TOKEN not in printed
