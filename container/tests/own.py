"""An engine that is none of ours, plugged in as somebody else would."""

import shutil
from pathlib import Path

from gen3d_inference.weights import seal

LITE = Path(__file__).parents[1] / "weights" / "lite"

CLASSES = {"cushion": "container.tests.cushion.cushion_engine:CushionEngine"}
"""What ``GEN3D_ENGINE`` says of an engine, by its name."""


def loaded_as(name: str) -> str:
    """What ``GEN3D_ENGINE`` says of an engine of this name."""
    return CLASSES.get(name, name)


def seal_cushion(folder: Path) -> Path:
    """Weights of the cushion engine, which are the lite engine's."""
    shutil.copytree(LITE, folder / "lite")
    for name in ("decoder.onnx", "LICENSE"):
        shutil.copy(LITE / name, folder / name)
    seal(folder, "cushion")
    return folder
