"""Files of any size for the page to load in place of a job's own."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors.numpy import save

_PROMPT = {"point_coords", "point_labels", "mask_input", "has_mask_input"}
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


def embeddings(decoder: Path, meta: dict[str, str], seed: int = 0) -> bytes:
    """Random embeddings of the shapes and types that a decoder declares.

    Parameters
    ----------
    decoder : pathlib.Path
        An ONNX file.
    meta : dict
        The metadata that the page expects, as `gen3d.contract.EmbeddingsMeta` has it.
    """
    random = np.random.default_rng(seed)
    session = onnxruntime.InferenceSession(str(decoder))
    tensors: dict[str, NDArray[np.generic]] = {
        declared.name: random.standard_normal(declared.shape).astype(_TYPES[declared.type])
        for declared in session.get_inputs()
        if declared.name not in _PROMPT
    }
    return save(tensors, metadata=meta)


def splat(gaussians: int, seed: int = 0) -> bytes:
    """A 3DGS PLY: small flat gaussians on a sphere of radius 0.4."""
    random = np.random.default_rng(seed)
    points = random.standard_normal((gaussians, 3))
    points *= 0.4 / np.linalg.norm(points, axis=1, keepdims=True)
    names = ["x", "y", "z", "nx", "ny", "nz", *(f"f_dc_{n}" for n in range(3)), "opacity"]
    names += [f"scale_{n}" for n in range(3)]
    names += [f"rot_{n}" for n in range(4)]
    rows = np.zeros((gaussians, len(names)), "<f4")
    rows[:, :3] = points
    rows[:, 6:9] = random.uniform(-1.5, 1.5, (gaussians, 3))
    rows[:, 9] = 3.0
    rows[:, 10:13] = np.log([0.002, 0.002, 0.0005])
    rows[:, 13:17] = random.standard_normal((gaussians, 4))
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {gaussians}"]
    header += [f"property float {name}" for name in names] + ["end_header", ""]
    return "\n".join(header).encode() + rows.tobytes()
