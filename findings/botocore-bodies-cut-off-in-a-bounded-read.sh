#!/usr/bin/env bash
# botocore 1.44.8: a body that ends before its Content-Length raises when it is read whole,
# `body.read()`, and is taken for complete when it is read with a bound, `body.read(n)`, n being
# more than there is: so who bounds what is read of strangers' files gets half a file, and no
# error. Reading on until the end, `body.read(n)` once more, raises.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check boto3==1.44.8
"$folder/venv/bin/python" - <<'PY'
import socketserver, threading
import boto3, botocore
from botocore.config import Config
from botocore.exceptions import BotoCoreError


class CutsOff(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(65536)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: \"x\"\r\n\r\n" + b"a" * 400)


server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), CutsOff)
threading.Thread(target=server.serve_forever, daemon=True).start()
s3 = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.server_address[1]}", region_name="us-east-1",
                  aws_access_key_id="x", aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}))


def read(*bound):
    try:
        return f"{len(s3.get_object(Bucket='b', Key='k')['Body'].read(*bound))} bytes"
    except BotoCoreError as error:
        return type(error).__name__


print("botocore", botocore.__version__, "- 400 bytes of 1000 arrive")
whole, bounded = read(), read(5000)
print("read():", whole)
print("read(5000):", bounded)
assert bounded == "400 bytes", "a bounded read notices it now"
assert whole != "400 bytes", "a whole read no longer notices it"
PY
