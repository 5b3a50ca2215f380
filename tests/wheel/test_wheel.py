"""The mesh step as somebody has it who installs its wheel and knows nothing of this checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


def test_installed_into_an_empty_environment_it_makes_a_mesh(wheels: Path, tmp_path: Path) -> None:
    there = tmp_path / "environment"
    python = there / "bin/python"
    run(UV, "venv", "-q", "--python", sys.executable, there, **os.environ)
    # The versions that the tests run with, which the machine mostly has.
    run(
        UV, "pip", "install", "-q", "--python", python, "--find-links", wheels,
        "-c", ROOT / "requirements/dev.txt", "gen3d-mesh[3mf,usdz]", **os.environ,
    )  # fmt: skip
    files = [tmp_path / f"ball.{ending}" for ending in ("glb", "3mf", "usdz")]
    said = run(
        there / "bin/gen3d-mesh", SPLAT, *files, "--quality", "preview", "--size", "80",
        NUMBA_OPT="0",  # its kernels are compiled at their first use: sooner so
    )  # fmt: skip
    assert json.loads(said)["format"] == "SPZ 4"
    assert [file.read_bytes()[:4] for file in files] == [b"glTF", b"PK\3\4", b"PK\3\4"]
    where = run(
        python, "-c", "import gen3d, gen3d_mesh; print(gen3d.__file__, gen3d_mesh.__file__)"
    )
    assert str(ROOT) not in where
