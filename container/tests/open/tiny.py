"""An open engine's weights, small and random, and code that stands in for TripoSplat's."""

import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import Sam2VideoConfig, Sam2VideoModel

from container.tests.sam.tiny import randomised
from gen3d_inference.engines.open import reconstruction, upstream
from gen3d_inference.engines.open.browser_decoder import write_decoder
from gen3d_inference.engines.open.flow import Flow, Sizes
from gen3d_inference.weights import seal

SIZES = Sizes(
    q_token_length=32,
    in_channels=16,
    cam_channels=5,
    model_channels=48,
    cond_channels=24,
    cond2_channels=12,
    num_refiner_blocks=1,
    num_blocks=2,
    num_heads=2,
)
"""Of the denoiser, as `pipeline_stand_in` names them."""
SIDE = 128
GRID = SIDE // 16
WIDTH = 32
HERE = Path(__file__).parent
STAND_IN = {"model": "networks_stand_in.py", "triposplat": "pipeline_stand_in.py"}


def video_config() -> Sam2VideoConfig:
    """As facebook/sam2.1-hiera-large's, with all that its photos do not need."""
    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 8,
        "image_size": [SIDE, SIDE],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [8, 16, 24, 32],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [4, 4, 4, 2],
        "window_positional_embedding_background_size": [4, 4],
        "global_attention_blocks": [3],
    }
    return Sam2VideoConfig(
        vision_config={
            "model_type": "sam2_vision_model",
            "backbone_config": backbone,
            "backbone_channel_list": [32, 24, 16, 8],
            "backbone_feature_sizes": [[4 * GRID] * 2, [2 * GRID] * 2, [GRID] * 2],
            "fpn_hidden_size": WIDTH,
        },
        prompt_encoder_config={"hidden_size": WIDTH, "image_size": SIDE},
        mask_decoder_config={
            "hidden_size": WIDTH,
            "mlp_dim": WIDTH,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": WIDTH,
        },
        image_size=SIDE,
        memory_attention_hidden_size=WIDTH,
        memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=WIDTH,
        memory_attention_rope_feat_sizes=[GRID, GRID],
        memory_encoder_hidden_size=WIDTH,
        memory_encoder_output_channels=WIDTH // 4,
        mask_downsampler_embed_dim=WIDTH,
        memory_fuser_num_layers=1,
        memory_fuser_embed_dim=WIDTH,
        memory_fuser_intermediate_dim=WIDTH,
    )


def write_sam2(folder: Path, seed: int = 0) -> None:
    """Write SAM 2.1 as it is published: the video's model, which holds the photos'."""
    torch.manual_seed(seed)
    model = randomised(Sam2VideoModel(video_config()), seed)
    model.save_pretrained(folder)


def flow_parameters(sizes: Sizes, seed: int = 0) -> dict[str, torch.Tensor]:
    """A denoiser's, by the checkpoint's names, so large that each of them matters."""
    random = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        shapes = {name: t.shape for name, t in Flow(sizes).state_dict().items()}
    found = {}
    for name, shape in shapes.items():
        rows = name.split(".")
        if "rotation" in rows:
            apart = {"noise_refiner": "noise_", "context_refiner": "context_", "blocks": ""}
            name = f"{apart[rows[0]]}repo_layers.{rows[1]}.{'.'.join(rows[3:])}"
        spread = 0.3 if len(shape) == 1 else shape[1:].numel() ** -0.5
        centre = float(rows[-1] == "gamma" or ("norm" in name and rows[-1] == "weight"))
        found[name] = torch.randn(shape, generator=random) * spread + centre
    return found


def write_engine(folder: Path, seed: int = 0) -> None:
    """Write and seal what the open engine is loaded from."""
    write_sam2(folder / "sam2", seed)
    write_decoder(folder / "sam2", folder / "decoder.onnx")
    (folder / "LICENSE").write_text("Apache License\n")
    write_code(folder.parent / "code")
    with pytest.MonkeyPatch.context() as patch:
        use_code(folder.parent / "code", patch)
        code = upstream.load()
    assert Sizes.of(code.flow_arguments) == SIZES
    torch.manual_seed(seed)
    networks = {
        reconstruction.IMAGE_ENCODER: code.image_encoder().state_dict(),
        reconstruction.LATENT_ENCODER: code.latent_encoder().state_dict(),
        reconstruction.DECODER: code.decoder().state_dict(),
        reconstruction.DENOISER: flow_parameters(SIZES, seed),
    }
    for name, tensors in networks.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, folder / name)
    seal(folder, "open")


def write_code(folder: Path) -> None:
    """Write what stands in for upstream's two files, under their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in STAND_IN.items():
        shutil.copyfile(HERE / source, folder / f"{name}.py")


def use_code(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Have a folder's code taken for upstream's."""
    patch.setenv(upstream.SETTING, str(folder))
    for name in upstream.DIGESTS:
        digest = hashlib.sha256((folder / f"{name}.py").read_bytes()).hexdigest()
        patch.setitem(upstream.DIGESTS, name, digest)
