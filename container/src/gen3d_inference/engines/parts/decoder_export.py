"""Writes a mask decoder as ONNX, for the browser, and holds the file against the decoder.

It is made from the weights that the endpoint runs, where they are installed, so that the two always
fit. Their licence holds for it too, and goes with it.
"""

import hashlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper
from torch import Tensor, nn

from gen3d.errors import WeightsInvalid
from gen3d_inference.engines.parts.browser_graph import for_browsers
from gen3d_inference.engines.parts.decoder import (
    NAMES,
    OUTPUTS,
    PROMPT_INPUTS,
    MaskDecoder,
    as_tokens,
)
from gen3d_inference.engines.parts.float16_weights import store_float16
from gen3d_inference.engines.parts.precision import LAYOUT, TOKENS

_OPSET = 20
"""The first that has GELU, with its approximation."""
_SMALL = 4096
"""Values up to which a constant stays as it is: biases, norms, and the frequencies of positions."""
_TOLERANCE = 1e-3
"""Of the largest value: two runtimes' sums differ by less, a wrong operator's by more."""


def write(model: bytes, out: Path) -> None:
    """Write a file whole or not at all; its folder is made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_suffix(".unfinished")
    unfinished.write_bytes(model)
    unfinished.replace(out)


def to_onnx(decoder: MaskDecoder, engine: str, licence: str) -> bytes:
    """Export a decoder, and hold the file against it.

    Parameters
    ----------
    decoder : MaskDecoder
        Its parameters are rounded to what the file holds: halves, which are computed with in
        float32.
    engine, licence : str
        What the file says of itself.

    Raises
    ------
    WeightsInvalid
        The file does not answer as the decoder does.
    """
    revision = _revision(decoder)
    _round_to_halves(decoder)
    model = onnx.load_model_from_string(_traced(decoder))
    for_browsers(model)
    store_float16(model, _SMALL)
    about = {
        "engine": engine,
        LAYOUT: TOKENS,
        "source_revision": revision,
        "license": licence,
    }
    helper.set_model_props(model, about)
    onnx.checker.check_model(model)
    file: bytes = model.SerializeToString()
    _check(file, decoder)
    return file


def _traced(decoder: MaskDecoder) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes that are fixed by intent
        torch.onnx.export(
            decoder,
            _example(decoder, points=2),
            buffer,
            input_names=[*NAMES, *PROMPT_INPUTS],
            output_names=list(OUTPUTS),
            dynamic_axes={"point_coords": {1: "points"}, "point_labels": {1: "points"}},
            opset_version=_OPSET,
            dynamo=False,  # the only exporter without a further dependency
        )
    return buffer.getvalue()


def _example(
    decoder: MaskDecoder, points: int, mask: bool = True, seed: int = 0
) -> tuple[Tensor, ...]:
    """Random inputs; from three points on, the first two are a box."""
    random = torch.Generator().manual_seed(seed)
    width = decoder.width
    shapes = ((width, 1), (width // 8, 4), (width // 4, 2))  # channels, and sides in grids
    embeddings = [
        torch.randn((1, channels, *2 * (decoder.grid * sides,)), generator=random)
        for channels, sides in shapes
    ]
    labels = torch.arange(points) % 2
    if points > 2:
        labels[:2] = torch.tensor([2, 3])
    return (
        *(as_tokens(image, decoder.grid) for image in embeddings),
        torch.rand((1, points, 2), generator=random) * decoder.side,
        labels[None].int(),
        torch.randn((1, 1, *2 * (decoder.grid * 4,)), generator=random) * 8,
        torch.tensor([float(mask)]),
    )


def _check(file: bytes, decoder: MaskDecoder) -> None:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for points, mask in ((1, False), (1, True), (2, True), (5, False), (32, True)):
        inputs = _example(decoder, points, mask, seed=points)
        feeds = {
            n: value.numpy() for n, value in zip((*NAMES, *PROMPT_INPUTS), inputs, strict=True)
        }
        answers = session.run(OUTPUTS, feeds)
        with torch.inference_mode():
            expected = [answer.numpy() for answer in decoder(*inputs)]
        for name, ours, theirs in zip(OUTPUTS, answers, expected, strict=True):
            alike = ours.shape == theirs.shape
            off = np.abs(ours - theirs).max() / np.abs(theirs).max() if alike else np.inf
            if not off <= _TOLERANCE:
                raise WeightsInvalid(
                    f"The exported decoder's {name} are off by {off:.1e} for {points} points. "
                    "Nothing was written; install the pinned versions of torch and onnxruntime."
                )


def _revision(network: nn.Module) -> str:
    """Name the parameters that a network was given."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def _large(tensors: Iterator[Tensor]) -> Iterator[Tensor]:
    return (tensor for tensor in tensors if tensor.numel() > _SMALL)


def _round_to_halves(network: nn.Module) -> None:
    """Round the parameters to what the file will hold, so that it can be compared closely."""
    for tensor in _large(network.parameters()):
        tensor.copy_(tensor.half())
