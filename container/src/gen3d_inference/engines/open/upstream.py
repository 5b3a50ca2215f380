"""TripoSplat's own code: two files at a commit, which the image holds and nothing here copies.

Of it run the two image encoders and the decoder of gaussians; its denoiser runs as
`gen3d_inference.engines.open.flow` has it, and its background remover not at all. What it is: MIT,
https://github.com/VAST-AI-Research/TripoSplat.
"""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from gen3d.errors import WeightsInvalid

COMMIT = "a78fa12d06dbf1381ca548bfac32bb68cb8c451d"
DIGESTS = {
    "model": "e8cb5aaa95c5cb4907b37621c3f8148965131b7703ed52178edffdeabdf5b623",
    "triposplat": "df17e9648f6e12988837311a207f06d24e302e5526632bc7d1596b68b8c89a35",
}
"""SHA-256 of each file, by its module; the second imports the first by this name."""

SETTING = "GEN3D_TRIPOSPLAT"
"""Names the folder that holds them; where it is not set, the image's."""
FOLDER = "/opt/triposplat"


class Code:
    """What is used of the code, by upstream's names.

    Parameters
    ----------
    modules : Mapping of str to module
        As `load` gives them.
    """

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        networks, pipeline = modules["model"], modules["triposplat"]
        self.image_encoder: Any = networks.DinoV3ViT
        self.latent_encoder: Any = networks.Flux2VAEEncoder
        self.decoder: Any = networks.OctreeGaussianDecoder
        self.flow_arguments: Mapping[str, Any] = pipeline.FLOW_MODEL_ARGS
        self.decoder_arguments = (pipeline.OCTREE_DECODER_ARGS, pipeline.GS_DECODER_ARGS)
        self.canvas = int(pipeline._CANVAS_SIZE)
        self.build_gaussians: Any = pipeline._build_gaussians


def load() -> Code:
    """Import the code.

    Raises
    ------
    WeightsInvalid
        It is not there, or is not what was reviewed.
    """
    folder = Path(os.environ.get(SETTING) or FOLDER)
    for name, digest in DIGESTS.items():
        path = folder / f"{name}.py"
        if not path.is_file():
            raise WeightsInvalid(
                f"TripoSplat's {path.name} is not in {folder}. Deploy the open engine's image, or "
                f"name a folder with upstream's commit {COMMIT[:7]} in {SETTING}."
            )
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise WeightsInvalid(
                f"{path} is not upstream's of commit {COMMIT[:7]}. Build the image again, or check "
                f"that commit out into {folder}."
            )
    modules = {}
    for name in DIGESTS:
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        modules[name] = importlib.util.module_from_spec(spec)
        sys.modules[name] = modules[name]  # one file imports the other by its bare name
        spec.loader.exec_module(modules[name])
    try:
        return Code(modules)
    finally:
        for name in modules:
            del sys.modules[name]
