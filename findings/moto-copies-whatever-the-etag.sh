#!/usr/bin/env bash
# moto 5.2.5: CopyObject heeds no CopySourceIfMatch. S3 refuses the copy with 412 where the source
# is not the one that was named by its ETag; moto copies what lies there now. A test of "what was
# checked is what is copied" passes on moto whatever the code does. GetObject's IfMatch it heeds.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check boto3==1.43.106 botocore==1.43.106 'moto[s3]==5.2.5'
AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1 "$folder/venv/bin/python" - <<'PY'
from importlib.metadata import version

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws


def outcome(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


with mock_aws():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="photos")
    checked = s3.put_object(Bucket="photos", Key="photo", Body=b"checked")["ETag"]
    s3.put_object(Bucket="photos", Key="photo", Body=b"replaced")
    got = outcome(s3.get_object, Bucket="photos", Key="photo", IfMatch=checked)
    copied = outcome(s3.copy_object, Bucket="photos", Key="kept", CopySourceIfMatch=checked,
                     CopySource={"Bucket": "photos", "Key": "photo"})
    kept = s3.get_object(Bucket="photos", Key="kept")["Body"].read() if copied == "done" else b""
    print("moto", version("moto"), "- GetObject IfMatch:", got, "- CopyObject CopySourceIfMatch:", copied, kept)
    assert got == "PreconditionFailed"
    assert kept == b"replaced", "it heeds the condition now"
PY
