"""What S3 does on a bad day, over real HTTP, and what the container makes of it."""

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from gen3d.errors import Gen3DError, InputMissing, OutputNotWritable, StorageUnavailable
from gen3d_inference.storage import ATTEMPTS, BODY_ATTEMPTS, Storage, connect

PHOTO = "s3://bucket/photo.jpg"

Answer = Callable[[BaseHTTPRequestHandler], None]


def says(status: int, code: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return answer


def gives(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5")
    handler.end_headers()
    if handler.command == "GET":
        handler.wfile.write(b"photo")


def cuts_off(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5")
    handler.end_headers()
    handler.wfile.write(b"pho")
    handler.close_connection = True


def hangs_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


class S3:
    """Answers one request after the other as it was told, the last way for good."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [gives]
        self.requests = 0
        self.free = threading.Event()

    def falls_silent(self, handler: BaseHTTPRequestHandler) -> None:
        self.free.wait(60)
        handler.close_connection = True

    def stalls(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5")
        handler.end_headers()
        handler.wfile.write(b"pho")
        self.falls_silent(handler)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    s3 = S3()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            s3.requests += 1
            s3.answers[min(s3.requests, len(s3.answers)) - 1](self)

        do_GET = do_PUT = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
        yield s3
        s3.free.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def storage(s3: S3) -> Storage:
    return Storage(connect("us-east-1", read_seconds=0.3))


PASSING = [says(503, "SlowDown"), says(500, "InternalError"), says(400, "RequestTimeout"), hangs_up]


@pytest.mark.parametrize("fault", [*PASSING, cuts_off])
def test_what_passes_is_waited_for(s3: S3, storage: Storage, fault: Answer) -> None:
    s3.answers = [fault, fault, gives]
    assert storage.read(PHOTO, "photo") == b"photo"
    assert s3.requests == 3


def test_silence_is_waited_for(s3: S3, storage: Storage) -> None:
    s3.answers = [s3.falls_silent, s3.stalls, gives]
    assert storage.read(PHOTO, "photo") == b"photo"


@pytest.mark.parametrize(
    "ask",
    [
        lambda storage: storage.read(PHOTO, "photo"),
        lambda storage: storage.require(PHOTO, "photo"),
        lambda storage: storage.write(PHOTO, b"splat"),
    ],
    ids=["read", "require", "write"],
)
@pytest.mark.parametrize("fault", PASSING)
def test_what_does_not_pass_is_nobodys_fault(
    s3: S3, storage: Storage, ask: Callable[[Storage], Any], fault: Answer
) -> None:
    s3.answers = [fault]
    with pytest.raises(StorageUnavailable, match="by itself"):
        ask(storage)
    assert s3.requests <= ATTEMPTS


def test_a_body_that_never_ends_well_is_given_up(s3: S3, storage: Storage) -> None:
    s3.answers = [cuts_off]
    with pytest.raises(StorageUnavailable):
        storage.read(PHOTO, "photo")
    assert s3.requests == BODY_ATTEMPTS


@pytest.mark.parametrize(
    "answer", [says(404, "NoSuchKey"), says(404, "NoSuchBucket"), says(403, "AccessDenied")]
)
@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda storage: storage.read(PHOTO, "photo"), InputMissing),
        (lambda storage: storage.require(PHOTO, "photo"), InputMissing),
        (lambda storage: storage.write(PHOTO, b"splat"), OutputNotWritable),
    ],
    ids=["read", "require", "write"],
)
def test_what_is_not_there_or_not_allowed_is_said_at_once(
    s3: S3,
    storage: Storage,
    ask: Callable[[Storage], Any],
    error: type[Gen3DError],
    answer: Answer,
) -> None:
    s3.answers = [answer]
    with pytest.raises(error):
        ask(storage)
    assert s3.requests == 1


@pytest.mark.parametrize(
    ("ask", "code", "sentence"),
    [
        (lambda storage: storage.read(PHOTO, "photo"), "NoSuchKey", "The photo is gone: .*"),
        (lambda storage: storage.read(PHOTO, "mask"), "AccessDenied", "The mask is gone: .*"),
        (lambda storage: storage.write(PHOTO, b""), "NoSuchBucket", "The .* could not be kept.*"),
        (lambda storage: storage.read(PHOTO, "photo"), "SlowDown", "The storage is busy .*"),
    ],
)
def test_a_person_reads_a_sentence_and_the_operator_an_address(
    s3: S3,
    storage: Storage,
    ask: Callable[[Storage], Any],
    code: str,
    sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    s3.answers = [says({"AccessDenied": 403, "SlowDown": 503}.get(code, 404), code)]
    with pytest.raises(Gen3DError) as raised:
        ask(storage)
    assert re.fullmatch(sentence, raised.value.message)
    assert not re.search(rf"s3:|bucket|{code}", raised.value.message)
    assert caplog.records[-1].__dict__["fields"] == {"uri": PHOTO, "code": code}


@pytest.mark.parametrize(
    "answer", [says(412, "PreconditionFailed"), says(409, "ConditionalRequestConflict")]
)
def test_what_is_there_already_need_not_be_written(
    s3: S3, storage: Storage, answer: Answer
) -> None:
    s3.answers = [answer]
    storage.write_once(PHOTO, b"decoder")
    assert s3.requests == 1


def test_what_is_written_is_hashed_by_nobody(s3: S3, storage: Storage) -> None:
    """Each pass over embeddings takes about as long as to send them."""
    headers: dict[str, str] = {}

    def takes(handler: BaseHTTPRequestHandler) -> None:
        headers.update({name.lower(): value for name, value in handler.headers.items()})
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    s3.answers = [takes]
    storage.write(PHOTO, b"splat")
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert not [name for name in headers if "checksum" in name or name == "content-md5"]


def test_nobody_answers_at_all(
    monkeypatch: pytest.MonkeyPatch, s3: S3, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StorageUnavailable):
        Storage(connect("us-east-1")).read(PHOTO, "photo")
    assert caplog.records[-1].__dict__["fields"]["code"] == "EndpointConnectionError"
