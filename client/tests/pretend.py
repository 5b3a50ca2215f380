"""A Gen3D that answers over HTTP what a test says, and refuses tokens that it does not know."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

PHOTO = b"\xff\xd8\xff" + 40 * b"0"
PNG = b"\x89PNG\r\n\x1a\n" + 40 * b"0"
JOB = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
KEY_ID = "0123456789abcdef"
KEY = f"gen3d_{KEY_ID}_{43 * 'a'}"
WEBHOOK = "01ARZ3NDEKTSV4RRFFQ69G5FAW"
DELIVERY = "01ARZ3NDEKTSV4RRFFQ69G5FAX"
HOOK = "https://example.com/gen3d"
SECRET = "whsec_Zm94"


class Pretend:
    """What it has, and what it was asked; `answers` come in the place of what it would answer."""

    def __init__(self) -> None:
        self.url = ""
        self.good = {"good"}
        self.jobs: dict[str, list[Json]] = {}
        """By id, what each look shows; the last one stays."""
        self.batches: list[Json] = []
        """What each look at a batch shows; the last one stays."""
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        """By method and path, what comes first."""
        self.asked: list[tuple[str, Any]] = []
        self.revoked: list[str] = []
        self.words: list[str] = []
        """By which requests are known again."""
        self.largest = 1000
        self.renewals = 0

    def job(self, status: str, **fields: Any) -> Json:
        """A look at a job."""
        ended = status not in ("CREATED", "INITIALIZING", "AWAITING_MASK", "RECONSTRUCTING")
        poll = None if ended else 0
        return {"jobId": JOB, "status": status, "pollSeconds": poll, "run": 1, **fields}

    def link(self, name: str) -> Json:
        """A signed link to a file that holds its own name."""
        return {"url": f"{self.url}/files/{name}", "bytes": len(name)}

    def done(self, **fields: Any) -> Json:
        """A job with a mesh."""
        files = {name: self.link(name) for name in ("glb", "draco.glb", "stl", "preview")}
        thing = {"n": 0, "name": "chair", "status": "COMPLETED", "files": files, "options": {}}
        return self.job("COMPLETED", **{"name": "chair.jpg", "objects": [thing], **fields})

    def key(self) -> Json:
        """A key, without its secret."""
        about = {"name": "robot\x1b[31m", "rights": ["create", "read"], "jobsPerDay": 0}
        return {"keyId": KEY_ID, "createdAt": "2026-11-29T10:00:00Z", "usedAt": None, **about}

    def paths(self) -> list[str]:
        """What was asked, without bodies."""
        return [what for what, _ in self.asked]

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, Any]:
        """Answer a request."""
        what = f"{method} {path}"
        self.asked.append((what, body))
        if self.answers.get(what):
            return self.answers[what].pop(0)
        if path == "/config.json":
            return 200, self.config()
        if path == "/":
            return self._cognito(json.loads(body))
        if path == "/upload":
            if len(body) > self.largest + 1000:
                limit = f"<MaxSizeAllowed>{self.largest}000000</MaxSizeAllowed>"
                return 400, f"<Error><Code>EntityTooLarge</Code>{limit}</Error>"
            return 204, ""
        if path.startswith("/files/"):
            return 200, path.removeprefix("/files/")
        if token not in self.good:
            return 401, {"message": "Unauthorized"}
        return self._api(what.replace("/api", "", 1), body)

    def config(self) -> Json:
        """What the page is told."""
        here = {"apiUrl": f"{self.url}/api", "endpoint": self.url, "bucket": "b", "engine": "lite"}
        pool = {"userPoolId": "us-east-1_a", "userPoolClientId": "c", "selfSignUp": True}
        return {"region": "us-east-1", **here, **pool}

    def _api(self, what: str, body: bytes) -> tuple[int, Any]:
        method, path = what.split()
        if what == "POST /jobs":
            if "imageUrl" in json.loads(body):
                return 202, self.jobs[JOB][0]
            self.jobs.setdefault(JOB, [self.job("CREATED")])
            made = {"jobId": JOB, "prefix": "p", "upload": self._form()}
            depth = {"depth": self._form()} if json.loads(body).get("depth") else {}
            return 201, {**made, **depth}
        if path.startswith("/batches"):
            if len(self.batches) > 1 and method == "GET":
                return 200, self.batches.pop(0)
            return (202 if method == "POST" else 200), self.batches[0]
        if what == "GET /limits":
            return 200, {"objectsPerJob": 8}
        if what == "GET /keys":
            return 200, {"keys": [self.key()]}
        if what == "POST /keys":
            return 201, {**self.key(), **json.loads(body), "key": KEY}
        if path.startswith("/keys/"):
            return 204, ""
        if path.startswith("/webhooks"):
            return self._webhooks(what, body)
        if what == "GET /jobs":
            rows = [
                {"jobId": job_id, "name": "a\x1b[31m", "status": looks[-1]["status"],
                 "createdAt": "2026-11-29T10:00:00Z", "objects": 1, "picture": None, "draft": False}
                for job_id, looks in self.jobs.items()
            ]  # fmt: skip
            return 200, {"jobs": rows, "cursor": None}
        job_id = path.split("/")[2].partition("?")[0]
        looks = self.jobs.get(job_id)
        if looks is None:
            return 404, {"error": "JobNotFound", "message": "There is no such job."}
        if method == "DELETE":
            del self.jobs[job_id]
            return 204, ""
        if path.endswith("/masks"):
            return 200, {"uploads": json.loads(body)["count"] * [self._form()]}
        if method == "GET" and len(looks) > 1:
            return 200, looks.pop(0)
        return (200 if method == "GET" else 202), looks[0]

    def _webhooks(self, what: str, body: bytes) -> tuple[int, Any]:
        if what == "GET /webhooks":
            return 200, {"webhooks": [self.webhook(), self.webhook(stoppedAt="2026-11-30T08:00Z")]}
        if what == "POST /webhooks":
            return 201, {**self.webhook(), **json.loads(body), "secret": SECRET}
        if what == f"GET /webhooks/{WEBHOOK}/deliveries":
            return 200, {"deliveries": [self.delivery("DELIVERED", 200)], "cursor": None}
        if what == f"POST /webhooks/{WEBHOOK}/deliveries/{DELIVERY}/redeliver":
            return 202, self.delivery("PENDING")
        if what == f"DELETE /webhooks/{WEBHOOK}":
            return 204, ""
        return 404, {"error": "WebhookNotFound", "message": "There is no such webhook."}

    def webhook(self, **fields: Any) -> Json:
        """A webhook, without its secret."""
        events = ["job.completed", "job.failed"]
        made = {"createdAt": "2026-11-29T10:00:00Z", "stoppedAt": None}
        return {"webhookId": WEBHOOK, "url": HOOK, "events": events, **made, **fields}

    def delivery(self, state: str, *statuses: int) -> Json:
        """A delivery, after attempts that were answered so."""
        at = "2026-11-29T10:00:00Z"
        tries = [{"at": at, "ms": 7, "status": each, "answer": "ok\x1b[31m"} for each in statuses]
        told = {"eventId": f"{JOB}-1-COMPLETED", "type": "job.completed", "jobId": JOB}
        about = {"deliveryId": DELIVERY, "createdAt": at, "nextAt": None}
        return {**about, **told, "state": state, "attempts": tries}

    def _form(self) -> Json:
        return {"url": f"{self.url}/upload", "fields": {"key": "k"}}

    def _cognito(self, body: Json) -> tuple[int, Any]:
        if "Token" in body:
            self.revoked.append(body["Token"])
            return 200, {}
        assert body["AuthFlow"] == "REFRESH_TOKEN_AUTH"
        if body["AuthParameters"]["REFRESH_TOKEN"] in self.revoked:
            return 400, {"__type": "NotAuthorizedException", "message": "Revoked"}
        self.renewals += 1
        return 200, {"AuthenticationResult": {"IdToken": "good", "ExpiresIn": 3600}}


@contextmanager
def serving(pretend: Pretend) -> Iterator[Pretend]:
    """Serve it on this machine, while it is asked."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
            path = urlsplit(self.path).path
            pretend.words += filter(None, [self.headers.get("idempotency-key")])
            status, said = pretend.answer(self.command, path, token, body)
            if status == 0:  # no answer at all
                self.close_connection = True
                self.connection.close()
                return
            after = said.get("retryAfter") if isinstance(said, dict) else None
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            if status // 100 == 3:
                self.send_header("location", said)
            if after is not None:
                self.send_header("retry-after", str(after))
            self.send_header("content-length", str(0 if status == 204 else len(content)))
            self.end_headers()
            if status != 204:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._any)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pretend.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield pretend
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
