"""The client's own parts: clicks, and what it says when something is wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from local.client.clicks import Click, check, parse
from local.client.decoder import as_png
from local.settings import LocalError
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
    with pytest.raises(LocalError, match="is no click"):
        parse(text)


def test_a_click_has_to_be_on_the_object() -> None:
    with pytest.raises(LocalError, match="off the object"):
        parse("-3,4")


@pytest.mark.parametrize("click", [Click(10, 0), Click(0, 5)])
def test_a_click_has_to_be_in_the_upright_photo(click: Click) -> None:
    check([Click(9.9, 4.9)], 10, 5)
    with pytest.raises(LocalError, match="10×5 pixels when it is upright"):
        check([click], 10, 5)


def test_a_mask_is_white_on_black(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(as_png(np.array([[True, False, False]])))
    with Image.open(path) as image:
        assert (image.mode, image.size, list(image.getdata())) == ("L", (3, 1), [255, 0, 0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["job", "none.jpg"], "none.jpg is not there"),
        (["job", "examples/coffee.jpg", "--click", "x"], "'x' is no click"),
        (["job", "examples/coffee.jpg", "--port", str(free_port())], "No stack is up"),
        (["up", "--parameter", "Engine"], "'Engine' is no parameter"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [sys.executable, "-m", "local", *arguments, "--folder", str(tmp_path)]
    if "--port" not in arguments:
        command += ["--port", str(free_port())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
