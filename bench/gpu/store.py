"""``python -m bench.gpu.store PORT``: stands in for S3, an object store in memory on this machine.

It keeps what is put and gives it back. It checks nothing, so that what is measured is the server
under test: a simulator of S3 in Python takes longer over an upload than everything else together.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OBJECTS: dict[str, bytes] = {}


class Handler(BaseHTTPRequestHandler):
    """Answers GET, HEAD and PUT by path."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Keep the body."""
        OBJECTS[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"")

    def do_GET(self) -> None:
        """Give what was kept."""
        body = OBJECTS.get(self.path)
        self._answer(404 if body is None else 200, body or b"")

    def do_HEAD(self) -> None:
        """Whether it was kept."""
        self._answer(200 if self.path in OBJECTS else 404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
