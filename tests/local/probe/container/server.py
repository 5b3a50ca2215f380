"""An inference server that does what the request says."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """SageMaker's two routes."""

    def do_GET(self) -> None:
        """Answer /ping."""
        self._answer(200, {})

    def do_POST(self) -> None:
        """Answer /invocations."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(request.get("seconds", 0))
        if request.get("crash"):
            print("about to crash", flush=True)
            os._exit(1)
        body = {"pid": os.getpid(), "greeting": os.environ["GREETING"], "started": sys.argv[1:]}
        self._answer(request.get("status", 200), request.get("body", body))

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


address = os.environ["GEN3D_HOST"], int(os.environ["GEN3D_PORT"])
ThreadingHTTPServer(address, Handler).serve_forever()
