"""The client's own parts: clicks, and what it says when something is wrong."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from gen3d_client import option_words, photos
from gen3d_client.clicks import Click, check, parse
from gen3d_client.client import Client
from gen3d_client.cognito import Token
from gen3d_client.errors import ApiClientError, JobFailed
from gen3d_client.models import Job, Offered, Offers
from gen3d_client.plans import Plan, Wanted
from gen3d_client.terminal import Progress
from gen3d_local import one_photo
from tests.local.running import ROOT, free_port


@pytest.mark.parametrize(
    ("text", "clicks"),
    [
        ("", []),
        ("3,4", [Click(3, 4)]),
        ("3,4 -5,6.5", [Click(3, 4), Click(5, 6.5, inside=False)]),
        ("  0,0   1,1 ", [Click(0, 0), Click(1, 1)]),
        ("50%,7.5% -9%,9%", [Click(0.5, 0.075, share=True), Click(0.09, 0.09, False, True)]),
    ],
)
def test_clicks_are_read(text: str, clicks: list[Click]) -> None:
    assert parse(text) == clicks


@pytest.mark.parametrize(
    "text", ["3", "3;4", "3,4,5", "a,b", "--3,4", "3,-4", "3, 4", "nan,1", "3%,4"]
)
def test_what_is_no_click_is_named(text: str) -> None:
    with pytest.raises(ApiClientError, match="is no click"):
        parse(text)


def test_a_click_has_to_be_on_the_object() -> None:
    with pytest.raises(ApiClientError, match="off the object"):
        parse("-3,4")


@pytest.mark.parametrize("click", [Click(10.1, 0), Click(0, 6)])
def test_a_click_has_to_be_in_the_upright_photo(click: Click) -> None:
    check([Click(9.9, 4.9), Click(1, 1, share=True)], 10, 5)
    with pytest.raises(ApiClientError, match="10×5 pixels when it is upright"):
        check([click], 10, 5)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_has_the_size_that_it_has_upright(
    tmp_path: Path, orientation: int, kind: str
) -> None:
    path = tmp_path / "it's a photo"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (10, 5)).save(path, kind, exif=exif)
    turned = orientation > 4 and kind != "WEBP"  # as browsers and the service turn it
    assert photos.size(path) == ((5, 10) if turned else (10, 5))


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        ([], {}),
        (["engine.seed=3"], {"engine": {"seed": 3}}),
        (["mesh.quality=fine", " mesh.faces=5000 "], {"mesh": {"quality": "fine", "faces": 5000}}),
        (["engine.quality=fast", "mesh.quality=fine", "engine.quality=standard"],
         {"engine": {"quality": "standard"}, "mesh": {"quality": "fine"}}),
        (["engine.seed=-1", "engine.of=1e3"], {"engine": {"seed": -1, "of": "1e3"}}),
    ],
)  # fmt: skip
def test_options_are_read_and_left_to_the_api(
    texts: list[str], options: option_words.Options
) -> None:
    assert option_words.parse(texts) == options


@pytest.mark.parametrize(
    "text", ["", "seed=3", "engine.seed", "engine.seed=", "a.b.c=1", "a.b=1 2"]
)
def test_what_is_no_option_is_named(text: str) -> None:
    with pytest.raises(ApiClientError, match=r"is no option\. Write PART\.NAME=VALUE"):
        option_words.parse([text])


OFFERS: Offers = {
    "engine": {"seed": Offered(minimum=0, maximum=9)},
    "mesh": {"quality": Offered(values=["fast", "fine"]), "texture": Offered(values=[512, 1024])},
}


def test_what_may_be_chosen_is_said_as_it_is_written() -> None:
    said = option_words.written(OFFERS)
    assert said == "engine.seed=0–9 mesh.quality=fast|fine mesh.texture=512|1024"


class Told(Client):
    """A client whose job comes to this, and whose files hold their addresses."""

    def __init__(self, job: Job) -> None:
        super().__init__("http://api", Token("token"))
        self._job = job

    def make(self, plan: Plan, *_others: Any, **_more: Any) -> Job:
        _others[1](self._job)
        raise JobFailed(self._job.why)

    def job(self, job_id: str) -> Job:
        return self._job

    def run(self, dialogue: Any) -> Any:
        try:
            step = next(dialogue)
            while True:
                step = dialogue.send(httpx.Response(200, text=step.url))
        except StopIteration as end:
            return end.value


def seen(status: str, **fields: Any) -> Job:
    ended = status in ("COMPLETED", "FAILED", "CANCELLED")
    job = {"jobId": "1", "run": 1, "status": status, "pollSeconds": None if ended else 1}
    return Job.model_validate(job | fields)


FILES = {"glb": {"url": "http://files/m"}, "preview": {"url": "http://files/p"}}
FAILURE = {"error": "EndpointUnavailable", "message": "The endpoint did not wake."}
PLAN = Plan(photo=ROOT / "examples" / "coffee.jpg", objects=[Wanted()])


def test_of_a_job_that_failed_the_draft_is_written_and_said(tmp_path: Path) -> None:
    thing = {"draft": {"files": FILES}}
    with (
        Told(seen("FAILED", error=FAILURE, objects=[thing])) as gen3d,
        pytest.raises(ApiClientError, match=r"did not wake\. A draft of it stands: .*draft"),
    ):
        one_photo.run(gen3d, PLAN, tmp_path, "http://console/")
    assert (tmp_path / "draft" / "mesh.glb").read_bytes() == b"http://files/m"
    assert (tmp_path / "draft" / "preview.png").read_bytes() == b"http://files/p"


@pytest.mark.parametrize("fields", [{}, {"objects": []}, {"objects": [{}]}])
def test_a_job_that_failed_without_one_writes_nothing(tmp_path: Path, fields: Any) -> None:
    for job, why in (
        (seen("FAILED", error=FAILURE, **fields), r"did not wake\.$"),
        (seen("CANCELLED", error=None, **fields), "ended as CANCELLED"),
    ):
        with Told(job) as gen3d, pytest.raises(ApiClientError, match=why):
            one_photo.run(gen3d, PLAN, tmp_path, "http://console/")
    assert list(tmp_path.iterdir()) == []


def test_how_far_the_object_is_is_a_line_each_time_it_has_moved() -> None:
    said = io.StringIO()
    progress = Progress(said)
    progress(seen("RECONSTRUCTING"))
    for phase, fraction, rest in (
        ("a", 0, None), ("a", 0.05, 9), ("a", 0.2, 8), ("b", 0.21, 7.4), ("b", 0.22, 7),
    ):  # fmt: skip
        far = {"phase": phase, "fraction": fraction, "restSeconds": rest}
        progress(seen("RECONSTRUCTING", objects=[{"progress": far}, {}]))
    lines = [line.split(" s  ", 1)[1] for line in said.getvalue().splitlines()]
    assert lines == ["RECONSTRUCTING", "a, 0%", "a, 20%, about 8 s left", "b, 21%, about 7 s left"]


def test_who_looks_on_sees_a_bar_on_one_line() -> None:
    said = io.StringIO()
    progress = Progress(said, bar=True)
    far = {"phase": "surface\x1b[2J", "fraction": 0.5, "restSeconds": 3}
    for _ in range(3):
        progress(seen("RECONSTRUCTING", objects=[{"progress": far}]))
    progress(seen("COMPLETED"))
    assert said.getvalue().count("\n") == 2  # a line for each status
    assert "█" * 12 + "░" * 12 in said.getvalue()
    assert "\x1b[2J" not in said.getvalue()


def test_make_hands_on_what_a_shell_would_read_as_its_own(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "[%s]" "$@"\n')
    python.chmod(0o755)
    given = [f"BIN={tmp_path}", "ONESHOT=1", "IMAGE=it's mine.jpg", "CLICK=-5,10 1,1", "OUT=a b"]
    given += ["OPTIONS=mesh.quality=fine engine.seed=3"]
    command = ["make", "--old-file=setup", "run", *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    expected = "[--image=it's mine.jpg][--click=-5,10 1,1][--out=a b]"
    expected += "[--option=mesh.quality=fine][--option=engine.seed=3][--oneshot]"
    assert done.stdout.endswith(expected), done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["job", "none.jpg"], "none.jpg is not there"),
        (["job", "examples/coffee.jpg", "--click", "x"], "'x' is no click"),
        (["job", "README.md"], "README.md is no photo"),
        (["job", "examples/coffee.jpg", "--option", "seed=3"], "'seed=3' is no option"),
        (["run", "--image=it's not there.jpg"], "it's not there.jpg is not there"),
        (["run", "--image=README.md"], "README.md is no photo"),
        (["run", "--image=examples/coffee.jpg", "--click=-5,10"], "Add one on it"),
        (["run", "--image=examples/coffee.jpg", "--click=9999,1"], "outside of the photo"),
        (["run", "--image=examples/coffee.jpg", "--out=README.md/x"], "Not a directory"),
        (["run", "--image=examples/coffee.jpg", "--out=README.md"], "README.md cannot be made"),
        (["job", "examples/coffee.jpg", "--port", str(free_port())], "No stack is up"),
        (["up", "--parameter", "Engine"], "'Engine' is no parameter"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "gen3d_local", *arguments, "--folder", str(tmp_path)]
    if "--port" not in arguments:
        command += ["--port", str(free_port())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Starting" not in done.stdout
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_history_that_is_written_has_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A complete job's execution still sends its mails; stopped then, it would be cut off."""
    states = iter(["RUNNING", "RUNNING", "SUCCEEDED"])

    def get(url: str, **_options: object) -> httpx.Response:
        assert url == "http://console/executions/01J/history.json"
        return httpx.Response(200, json={"detail": {"status": next(states)}, "events": []})

    monkeypatch.setattr(httpx, "get", get)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    one_photo._write_history(tmp_path, "http://console/", "01J")
    written = json.loads((tmp_path / "execution.json").read_text())
    assert written["detail"]["status"] == "SUCCEEDED"
