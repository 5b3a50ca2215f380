"""SAM 2.1: the encoder and the decoder's file against the library's own model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from transformers import Sam2ImageProcessor

from container.tests.open import tiny
from container.tests.open.tiny import GRID, SIDE, WIDTH
from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.open.browser_decoder import write_decoder
from gen3d_inference.engines.open.sam2 import Sam2EncoderNetwork, Sam2ImageEncoder, load_sam2
from gen3d_inference.engines.parts import decoder
from gen3d_inference.engines.parts.decoder import NAMES, OUTPUTS, MaskDecoder, as_tokens
from gen3d_inference.engines.parts.pixels import stretch, to_device

pytestmark = pytest.mark.filterwarnings("ignore")
PHOTO = Image.effect_noise((200, 150), 60).convert("RGB")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sam2")
    tiny.write_sam2(path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return load_sam2(folder)


@torch.inference_mode()
def test_the_encoder_gives_what_the_library_gives(folder: Path, model: Any) -> None:
    processor = Sam2ImageProcessor(size={"height": SIDE, "width": SIDE})
    pixels = processor(PHOTO, return_tensors="pt").pixel_values
    expected = model.get_image_embeddings(pixels)
    network = Sam2EncoderNetwork(model)
    ours = stretch(to_device(PHOTO, CPU), SIDE)
    level = 1 / 255 / 0.224
    assert (ours * network.scale + network.shift - pixels).abs().max() < 1.01 * level
    found = network((pixels - network.shift) / network.scale)
    for mine, theirs in zip(found, (expected[2], expected[0], expected[1]), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-3)
    again = Sam2ImageEncoder(folder, CPU, torch.float16)(PHOTO)
    assert tuple(again) == NAMES
    for mine, theirs in zip(again.values(), network(ours), strict=True):
        torch.testing.assert_close(mine, theirs)


@torch.inference_mode()
def test_it_is_told_that_there_is_no_earlier_frame(model: Any) -> None:
    network = Sam2EncoderNetwork(model)
    pixels = torch.rand(1, 3, SIDE, SIDE)
    before = network(pixels)[0]
    network.no_memory_embedding.data += 7
    try:
        torch.testing.assert_close(network(pixels)[0], before + 7)
    finally:
        network.no_memory_embedding.data -= 7


def embeddings() -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    shapes = ((WIDTH, GRID), (WIDTH // 8, 4 * GRID), (WIDTH // 4, 2 * GRID))
    return [torch.randn((1, wide, side, side), generator=random) for wide, side in shapes]


@pytest.mark.parametrize("multimask", [True, False])
@torch.inference_mode()
def test_the_decoder_answers_clicks_as_the_library_does(
    model: Any, multimask: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "_gelu", functional.gelu)
    image, fine, middle = embeddings()
    points = torch.tensor([[[30.0, 40.0], [90.0, 20.0]]])
    labels = torch.tensor([[1, 0]], dtype=torch.int32)
    model.mask_decoder.dynamic_multimask_via_stability = False
    theirs = model(
        image_embeddings=[fine, middle, image],
        input_points=points[:, None],
        input_labels=labels[:, None],
        multimask_output=multimask,
    )
    nothing = torch.zeros(1, 1, 4 * GRID, 4 * GRID)
    masks, scores, seen = MaskDecoder(model)(
        *(as_tokens(each, GRID) for each in (image, fine, middle)),
        points,
        labels,
        nothing,
        torch.zeros(1),
    )
    tokens = slice(1, 4) if multimask else slice(0, 1)
    torch.testing.assert_close(masks[:, tokens], theirs.pred_masks[:, 0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(scores[:, tokens], theirs.iou_scores[:, 0])
    torch.testing.assert_close(seen, theirs.object_score_logits[:, 0])


def test_the_page_cannot_tell_its_file_from_the_sam_engine_s(folder: Path, tmp_path: Path) -> None:
    """The same inputs and outputs by name, type and number of dimensions."""
    from container.tests.sam import tiny as sam
    from gen3d_inference.engines.parts.decoder_export import to_onnx

    out = tmp_path / "decoder.onnx"
    write_decoder(folder, out)
    ours = onnxruntime.InferenceSession(out)
    theirs = onnxruntime.InferenceSession(to_onnx(MaskDecoder(sam.tracker()), "sam", "SAM License"))
    for mine, other in (
        (ours.get_inputs(), theirs.get_inputs()),
        (ours.get_outputs(), theirs.get_outputs()),
    ):
        assert [(each.name, each.type, len(each.shape)) for each in mine] == [
            (each.name, each.type, len(each.shape)) for each in other
        ]
    about, other_about = (session.get_modelmeta().custom_metadata_map for session in (ours, theirs))
    assert set(about) == set(other_about)
    assert (about["engine"], about["layout"]) == ("open", "tokens")
    assert [each.name for each in ours.get_outputs()] == list(OUTPUTS)
    assert {path.name for path in tmp_path.iterdir()} == {"decoder.onnx"}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_folder_without_a_file_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    for path in folder.iterdir():
        if path.name != name:
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(WeightsInvalid, match=r"no SAM 2\.1.*Fetch the weights again"):
        load_sam2(tmp_path)


def test_parameters_that_are_missing_are_named(folder: Path, tmp_path: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["no_memory_embedding"]
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").symlink_to(folder / "config.json")
    with pytest.raises(WeightsInvalid, match="lack no_memory_embedding"):
        load_sam2(tmp_path)


def test_another_model_s_sizes_are_refused(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["mask_decoder_config"]["mlp_dim"] = WIDTH * 2
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").symlink_to(folder / "model.safetensors")
    with pytest.raises(WeightsInvalid):
        load_sam2(tmp_path)


def test_noise_is_no_photo_of_another_size(folder: Path) -> None:
    encoder = Sam2ImageEncoder(folder, CPU, torch.float16)
    found = encoder(Image.new("RGB", (3, 1000)))
    assert {name: tensor.shape[-1] for name, tensor in found.items()} == {
        "image_embed": GRID,
        "high_res_0": 4 * GRID,
        "high_res_1": 2 * GRID,
    }
    assert all(np.isfinite(tensor.numpy()).all() for tensor in found.values())
