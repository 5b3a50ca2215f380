"""The client's own parts: clicks, and what it says when something is wrong."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from PIL import Image
from safetensors.numpy import save

from gen3d_client import option_words, photos
from gen3d_client.clicks import Click, check, parse
from gen3d_client.client import Client
from gen3d_client.cognito import Token
from gen3d_client.decoder import Decoder, as_png
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
    ],
)
def test_clicks_are_read(text: str, clicks: list[Click]) -> None:
    assert parse(text) == clicks


@pytest.mark.parametrize("text", ["3", "3;4", "3,4,5", "a,b", "--3,4", "3,-4", "3, 4", "nan,1"])
def test_what_is_no_click_is_named(text: str) -> None:
    with pytest.raises(ApiClientError, match="is no click"):
        parse(text)


def test_a_click_has_to_be_on_the_object() -> None:
    with pytest.raises(ApiClientError, match="off the object"):
        parse("-3,4")


@pytest.mark.parametrize("click", [Click(10, 0), Click(0, 5)])
def test_a_click_has_to_be_in_the_upright_photo(click: Click) -> None:
    check([Click(9.9, 4.9)], 10, 5)
    with pytest.raises(ApiClientError, match="10×5 pixels when it is upright"):
        check([click], 10, 5)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_has_the_size_that_it_has_upright(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "it's a photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (10, 5)).save(path, exif=exif)
    assert photos.size(path) == ((10, 5) if orientation < 5 else (5, 10))


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


def test_options_are_sent_when_it_is_known_what_may_be_chosen() -> None:
    draft, best = {"url": "d", "revision": "1", "draft": True}, {"url": "b", "revision": "2"}
    waits = [seen("AWAITING_MASK", decoder=each) for each in (None, draft, best)]
    assert [job.waits_for_masks() for job in waits] == [False, True, True]
    assert [job.waits_for_masks(best=True) for job in waits] == [False, False, True]


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


def test_a_mask_is_white_on_black(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(as_png(np.array([[True, False, False]])))
    with Image.open(path) as image:
        assert (image.mode, np.asarray(image).tolist()) == ("L", [[255, 0, 0]])


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


SIDE = 4
SCORES = [0.9, 0.2, 0.8, 0.3]


def decoder_file(embeddings: int, labels: int) -> bytes:
    """A network whose logits show what it was fed.

    Token k answers ``image_embed + k + 10 · sum(labels) + 100 · has_mask_input · mask_input``.
    """
    shapes: dict[str, tuple[int, list[int | str]]] = {
        "image_embed": (embeddings, [1, 1, SIDE, SIDE]),
        "point_coords": (TensorProto.FLOAT, [1, "n", 2]),
        "point_labels": (labels, [1, "n"]),
        "mask_input": (TensorProto.FLOAT, [1, 1, SIDE // 2, SIDE // 2]),
        "has_mask_input": (TensorProto.FLOAT, [1]),
    }
    constants = {
        "tokens": np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1),
        "scores": np.array([SCORES], np.float32),
        "ten": np.float32(10),
        "hundred": np.float32(100),
        "twice": np.array([1, 1, 2, 2], np.float32),
    }
    nodes = [
        ("Cast", ["image_embed"], "image", {"to": TensorProto.FLOAT}),
        ("Cast", ["point_labels"], "kinds", {"to": TensorProto.FLOAT}),
        ("ReduceSum", ["kinds"], "inside", {"keepdims": 0}),
        ("Mul", ["inside", "ten"], "by_labels", {}),
        ("Resize", ["mask_input", "", "twice"], "guess", {"mode": "nearest"}),
        ("Mul", ["guess", "has_mask_input"], "heard", {}),
        ("Mul", ["heard", "hundred"], "by_mask", {}),
        ("Sum", ["image", "tokens", "by_labels", "by_mask"], "masks", {}),
        ("Identity", ["scores"], "iou_scores", {}),
        ("ReduceMean", ["point_coords"], "object_score_logits", {}),
    ]
    outputs = {"object_score_logits": None, "masks": [1, 4, SIDE, SIDE], "iou_scores": [1, 4]}
    graph = helper.make_graph(
        [helper.make_node(kind, i, [o], **more) for kind, i, o, more in nodes],
        "decoder",
        [helper.make_tensor_value_info(name, *declared) for name, declared in shapes.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    file: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return file


def embeddings_file(image_embed: NDArray[np.generic], single: str) -> bytes:
    size = {"input_width": "8", "input_height": "8", "image_width": "16", "image_height": "16"}
    meta = {"revision": "r", "single_mask_index": single, **size}
    return save({"image_embed": np.asarray(image_embed)}, metadata=meta)


ZEROS = np.zeros((1, 1, SIDE, SIDE))


@pytest.mark.parametrize("labels", [TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64])
@pytest.mark.parametrize(
    ("declared", "given"),
    [
        (TensorProto.FLOAT, np.float32),
        (TensorProto.FLOAT16, np.float16),
        (TensorProto.UINT8, np.uint8),
    ],
)
def test_the_decoder_is_fed_what_it_declares(
    declared: int, given: type[np.generic], labels: int
) -> None:
    image = np.arange(SIDE**2, dtype=given).reshape(ZEROS.shape)
    decoder = Decoder(decoder_file(declared, labels), embeddings_file(image, ""), "r")
    candidate = decoder.decode([Click(1, 1)])
    assert candidate.score == pytest.approx(max(SCORES))
    assert np.array_equal(candidate.logits, image[0, 0].astype(np.float32) + 10)


def test_one_click_is_ambiguous_and_the_next_corrects_its_mask() -> None:
    file = embeddings_file(ZEROS.astype(np.float16), "0")
    decoder = Decoder(decoder_file(TensorProto.FLOAT16, TensorProto.INT32), file, "r")
    first = decoder.decode([Click(1, 1)])
    assert first.score == pytest.approx(SCORES[2])  # the best but for token 0
    assert (first.logits == 10 + 2).all()
    second = decoder.decode([Click(1, 1), Click(9, 9, inside=False)])
    assert second.score == pytest.approx(SCORES[0])
    assert (second.logits == 10 + 0 + 100 * (10 + 2)).all()
    third = decoder.decode([Click(1, 1), Click(9, 9, inside=False), Click(2, 2)])
    assert (third.logits == 20 + 0 + 100 * second.logits).all()


def test_what_is_off_the_object_corrects_no_mask_that_is_not_there() -> None:
    file = embeddings_file(ZEROS.astype(np.float32), "0")
    decoder = Decoder(decoder_file(TensorProto.FLOAT, TensorProto.INT32), file, "r")
    candidate = decoder.decode([Click(9, 9, inside=False), Click(1, 1)])
    assert (candidate.logits == 10).all()


def test_embeddings_of_another_precision_are_refused() -> None:
    file = embeddings_file(ZEROS.astype(np.uint8), "0")
    decoder = Decoder(decoder_file(TensorProto.FLOAT16, TensorProto.INT32), file, "r")
    with pytest.raises(ApiClientError, match="as float16, the embeddings hold uint8"):
        decoder.decode([Click(1, 1)])
