"""What holds before upstream is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.sam.objects.environment import prepare


def test_upstream_missing_is_named() -> None:
    with pytest.raises(WeightsInvalid, match="not installed in this image"):
        prepare({})


def _run(code: str, *paths: Path) -> str:
    """Run code in a process of its own, with folders to import from."""
    found = [str(path) for path in paths]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {found!r}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    return done.stdout + done.stderr


def _package(folder: Path, **modules: str) -> None:
    for name, code in modules.items():
        path = folder.joinpath(*name.split("."), "__init__.py")
        path.parent.mkdir(parents=True)
        path.write_text(code)


def test_a_package_that_upstream_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "sam3d_objects").mkdir()
    (tmp_path / "sam3d_objects" / "__init__.py").touch()
    (tmp_path / "loguru.py").write_text("raise ImportError(\"No module named 'spconv'\")")
    said = _run(
        "from gen3d_inference.engines.sam.objects import environment; environment.prepare()",
        tmp_path,
    )
    assert "WeightsInvalid: SAM 3D Objects cannot be imported: No module named 'spconv'" in said


ABSENT = "from gen3d_inference.engines.sam.objects import absent; absent.install(); "


def test_a_missing_package_can_be_imported_and_read_but_not_called() -> None:
    said = _run(
        ABSENT + "import kaolin.utils.testing, open3d as o3d; from gsplat import rasterization\n"
        "def f(mesh: o3d.geometry.TriangleMesh): pass\n"
        "print(isinstance(3, o3d.geometry.TriangleMesh))\n"
        "rasterization()"
    )
    assert said.startswith("False\n")
    assert "NotImplementedError: gsplat.rasterization is not installed" in said


@pytest.mark.parametrize("trainer", ["lightning.pytorch.saving", "pytorch_lightning.saving"])
def test_a_trainers_checkpoint_is_read_without_the_trainer(trainer: str, tmp_path: Path) -> None:
    _package(
        tmp_path / "with",
        **{
            trainer: "class Settings(dict): pass\n"
            "class Best:\n    def __init__(self, at): self.at = at\n"
            "class Losses(list): pass\n"
        },
    )
    checkpoint = tmp_path / "generator.ckpt"
    write = (
        f"import torch; from {trainer} import *\n"
        "held = {'hyper_parameters': Settings(depth=2), 'best': Best(3), 'losses': Losses([1])}\n"
        f"torch.save(held | {{'state_dict': {{'weight': torch.ones(2)}}}}, {str(checkpoint)!r})"
    )
    assert _run(write, tmp_path / "with") == ""
    read = (
        f"import torch; held = torch.load({str(checkpoint)!r}, weights_only=False)\n"
        "print(held['state_dict']['weight'].tolist())"
    )
    assert _run(ABSENT + read) == "[1.0, 1.0]\n"


def test_an_installed_package_stays_itself(tmp_path: Path) -> None:
    _package(tmp_path, gsplat="rasterization = lambda: print('rasterized')")
    said = _run(ABSENT + "import gsplat; gsplat.rasterization()", tmp_path)
    assert said == "rasterized\n"


def test_only_what_is_never_called_may_be_missing() -> None:
    assert "No module named 'gsplatter'" in _run(ABSENT + "import gsplatter")
