"""Signed links name the host that the page's CSP allows, in every region."""

from urllib.parse import urlsplit

import pytest

from gen3d_aws import clients
from gen3d_aws.store import FileStore
from tests.support import BUCKET, ROOT, resources


@pytest.fixture(params=["us-east-1", "eu-west-1"])
def region(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A region to sign for, with the configuration that the template gives a function."""
    functions = resources("AWS::Serverless::Function")
    path = functions["ApiFunction"]["Environment"]["Variables"]["AWS_CONFIG_FILE"]
    config = path.replace("/opt/python", str(ROOT / "layers" / "gen3d" / "src"))
    monkeypatch.setenv("AWS_CONFIG_FILE", config)
    monkeypatch.setenv("AWS_DEFAULT_REGION", request.param)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    # Made once, for another region.
    monkeypatch.setattr(clients, "client", clients.client.__wrapped__)
    return str(request.param)


def test_a_link_names_the_regional_host(region: str) -> None:
    link = FileStore(BUCKET).link("private/a/jobs/b/result.json")
    assert urlsplit(link).hostname == f"{BUCKET}.s3.{region}.amazonaws.com"


def test_an_upload_form_names_the_regional_host(region: str) -> None:
    form = FileStore(BUCKET).upload_form("private/a/jobs/b/image.jpg", "image/jpeg")
    assert urlsplit(form["url"]).hostname == f"{BUCKET}.s3.{region}.amazonaws.com"
