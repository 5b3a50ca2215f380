"""The client as somebody has it who installs its wheel: from a photo to a mesh by one command."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.local.running import ROOT, RunningStack

UV = Path(sys.executable).with_name("uv")
PHOTO = ROOT / "examples" / "coffee.jpg"


def uv(*words: str | Path) -> None:
    subprocess.run([UV, *words], check=True, capture_output=True, timeout=600)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is built, which `make wheel` names."""
    folder = Path(os.environ.get("GEN3D_WHEELS") or tmp_path_factory.mktemp("wheels"))
    uv("build", "-q", "--wheel", "--package", "gen3d-client", "-o", folder, ROOT)
    (built,) = folder.glob("gen3d_client-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that was empty, with the package alone."""
    folder = tmp_path_factory.mktemp("there") / "environment"
    uv("venv", "-q", "--python", sys.executable, folder)
    # The versions that the tests run with, which the machine mostly has.
    versions = ROOT / "requirements" / "dev.txt"
    python = folder / "bin" / "python"
    uv("pip", "install", "-q", "--python", python, "-c", versions, wheel)
    return folder


def test_a_wheel_holds_its_package_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"gen3d_client"}
    assert "gen3d_client/py.typed" in names
    assert not [name for name in names if "test" in name]


@pytest.mark.timeout(600)  # on a machine that is busy
def test_one_command_makes_a_mesh_of_a_photo(
    environment: Path, whole_stack: RunningStack, tmp_path: Path
) -> None:
    variables = {
        "GEN3D_HOME": str(tmp_path / "home"),
        "GEN3D_EMAIL": "you@example.com",
        "GEN3D_PASSWORD": "gen3d-on-this-machine-1",
    }

    def gen3d(*words: str | Path) -> str:
        done = subprocess.run(
            [environment / "bin" / "gen3d", *words],
            env=variables, cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=400,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    gen3d("login", whole_stack.url)
    said = gen3d("mesh", PHOTO, "--click", "226,232", "--click", "330,330", "--out", "cup.glb")
    assert said == "cup.glb\n"
    assert (tmp_path / "cup.glb").read_bytes()[:4] == b"glTF"
    assert str(ROOT) not in gen3d("--version")


def test_what_is_not_installed_is_named(environment: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [environment / "bin" / "gen3d", "mcp"],
        env={"GEN3D_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'gen3d-client[mcp]'" in done.stderr
