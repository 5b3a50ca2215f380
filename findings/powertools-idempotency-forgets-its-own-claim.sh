#!/usr/bin/env bash
# aws-lambda-powertools 3.37.0 over DynamoDB: the claim on an idempotency key is a conditional put.
# Where the put is made but its answer is lost, botocore repeats it by itself, the repetition meets
# the row that the first one wrote, and Powertools takes its own claim for somebody else's: it
# raises IdempotencyAlreadyInProgressError and the function is not run at all, by nobody, until the
# claim's time has passed. Here a proxy between botocore and moto's server loses one answer.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check 'aws-lambda-powertools==3.37.0' boto3==1.43.106 botocore==1.43.106 'moto[dynamodb,server]==5.2.5' jmespath==1.0.1
cd "$folder" && AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1 "$folder/venv/bin/python" - <<'PY'
import http.client, logging, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function)
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from moto.server import ThreadedMotoServer

logging.disable(logging.CRITICAL)
moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
moto.start()
host, port = moto.get_host_and_port()
lose = []


class Proxy(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        onward = http.client.HTTPConnection(host, port)
        onward.request("POST", self.path, body, dict(self.headers))
        answer = onward.getresponse()
        content = answer.read()
        if lose and self.headers["X-Amz-Target"].endswith(lose[0]):
            lose.pop()
            self.close_connection = True  # the put was made; nobody hears of it
            return
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
session = boto3.Session()
resource = session.client("dynamodb", endpoint_url=f"http://127.0.0.1:{proxy.server_address[1]}")
resource.create_table(TableName="t", BillingMode="PAY_PER_REQUEST",
                      AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                      KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])
ran = []


@idempotent_function(data_keyword_argument="key", config=IdempotencyConfig(),
                     persistence_store=DynamoDBPersistenceLayer("t", boto3_client=resource))
def once(*, key):
    ran.append(key)
    return key


print("Powertools", version("aws-lambda-powertools"), "botocore", version("botocore"))
once(key="answered")
lose.append("PutItem")
try:
    once(key="lost")
    seen = "runs"
except IdempotencyAlreadyInProgressError as error:
    seen = type(error).__name__
print("ran:", ran, "- with a lost answer:", seen)
assert not lose, "the proxy lost nothing"
assert seen == "IdempotencyAlreadyInProgressError" and ran == ["answered"], "it knows its own claim now"
moto.stop()
PY
