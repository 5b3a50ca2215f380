"""From a splat's file to a mesh, on shapes whose truth is known."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from gen3d.ply import PROPERTIES
from gen3d_mesh import pipeline
from gen3d_mesh.coloured_mesh import ColouredMesh
from gen3d_mesh.coverage import warning
from gen3d_mesh.pipeline import QUALITIES, Figures, build
from gen3d_mesh.sample import ball as sample_ball
from gen3d_mesh.sample import write_splat
from gen3d_mesh.splat import joined

from .conftest import BLUE, RED, bowl, cloud, made, sphere, torus, two_parts


def check(coloured: ColouredMesh, figures: Figures, shape: trimesh.Trimesh) -> None:
    result = trimesh.Trimesh(
        coloured.positions + coloured.frame.center, coloured.mesh.faces, process=False
    )
    assert result.is_watertight
    assert figures.watertight
    assert result.euler_number == shape.euler_number
    assert result.body_count == figures.components == shape.body_count
    assert result.volume == pytest.approx(shape.volume, rel=0.03)
    true, _ = trimesh.sample.sample_surface(shape, 200_000, seed=2)
    distance, _ = cKDTree(true).query(result.vertices)
    assert distance.max() < 0.01


def test_sphere(ball: tuple[ColouredMesh, Figures]) -> None:
    check(*ball, sphere())


@pytest.mark.parametrize(
    ("shape", "count", "quality"),
    [(sphere(), 6000, "standard"), (sphere(), 25_000, "standard"), (torus(), 25_000, "fine")],
)
def test_a_sparse_cloud_is_no_lace(shape: trimesh.Trimesh, count: int, quality: str) -> None:
    level = replace(QUALITIES[quality], faces=5000, texels=0)
    coloured, figures = build(cloud(shape, count), level)
    result = trimesh.Trimesh(coloured.positions, coloured.mesh.faces, process=False)
    assert figures.watertight
    assert result.euler_number == shape.euler_number
    assert result.volume == pytest.approx(shape.volume, rel=0.03)


def test_coverage_is_told(
    ball: tuple[ColouredMesh, Figures], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ball[1]
    assert whole.coverage is not None
    assert whole.coverage > 0.985
    assert whole.warnings == []
    monkeypatch.setattr(pipeline, "coverage", lambda *_: 0.912345)
    low = made(tmp_path, cloud(sphere(), 10_000), 2000)[1]
    assert low.watertight
    assert low.coverage == low.answer()["coverage"] == 0.9123
    assert low.warnings == low.answer()["warnings"] == [warning(0.9123)]


def test_faces_that_are_too_few_are_named_as_the_cause(tmp_path: Path) -> None:
    write_splat(tmp_path / "splat.ply", cloud(torus()))
    _, figures = build(tmp_path / "splat.ply", QUALITIES["preview"], faces=40)
    assert figures.coverage is not None
    assert figures.coverage < 0.8
    (warning,) = figures.warnings
    assert "had 100 % before" in warning
    assert "--faces" in warning


def test_torus(ring: tuple[ColouredMesh, Figures]) -> None:
    check(*ring, torus())


def test_two_parts(tmp_path: Path) -> None:
    check(*made(tmp_path, cloud(two_parts())), two_parts())


def test_small_parts_stay_and_what_floats_is_told(tmp_path: Path) -> None:
    """A ball of a sixteenth of the diameter against clumps, as large and denser, but faint."""
    small = trimesh.creation.icosphere(3, radius=0.031).apply_translation([0.45, 0.3, 0.3])
    shape = trimesh.util.concatenate([sphere(), small])
    clump = sample_ball(300)
    floating = [
        replace(
            clump,
            centers=clump.centers * np.float32(0.04) + np.array(place, np.float32),
            opacities=np.full(300, 0.3, np.float32),
        )
        for place in ([0.45, -0.3, 0.3], [-0.45, 0.3, -0.3])
    ]
    coloured, figures = made(tmp_path, joined(cloud(shape, 60_000), *floating))
    check(coloured, figures, shape)
    answer = figures.answer()
    assert (answer["droppedParts"], answer["droppedGaussians"]) == (2, 600)


def test_colours_are_where_they_belong(ball: tuple[ColouredMesh, Figures]) -> None:
    coloured, _ = ball
    z = coloured.mesh.vertices[:, 2]
    np.testing.assert_allclose(coloured.colors[z > 0.05].mean(axis=0), RED, atol=0.01)
    np.testing.assert_allclose(coloured.colors[z < -0.05].mean(axis=0), BLUE, atol=0.01)


def test_mesh_is_centred_whatever_floats_about(tmp_path: Path) -> None:
    clump = replace(sample_ball(200), centers=0.02 * sample_ball(200).centers + np.float32(0.56))
    coloured, figures = made(tmp_path, joined(cloud(sphere()), clump))
    low, high = coloured.positions.min(axis=0), coloured.positions.max(axis=0)
    np.testing.assert_allclose(low + high, 0, atol=1e-5)
    check(coloured, figures, sphere())  # and the frame's centre leads back to the splat


def test_figures_are_of_this_run(ball: tuple[ColouredMesh, Figures]) -> None:
    coloured, figures = ball
    answer = figures.answer()
    assert answer["gaussians"] == 40_000
    assert 39_000 < answer["gaussiansKept"] <= 40_000
    assert answer["faces"] == len(coloured.mesh.faces) <= 12_000
    assert answer["vertices"] == len(coloured.mesh.vertices)
    assert set(answer["timings"]) >= {"read", "clean", "solid", "surface", "simplify", "colour"}


def test_hole_in_the_cloud_is_closed(tmp_path: Path) -> None:
    splat = cloud(sphere())
    holed = splat.take(np.linalg.norm(splat.centers - [0.5, 0, 0], axis=1) > 0.09)
    coloured, figures = made(tmp_path, holed)
    assert figures.watertight
    assert figures.components == 1
    volume = trimesh.Trimesh(coloured.positions, coloured.mesh.faces).volume
    assert volume == pytest.approx(sphere().volume, rel=0.04)


def test_two_sheets_with_a_rim_make_a_solid(tmp_path: Path) -> None:
    # What one photo gives: a grid of pixels in front, one behind, and the rim between them.
    s = np.linspace(-0.5, 0.5, 150)
    x, z = (a.ravel() for a in np.meshgrid(s, s))
    inside = np.hypot(x, z) < 0.5
    x, z = x[inside], z[inside]
    depth = 0.2 * np.sqrt(1 - (x * x + z * z) / 0.25) + 0.05
    turn = np.linspace(0, 2 * np.pi, 500)
    rim = [
        np.stack([0.5 * np.cos(turn), np.full(500, y), 0.5 * np.sin(turn)], axis=1)
        for y in np.linspace(-0.05, 0.05, 14)
    ]
    points = np.concatenate(
        [np.stack([x, depth, z], axis=1), np.stack([x, -0.5 * depth, z], axis=1), *rim]
    )
    splat = cloud(sphere(), len(points))
    splat = type(splat)(
        points.astype(np.float32), splat.colors, splat.opacities, splat.scales, splat.rotations
    )
    coloured, figures = made(tmp_path, splat)
    result = trimesh.Trimesh(coloured.positions, coloured.mesh.faces, process=False)
    assert result.is_watertight
    assert result.euler_number == 2
    assert figures.components == 1


def test_open_sheet_becomes_a_thin_wall_without_pinholes(tmp_path: Path) -> None:
    coloured, figures = made(tmp_path, cloud(bowl(), noise=0.002))
    result = trimesh.Trimesh(
        coloured.positions + coloured.frame.center, coloured.mesh.faces, process=False
    )
    assert result.is_watertight
    assert result.euler_number == 2
    assert figures.components == 1
    true, _ = trimesh.sample.sample_surface(bowl(), 200_000, seed=2)
    distance, _ = cKDTree(true).query(result.vertices)
    assert np.quantile(distance, 0.95) < 0.009


def test_a_surveyed_object_far_from_the_origin_is_whole(tmp_path: Path) -> None:
    """In float32 its gaussians would lie on a lattice of half a metre."""
    path = tmp_path / "splat.ply"
    write_splat(path, cloud(sphere(), 20_000))
    data = path.read_bytes()
    start = data.index(b"end_header\n") + len(b"end_header\n")
    rows = np.frombuffer(data[start:], "<f4").reshape(-1, len(PROPERTIES))
    table = np.zeros(len(rows), [(n, "<f8" if n in ("x", "y", "z") else "<f4") for n in PROPERTIES])
    place = np.array([500_000.0, 4_000_000.0, 120.0])
    for k, name in enumerate(PROPERTIES):
        table[name] = rows[:, k] + (place[k] if k < 3 else 0)
    head = data[:start]
    for axis in (b"x", b"y", b"z"):
        head = head.replace(b"float %s\n" % axis, b"double %s\n" % axis)
    path.write_bytes(head + table.tobytes())
    coloured, figures = build(path, QUALITIES["preview"], 6000)
    assert figures.components == 1
    np.testing.assert_allclose(coloured.frame.center, place, rtol=0, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(coloured.positions, axis=1), 0.5, atol=0.02)


def test_a_process_of_our_own_loads_no_linear_algebra_for_numba() -> None:
    code = (
        "import sys\n"
        "from gen3d_mesh.warm import without_blas\n"
        "without_blas()\n"
        "import numpy as np\n"
        "from gen3d_mesh.grid_kernels import bounds\n"
        "bounds(np.zeros((2, 3), np.float32))\n"
        "print('scipy.linalg' in sys.modules)\n"
        "import scipy.linalg\n"
        "print(scipy.linalg.norm([3, 4]))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "5.0"]


HEAVY = ("scipy.linalg", "scipy.spatial", "trimesh", "pymeshlab", "open3d", "pxr", "lib3mf")
"""Packages of which the command loads none until it is needed: they are a tenth of a cold start."""


@pytest.mark.slow
def test_a_splat_becomes_a_mesh_and_a_picture_without_heavy_packages(tmp_path: Path) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(10_000))
    code = (
        "import sys\n"
        "from gen3d_mesh.__main__ import main\n"
        "code = main()\n"
        f"print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    words = ("in.ply", "out.glb", "out.png", "--quality", "preview", "--texture", "64", "--up", "z")
    said = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True, text=True, check=True, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert said.stderr.strip() == "[]"
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gen3d_mesh", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PYTHONPATH": ":".join(sys.path)},
    )


def test_command_line(tmp_path: Path) -> None:
    write_splat(tmp_path / "in.ply", sample_ball(10_000))
    done = run(tmp_path / "in.ply", tmp_path / "out.glb", "--quality", "preview", "--faces", "3000")
    assert done.returncode == 0, done.stderr
    assert '"watertight": true' in done.stdout
    assert (tmp_path / "out.glb").read_bytes().startswith(b"glTF")


def test_command_line_names_errors_without_a_trace(tmp_path: Path) -> None:
    (tmp_path / "in.ply").write_bytes(b"no")
    done = run(tmp_path / "in.ply", tmp_path / "out.glb")
    assert done.returncode == 1
    assert done.stderr.startswith("InvalidSplat: ")
    assert "Traceback" not in done.stderr
