"""One door: who answers which address, and that nobody else can come in."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.local.running import ROOT, RunningStack, free_port

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:probe"
EMAIL, PASSWORD = "ada@example.com", "Correct-horse-1"


@pytest.fixture(scope="module")
def token(stack: RunningStack) -> str:
    """The ID token of a signed-in person."""
    cognito = stack.client("cognito-idp")
    client, pool = stack.outputs["UserPoolClientId"], stack.outputs["UserPoolId"]
    cognito.sign_up(ClientId=client, Username=EMAIL, Password=PASSWORD)
    cognito.admin_confirm_sign_up(UserPoolId=pool, Username=EMAIL)
    answer = cognito.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": EMAIL, "PASSWORD": PASSWORD},
    )
    return str(answer["AuthenticationResult"]["IdToken"])


@pytest.fixture(scope="module")
def reader(stack: RunningStack) -> dict[str, str]:
    """The keys of a user who may read files and do nothing else."""
    iam = stack.client("iam")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=policy)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def test_the_api_has_an_address_that_does_not_change(stack: RunningStack, token: str) -> None:
    answer = stack.get("/api/echo/word", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.text) == (200, "word")


@pytest.mark.parametrize("header", [None, "Bearer none", "Bearer e30.e30.e30"])
def test_the_api_takes_no_stranger(stack: RunningStack, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    assert stack.get("/api/echo/word", headers=headers).status_code == 401


def test_the_api_takes_no_stranger_under_its_own_name_either(
    stack: RunningStack, token: str
) -> None:
    (api,) = stack.client("apigatewayv2").get_apis()["Items"]
    host = {"Host": f"{api['ApiId']}.execute-api.localhost:{stack.port}"}
    assert httpx.get(f"{stack.url}/echo/word", headers=host).status_code == 401
    known = {**host, "Authorization": f"Bearer {token}"}
    assert httpx.get(f"{stack.url}/echo/word", headers=known).text == "word"


def test_the_api_takes_no_changed_token(stack: RunningStack, token: str) -> None:
    changed = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    headers = {"Authorization": f"Bearer {changed}"}
    assert stack.get("/api/echo/word", headers=headers).status_code == 401


def test_until_there_is_a_web_app_the_console_is_shown(stack: RunningStack) -> None:
    answer = stack.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert "Executions" in answer.text


def test_the_web_app_comes_through_cloudfront(stack: RunningStack) -> None:
    s3, bucket = stack.client("s3"), stack.outputs["BucketName"]
    s3.put_object(
        Bucket=bucket, Key="public/index.html", Body=b"<p>app</p>", ContentType="text/html"
    )
    s3.put_object(Bucket=bucket, Key="public/assets/a.js", Body=b"1")
    try:
        for path in ("/", "/jobs/01M82SZE4Z7ZQ9FY1VB33KS0D2"):  # the second is the app's own
            page = stack.get(path)
            assert (page.status_code, page.text) == (200, "<p>app</p>"), path
            assert page.headers["cross-origin-opener-policy"] == "same-origin"
            assert page.headers["content-security-policy"] == "default-src 'self'"
        assert stack.get("/assets/a.js").text == "1"
    finally:
        s3.delete_object(Bucket=bucket, Key="public/index.html")


def test_a_file_is_read_by_a_signed_link_and_by_nothing_else(
    stack: RunningStack, reader: dict[str, str]
) -> None:
    bucket = stack.outputs["BucketName"]
    for name in ("file", "other"):
        stack.client("s3").put_object(Bucket=bucket, Key=f"private/{name}", Body=b"secret")
    target = {"Bucket": bucket, "Key": "private/file"}
    link = stack.client("s3", **reader).generate_presigned_url("get_object", Params=target)
    assert httpx.get(link).text == "secret"
    assert httpx.get(link.replace("private/file", "private/other")).status_code == 403
    assert httpx.get(link.split("?")[0]).status_code == 403


def test_a_foreign_page_may_read_files_where_the_bucket_allows_it(stack: RunningStack) -> None:
    bucket = stack.outputs["BucketName"]
    url = f"{stack.url}/{bucket}/private/file"
    asks = {"Access-Control-Request-Method": "GET"}
    allowed = httpx.options(url, headers={"Origin": "http://c.example", **asks})
    refused = httpx.options(url, headers={"Origin": "http://a.example", **asks})
    assert allowed.headers["access-control-allow-origin"] == "http://c.example"
    assert refused.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ],
)
def test_a_foreign_page_reaches_no_service(stack: RunningStack, headers: dict[str, str]) -> None:
    call = "/?Action=ListStacks&Version=2010-05-15&X-Amz-Credential=test/20260101/us-east-1/"
    call += "cloudformation/aws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256"
    assert stack.get(call, headers={"Origin": "http://localhost:5173"}).status_code == 200
    assert stack.get(call, headers=headers).status_code == 403
    page = stack.get("/_gen3d/", headers=headers)
    assert "access-control-allow-origin" not in page.headers


def test_a_role_may_do_what_its_policy_says_and_no_more(stack: RunningStack) -> None:
    functions, name = stack.client("lambda"), stack.outputs["FunctionName"]
    allowed = functions.invoke(FunctionName=name, Payload='{"do": "put", "key": "allowed/a"}')
    denied = functions.invoke(FunctionName=name, Payload='{"do": "put", "key": "else/a"}')
    assert "FunctionError" not in allowed
    assert b"AccessDenied" in denied["Payload"].read()


CALLS = {
    "s3": lambda client: client.list_buckets(),
    "stepfunctions": lambda client: client.list_executions(stateMachineArn=MACHINE),
    "sagemaker-runtime": lambda client: client.invoke_endpoint_async(
        EndpointName="probe", InputLocation="s3://b/k"
    ),
}


@pytest.mark.parametrize("service", CALLS)
def test_whom_no_policy_allows_it_is_refused(
    stack: RunningStack, reader: dict[str, str], service: str
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        CALLS[service](stack.client(service, **reader))


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret_opens_nothing(
    stack: RunningStack, reader: dict[str, str], service: str
) -> None:
    client = stack.client(service, **{**reader, "aws_secret_access_key": "guess"})
    with pytest.raises(ClientError, match=r"SignatureDoesNotMatch|InvalidSignature"):
        CALLS[service](client)


def test_only_this_machine_is_served(stack: RunningStack) -> None:
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        pytest.skip("This machine has no address but its own.")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((own, stack.port), timeout=5)


def test_a_busy_port_is_one_sentence(stack: RunningStack, tmp_path: Path) -> None:
    said = _local("up", "--port", str(stack.port), "--folder", str(tmp_path))
    assert f"Port {stack.port} is busy" in said


def test_a_folder_is_for_one_stack(stack: RunningStack) -> None:
    said = _local("up", "--port", str(free_port()), "--folder", str(stack.folder))
    assert "Another stack runs with the folder" in said


def test_a_running_stack_is_not_cleaned(stack: RunningStack) -> None:
    said = _local("clean", "--port", str(stack.port), "--folder", str(stack.folder))
    assert "Another stack runs with the folder" in said
    assert (stack.folder / "logs").exists()


def _local(*arguments: str) -> str:
    """What a command that fails says: one line."""
    command = [sys.executable, "-m", "gen3d_local", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr
