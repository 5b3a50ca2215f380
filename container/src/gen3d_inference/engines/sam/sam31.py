"""SAM 3.1's weights under the names of SAM 3's, by which the networks are loaded.

Meta publishes SAM 3.1 as ``sam3.1_multiplex.pt`` alone, by the names of its own code. It is SAM 3
trained on, with another tracker for videos beside it. What answers clicks and texts has SAM 3's
shapes: the click's half of the tracker is called ``interactive``, its pyramid
``interactive_convs``. The tracker of videos is left out.

The names of SAM 3's two layouts are those of facebookresearch/sam3 and of transformers' models.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import Sam3VideoConfig

from gen3d.errors import WeightsInvalid

CHECKPOINT = "sam3.1_multiplex.pt"
MODEL = "model.safetensors"

_LEFT_OUT = re.compile(
    # Rotations, which the library computes; what reads clicks in the detector, where it reads texts
    # alone; and what videos need.
    r".*\.attn\.freqs_cis|detector\.geometry_encoder\.points_.*|detector\.backbone\.vision_backbone\.propagation_convs\..*"
    r"|tracker\.model\.(?!interactiv).*|tracker\.model\.interactive_(obj_ptr|mask_down).*"
)


def _numbered(match: re.Match[str]) -> str:
    return f"{match[1]}.layer{int(match[2]) + 1}."


def _in_out(match: re.Match[str]) -> str:
    return match[1] + {"0": ".proj_in.", "1": ".layers.0.", "2": ".proj_out."}[match[2]]


_Rule = tuple[str, str | Callable[[re.Match[str]], str]]

_ATTENTION: tuple[_Rule, ...] = ((r"\.out_proj\.", ".o_proj."),)
_LAYER: tuple[_Rule, ...] = (
    *_ATTENTION,
    (r"\.cross_attn_image\.", ".cross_attn."),
    (r"\.norm(\d)\.", r".layer_norm\1."),
    (r"\.linear(\d)\.", r".mlp.fc\1."),
)
_PYRAMID: tuple[_Rule, ...] = (
    (r"\.dconv_2x2(_0)?\.", ".scale_layers.0."),
    (r"\.dconv_2x2_1\.", ".scale_layers.2."),
    (r"\.conv_1x1\.", ".proj1."),
    (r"\.conv_3x3\.", ".proj2."),
)

_PARTS: tuple[tuple[str, str, tuple[_Rule, ...]], ...] = (
    (
        "detector.backbone.vision_backbone.trunk",
        "detector_model.vision_encoder.backbone",
        (
            (r"\.pos_embed$", ".embeddings.position_embeddings"),
            (r"\.patch_embed\.proj\.", ".embeddings.patch_embeddings.projection."),
            (r"\.ln_pre\.", ".layer_norm."),
            (r"\.blocks\.", ".layers."),
            (r"\.attn\.qkv\.", ".attention.in_proj_"),
            (r"\.attn\.proj\.", ".attention.o_proj."),
            (r"\.norm(\d)\.", r".layer_norm\1."),
        ),
    ),
    (
        "detector.backbone.vision_backbone.convs",
        "detector_model.vision_encoder.neck.fpn_layers",
        _PYRAMID,
    ),
    ("detector.backbone.vision_backbone.interactive_convs", "tracker_neck.fpn_layers", _PYRAMID),
    ("detector.backbone.language_backbone.resizer", "detector_model.text_projection", ()),
    (
        "detector.backbone.language_backbone.encoder",
        "detector_model.text_encoder",
        (
            (r"\.text_projection$", ".text_projection.weight"),
            (r"\.positional_embedding$", ".text_model.embeddings.position_embedding.weight"),
            (r"\.token_embedding\.", ".text_model.embeddings.token_embedding."),
            (r"\.ln_final\.", ".text_model.final_layer_norm."),
            (r"\.transformer\.resblocks\.", ".text_model.encoder.layers."),
            (r"\.attn\.", ".self_attn."),
            (r"\.ln_(\d)\.", r".layer_norm\1."),
            (r"\.c_fc\.", ".fc1."),
            (r"\.c_proj\.", ".fc2."),
        ),
    ),
    (
        "detector.geometry_encoder",
        "detector_model.geometry_encoder",
        (
            *_LAYER,
            (r"\.encode\.", ".layers."),
            (r"\.img_pre_norm\.", ".vision_layer_norm."),
            (r"\.encode_norm\.", ".output_layer_norm."),
            (r"\.norm\.", ".prompt_layer_norm."),
        ),
    ),
    ("detector.transformer.encoder", "detector_model.detr_encoder", _LAYER),
    (
        "detector.transformer.decoder",
        "detector_model.detr_decoder",
        (
            (r"\.norm1\.", ".vision_cross_attn_layer_norm."),
            (r"\.norm2\.", ".self_attn_layer_norm."),
            (r"\.norm3\.", ".mlp_layer_norm."),
            (r"\.catext_norm\.", ".text_cross_attn_layer_norm."),
            (r"\.norm\.", ".output_layer_norm."),
            (r"\.presence_token_out_norm\.", ".presence_layer_norm."),
            (r"\.cross_attn\.", ".vision_cross_attn."),
            (r"\.ca_text\.", ".text_cross_attn."),
            (r"\.presence_token_head\.", ".presence_head."),
            (r"\.bbox_embed\.", ".box_head."),
            (r"\.boxRPB_embed_", ".box_rpb_embed_"),
            (r"(_head|_embed_[xy])\.layers\.(\d)\.", _numbered),
            *_LAYER,
        ),
    ),
    (
        "detector.segmentation_head",
        "detector_model.mask_decoder",
        (
            *_ATTENTION,
            (r"\.cross_attend_prompt\.", ".prompt_cross_attn."),
            (r"\.cross_attn_norm\.", ".prompt_cross_attn_norm."),
            (r"\.mask_predictor\.mask_embed\.", ".mask_embedder."),
            (r"\.instance_seg_head\.", ".instance_projection."),
            (r"\.semantic_seg_head\.", ".semantic_projection."),
        ),
    ),
    (
        "detector.dot_prod_scoring",
        "detector_model.dot_product_scoring",
        (
            (r"\.prompt_mlp\.out_norm\.", ".text_mlp_out_norm."),
            (r"\.prompt_mlp\.", ".text_mlp."),
            (r"(\.text_mlp)\.layers\.(\d)\.", _numbered),
            (r"\.prompt_proj\.", ".text_proj."),
            (r"\.hs_proj\.", ".query_proj."),
        ),
    ),
    (
        "tracker.model.interactive_sam_mask_decoder",
        "tracker_model.mask_decoder",
        (
            *_ATTENTION,
            (r"(_head|_mlps\.\d)\.layers\.(\d)\.", _in_out),
            (r"\.output_upscaling\.0\.", ".upscale_conv1."),
            (r"\.output_upscaling\.1\.", ".upscale_layer_norm."),
            (r"\.output_upscaling\.3\.", ".upscale_conv2."),
            (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
            (r"\.norm(\d)\.", r".layer_norm\1."),
            (r"\.lin1\.", ".proj_in."),
            (r"\.lin2\.", ".proj_out."),
        ),
    ),
    (
        "tracker.model.interactive_sam_prompt_encoder",
        "tracker_model.prompt_encoder",
        (
            (r"\.pe_layer\.positional_encoding_\w+", ".shared_embedding.positional_embedding"),
            (r"\.mask_downscaling\.0\.", ".mask_embed.conv1."),
            (r"\.mask_downscaling\.1\.", ".mask_embed.layer_norm1."),
            (r"\.mask_downscaling\.3\.", ".mask_embed.conv2."),
            (r"\.mask_downscaling\.4\.", ".mask_embed.layer_norm2."),
            (r"\.mask_downscaling\.6\.", ".mask_embed.conv3."),
        ),
    ),
    ("tracker.model.interactivity_no_mem_embed", "tracker_model.no_memory_embedding", ()),
)
"""Of each part: its name there and here, and what changes in what follows it."""

_POINTS = re.compile(r"(tracker_model\.prompt_encoder)\.point_embeddings\.(\d)\.weight")
_LEVELS = "detector_model.vision_encoder.neck.fpn_layers"


def convert(folder: Path) -> None:
    """Write ``model.safetensors`` in the checkpoint's place, and the configuration beside it.

    The configuration is the library's own, which has SAM 3's sizes.

    Parameters
    ----------
    folder : Path
        Holds ``sam3.1_multiplex.pt``.

    Raises
    ------
    WeightsInvalid
        It cannot be read, or holds something that no rule here knows. It stays then.
    """
    path = folder / CHECKPOINT
    try:
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        found = dict(held.get("model", held))
    except Exception as error:
        raise WeightsInvalid(
            f"{path} cannot be read ({type(error).__name__}). Fetch the weights again."
        ) from error
    half = folder / f"{MODEL}.half"
    save_file({name: tensor.contiguous() for name, tensor in renamed(found).items()}, half)
    Sam3VideoConfig().save_pretrained(folder)
    half.rename(folder / MODEL)
    path.unlink()


def renamed(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give SAM 3.1's tensors the names and shapes of SAM 3's.

    Raises
    ------
    WeightsInvalid
        One is neither known nor of what videos alone need, is of a shape that cannot be, or two are
        of one name here; or there is none.
    """
    tensors: dict[str, Tensor] = {}
    strange: list[str] = []
    points: dict[int, Tensor] = {}
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            strange.append(str(name))
            continue
        if _LEFT_OUT.fullmatch(name):
            continue
        ours = _name(name)
        if ours and (point := _POINTS.fullmatch(ours)):
            points[int(point[2])] = tensor
            continue
        made = _as_the_library_has_it(ours, tensor) if ours else {}
        if made and tensors.keys().isdisjoint(made):
            tensors |= made
        else:
            strange.append(name)
    if points:
        try:
            stacked = torch.cat([points[index] for index in sorted(points)])
            tensors["tracker_model.prompt_encoder.point_embed.weight"] = stacked
        except RuntimeError:
            strange.append("point_embeddings of several widths")
    if strange or not tensors:
        first = strange[0] if strange else "nothing of it"
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        raise WeightsInvalid(
            f"{CHECKPOINT} holds {first}{more}, which SAM 3.1 did not have so when this was "
            "written. Fetch the revision that the project names."
        )
    return tensors | dict(_unused_level(tensors))


def _name(name: str) -> str | None:
    for theirs, ours, rules in _PARTS:
        if name == theirs or name.startswith(f"{theirs}."):
            rest = name.removeprefix(theirs)
            for pattern, changed in rules:
                rest = re.sub(pattern, changed, rest)
            return ours + rest
    return None


def _as_the_library_has_it(name: str, tensor: Tensor) -> dict[str, Tensor]:
    """A tensor, or what it is cut into; nothing where its shape does not allow that."""
    fused = re.fullmatch(r"(.*\.)in_proj_(weight|bias)", name)
    if fused:
        if tensor.ndim == 0 or len(tensor) % 3:
            return {}
        thirds = zip("qkv", tensor.chunk(3), strict=True)
        return {f"{fused[1]}{part}_proj.{fused[2]}": third for part, third in thirds}
    if name.endswith(".position_embeddings"):
        # The first is that of a class, which nothing asks for.
        return {name: tensor[:, 1:]} if tensor.ndim > 1 else {}
    if name.endswith("text_encoder.text_projection.weight"):
        return {name: tensor.mT} if tensor.ndim > 1 else {}
    if name.endswith(".shared_embedding.positional_embedding"):
        image = "tracker_model.shared_image_embedding.positional_embedding"
        return {name: tensor, image: tensor.clone()}
    return {name: tensor}


def _unused_level(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The library's detector has a fourth level, half the patch grid, and drops what it gives."""
    for kind in ("proj1", "proj2"):
        for part in ("weight", "bias"):
            like = tensors.get(f"{_LEVELS}.2.{kind}.{part}")
            if like is not None and f"{_LEVELS}.3.{kind}.{part}" not in tensors:
                yield f"{_LEVELS}.3.{kind}.{part}", torch.zeros_like(like)
