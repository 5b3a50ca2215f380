"""The decoder that the browser runs, held against the embeddings file that it is fed from."""

import itertools
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from safetensors.numpy import load

from gen3d_inference import embeddings
from gen3d_inference.engines.interface import Embeddings, Engine
from gen3d_inference.mask_decoder import photo_inputs

PROMPT = {"point_coords", "point_labels", "mask_input", "has_mask_input"}

EXAMPLES = Path(__file__).parents[2] / "examples"

Arrays = dict[str, NDArray[np.generic]]


@pytest.fixture(scope="module")
def decoder(weights_folder: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(weights_folder / "decoder.onnx")


def prompt(session: onnxruntime.InferenceSession, points: list[tuple[float, float, int]]) -> Arrays:
    """Everything but the embeddings, in the types that the decoder declares."""
    declared = {each.name: each for each in session.get_inputs()}
    labels = np.float32 if declared["point_labels"].type == "tensor(float)" else np.int32
    return {
        "point_coords": np.array([[point[:2] for point in points]], np.float32),
        "point_labels": np.array([[point[2] for point in points]], labels),
        "mask_input": np.zeros(declared["mask_input"].shape, np.float32),
        "has_mask_input": np.zeros(1, np.float32),
    }


def fed(session: onnxruntime.InferenceSession, encoded: Embeddings) -> Arrays:
    """The embeddings as they come out of the file that they were written to."""
    return photo_inputs(session, load(embeddings.uncompressed(embeddings.pack(encoded), 10**8)))


@pytest.fixture(scope="module")
def ball() -> tuple[Image.Image, NDArray[np.bool_]]:
    """A plain red ball on a plain ground, and its mask."""
    photo = Image.new("RGB", (400, 300), (90, 110, 90))
    mask = Image.new("L", photo.size)
    for target, fill in ((photo, (200, 40, 30)), (mask, 255)):
        ImageDraw.Draw(target).ellipse((120, 70, 260, 210), fill=fill)
    return photo, np.asarray(mask) > 0


def test_decoder_declares_what_the_embeddings_hold(
    engine: Engine, decoder: onnxruntime.InferenceSession, coffee: Image.Image
) -> None:
    tensors = fed(decoder, engine.initialize(coffee))
    declared = {each.name: each for each in decoder.get_inputs()}
    assert set(declared) == set(tensors) | PROMPT
    types = {"tensor(float16)": np.float16, "tensor(float)": np.float32}
    for name, tensor in tensors.items():
        assert tuple(declared[name].shape) == tensor.shape
        assert types[declared[name].type] == tensor.dtype
    assert [each.name for each in decoder.get_outputs()][:2] == ["masks", "iou_scores"]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_any_number_of_points(
    engine: Engine, decoder: onnxruntime.InferenceSession, coffee: Image.Image, count: int
) -> None:
    tensors = fed(decoder, engine.initialize(coffee))
    points = [(20.0 * k + 100, 200.0, k % 2) for k in range(count)]
    masks, scores = decoder.run(["masks", "iou_scores"], {**tensors, **prompt(decoder, points)})
    assert masks.shape[:2] == scores.shape == (1, masks.shape[1])
    assert np.isfinite(masks).all()
    assert (scores >= 0).all()


def test_a_click_selects_what_was_clicked(
    engine: Engine,
    decoder: onnxruntime.InferenceSession,
    ball: tuple[Image.Image, NDArray[np.bool_]],
) -> None:
    photo, wanted = ball
    encoded = engine.initialize(photo)
    x = 190 * int(encoded.meta.input_width) / photo.width
    y = 140 * int(encoded.meta.input_height) / photo.height
    tensors = fed(decoder, encoded)
    masks, scores = decoder.run(
        ["masks", "iou_scores"], {**tensors, **prompt(decoder, [(x, y, 1)])}
    )
    best = Image.fromarray(masks[0, scores[0].argmax()]).resize(photo.size)
    found = np.asarray(best) > 0
    assert (found & wanted).sum() / (found | wanted).sum() > 0.9


def test_stored_embeddings_give_the_masks_of_those_that_the_engine_gave(
    lite: Engine, lite_weights: Path
) -> None:
    """The lite decoder, against itself with the casts of its inputs taken out."""
    model = onnx.load(lite_weights / "decoder.onnx")
    stored = onnxruntime.InferenceSession(lite_weights / "decoder.onnx")
    inputs = {declared.name for declared in stored.get_inputs()} - PROMPT
    for declared in model.graph.input:
        if declared.name in inputs:
            declared.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    exact = onnxruntime.InferenceSession(model.SerializeToString())
    alike = []
    for path in sorted(EXAMPLES.glob("*.jpg")):
        encoded = lite.initialize(Image.open(path).convert("RGB"))
        file = fed(stored, encoded)
        for x, y in itertools.product((0.25, 0.5, 0.75), repeat=2):
            clicked = prompt(stored, [(x * 448, y * 448, 1)])
            masks, _ = stored.run(None, {**file, **clicked})
            expected, scores = exact.run(None, {**encoded.tensors, **clicked})
            ours, theirs = (one[0, scores[0].argmax()] > 0 for one in (masks, expected))
            alike.append((ours & theirs).sum() / (ours | theirs).sum())
    assert np.mean(alike) > 0.99
    assert min(alike) > 0.95
