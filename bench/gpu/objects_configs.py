"""The configurations of SAM 3D Objects' networks, in any size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sizes:
    """What tells one set of networks from another."""

    dino: str
    dino_width: int
    dino_side: tuple[int, int]  # for the structure, for the latents
    photo_side: int
    points_width: int
    points_side: int
    channels: int
    blocks: int
    heads: int
    latents_io: int
    voxel_channels: tuple[int, ...]
    gaussian_channels: int
    gaussian_blocks: int
    gaussian_heads: int
    depth: dict[str, Any]
    half: bool
    steps: int

    @property
    def condition(self) -> int:
        """Channels of the condition's tokens: the widest embedder's."""
        return max(self.dino_width, self.points_width)


FULL = Sizes(
    dino="dinov2_vitl14_reg",
    dino_width=1024,
    dino_side=(770, 1036),
    photo_side=770,
    points_width=512,
    points_side=256,
    channels=1024,
    blocks=24,
    heads=16,
    latents_io=128,
    voxel_channels=(512, 128, 32),
    gaussian_channels=768,
    gaussian_blocks=12,
    gaussian_heads=12,
    depth={"encoder": "dinov2_vitl14", "remap_output": "exp"},
    half=True,
    steps=25,
)
"""As released, as far as public sources tell."""

TINY = Sizes(
    dino="dinov2_vits14_reg",
    dino_width=384,
    dino_side=(56, 56),
    photo_side=56,
    points_width=32,
    points_side=32,
    channels=64,
    blocks=1,
    heads=2,
    latents_io=32,
    voxel_channels=(32, 32, 32),
    gaussian_channels=64,
    gaussian_blocks=1,
    gaussian_heads=2,
    depth={
        "encoder": "dinov2_vits14",
        "remap_output": "exp",
        "dim_proj": 32,
        "dim_upsample": [32, 32, 32],
        "num_tokens_range": [64, 64],
    },
    half=False,
    steps=3,
)
"""For a CPU."""


_MODELS = "sam3d_objects.model.backbone"


def _flow(kind: str, guidance: str, backbone: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "_target_": f"{_MODELS}.generator.{kind}",
        "time_scale": 1000.0,
        "sigma_min": 0.0,
        "reverse_fn": {
            "_target_": f"{_MODELS}.generator.classifier_free_guidance.{guidance}",
            "unconditional_handling": "add_flag",
            "interval": [0, 500],
            "strength": 2.0,
            "backbone": backbone,
        },
        **more,
    }


def _dino(sizes: Sizes, stage: int, images: tuple[str, str]) -> list[Any]:
    embedder: dict[str, Any] = {
        "_target_": f"{_MODELS}.dit.embedder.dino.Dino",
        "dino_model": sizes.dino,
        "input_size": sizes.dino_side[stage],
        "prenorm_features": stage == 1,
    }
    return [embedder, [[images[0], "cropped"], [images[1], "full"]]]


def _embedder(sizes: Sizes, stage: int) -> dict[str, Any]:
    embedders = [
        _dino(sizes, stage, ("image", "rgb_image")),
        _dino(sizes, stage, ("mask", "rgb_image_mask")),
    ]
    if stage == 0:
        points: dict[str, Any] = {
            "_target_": f"{_MODELS}.dit.embedder.pointmap.PointPatchEmbed",
            "embed_dim": sizes.points_width,
            "input_size": sizes.points_side,
            "remap_output": "linear",
        }
        embedders.append([points, [["pointmap", "cropped"], ["rgb_pointmap", "full"]]])
    return {
        "_target_": f"{_MODELS}.dit.embedder.embedder_fuser.EmbedderFuser",
        "embedder_list": embedders,
        "freeze": True,
    }


def _latent(sizes: Sizes, channels: int) -> dict[str, Any]:
    learnt: dict[str, Any] = {"_target_": f"{_MODELS}.tdfy_dit.models.mm_latent."}
    if channels == 8:
        learnt["_target_"] += "ShapePositionEmbedder"
        learnt |= {"resolution": 16, "patch_size": 1}
    else:
        learnt["_target_"] += "LearntPositionEmbedder"
        learnt |= {"token_len": 1}
    return {
        "_target_": f"{_MODELS}.tdfy_dit.models.mm_latent.Latent",
        "in_channels": channels,
        "model_channels": sizes.channels,
        "pos_embedder": learnt | {"model_channels": sizes.channels},
    }


def _transformer(sizes: Sizes) -> dict[str, Any]:
    return {
        "cond_channels": sizes.condition,
        "condition_embedder": None,
        "force_zeros_cond": True,
        "in_channels": 8,
        "out_channels": 8,
        "model_channels": sizes.channels,
        "num_blocks": sizes.blocks,
        "num_heads": sizes.heads,
        "qk_rms_norm": True,
        "use_fp16": sizes.half,
    }


def _structure(sizes: Sizes) -> dict[str, Any]:
    pose = {"6drotation_normalized": 6, "translation": 3, "scale": 3, "translation_scale": 1}
    backbone: dict[str, Any] = {
        "_target_": f"{_MODELS}.tdfy_dit.models.mot_sparse_structure_flow"
        ".SparseStructureFlowTdfyWrapper",
        **_transformer(sizes),
        "is_shortcut_model": True,
        "resolution": 16,
        "patch_size": 1,
        "latent_mapping": {
            name: _latent(sizes, channels) for name, channels in {**pose, "shape": 8}.items()
        },
        "latent_share_transformer": {"6drotation_normalized": list(pose)},
    }
    generator = _flow(
        "shortcut.model.ShortCut",
        "ClassifierFreeGuidanceWithExternalUnconditionalProbability",
        backbone,
    )
    return _module(sizes, 0, generator)


def _latents(sizes: Sizes) -> dict[str, Any]:
    backbone: dict[str, Any] = {
        "_target_": f"{_MODELS}.tdfy_dit.models.structured_latent_flow.SLatFlowModelTdfyWrapper",
        **_transformer(sizes),
        "resolution": 64,
        "patch_size": 2,
        "io_block_channels": [sizes.latents_io],
    }
    generator = _flow("flow_matching.model.FlowMatching", "ClassifierFreeGuidance", backbone)
    return _module(sizes, 1, generator)


def _module(sizes: Sizes, stage: int, generator: dict[str, Any]) -> dict[str, Any]:
    return {
        "module": {
            "condition_embedder": {"backbone": _embedder(sizes, stage)},
            "generator": {"backbone": generator},
        }
    }


def _voxels(sizes: Sizes) -> dict[str, Any]:
    return {
        "_target_": f"{_MODELS}.tdfy_dit.models.sparse_structure_vae"
        ".SparseStructureDecoderTdfyWrapper",
        "out_channels": 1,
        "latent_channels": 8,
        "num_res_blocks": 2,
        "num_res_blocks_middle": 2,
        "channels": list(sizes.voxel_channels),
        "use_fp16": sizes.half,
    }


def _gaussians(sizes: Sizes) -> dict[str, Any]:
    return {
        "_target_": f"{_MODELS}.tdfy_dit.models.structured_latent_vae.decoder_gs"
        ".SLatGaussianDecoderTdfyWrapper",
        "resolution": 64,
        "latent_channels": 8,
        "model_channels": sizes.gaussian_channels,
        "num_blocks": sizes.gaussian_blocks,
        "num_heads": sizes.gaussian_heads,
        "use_fp16": sizes.half,
        "representation_config": {
            "lr": {"_xyz": 1.0, "_features_dc": 1.0, "_opacity": 1.0}
            | {"_scaling": 1.0, "_rotation": 0.1},
            "perturb_offset": True,
            "voxel_size": 1.5,
            "num_gaussians": 32,
            "2d_filter_kernel_size": 0.1,
            "3d_filter_kernel_size": 0.0009,
            "scaling_bias": 0.004,
            "opacity_bias": 0.1,
            "scaling_activation": "softplus",
        },
    }


def _preprocessor(sizes: Sizes, points: bool) -> dict[str, Any]:
    tools = "sam3d_objects.data.dataset.tdfy"
    square = {"_target_": f"{tools}.img_processing.pad_to_square_centered", "_partial_": True}

    def resized(**how: Any) -> dict[str, Any]:
        resize = {"_target_": "torchvision.transforms.Resize", "size": sizes.photo_side, **how}
        return {"_target_": "torchvision.transforms.Compose", "transforms": [square, resize]}

    crop = {
        "_target_": f"{tools}.img_and_mask_transforms.crop_around_mask_with_padding",
        "_partial_": True,
        "box_size_factor": 1.2,
        "padding_factor": 0.0,
    }
    made: dict[str, Any] = {
        "_target_": f"{tools}.preprocessor.PreProcessor",
        "img_transform": resized(),
        "mask_transform": resized(interpolation=0),
        "img_mask_joint_transform": [] if points else [crop],
    }
    if points:
        same_size = {
            "_target_": f"{tools}.img_and_mask_transforms.resize_all_to_same_size",
            "_partial_": True,
        }
        made |= {
            "img_mask_pointmap_joint_transform": [same_size, crop],
            "pointmap_transform": resized(interpolation=0),
            "normalize_pointmap": True,
            "pointmap_normalizer": {
                "_target_": f"{tools}.img_and_mask_transforms.ObjectCentricSSI",
                "use_scene_scale": True,
                "allow_scale_and_shift_override": True,
            },
        }
    return made


def pipeline(sizes: Sizes) -> dict[str, Any]:
    """``pipeline.yaml``, which names the networks' files."""
    paths: dict[str, str] = {}
    # The last two are never written: nothing may load them.
    for name in (*NETWORKS, "slat_decoder_gs_4", "slat_decoder_mesh"):
        paths |= {f"{name}_config_path": f"{name}.yaml", f"{name}_ckpt_path": f"{name}.ckpt"}
    return {
        "_target_": "sam3d_objects.pipeline.inference_pipeline_pointmap.InferencePipelinePointMap",
        **paths,
        "dtype": "float16" if sizes.half else "float32",
        "compile_model": True,
        "downsample_ss_dist": 1,
        "pose_decoder_name": "ScaleShiftInvariant",
        "ss_inference_steps": sizes.steps,
        "slat_inference_steps": sizes.steps,
        "slat_cfg_strength": 2,
        "slat_rescale_t": 1,
        "ss_condition_input_mapping": [],
        "slat_condition_input_mapping": [],
        "ss_preprocessor": _preprocessor(sizes, points=True),
        "slat_preprocessor": _preprocessor(sizes, points=False),
        "depth_model": {
            "_target_": "sam3d_objects.pipeline.depth_models.moge.MoGe",
            "model": {
                "_target_": "moge.model.v1.MoGeModel.from_pretrained",
                "pretrained_model_name_or_path": "Ruicheng/moge-vitl",
            },
        },
    }


NETWORKS: dict[str, Callable[[Sizes], dict[str, Any]]] = {
    "ss_generator": _structure,
    "slat_generator": _latents,
    "ss_decoder": _voxels,
    "slat_decoder_gs": _gaussians,
}
"""What makes each network's configuration, by its files' name."""
