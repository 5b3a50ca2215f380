"""Random weights for SAM 3D Objects, laid out as the released ones.

The released weights are gated. Their networks are upstream's own classes, made here by the same
configurations from random numbers: everything but the answer is as with real weights.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.gpu.objects_configs import NETWORKS, Sizes, pipeline
from gen3d_inference.engines.sam.objects.pipeline import CHECKPOINTS, DEPTH, DINO


def write(
    folder: Path,
    sizes: Sizes,
    dinov2: Path,
    device: str = "cpu",
    occupied: float = 0.05,
) -> None:
    """Write a weights folder for `gen3d_inference.engines.sam.objects.pipeline.load`.

    Parameters
    ----------
    folder : Path
        Gets configurations and checkpoints.
    sizes : Sizes
    dinov2 : Path
        A checkout of DINOv2, to be linked.
    device : str
        Where the networks are made: a GPU does it faster.
    occupied : float
        Share of the voxels that random latents fill.
    """
    checkpoints = folder / CHECKPOINTS
    for path in (checkpoints, (folder / DEPTH).parent, (folder / DINO).parent):
        path.mkdir(parents=True, exist_ok=True)
    (folder / DINO).symlink_to(dinov2)
    conf = import_module("omegaconf").OmegaConf
    conf.save(conf.create(pipeline(sizes)), checkpoints / "pipeline.yaml")
    for name, configure in NETWORKS.items():
        config = configure(sizes)
        conf.save(conf.create(config), checkpoints / f"{name}.yaml")
        if "module" in config:
            state: dict[str, Any] = {}
            for part in ("condition_embedder", "generator"):
                network = _make(_local_dino(config["module"][part]["backbone"], folder), device)
                prefix = f"_base_models.{part}."
                state |= {prefix + key: value for key, value in network.state_dict().items()}
            saved: Any = {"state_dict": state}
        else:
            network = _make(config, device)
            if name == "ss_decoder":
                fill(network, occupied, device)
            saved = network.state_dict()
        torch.save(saved, checkpoints / f"{name}.ckpt")
        del saved, network
    moge = import_module("moge.model.v1").MoGeModel
    with torch.device(device):
        depth = moge(**sizes.depth)
    torch.save({"model_config": sizes.depth, "model": depth.state_dict()}, folder / DEPTH)


def _make(config: dict[str, Any], device: str) -> nn.Module:
    conf = import_module("omegaconf").OmegaConf
    with torch.device(device):
        network: nn.Module = import_module("hydra.utils").instantiate(conf.create(config))
    # Upstream starts the last layers at zero, which would make every answer the same.
    for parameter in network.parameters():
        if parameter.ndim > 1 and not parameter.any():
            nn.init.normal_(parameter, std=0.02)
    return network


def _local_dino(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    if "embedder_list" not in config:
        return config
    local = {
        "repo_or_dir": str(folder / DINO),
        "source": "local",
        "backbone_kwargs": {"pretrained": False},
    }
    embedders = [
        [made | local if made["_target_"].endswith("Dino") else made, inputs]
        for made, inputs in config["embedder_list"]
    ]
    return {**config, "embedder_list": embedders}


def fill(decoder: Any, occupied: float, device: str) -> None:
    """Shift the occupancy logits so that random latents fill this share of the voxels."""
    with torch.no_grad():
        logits = decoder(torch.randn(1, 8, 16, 16, 16, device=device))
    bias = decoder.out_layer[-1].bias
    bias.data -= torch.quantile(logits.flatten().float(), 1 - occupied).to(bias)
