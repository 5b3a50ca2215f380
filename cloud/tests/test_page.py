"""The page, served here for a stack that hosts none."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gen3d_cloud import deployed as stack
from gen3d_cloud import page
from gen3d_cloud.publish import PageConfig, configuration

OUTPUTS = {
    "Region": "eu-west-1",
    "Engine": "lite",
    "ApiUrl": "https://abc.example.com",
    "WebApiUrl": "https://abc.example.com",
    "UserPoolId": "eu-west-1_pool",
    "UserPoolClientId": "client",
    "BucketName": "pictures",
}
CONFIG = configuration(OUTPUTS)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<div id=root>")
    (folder / "embed.html").write_text("<main>")
    (folder / "assets" / "app-1.js").write_text("start()")
    (tmp_path / "secret").write_text("hf_token")
    return folder


@pytest.fixture
def http(dist: Path) -> Iterator[httpx.Client]:
    server = page.serve(dist, CONFIG, 0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
        yield client
    server.shutdown()
    server.server_close()


def test_files_config_and_paths_of_the_app(http: httpx.Client) -> None:
    assert http.get("/").text == "<div id=root>"
    assert http.get("/jobs/01").text == "<div id=root>"
    asset = http.get("/assets/app-1.js")
    assert (asset.text, asset.headers["content-type"]) == ("start()", "text/javascript")
    assert http.get("/assets/app-2.js").status_code == 404
    assert http.get("/config.json").json() == CONFIG
    assert http.head("/").headers["content-length"] == "13"


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret"])
def test_nothing_beside_the_page_is_served(http: httpx.Client, path: str) -> None:
    assert "hf_token" not in http.get(path).text


def test_it_is_isolated_and_reaches_its_own_parts_alone(http: httpx.Client) -> None:
    answer = http.get("/").headers
    assert answer["cross-origin-opener-policy"] == "same-origin"
    assert answer["cross-origin-embedder-policy"] == "require-corp"
    assert answer["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in answer
    policy = answer["content-security-policy"]
    reached = policy.split("connect-src ")[1].split(";")[0].split()
    files = "https://pictures.s3.eu-west-1.amazonaws.com"
    cognito = "https://cognito-idp.eu-west-1.amazonaws.com"
    assert reached == ["'self'", "https://abc.example.com", "data:", "blob:", files, cognito]
    assert "$" not in policy


@pytest.mark.parametrize("path", ["/embed/id", "/embed/", "/embed/index.html", "/embed/a/b.js"])
def test_the_page_of_embeds_may_be_framed(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.text == "<main>"
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert "https://abc.example.com" in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "x-frame-options" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/embed", "/embed.html", "/shared/id", "/jobs/01", "/assets/app-1.js"]
)
def test_no_other_page_may_be_framed(http: httpx.Client, path: str) -> None:
    answer = http.get(path).headers
    assert "frame-ancestors 'none'" in answer["content-security-policy"]
    assert answer["x-frame-options"] == "DENY"
    assert answer["cross-origin-resource-policy"] == "same-origin"


def test_a_stack_on_this_machine_is_reached_at_its_one_address() -> None:
    here = "http://localhost:20005"
    config: PageConfig = {**CONFIG, "apiUrl": f"{here}/api", "endpoint": here}
    policy = page.headers(config)["Content-Security-Policy"]
    assert "connect-src 'self' http://localhost:20005 data:" in policy
    assert "amazonaws.com.s3" not in policy


@pytest.fixture
def deployed(dist: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    given = {"WebOrigins": ""}
    monkeypatch.setattr(page, "outputs", lambda name: OUTPUTS)
    monkeypatch.setattr(page, "parameters", lambda name: given)
    monkeypatch.setattr(page, "DIST", dist)
    return given


def test_an_origin_that_the_stack_lets_in_not_is_told(
    deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    deployed["WebOrigins"] = "https://a.example"
    assert page.main(["--stack", "gen3d"]) == 1
    said = capsys.readouterr().err
    assert "no page from http://localhost:5173" in said
    assert "WebOrigins='https://a.example,http://localhost:5173'" in said


def test_a_busy_port_and_a_missing_build_are_told(
    deployed: dict[str, str],
    http: httpx.Client,
    dist: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = http.base_url.port
    deployed["WebOrigins"] = f"http://localhost:{port}"
    assert page.main(["--port", str(port)]) == 1
    assert "Set PORT=" in capsys.readouterr().err
    (dist / "index.html").unlink()
    assert page.main([]) == 1
    assert "make web" in capsys.readouterr().err


def test_the_configuration_for_a_host_of_ones_own(
    deployed: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert page.main(["--config"]) == 0
    assert json.loads(capsys.readouterr().out)["apiUrl"] == "https://abc.example.com"


def test_a_stack_that_is_not_there_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> dict[str, str]:
        raise stack.CloudError(f"The stack {name} cannot be read")

    monkeypatch.setattr(page, "outputs", missing)
    assert page.main(["--stack", "nowhere"]) == 1
    assert "nowhere" in capsys.readouterr().err
