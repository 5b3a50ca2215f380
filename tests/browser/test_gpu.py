"""The decoder's worker with a GPU: tried after the first click, and lost between two.

The worker is the page's own, as it is built; the decoder is a small one, as SwiftShader would take
seconds for a real one, which `test_gpu_layers` holds against onnxruntime.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from playwright.sync_api import Page, Playwright
from safetensors.numpy import save

from gen3d.contract import EmbeddingsMeta
from tests.browser import gpu
from tests.browser.gpu import Site, opened, served
from tests.local.running import ROOT, eventually

SIDE, FRAME = 56, 448
CUP, SPOON, TABLE = (224, 134), (278, 350), (36, 403)

PRELUDE = """
Object.defineProperty(GPUAdapterInfo.prototype, "isFallbackAdapter", { get: () => false });
const gpuChannel = new BroadcastChannel("gpu");
const requested = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...how) {
    const device = await requested.apply(this, how);
    gpuChannel.onmessage = () => device.destroy();
    return device;
};
const submitted = GPUQueue.prototype.submit;
GPUQueue.prototype.submit = function (...what) {
    gpuChannel.postMessage("submitted");
    return submitted.apply(this, what);
};
"""
"""In the workers: SwiftShader for a real GPU, told of when it is used, and lost when asked."""

STILL = "performance.now = () => 0;"
"""A clock that stands still, by which starting it takes no seconds."""

PAGE = """async ([script, source]) => {
    window.submitted = 0;
    window.gpuChannel = new BroadcastChannel("gpu");
    gpuChannel.onmessage = () => { window.submitted += 1; };
    const worker = new Worker(script, { type: "module" });
    const waiting = new Map();
    worker.onmessage = ({ data }) => waiting.get(data.id)?.(data);
    let last = 0;
    window.ask = (kind, payload) => new Promise((done, fail) => {
        last += 1;
        waiting.set(last, (answer) =>
            "error" in answer ? fail(new Error(answer.error)) : done(answer.result));
        worker.postMessage({ id: last, kind, payload });
    });
    await ask("open", source);
}"""

CLICK = """async ([x, y]) => {
    const before = window.submitted;
    const clicks = [{ x, y, label: 1 }];
    const { masks, width } = await ask("decode", { prompt: { clicks, box: null }, previous: null });
    const inside = [];
    for (let i = 0; i < width * width; i++) if (masks[i] > 0) inside.push(i);
    await new Promise((done) => setTimeout(done, 200));
    const middle = (of) => inside.reduce((sum, i) => sum + of(i), 0) / inside.length + 0.5;
    return {
        at: [middle((i) => i % width), middle((i) => Math.floor(i / width))],
        onGpu: window.submitted > before,
    };
}"""

_STORE = """const all = (request) => new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
});
const opening = indexedDB.open("gen3d-processors");
opening.onupgradeneeded = () => opening.result.createObjectStore("chosen");
const base = await all(opening);
const store = base.transaction("chosen", "readwrite").objectStore("chosen");
"""
CHOSEN = f"""async () => {{
    {_STORE}
    const found = [await all(store.getAllKeys()), await all(store.getAll())];
    base.close();
    return found[0].map((key, index) => [key, found[1][index]]);
}}"""
CHOOSE = f"""async ([key, value]) => {{
    {_STORE}
    await all(store.put(value, key));
    base.close();
}}"""


def discs() -> bytes:
    """A decoder of little to do: discs around the last point, in a photo of one number a pixel."""
    centres = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * FRAME
    places = np.stack(np.meshgrid(centres, centres), -1)[None, None]
    constants: dict[str, NDArray[np.generic]] = {
        "places": places,
        "radii": np.array([30, 20, 10], np.float32).reshape(1, 3, 1, 1) ** 2,
        "scores": np.array([[0.9, 0.8, 0.7]], np.float32),
        "last": np.array([-1]),
        "end": np.array([2**31]),
        "axis": np.array([1]),
        "sides": np.array([1, 1, 1, 1, 2]),
        "across": np.array([4]),
        "row": np.array([1, 1]),
    }
    nodes = [
        helper.make_node("Slice", ["point_coords", "last", "end", "axis"], ["point"]),
        helper.make_node("Reshape", ["point", "sides"], ["centre"]),
        helper.make_node("Sub", ["places", "centre"], ["apart"]),
        helper.make_node("Mul", ["apart", "apart"], ["squares"]),
        helper.make_node("ReduceSum", ["squares", "across"], ["distance"], keepdims=0),
        helper.make_node("Sub", ["radii", "distance"], ["inside"]),
        helper.make_node("Add", ["inside", "image_embed"], ["masks"]),
        helper.make_node("Reshape", ["has_mask_input", "row"], ["given"]),
        helper.make_node("Add", ["scores", "given"], ["iou_scores"]),
    ]
    sizes: dict[str, list[int | str]] = {
        "image_embed": [1, 1, SIDE, SIDE],
        "point_coords": [1, "points", 2],
        "has_mask_input": [1],
        "masks": [1, 3, SIDE, SIDE],
        "iou_scores": [1, 3],
    }
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in sizes.items()]
    fixed = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "discs", values[:3], values[3:], fixed)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    file: bytes = model.SerializeToString()
    return file


def embeddings() -> bytes:
    """A photo of nothing."""
    meta = EmbeddingsMeta(
        engine="discs",
        revision="1",
        input_width=str(FRAME),
        input_height=str(FRAME),
        image_width=str(FRAME),
        image_height=str(FRAME),
        precision="fp32",
    )
    nothing = np.zeros((1, 1, SIDE, SIDE), np.float32)
    return save({"image_embed": nothing}, metadata=meta.model_dump())


@pytest.fixture
def site(build: Path, tmp_path: Path) -> Iterator[Site]:
    """The page's scripts beside a small decoder and a photo, and a page with neither."""
    (tmp_path / "assets").symlink_to(build / "assets")
    (tmp_path / "decoder.onnx").write_bytes(discs())
    (tmp_path / "embeddings.safetensors").write_bytes(embeddings())
    (tmp_path / "index.html").write_text("<title>Clicks</title>")
    with served(tmp_path) as site:
        yield site


def start(page: Page, site: Site) -> None:
    """Open the decoder in the page's worker."""
    script = next(path.name for path in (site.folder / "assets").glob("worker-*.js"))
    source: dict[str, Any] = {"engine": "discs", "revision": "1", "threads": 1}
    source["decoderUrl"] = f"{site.url}/decoder.onnx"
    source["embeddingsUrl"] = f"{site.url}/embeddings.safetensors"
    page.evaluate(PAGE, [f"/assets/{script}", source])


def click(page: Page, at: tuple[int, int]) -> bool:
    """Ask for a mask, see that it lies where it was asked for, and say whether the GPU made it."""
    answer = page.evaluate(CLICK, list(at))
    assert np.abs(np.array(answer["at"]) * FRAME / SIDE - at).max() < 8
    return bool(answer["onGpu"])


def choice() -> str:
    """The name under which the page keeps what was found."""
    package = json.loads((ROOT / "webapp" / "package.json").read_text())
    return f"discs 1, google swiftshader, {package['dependencies']['onnxruntime-web']}"


def of_the_gpu(site: Site) -> list[str]:
    """What was fetched of onnxruntime's build for GPUs."""
    return [path for path in site.asked if "jspi" in path or "gpu-worker" in path]


def test_a_gpu_that_is_slower_is_tried_once(playwright: Playwright, site: Site) -> None:
    site.scripts = {"worker-": PRELUDE, "gpu-worker-": PRELUDE}
    with opened(playwright, site.url, *gpu.ARGUMENTS) as page:
        start(page, site)
        assert of_the_gpu(site) == []
        click(page, CUP)
        assert eventually(lambda: page.evaluate(CHOSEN)) == [[choice(), "wasm"]]
        assert of_the_gpu(site)
        assert not click(page, SPOON)
        site.asked.clear()
        page.reload()
        start(page, site)
        assert not click(page, TABLE)
        assert not click(page, CUP)
        assert of_the_gpu(site) == []


def test_a_gpu_that_is_lost_between_two_clicks_loses_neither(
    playwright: Playwright, site: Site
) -> None:
    site.scripts = {"worker-": PRELUDE + STILL, "gpu-worker-": PRELUDE}
    with opened(playwright, site.url, *gpu.ARGUMENTS) as page:
        page.evaluate(CHOOSE, [choice(), "gpu"])
        start(page, site)
        assert not click(page, CUP)
        assert eventually(lambda: click(page, SPOON))
        # What was submitted then may have been the trial's, which a loss in its midst would fail.
        page.wait_for_timeout(1000)
        assert click(page, SPOON)
        page.evaluate("gpuChannel.postMessage('lose')")
        assert not click(page, TABLE)
        assert not click(page, CUP)
        assert page.evaluate(CHOSEN) == [[choice(), "gpu"]]


@pytest.mark.parametrize("arguments", [[], gpu.ARGUMENTS], ids=["none", "a processor's"])
def test_nothing_is_fetched_for_what_is_no_gpu(
    playwright: Playwright, site: Site, arguments: list[str]
) -> None:
    with opened(playwright, site.url, *arguments) as page:
        start(page, site)
        for place in (CUP, SPOON):
            click(page, place)
        page.wait_for_timeout(500)
        assert of_the_gpu(site) == []
