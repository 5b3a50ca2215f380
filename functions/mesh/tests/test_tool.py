"""The command, in this process."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from gen3d_mesh.__main__ import main
from gen3d_mesh.sample import ball as sample_ball
from gen3d_mesh.sample import write_splat
from gen3d_mesh.splat import Splat, joined

from .conftest import bumpy, cloud
from .test_write import document


def tall(count: int = 8000) -> Splat:
    """A splat twice as tall as wide, red above, that stands as COLMAP has it: -Y up."""
    splat = sample_ball(count)
    points = splat.centers * np.array([1, 1, 2], np.float32) + np.float32(3)
    lying = np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)
    return Splat(lying, splat.colors, splat.opacities, splat.scales * 1.4, splat.rotations)


def called(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["gen3d-mesh", *map(str, words)])
    return main()


def test_what_floats_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clump = sample_ball(200)
    floating = replace(
        clump,
        centers=clump.centers * np.float32(0.05) + np.float32(0.4),
        scales=np.full((200, 3), 0.01, np.float32),
        opacities=np.full(200, 0.3, np.float32),
    )
    write_splat(tmp_path / "in.ply", joined(sample_ball(8000), floating))
    words = ("--up", "z", "--quality", "preview", "--faces", "500")
    assert called(monkeypatch, tmp_path / "in.ply", tmp_path / "out.stl", *words) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["droppedParts"] == 1
    assert "200 gaussians (clumps: 1)" in said.err


def test_upright_on_the_ground_of_a_size_in_levels_of_detail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_splat(tmp_path / "in.ply", tall())
    code = called(
        monkeypatch, tmp_path / "in.ply", tmp_path / "out.ply", tmp_path / "out.draco.glb",
        "--up", "-y", "--stand", "--size", "150", "--lod", "2", "--faces", "2000",
        "--quality", "preview",
    )  # fmt: skip
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.err == ""
    answer = json.loads(said.out)
    assert (answer["format"], answer["up"], answer["gaussians"]) == ("PLY", "-y", 8000)
    heights = list[float]()
    for name, faces in (("out.ply", 2000), ("out.lod1.ply", 500)):
        mesh = trimesh.load_mesh(tmp_path / name, process=False)
        assert mesh.is_watertight
        assert len(mesh.faces) <= faces
        np.testing.assert_allclose(mesh.extents, (75, 75, 150), rtol=0.06)
        np.testing.assert_allclose(mesh.bounds[0], (-37.5, -37.5, 0), atol=2.5)
        heights.append(float(mesh.extents.max()))
        top = mesh.vertices[:, 2] > 85
        red, _, blue, _ = mesh.visual.vertex_colors[top].mean(axis=0)
        assert red > 2 * blue
    assert heights[0] == pytest.approx(150, rel=1e-5)
    # Were each made of the size by itself, one would jump for another.
    assert abs(heights[1] - 150) > 0.01
    extras = document((tmp_path / "out.lod1.draco.glb").read_bytes())["asset"]["extras"]
    assert "(x, y, z) → (x, z, -y)" in extras["splatTurned"]


@pytest.mark.parametrize(("asked", "there"), [((), True), (("--no-normal-map",), False)])
def test_a_normal_map_is_said_and_can_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    asked: tuple[str, ...], there: bool,
) -> None:  # fmt: skip
    write_splat(tmp_path / "in.ply", cloud(bumpy(0.05)))
    words = ("--quality", "preview", "--texture", "128", "--faces", "600", "--up", "z", *asked)
    assert called(monkeypatch, tmp_path / "in.ply", tmp_path / "out.glb", *words) == 0
    assert ("normal map" in capsys.readouterr().err) is there
    (material,) = document((tmp_path / "out.glb").read_bytes())["materials"]
    assert ("normalTexture" in material) is there


def test_no_normal_map_is_made_of_a_mesh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trimesh.creation.box().export(tmp_path / "in.stl")
    assert called(monkeypatch, tmp_path / "in.stl", tmp_path / "out.glb", "--normal-map") == 1
    assert "made of a splat alone" in capsys.readouterr().err


def test_what_is_guessed_or_left_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(4000))
    monkeypatch.setattr("gen3d_mesh.splat_ply.MAX_GAUSSIANS", 3000)
    words = ("--quality", "preview", "--faces", "500")
    assert called(monkeypatch, tmp_path / "in.ply", tmp_path / "out.3mf", *words) == 0
    said = capsys.readouterr()
    assert "with z up" in said.err
    assert "--up" in said.err
    assert "a sample of 3,000" in said.err
    assert "100 mm" in said.err
    assert json.loads(said.out)["gaussians"] == 4000


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--faces", "0"], "no number from 4"),
        (["--faces", "9" * 5000], "no number from 4"),
        (["--size", "nan"], "no length"),
        (["--size", "0"], "no length"),
        (["--texture", "-1"], "no number|expected one argument"),
        (["--lod", "7"], "from 1 to 6"),
        (["--up", "x"], "invalid choice"),
        (["b.fbx"], "b.fbx has none of the endings"),
    ],
)
def test_a_slip_of_the_keys_is_named_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str],
    sentence: str,
) -> None:  # fmt: skip
    with pytest.raises(SystemExit) as left:
        called(monkeypatch, "missing.ply", "a.glb", *words)
    assert left.value.code == 2
    assert re.search(sentence, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("source", "out", "sentence"),
    [
        ("missing.ply", "a.glb", "missing.ply: No such file"),
        (".", "a.glb", "Is a directory"),
        ("missing.ply", "a.usdz", "pip install 'gen3d-mesh[usdz]'"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    source: str, out: str, sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "pxr", None)
    assert called(monkeypatch, source, out) == 1
    assert sentence in capsys.readouterr().err
