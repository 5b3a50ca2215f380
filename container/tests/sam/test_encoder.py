"""The image encoder against the library's own way, and the faults that give no error."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import Sam3TrackerConfig, Sam3TrackerModel, Sam3VideoConfig, Sam3VideoModel

from container.tests.sam import tiny
from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.parts.decoder import NAMES
from gen3d_inference.engines.parts.pixels import stretch, to_device
from gen3d_inference.engines.sam.encoder import EncoderNetwork, ImageEncoder
from gen3d_inference.engines.sam.tracker import load_tracker

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    tiny.write(folder)
    return folder


@pytest.fixture
def pixels() -> Tensor:
    return torch.randn(1, 3, tiny.SIDE, tiny.SIDE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def photo() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 130, 3), np.uint8))


def encode(tracker: Sam3TrackerModel, pixels: Tensor) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        encoded: tuple[Tensor, ...] = EncoderNetwork(tracker)(pixels)
    return encoded


def test_it_gives_what_the_library_gives(published: Path, pixels: Tensor) -> None:
    tracker = load_tracker(published)
    high_res_0, high_res_1, image_embed = tracker.get_image_embeddings(pixels)
    features = tracker.vision_encoder.backbone(pixels).last_hidden_state
    encoded = encode(tracker, pixels)
    for given, expected in zip(
        encoded, (image_embed, high_res_0, high_res_1, features), strict=True
    ):
        assert torch.equal(given, expected)


@pytest.mark.parametrize(("activation", "joined"), [("gelu", True), ("relu", False)])
def test_a_product_that_ends_in_its_activation_gives_the_same(
    tmp_path: Path, pixels: Tensor, activation: str, joined: bool
) -> None:
    config = Sam3TrackerConfig(**tiny.tracker_config())
    config.vision_config.backbone_config.hidden_act = activation
    Sam3TrackerModel(config).save_pretrained(tmp_path)
    network = EncoderNetwork(load_tracker(tmp_path))
    with torch.inference_mode():
        expected = network(pixels)
        library = type(network.backbone.layers[0].mlp)
        network.join_activations()
        assert all((type(each.mlp) is not library) is joined for each in network.backbone.layers)
        for given, right in zip(network(pixels), expected, strict=True):
            torch.testing.assert_close(given, right, atol=1e-5, rtol=1e-5)


def test_the_photo_s_shapes_are_the_decoder_s(published: Path, photo: Image.Image) -> None:
    encoder = ImageEncoder(published, CPU)
    tensors, features = encoder(photo)
    grid, width = tiny.GRID, tiny.WIDTH
    assert encoder.side == tiny.SIDE
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {
        "image_embed": (1, width, grid, grid),
        "high_res_0": (1, width // 8, 4 * grid, 4 * grid),
        "high_res_1": (1, width // 4, 2 * grid, 2 * grid),
    }
    assert tuple(tensors) == NAMES
    assert features.shape == (1, grid * grid, width)


def test_no_memory_embedding_reaches_image_embed(published: Path, pixels: Tensor) -> None:
    """The library's default pyramid has a level more, adds it there, and drops that level."""
    tracker = load_tracker(published)
    with_it = encode(tracker, pixels)[0]
    term = tracker.no_memory_embedding.detach().clone()
    tracker.no_memory_embedding.data.zero_()
    without = encode(tracker, pixels)[0]
    assert term.abs().min() > 0
    assert torch.allclose(with_it - without, term.view(1, -1, 1, 1).expand_as(with_it), atol=1e-5)


def test_positions_keep_their_precision_in_bfloat16(tmp_path: Path) -> None:
    """The library rounds them with the parameters, by up to an eighth of a patch."""
    config = Sam3TrackerConfig(**tiny.tracker_config())
    backbone = config.vision_config.backbone_config
    backbone.image_size, backbone.window_size = 14 * 6, 2  # positions are thirds, as at full size
    Sam3TrackerModel(config).save_pretrained(tmp_path)
    exact = EncoderNetwork(load_tracker(tmp_path))
    rounded = EncoderNetwork(load_tracker(tmp_path, torch.bfloat16))
    for layer, other in zip(exact.backbone.layers, rounded.backbone.layers, strict=True):
        assert other.mlp.fc1.weight.dtype == torch.bfloat16
        for table in ("cos", "sin"):
            assert torch.equal(getattr(layer.rotary_emb, table), getattr(other.rotary_emb, table))


def test_a_saved_tracker_is_loaded_bit_for_bit(
    published: Path, pixels: Tensor, tmp_path: Path
) -> None:
    whole = load_tracker(published)
    whole.save_pretrained(tmp_path)
    again = load_tracker(tmp_path)
    for before, after in zip(encode(whole, pixels), encode(again, pixels), strict=True):
        assert torch.equal(before, after)


def test_a_tracker_with_the_default_pyramid_is_loaded(tmp_path: Path, pixels: Tensor) -> None:
    model = Sam3TrackerModel(Sam3TrackerConfig(**tiny.tracker_config()))
    assert len(model.vision_encoder.neck.fpn_layers) == 4
    model.save_pretrained(tmp_path)
    loaded = load_tracker(tmp_path)
    assert len(loaded.vision_encoder.neck.fpn_layers) == 3
    assert torch.equal(
        loaded.vision_encoder.neck.fpn_layers[2].proj1.weight,
        model.vision_encoder.neck.fpn_layers[2].proj1.weight,
    )


@pytest.mark.parametrize(
    "lost",
    [
        "tracker_model.no_memory_embedding",
        "tracker_model.mask_decoder.conv_s1.bias",
        "tracker_neck.fpn_layers.2.proj1.weight",
        "detector_model.vision_encoder.backbone.layers.1.mlp.fc2.weight",
    ],
)
def test_missing_parameters_are_refused_by_name(published: Path, tmp_path: Path, lost: str) -> None:
    (tmp_path / "config.json").write_bytes((published / "config.json").read_bytes())
    tensors = load_file(published / "model.safetensors")
    del tensors[lost]
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsInvalid, match=lost.split(".", 1)[1].removeprefix("fpn_layers")):
        load_tracker(tmp_path)


def test_parameters_of_another_shape_are_refused(published: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((published / "config.json").read_bytes())
    tensors = load_file(published / "model.safetensors")
    tensors["tracker_model.no_memory_embedding"] = torch.zeros(1, 1, 7)
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsInvalid):
        load_tracker(tmp_path)


def test_what_the_library_saves_of_the_video_model_is_refused(
    published: Path, tmp_path: Path
) -> None:
    """Its names have a prefix twice, and the library would start the decoder at random."""
    Sam3VideoModel(Sam3VideoConfig.from_pretrained(published)).save_pretrained(tmp_path)
    with pytest.raises(WeightsInvalid, match="Sam3VideoModel"):
        load_tracker(tmp_path)


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])


def _another_model(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))


@pytest.mark.parametrize("harm", [_without_weights, _cut, _another_model])
def test_what_is_no_sam_3_is_refused(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    tiny.write(tmp_path)
    harm(tmp_path)
    with pytest.raises(WeightsInvalid, match="Fetch"):
        load_tracker(tmp_path)


@pytest.mark.parametrize("size", [(640, 480), (300, 1000), (90, 130), (17, 5)])
def test_pixels_are_those_of_the_library_s_processor(size: tuple[int, int]) -> None:
    """Up to one level of 255, by which the processor's own rounding differs from itself."""
    from transformers.models.sam3.image_processing_sam3 import Sam3ImageProcessor

    width, height = size
    values = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    photo = Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)
    side = 168
    processor = Sam3ImageProcessor(size={"height": side, "width": side})
    expected = processor(photo, return_tensors="pt").pixel_values
    given = stretch(to_device(photo, CPU), side)
    assert given.shape == expected.shape == (1, 3, side, side)
    levels = (given - expected).abs() * 127.5
    assert levels.max() < 1.01
    assert levels.mean() < 0.2


@pytest.mark.parametrize("size", [(130, 90), (1, 1), (40_000, 3), (3, 40_000)])
def test_a_photo_s_pixels_stay_where_they_are(size: tuple[int, int]) -> None:
    """Pillow hands them on in pieces of 64 KB, or of a row."""
    width, height = size
    values = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    assert np.array_equal(to_device(Image.fromarray(values), CPU).numpy(), values)
