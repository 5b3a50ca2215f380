"""A stack with WebHosting=none: nothing of CloudFront, and a page of another origin that works."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gen3d_cloud import page, verify
from gen3d_cloud.publish import configuration
from tests.local.running import ROOT, RunningStack, free_port


@pytest.fixture(scope="module")
def origin() -> str:
    return f"http://localhost:{free_port()}"


@pytest.fixture(scope="module")
def gen3d(tmp_path_factory: pytest.TempPathFactory, origin: str) -> Iterator[RunningStack]:
    given = {"WebHosting": "none", "WebOrigins": origin, "ExistingIdentity": "example.com"}
    running = RunningStack(tmp_path_factory.mktemp("elsewhere"), ROOT / "template.yaml", given)
    try:
        yield running.start()
    finally:
        running.stop()


def test_nothing_of_cloudfront_is_made(gen3d: RunningStack, origin: str) -> None:
    pages = gen3d.client("cloudformation").get_paginator("list_stack_resources")
    made = [r for p in pages.paginate(StackName="gen3d") for r in p["StackResourceSummaries"]]
    assert "Bucket" in {each["LogicalResourceId"] for each in made}
    assert [r["ResourceType"] for r in made if "CloudFront" in r["ResourceType"]] == []
    assert "SenderIdentity" not in {each["LogicalResourceId"] for each in made}
    assert gen3d.outputs["WebUrl"] == origin
    assert "DistributionId" not in gen3d.outputs
    assert gen3d.outputs["WebApiUrl"] == gen3d.outputs["ApiUrl"]


def test_a_page_of_that_origin_is_let_in_and_no_other(
    gen3d: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL", gen3d.url),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ):
        monkeypatch.setenv(name, value)
    target = verify.target("gen3d", gen3d.url)
    changed = gen3d.outputs | {"WebUrl": "https://other.example"}
    other = verify.Target("gen3d", changed, "", target.apis)
    s3, bucket = gen3d.client("s3"), gen3d.outputs["BucketName"]
    s3.put_object(Bucket=bucket, Key="private/mesh.glb", Body=b"glTF")
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "private/mesh.glb"})
    with httpx.Client(timeout=60) as http:
        checks = list(verify.checks(target, http, with_job=False))
        assert [check for check in checks if check.holds is False] == []
        held = [check.what for check in checks if check.holds]
        assert held[:3] == ["routes", "page", "page's way in"]
        assert verify.cors(target, url, http).holds
        assert verify.preflight_request(other, http).holds is False
        assert verify.cors(other, url, http).holds is False


def test_the_page_is_served_here_with_the_stacks_config(
    gen3d: RunningStack, origin: str, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<div id=root>")
    config = configuration(gen3d.outputs)
    config |= {"apiUrl": f"{gen3d.url}/api", "endpoint": gen3d.url}
    server = page.serve(tmp_path, config, 0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        served = f"http://127.0.0.1:{server.server_port}"
        target = verify.Target("gen3d", gen3d.outputs, served, ())
        with httpx.Client() as http:
            assert [check.holds for check in verify.page(target, http)] == [True, True, True]
    finally:
        server.shutdown()
        server.server_close()
