"""SAM 3.1's names become those of SAM 3, every one of them and at full size.

``sam31_layout.txt`` lists what the checkpoint holds: names and shapes as facebookresearch/sam3's
code gives them (read off its networks at 99d02f2, with what 3.1 calls otherwise renamed), equal
ones in one line. The checkpoint itself is gated and was never loaded here.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import (
    AutoConfig,
    Sam3Config,
    Sam3Model,
    Sam3TrackerConfig,
    Sam3TrackerModel,
    Sam3VideoConfig,
)

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.sam import sam31

LAYOUT = Path(__file__).with_name("sam31_layout.txt")
DECODER = "tracker.model.interactive_sam_mask_decoder"
TRUNK = "detector.backbone.vision_backbone.trunk"


def counted(listed: str) -> Iterator[int]:
    for part in listed.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def checkpoint() -> dict[str, Tensor]:
    """The whole of it, without values."""
    tensors = {}
    for line in LAYOUT.read_text().splitlines():
        pattern, shape = line.split()
        sizes = [int(size) for size in shape.split("×")]
        run = re.search(r"\[(.+)\]", pattern)
        for number in counted(run[1]) if run else [0]:
            name = pattern.replace(run[0], str(number)) if run else pattern
            tensors[name] = torch.empty(sizes, device="meta")
    return tensors


def wanted() -> dict[str, torch.Size]:
    """What the library's networks hold, by the names under which facebook/sam3 publishes them."""
    tracker_config = Sam3TrackerConfig()
    tracker_config.vision_config.scale_factors = [4.0, 2.0, 1.0]
    with torch.device("meta"):
        detector = Sam3Model(Sam3Config())
        tracker = Sam3TrackerModel(tracker_config)
    names = {f"detector_model.{name}": t.shape for name, t in detector.state_dict().items()}
    for name, tensor in tracker.state_dict().items():
        if name.startswith("vision_encoder.neck."):
            names[name.replace("vision_encoder.neck.", "tracker_neck.")] = tensor.shape
        elif not name.startswith("vision_encoder."):
            names[f"tracker_model.{name}"] = tensor.shape
    return names


def test_every_parameter_of_both_networks_is_there_and_no_other() -> None:
    found = sam31.renamed(checkpoint())
    assert {name: tensor.shape for name, tensor in found.items()} == wanted()


def test_what_is_fused_is_cut_into_queries_keys_and_values() -> None:
    fused = torch.arange(12.0).reshape(6, 2)
    for theirs, ours in (
        (f"{TRUNK}.blocks.7.attn.qkv.weight", "vision_encoder.backbone.layers.7.attention"),
        (
            "detector.transformer.decoder.layers.1.ca_text.in_proj_weight",
            "detr_decoder.layers.1.text_cross_attn",
        ),
    ):
        found = sam31.renamed({theirs: fused})
        for part, third in zip("qkv", (fused[:2], fused[2:4], fused[4:]), strict=True):
            assert torch.equal(found[f"detector_model.{ours}.{part}_proj.weight"], third)


def test_tables_are_laid_out_as_the_library_reads_them() -> None:
    positions = torch.arange(10.0).reshape(1, 5, 2)
    projection = torch.arange(6.0).reshape(2, 3)
    waves = torch.arange(4.0).reshape(2, 2)
    prompts = "tracker.model.interactive_sam_prompt_encoder"
    found = sam31.renamed(
        {
            f"{TRUNK}.pos_embed": positions,
            "detector.backbone.language_backbone.encoder.text_projection": projection,
            f"{prompts}.pe_layer.positional_encoding_gaussian_matrix": waves,
            **{f"{prompts}.point_embeddings.{n}.weight": torch.full((1, 2), n) for n in (2, 0, 1)},
        }
    )
    backbone = "detector_model.vision_encoder.backbone"
    assert torch.equal(found[f"{backbone}.embeddings.position_embeddings"], positions[:, 1:])
    assert torch.equal(found["detector_model.text_encoder.text_projection.weight"], projection.T)
    assert found["tracker_model.prompt_encoder.point_embed.weight"].tolist() == [
        [0, 0],
        [1, 1],
        [2, 2],
    ]
    for name in ("prompt_encoder.shared_embedding", "shared_image_embedding"):
        assert torch.equal(found[f"tracker_model.{name}.positional_embedding"], waves)


def test_the_level_that_the_library_drops_is_nothing() -> None:
    convs = "detector.backbone.vision_backbone.convs.2"
    found = sam31.renamed({f"{convs}.conv_1x1.bias": torch.ones(3)})
    neck = "detector_model.vision_encoder.neck.fpn_layers"
    assert found[f"{neck}.2.proj1.bias"].tolist() == [1, 1, 1]
    assert found[f"{neck}.3.proj1.bias"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["detector.adapter.weight", "critic.weight", f"{DECODER}s.weight"])
def test_what_no_rule_knows_is_refused(name: str) -> None:
    with pytest.raises(WeightsInvalid, match=re.escape(name)):
        sam31.renamed({name: torch.ones(1), f"{DECODER}.iou_token.weight": torch.ones(1, 2)})


CONV = "detector.backbone.vision_backbone.convs.0"
POINT = "tracker.model.interactive_sam_prompt_encoder.point_embeddings"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({f"{TRUNK}.blocks.0.attn.qkv.weight": torch.ones(4, 2)}, "qkv.weight"),
        ({f"{TRUNK}.blocks.0.attn.qkv.bias": torch.ones(())}, "qkv.bias"),
        ({f"{TRUNK}.pos_embed": torch.ones(4)}, "pos_embed"),
        ({f"{TRUNK}.ln_pre.weight": 3}, "ln_pre"),
        ({3: torch.ones(1)}, "holds 3,"),
        ({f"{POINT}.0.weight": torch.ones(1, 2), f"{POINT}.1.weight": torch.ones(1, 3)}, "widths"),
        (
            {f"{CONV}.dconv_2x2.bias": torch.ones(1), f"{CONV}.dconv_2x2_0.bias": torch.ones(1)},
            "dconv_2x2_0.bias",
        ),
        ({"tracker.model.other": torch.ones(1)}, "nothing of it"),
        ({}, "nothing of it"),
    ],
)
def test_what_cannot_be_of_it_is_refused_and_stays(
    tmp_path: Path, held: dict[object, object], said: str
) -> None:
    torch.save({"model": held}, tmp_path / sam31.CHECKPOINT)
    with pytest.raises(WeightsInvalid, match=re.escape(said)):
        sam31.convert(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [sam31.CHECKPOINT]


def test_the_checkpoint_is_converted_in_its_place(tmp_path: Path) -> None:
    held = {f"{DECODER}.iou_token.weight": torch.ones(1, 2), "tracker.model.other": torch.ones(1)}
    torch.save({"model": held}, tmp_path / sam31.CHECKPOINT)
    sam31.convert(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    found = load_file(tmp_path / "model.safetensors")
    assert {name: t.tolist() for name, t in found.items()} == {
        "tracker_model.mask_decoder.iou_token.weight": [[1, 1]]
    }
    assert isinstance(AutoConfig.from_pretrained(tmp_path), Sam3VideoConfig)


def test_a_checkpoint_that_cannot_be_read_stays(tmp_path: Path) -> None:
    (tmp_path / sam31.CHECKPOINT).write_bytes(b"half of it")
    with pytest.raises(WeightsInvalid, match="Fetch the weights again"):
        sam31.convert(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [sam31.CHECKPOINT]
