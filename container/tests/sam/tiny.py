"""A SAM 3 of the published layout, small and with random weights."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import (
    CLIPTokenizer,
    Sam3Config,
    Sam3Model,
    Sam3TrackerConfig,
    Sam3TrackerModel,
    Sam3TrackerVideoConfig,
    Sam3VideoConfig,
)

from gen3d_inference.engines.sam.export import export
from gen3d_inference.weights import seal

SIDE = 112
GRID = SIDE // 14
WIDTH = 32
START, END = "<|startoftext|>", "<|endoftext|>"


def vision_config() -> dict[str, object]:
    return {
        "model_type": "sam3_vision_model",
        "backbone_config": {
            "model_type": "sam3_vit_model",
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIDE,
            "patch_size": 14,
            "pretrain_image_size": SIDE // 2,
            "window_size": 4,
            "global_attn_indexes": [1],
        },
        "backbone_feature_sizes": [[4 * GRID] * 2, [2 * GRID] * 2, [GRID] * 2],
        "fpn_hidden_size": WIDTH,
    }


def tracker_config() -> dict[str, object]:
    return {
        "vision_config": vision_config(),
        "prompt_encoder_config": {"hidden_size": WIDTH, "image_size": SIDE, "patch_size": 14},
        "mask_decoder_config": {
            "hidden_size": WIDTH,
            "mlp_dim": WIDTH,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": WIDTH,
        },
    }


def detector_config() -> dict[str, object]:
    part = {
        "hidden_size": WIDTH,
        "num_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": WIDTH,
    }
    return {
        "vision_config": vision_config(),
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": 514,
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "projection_dim": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "max_position_embeddings": 32,
            "hidden_act": "gelu",
            "bos_token_id": 512,
            "eos_token_id": 513,
        },
        "geometry_encoder_config": part,
        "detr_encoder_config": part,
        "detr_decoder_config": {**part, "num_queries": 12},
        "mask_decoder_config": {"hidden_size": WIDTH, "num_attention_heads": 2},
    }


def tracker(seed: int = 0) -> Sam3TrackerModel:
    """A tracker that answers with masks of both signs; its pyramid has the three levels in use."""
    config = Sam3TrackerConfig(**tracker_config())
    config.vision_config.scale_factors = [4.0, 2.0, 1.0]
    return randomised(Sam3TrackerModel(config), seed)


def detector(seed: int = 0) -> Sam3Model:
    return randomised(Sam3Model(Sam3Config(**detector_config())), seed)


def write(folder: Path, seed: int = 0) -> None:
    """Write it as facebook/sam3 is published: detector, tracker and tokeniser in one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = randomised(Sam3TrackerModel(Sam3TrackerConfig(**tracker_config())), seed)
    tensors = {f"detector_model.{name}": t for name, t in detector(seed).state_dict().items()}
    for name, tensor in whole.state_dict().items():
        if name.startswith("vision_encoder.neck."):
            tensors[name.replace("vision_encoder.neck.", "tracker_neck.")] = tensor
        elif not name.startswith("vision_encoder."):
            tensors[f"tracker_model.{name}"] = tensor
    save_file({k: _alone(t) for k, t in tensors.items()}, folder / "model.safetensors")
    Sam3VideoConfig(
        detector_config=Sam3Config(**detector_config()),
        tracker_config=Sam3TrackerVideoConfig(**tracker_config(), image_size=SIDE),
    ).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    (folder / "LICENSE").write_text("SAM License\n")


def write_engine(folder: Path, seed: int = 0) -> None:
    """Write and seal what the sam engine is loaded from, but for SAM 3D Objects."""
    write(folder / "sam3", seed)
    export(folder / "sam3", folder / "decoder.onnx")
    seal(folder, "sam")


def tokenizer() -> CLIPTokenizer:
    """One token a letter, as byte-pair encoding starts from, without any merged pairs."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(code) for code in printable] + [chr(256 + n) for n in range(68)]
    words = [*letters, *(letter + "</w>" for letter in letters), START, END]
    return CLIPTokenizer(vocab={word: n for n, word in enumerate(words)}, merges=[])


def randomised(model: nn.Module, seed: int) -> nn.Module:
    """The library starts so small that everything it answers is next to nothing."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = 0.1 if parameter.ndim == 1 else parameter[0].numel() ** -0.5
            centre = parameter.mean().round() if parameter.ndim == 1 else 0.0
            noise = torch.randn(parameter.shape, generator=random)
            parameter.copy_(noise * spread * 1.5 + centre)
    return model.eval().requires_grad_(False)


def _alone(tensor: Tensor) -> Tensor:
    return tensor.clone().contiguous()
