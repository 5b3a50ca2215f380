"""Both decoders, every layer, on WebGPU in Chromium and by onnxruntime here: the same masks.

The GPU is a processor's (SwiftShader), so that this takes minutes; it is given what a real one is.
onnxruntime-web was wrong for six input channels of a convolution, in silence, on every adapter that
was tried: masks alone may hide such a layer, so that all of them are compared.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto
from PIL import Image
from playwright.sync_api import Playwright

from gen3d_inference.engines.lite.lite_engine import LiteEngine
from gen3d_inference.mask_decoder import photo_inputs
from tests.browser import gpu
from tests.browser.gpu import opened, served
from tests.local.running import ROOT

LITE = ROOT / "container" / "weights" / "lite"
TORCH = ROOT / ".venvs" / "torch" / "bin" / "python"
RUNTIME = ROOT / "webapp" / "node_modules" / "onnxruntime-web" / "dist"

Arrays = dict[str, NDArray[np.generic]]

OFF = 1e-2
"""Of a layer's largest value: what the two may differ by. A wrong kernel's are off by a quarter.

Right ones are off by up to .0036 in the answers of SAM 3's size, as it depends on which of a
processor's instructions onnxruntime has for its sums.
"""

COMPARE = """async (off) => {
    const ort = await import("/runtime/ort.jspi.min.mjs");
    Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: "/runtime/" });
    const bytes = async (name) => (await fetch(name)).arrayBuffer();
    const about = JSON.parse(new TextDecoder().decode(await bytes("about.json")));
    const kinds = { float32: Float32Array, int32: Int32Array };
    const values = new Uint8Array(await bytes("values"));
    const read = ({ type, at, size }) => new kinds[type](values.slice(at, at + size).buffer);
    const session = await ort.InferenceSession.create(new Uint8Array(await bytes("all.onnx")), {
        executionProviders: ["webgpu"], graphOptimizationLevel: "basic",
    });
    const feeds = {};
    for (const [name, one] of Object.entries(about.feeds))
        feeds[name] = new ort.Tensor(one.type, read(one), one.shape);
    const answers = await session.run(feeds);
    const wrong = [];
    for (const [name, one] of Object.entries(about.answers)) {
        const [ours, theirs] = [answers[name].data, read(one)];
        let apart = ours.length === theirs.length ? 0 : Infinity, most = 1e-6;
        for (let i = 0; i < theirs.length; i++) {
            const difference = Math.abs(ours[i] - theirs[i]);
            if (!(difference <= apart)) apart = difference;
            most = Math.max(most, Math.abs(theirs[i]));
        }
        if (!(apart <= off * most)) wrong.push([name, apart / most]);
    }
    const masks = [answers.masks.data, read(about.answers.masks)];
    let both = 0, either = 0;
    for (let i = 0; i < masks[0].length; i++) {
        both += masks[0][i] > 0 && masks[1][i] > 0;
        either += masks[0][i] > 0 || masks[1][i] > 0;
    }
    return { layers: Object.keys(about.answers).length, wrong, iou: both / either };
}"""


@dataclass(frozen=True)
class Compared:
    """What Chromium's GPU and onnxruntime here have made of one prompt."""

    layers: int
    wrong: list[tuple[str, float]]
    iou: float


def with_every_layer(file: bytes) -> onnx.ModelProto:
    """The model, every layer's numbers among its outputs."""
    model = onnx.load_model_from_string(file)
    inferred = onnx.shape_inference.infer_shapes(model).graph
    numbers = {
        value.name
        for value in inferred.value_info
        if value.type.tensor_type.elem_type == TensorProto.FLOAT
    }
    known = {value.name for value in model.graph.output}
    for node in model.graph.node:
        if node.op_type in ("Constant", "Cast"):
            continue
        for name in set(node.output) & numbers - known:
            output = model.graph.output.add()
            output.name = name
            output.type.tensor_type.elem_type = TensorProto.FLOAT
    return model


def compare(
    playwright: Playwright, model: onnx.ModelProto, feeds: Arrays, folder: Path
) -> Compared:
    file = model.SerializeToString()
    session = onnxruntime.InferenceSession(file)
    names = [output.name for output in session.get_outputs()]
    answers = dict(zip(names, session.run(names, feeds), strict=True))
    (folder / "all.onnx").write_bytes(file)
    about: dict[str, dict[str, object]] = {"feeds": {}, "answers": {}}
    with (folder / "values").open("wb") as values:
        for kind, arrays in (("feeds", feeds), ("answers", answers)):
            for name, array in arrays.items():
                about[kind][name] = {
                    "type": str(array.dtype),
                    "shape": array.shape,
                    "at": values.tell(),
                    "size": array.nbytes,
                }
                values.write(array.tobytes())
    (folder / "about.json").write_text(json.dumps(about))
    (folder / "index.html").write_text("<title>Layers</title>")
    (folder / "runtime").symlink_to(RUNTIME)
    with served(folder) as site, opened(playwright, site.url, *gpu.ARGUMENTS) as page:
        return Compared(**page.evaluate(COMPARE, OFF))


def prompt(session: onnxruntime.InferenceSession, side: int) -> Arrays:
    """Two clicks on a thing, one beside it, and an earlier mask."""
    kinds = {each.name: each for each in session.get_inputs()}
    labels = np.float32 if kinds["point_labels"].type == "tensor(float)" else np.int32
    random = np.random.default_rng(0)
    logits = random.standard_normal(kinds["mask_input"].shape) * 4
    return {
        "point_coords": (np.array([[(0.5, 0.3), (0.45, 0.6), (0.1, 0.9)]]) * side).astype("f4"),
        "point_labels": np.array([[1, 1, 0]], labels),
        "mask_input": logits.astype(np.float32),
        "has_mask_input": np.ones(1, np.float32),
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_lite_decoder(playwright: Playwright, photo: Path, tmp_path: Path) -> None:
    file = (LITE / "decoder.onnx").read_bytes()
    session = onnxruntime.InferenceSession(file)
    encoded = LiteEngine(LITE).initialize(Image.open(photo).convert("RGB"))
    feeds = {
        **photo_inputs(session, dict(encoded.tensors)),
        **prompt(session, int(encoded.meta.input_width)),
    }
    compared = compare(playwright, with_every_layer(file), feeds, tmp_path)
    assert compared.wrong == []
    assert compared.iou >= 0.999
    assert compared.layers > 50


@pytest.fixture
def sam_sized(tmp_path: Path) -> bytes:
    """A decoder of SAM 3's size with random weights, by the environment that has torch."""
    if not TORCH.exists():
        pytest.skip("needs requirements/torch.txt")
    out = tmp_path / "sam-sized.onnx"
    command = [str(TORCH), "-m", "bench.web.sam_decoder", str(out)]
    subprocess.run(command, cwd=ROOT, env=dict(os.environ), check=True, stdout=subprocess.DEVNULL)
    return out.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_decoder_of_sams_size(playwright: Playwright, sam_sized: bytes, tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(sam_sized)
    asked = prompt(session, 1008)
    random = np.random.default_rng(0)
    photo = {
        each.name: random.standard_normal(each.shape).astype(np.float32)
        for each in session.get_inputs()
        if each.name not in asked
    }
    compared = compare(playwright, with_every_layer(sam_sized), {**photo, **asked}, tmp_path)
    assert compared.wrong == []
    assert compared.iou >= 0.999
    assert compared.layers > 50
