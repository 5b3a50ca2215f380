/** Decoders in WebAssembly, which every browser has. */

import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import runtimeWasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import * as ort from "onnxruntime-web/wasm";
import type { Declared } from "./feeds";
import { declaredBy, type Feeds, type Runtime, toDecoded, toTensors } from "./runtime";

ort.env.wasm.wasmPaths = {
  mjs: new URL(runtimeModule, self.location.href).href,
  wasm: new URL(runtimeWasm, self.location.href).href,
};

/** Open a decoder; `photo` gives its inputs that are the same for every prompt. */
export async function openWasm(
  model: ArrayBuffer,
  photo: (declared: readonly Declared[]) => Feeds,
  threads: number,
): Promise<{ runtime: Runtime; declared: readonly Declared[]; fixed: Feeds }> {
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(new Uint8Array(model), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
    // GELU by tanh where a decoder asks for it by erf, which has no SIMD here: a third of its time.
    extra: { optimization: { enable_gelu_approximation: "1" } },
  });
  const declared = declaredBy(session);
  const fixed = photo(declared);
  const embeddings = toTensors(ort.Tensor, fixed);
  const decode = async (prompt: Feeds) =>
    toDecoded(await session.run({ ...embeddings, ...toTensors(ort.Tensor, prompt) }));
  return { runtime: { decode, close: () => void session.release() }, declared, fixed };
}
