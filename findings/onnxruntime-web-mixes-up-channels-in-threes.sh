#!/usr/bin/env bash
# onnxruntime-web 1.30.0's WebGPU provider computes a plain 3 x 3 convolution wrongly, without an
# error, where the input has 6, 9, 15, 18 ... channels (a multiple of three and none of four) and the
# output a multiple of four: some values are off by as much as the largest one. With 3 channels, with
# 5, 7 or 8, or 6 padded to 8 by zeros, it is right to rounding. Needs /usr/bin/chromium, whose
# software adapter (SwiftShader) plays the GPU; on an H100 6, 9 and 18 were wrong as well.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnx==1.23.2 playwright==1.65.2 numpy
(cd "$folder" && npm install --silent --no-fund --no-audit onnxruntime-web@1.30.0 >/dev/null)
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import functools, http.server, json, pathlib, threading
import numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
from playwright.sync_api import sync_playwright

CHANNELS = [3, 4, 5, 6, 7, 8, 9, 12, 15, 18, 21]
WRONG = [6, 9, 15, 18, 21]
random = np.random.default_rng(0)
nodes, inputs, outputs, weights = [], [], [], []
for n in CHANNELS:
    values = random.standard_normal((8, n, 3, 3)).astype("f4")
    weights.append(numpy_helper.from_array(values, f"w{n}"))
    inputs.append(helper.make_tensor_value_info(f"x{n}", TensorProto.FLOAT, [1, n, 16, 16]))
    outputs.append(helper.make_tensor_value_info(f"y{n}", TensorProto.FLOAT, [1, 8, 16, 16]))
    nodes.append(helper.make_node("Conv", [f"x{n}", f"w{n}"], [f"y{n}"], pads=[1, 1, 1, 1]))
graph = helper.make_graph(nodes, "convolutions", inputs, outputs, weights)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "c.onnx")
pathlib.Path("index.html").write_text("<title>Channels</title>")
SCRIPT = """async (channels) => {
    const run = async (build, provider) => {
        const ort = await import(`/node_modules/onnxruntime-web/dist/${build}`);
        Object.assign(ort.env.wasm, { numThreads: 1, wasmPaths: "/node_modules/onnxruntime-web/dist/" });
        const session = await ort.InferenceSession.create("/c.onnx", { executionProviders: [provider] });
        const feeds = {};
        for (const n of channels) {
            const data = Float32Array.from({ length: n * 256 }, (_, i) => Math.sin(i * i));
            feeds[`x${n}`] = new ort.Tensor("float32", data, [1, n, 16, 16]);
        }
        return session.run(feeds);
    };
    const [gpu, processor] = [await run("ort.webgpu.min.mjs", "webgpu"), await run("ort.wasm.min.mjs", "wasm")];
    return channels.map((n) => {
        const [a, b] = [gpu[`y${n}`].data, processor[`y${n}`].data];
        return Math.max(...b.map((v, i) => Math.abs(v - a[i]))) / Math.max(...b.map(Math.abs));
    });
}"""
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=".")
handler.func.log_message = lambda *_: None
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    )
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
    off = dict(zip(CHANNELS, page.evaluate(SCRIPT, CHANNELS)))
    print("onnxruntime-web 1.30.0, Chromium", browser.version)
    browser.close()
for n, share in off.items():
    print(f"{n:3} channels: off by {share:.1e} of the largest value")
found = [n for n, share in off.items() if share > 1e-3]
assert found == WRONG, f"wrong are now {found}"
PY
