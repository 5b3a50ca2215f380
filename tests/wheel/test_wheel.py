"""The mesh step as somebody has it who installs its wheel and knows nothing of this checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import trimesh

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
SPLAT = ROOT / "functions/mesh/tests/splats/v4.spz"


def run(*words: str | Path, **variables: str) -> str:
    """What a command prints; it has nothing of this environment but what is named."""
    done = subprocess.run(
        [*map(str, words)],
        env=variables, cwd="/", capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they are built, which `make wheel` names."""
    folder = Path(os.environ.get("GEN3D_WHEELS") or tmp_path_factory.mktemp("wheels"))
    for package in ("gen3d", "gen3d-mesh"):
        run(UV, "build", "-q", "--wheel", "--package", package, "-o", folder, ROOT, **os.environ)
    return folder


def test_a_wheel_holds_its_package_alone(wheels: Path) -> None:
    (wheel,) = wheels.glob("gen3d_mesh-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"gen3d_mesh"}
    assert not [name for name in names if "test" in name]


@pytest.fixture(scope="module")
def there(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that was empty, with the package and all that it can be asked for."""
    folder = tmp_path_factory.mktemp("there") / "environment"
    run(UV, "venv", "-q", "--python", sys.executable, folder, **os.environ)
    # The versions that the tests run with, which the machine mostly has.
    run(
        UV, "pip", "install", "-q", "--python", folder / "bin/python", "--find-links", wheels,
        "-c", ROOT / "requirements/dev.txt", "gen3d-mesh[3mf,usdz,meshopt,meshes]", **os.environ,
    )  # fmt: skip
    return folder


def test_nothing_of_this_checkout_is_used(there: Path) -> None:
    said = run(
        there / "bin/python", "-c",
        "import gen3d, gen3d_mesh; print(gen3d.__file__, gen3d_mesh.__file__)",
    )  # fmt: skip
    assert str(ROOT) not in said


def test_a_splat_becomes_files_of_every_format_and_one_of_these_another_mesh(
    there: Path, tmp_path: Path
) -> None:
    command = there / "bin/gen3d-mesh"
    endings = ("glb", "draco.glb", "meshopt.glb", "usdz", "3mf", "stl", "ply", "zip", "png")
    files = [tmp_path / f"ball.{ending}" for ending in endings]
    said = run(
        command, SPLAT, *files, "--quality", "preview", "--size", "80", "--texture", "256",
        NUMBA_OPT="0",  # its kernels are compiled at their first use: sooner so
    )  # fmt: skip
    figures = json.loads(said)
    assert figures["format"] == "SPZ 4"
    assert figures["watertight"] is True
    starts = (3 * [b"glTF"]) + 2 * [b"PK\3\4"]
    assert [file.read_bytes()[:4] for file in files[:5]] == starts
    for file, unit in ((files[0], 1000), (files[1], 1000), (files[5], 1), (files[6], 1)):
        mesh = trimesh.load_mesh(file)
        assert unit * mesh.extents.max() == pytest.approx(80, rel=0.001)
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        assert mesh.is_watertight
    with zipfile.ZipFile(files[7]) as archive:
        assert {Path(name).suffix for name in archive.namelist()} >= {".obj", ".mtl"}

    fewer = [tmp_path / f"fewer.{ending}" for ending in ("draco.glb", "3mf", "usdz")]
    said = run(command, files[1], *fewer, "--faces", "2000", "--size", "40", NUMBA_OPT="0")
    assert json.loads(said)["faces"] <= 2000
    assert 1000 * trimesh.load_mesh(fewer[0]).extents.max() == pytest.approx(40, rel=0.001)
    assert [file.read_bytes()[:2] for file in fewer[1:]] == [b"PK", b"PK"]


def test_what_has_no_name_here_is_told_in_a_sentence(there: Path, tmp_path: Path) -> None:
    pointer = tmp_path / "splat.ply"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    done = subprocess.run(
        [there / "bin/gen3d-mesh", pointer, tmp_path / "out.glb"],
        env={}, cwd="/", capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Git LFS" in done.stderr
    assert "Traceback" not in done.stderr
