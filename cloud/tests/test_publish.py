"""Publishing the web app, with moto's S3, CloudFormation and CloudFront."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from gen3d_cloud import publish
from tests.aws import bucket

BUCKET = "gen3d-web"
OUTPUTS = {
    "Region": "us-east-1",
    "Engine": "lite",
    "ApiUrl": "https://api.example.com",
    "WebUrl": "https://web.example.com",
    "UserPoolId": "us-east-1_pool",
    "UserPoolClientId": "client",
    "IdentityPoolId": "us-east-1:identities",
    "BucketName": BUCKET,
    "AllowSelfSignUp": "false",
}


@pytest.fixture
def s3() -> Iterator[Any]:
    with bucket(BUCKET) as client:
        yield client


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<script src=/assets/app-1.js>")
    (tmp_path / "assets" / "app-1.js").write_text("start()")
    (tmp_path / "assets" / "runtime-1.wasm").write_bytes(bytes(11_000_000))
    return tmp_path


def names(s3: Any) -> set[str]:
    listed = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {item["Key"].removeprefix("public/") for item in listed}


def put(s3: Any, dist: Path) -> list[str]:
    """Publish; gives the names uploaded, in their order."""
    uploaded: list[str] = []
    s3.meta.events.register(
        "provide-client-params.s3.PutObject",
        lambda params, **_: uploaded.append(params["Key"].removeprefix("public/")),
        unique_id="uploads",
    )
    publish.publish(dist, s3, BUCKET, publish.configuration(OUTPUTS))
    s3.meta.events.unregister("provide-client-params.s3.PutObject", unique_id="uploads")
    return uploaded


def test_what_is_named_by_its_content_is_kept_for_ever(s3: Any, dist: Path) -> None:
    put(s3, dist)
    asset = s3.head_object(Bucket=BUCKET, Key="public/assets/app-1.js")
    assert "immutable" in asset["CacheControl"]
    assert asset["ContentType"] == "text/javascript"
    for name in ("index.html", "config.json"):
        assert s3.head_object(Bucket=BUCKET, Key=f"public/{name}")["CacheControl"] == "no-cache"


def test_what_cloudfront_would_not_compress_is_uploaded_compressed(s3: Any, dist: Path) -> None:
    put(s3, dist)
    wasm = s3.get_object(Bucket=BUCKET, Key="public/assets/runtime-1.wasm")
    assert (wasm["ContentEncoding"], wasm["ContentType"]) == ("gzip", "application/wasm")
    assert len(gzip.decompress(wasm["Body"].read())) == 11_000_000
    assert "ContentEncoding" not in s3.head_object(Bucket=BUCKET, Key="public/assets/app-1.js")


def test_the_page_comes_last_and_what_it_no_longer_names_goes(s3: Any, dist: Path) -> None:
    assert put(s3, dist)[-1] == "index.html"
    (dist / "assets" / "app-1.js").rename(dist / "assets" / "app-2.js")
    assert put(s3, dist) == ["config.json", "assets/app-2.js", "index.html"]
    assert names(s3) == {"config.json", "index.html", "assets/app-2.js", "assets/runtime-1.wasm"}


@pytest.mark.parametrize(("told", "offered"), [("true", True), ("false", False), (None, True)])
def test_the_page_offers_accounts_unless_the_stack_refuses_them(
    told: str | None, offered: bool
) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != "AllowSelfSignUp"}
    if told:
        outputs["AllowSelfSignUp"] = told
    assert publish.configuration(outputs)["selfSignUp"] is offered


def test_a_deployed_stack_is_published_to_and_fetched_anew(
    s3: Any, dist: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudfront = boto3.client("cloudfront")
    distribution = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{"Id": "web", "DomainName": "example.com"}]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "web",
                "ViewerProtocolPolicy": "redirect-to-https",
            },
        }
    )["Distribution"]["Id"]
    outputs = OUTPUTS | {"DistributionId": distribution}
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(
        StackName="gen3d", TemplateBody=json.dumps(template)
    )
    monkeypatch.setattr(publish, "DIST", dist)

    assert publish.main(["--stack", "gen3d"]) == 0
    config = s3.get_object(Bucket=BUCKET, Key="public/config.json")["Body"].read()
    assert json.loads(config)["apiUrl"] == OUTPUTS["ApiUrl"]
    assert cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"][
        "Quantity"
    ]
    assert OUTPUTS["WebUrl"] in capsys.readouterr().out

    assert publish.main(["--stack", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_a_stack_that_hosts_no_page_is_left_alone_and_told_what_to_do(
    s3: Any, dist: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
    }
    boto3.client("cloudformation").create_stack(
        StackName="gen3d", TemplateBody=json.dumps(template)
    )
    monkeypatch.setattr(publish, "DIST", dist)
    assert publish.main(["--stack", "gen3d"]) == 1
    assert "make page STACK=gen3d" in capsys.readouterr().err
    assert names(s3) == set()


def test_without_a_build_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(publish, "DIST", tmp_path)
    assert publish.main([]) == 1
    assert "make web" in capsys.readouterr().err
