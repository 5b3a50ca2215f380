"""A hub on this machine: the part of Hugging Face's API that downloads use, and its refusals."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "5" * 40
TOKEN = "hf_approved"
WAITING = "hf_waiting"
NARROW = "hf_narrow"
"""Tokens: of an approved account, of one that waits for approval, of one that may read little."""
LARGE = 1000
"""From so many bytes on a file is kept outside of Git, and known by its SHA-256."""


@dataclass
class Hub:
    """What it holds, how it behaves, and what it was asked.

    Attributes
    ----------
    repositories : dict
        Name → path → content.
    gated : set of str
        Repositories that ask for approval.
    files : dict
        Other addresses of this host → content.
    cut : int
        Each answer with a file ends after so many bytes; 0 for never.
    down : bool
        Every file is answered with 503.
    asked : list
        Path and Range of each file that was asked for.
    authorizations : list
        What each file was asked for with.
    """

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)
    cut: int = 0
    down: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    url: str = ""

    def describe(self, name: str) -> bytes:
        """The answer to "what does this revision hold?"."""
        siblings = []
        for path, content in self.repositories[name].items():
            blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
            sibling = {"rfilename": path, "size": len(content), "blobId": blob}
            if len(content) >= LARGE:
                digest = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(sibling)
        return json.dumps({"id": name, "sha": COMMIT, "siblings": siblings}).encode()


@contextmanager
def serving() -> Iterator[Hub]:
    """Run a hub on a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path in self.hub.files:
            return self._file(self.hub.files[path])
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            name = "/".join(parts[2:4])
            if parts[4] == "auth-check":
                if self._may(name):
                    self._answer(b"{}")
            elif self._may(name, parts[5], known=True):
                self._answer(self.hub.describe(name))
            return None
        if parts[2:3] != ["resolve"]:
            return self._refuse(404)
        name, revision = "/".join(parts[:2]), parts[3]
        if self._may(name, revision):
            self._file(self.hub.repositories[name]["/".join(parts[4:])])
        return None

    def _may(self, name: str, revision: str = "main", known: bool = False) -> bool:
        """Refuse as Hugging Face does; what a gated repository holds is not a secret."""
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token and token not in (TOKEN, WAITING, NARROW):
            self._refuse(401, message="Invalid credentials in Authorization header")
        elif name not in self.hub.repositories:
            self._refuse(404 if token else 401, code="RepoNotFound" if token else "")
        elif revision not in (COMMIT, "main"):
            self._refuse(404, code="RevisionNotFound")
        elif known or name not in self.hub.gated or token == TOKEN:
            return True
        elif token == NARROW:
            self._refuse(403, message="Please enable access to public gated repositories")
        else:
            self._refuse(403 if token else 401, code="GatedRepo")
        return False

    def _file(self, content: bytes) -> None:
        asked = self.headers.get("Range")
        self.hub.asked.append((urlsplit(self.path).path, asked))
        self.hub.authorizations.append(self.headers.get("Authorization"))
        if self.hub.down:
            return self._refuse(503)
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        rest = content[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(rest)))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.hub.cut and len(rest) > self.hub.cut:
            self.wfile.write(rest[: self.hub.cut])
            self.close_connection = True
        else:
            self.wfile.write(rest)
        return None

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, status: int, code: str = "", message: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if message:
            self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
