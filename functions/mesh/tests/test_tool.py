"""The command, in this process."""

import io
import json
import os
import re
import subprocess
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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("--normal-map",), "made of a splat alone"), (("--quality", "fine"), "by --faces")],
)
def test_what_only_a_splat_can_have_is_refused_of_a_mesh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], sentence: str,
) -> None:  # fmt: skip
    trimesh.creation.box().export(tmp_path / "in.stl")
    assert called(monkeypatch, tmp_path / "in.stl", tmp_path / "out.glb", *words) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out.glb").exists()


@pytest.mark.parametrize("words", [("--holes", "5"), ("--normal-map", "--texture", "0")])
def test_what_would_be_asked_for_in_vain_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(2000))
    assert called(monkeypatch, tmp_path / "in.ply", tmp_path / "out.glb", *words) == 1
    assert not (tmp_path / "out.glb").exists()


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


QUICK = ("--quality", "preview", "--faces", "300", "--up", "z")


@pytest.mark.parametrize(
    ("out", "words", "sentence"),
    [
        (["in.ply"], (), "in.ply is what is read"),
        (["./x/../in.ply"], (), "in.ply is what is read"),
        (["link.ply"], (), "in.ply is what is read"),
        (["link.glb", "link.lod1.ply"], ("--lod", "2"), "in.ply is what is read"),
        (["a.glb", "./a.glb"], (), "a.glb would be written twice"),
        (["a.glb", "a.lod1.glb"], ("--lod", "2"), "a.lod1.glb would be written twice"),
        (["nowhere/a.glb"], (), "make the folder first"),
        (["folder.glb"], (), "is no file"),
    ],
)
def test_what_would_be_lost_is_named_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    out: list[str], words: tuple[str, ...], sentence: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_splat(Path("in.ply"), sample_ball(2000))
    there = Path("in.ply").read_bytes()
    for name in ("link.ply", "link.lod1.ply"):
        Path(name).symlink_to("in.ply")
    Path("folder.glb").mkdir()
    Path("x").mkdir()
    with pytest.raises(SystemExit) as left:
        called(monkeypatch, "in.ply", *out, *QUICK, *words)
    assert left.value.code == 2
    assert sentence in capsys.readouterr().err
    assert Path("in.ply").read_bytes() == there


def test_a_folder_that_may_not_be_written_to_is_named_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # root may everything
    with pytest.raises(SystemExit):
        called(monkeypatch, "missing.ply", tmp_path / "a.glb")
    assert f"{tmp_path} cannot be written to" in capsys.readouterr().err


def test_endings_may_be_in_capitals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_splat(tmp_path / "IN.PLY", sample_ball(4000))
    out = [tmp_path / name for name in ("A.GLB", "B.Draco.Glb", "C.PNG")]
    assert called(monkeypatch, tmp_path / "IN.PLY", *out, *QUICK, "--lod", "2") == 0
    names = {"A.GLB", "A.lod1.GLB", "B.Draco.Glb", "B.lod1.Draco.Glb", "C.PNG", "C.lod1.PNG"}
    assert {path.name for path in tmp_path.iterdir()} == {"IN.PLY", *names}
    assert b"KHR_draco" in out[1].read_bytes()


def test_a_file_that_cannot_be_written_is_named_and_not_the_splat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(4000))
    full = tmp_path / "full.glb"
    full.symlink_to("/dev/full")
    assert called(monkeypatch, tmp_path / "in.ply", full, *QUICK) == 1
    assert f"{full}: No space left" in capsys.readouterr().err
    assert full.is_symlink()


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_file_that_was_there_stays_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(4000))
    out = tmp_path / "out.glb"
    out.write_bytes(b"before")
    out.chmod(0o640)
    with monkeypatch.context() as during:
        whole = Path.write_bytes

        def half(path: Path, data: bytes) -> int:
            whole(path, data[: len(data) // 2])
            raise fault

        during.setattr(Path, "write_bytes", half)
        assert called(monkeypatch, tmp_path / "in.ply", out, *QUICK) in (1, 130)
    assert out.read_bytes() == b"before"
    assert called(monkeypatch, tmp_path / "in.ply", out, *QUICK) == 0
    assert out.read_bytes()[:4] == b"glTF"
    assert out.stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"in.ply", "out.glb"}


def test_a_pipe_is_refused_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "pipe.ply")
    assert called(monkeypatch, tmp_path / "pipe.ply", tmp_path / "a.glb") == 1
    assert "Save what it gives in a file first" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert called(monkeypatch, "-", tmp_path / "a.glb") == 1
    assert "Save what it gives in a file first" in capsys.readouterr().err


def test_the_key_that_stops_it_leaves_no_trace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_: Path) -> None:
        raise KeyboardInterrupt

    write_splat(tmp_path / "in.ply", sample_ball(2000))
    monkeypatch.setattr("gen3d_mesh.read.read", stopped)
    assert called(monkeypatch, tmp_path / "in.ply", tmp_path / "a.glb") == 130
    assert capsys.readouterr().err == "Stopped.\n"


def test_nobody_has_to_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(4000))
    words = (tmp_path / "in.ply", tmp_path / "a.glb", "--quality", "preview", "--faces", "300")
    near, far = os.pipe()
    os.close(near)  # as `| head -1` does
    with monkeypatch.context() as during, os.fdopen(far, "w") as gone:
        during.setattr(sys, "stdout", gone)
        assert called(monkeypatch, *words) == 0
    with monkeypatch.context() as during:
        during.setattr(sys, "stderr", None)  # as `2>&-` leaves it
        assert called(monkeypatch, *words) == 0
        sys.stderr.close()
    assert json.loads(capsys.readouterr().out)["format"] == "PLY"
    with monkeypatch.context() as during, Path("/dev/full").open("wb", buffering=0) as raw:
        during.setattr(sys, "stdout", io.TextIOWrapper(raw, write_through=True))
        assert called(monkeypatch, *words) == 1
    assert "standard output: No space left" in capsys.readouterr().err


def test_what_is_refused_is_so_before_anything_that_computes_is_imported(tmp_path: Path) -> None:
    pointer = tmp_path / "in.ply"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    script = (
        "import sys; from gen3d_mesh.__main__ import main\n"
        f"sys.argv = ['gen3d-mesh', {str(pointer)!r}, {str(tmp_path / 'a.glb')!r}]; code = main()\n"
        "print(code, sorted({'numba', 'scipy', 'PIL', 'trimesh'} & {*sys.modules}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "1 []"
    assert "git lfs pull" in said.stderr


def test_a_first_run_says_why_it_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(4000))
    monkeypatch.setattr("gen3d_mesh.warm.compiled", lambda: False)
    assert called(monkeypatch, tmp_path / "in.ply", tmp_path / "a.glb", *QUICK) == 0
    assert "compiled first, once" in capsys.readouterr().err


@pytest.mark.parametrize("others", [False, True])
def test_kernels_are_kept_where_neither_package_nor_home_can_be_written(
    tmp_path: Path, others: bool
) -> None:
    """In a folder that nobody else can write to: what lies in it is run."""
    folder = tmp_path / f"gen3d-kernels-{os.getuid()}"
    if others:
        folder.mkdir()
        folder.chmod(0o777)
    script = (
        "import numba.core.caching as caching\n"
        # All that is left of where it looks.
        "caching.CacheImpl._locator_classes = [caching.UserProvidedCacheLocator]\n"
        "from gen3d_mesh.warm import find_cache; find_cache()\n"
        "from gen3d_mesh import view_kernels; print(view_kernels.project.stats.cache_path)"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": ":".join(sys.path), "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said.startswith(str(tmp_path / "gen3d-kernels-"))
    (used,) = (each for each in tmp_path.iterdir() if said.startswith(f"{each}/"))
    assert (used == folder) is not others
    assert used.stat().st_mode & 0o777 == 0o700
