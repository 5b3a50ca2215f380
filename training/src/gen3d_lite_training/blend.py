"""Averages exported networks: ``python -m gen3d_lite_training.blend OUT FOLDER FOLDER …``.

Networks that went on from the same weights lie in one valley of the loss, and the mean of their
weights mostly answers better than each ("model soups", Wortsman et al. 2022); no file grows and
none is slower. As exported the batch norms are part of the convolutions, so that there is nothing
but weights to average.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

FILES = ("encoder.onnx", "decoder.onnx", "reconstruction.onnx")


def blend(folders: list[Path], out: Path) -> None:
    """Write the mean of networks of the same shape.

    Parameters
    ----------
    folders
        As `export` wrote them. What is no weight is the first's.
    out
        Where to.

    Raises
    ------
    ValueError
        They are not of the same shape.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        model, *others = (onnx.load(folder / name) for folder in folders)
        weights = [
            {tensor.name: numpy_helper.to_array(tensor) for tensor in other.graph.initializer}
            for other in others
        ]
        for tensor in model.graph.initializer:
            own = numpy_helper.to_array(tensor)
            same = [one.get(tensor.name, np.zeros(0)) for one in weights]
            if any(one.shape != own.shape for one in same):
                raise ValueError(f"{name} is not of the same shape in all folders: {tensor.name}")
            mean = np.mean([own, *same], 0, np.float32).astype(own.dtype)
            tensor.CopyFrom(numpy_helper.from_array(mean, tensor.name))
        onnx.save(model, out / name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m gen3d_lite_training.blend", description=__doc__
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    given = parser.parse_args()
    blend(given.folders, given.out)
