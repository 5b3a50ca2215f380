/**
 * A decoder on a GPU, by onnxruntime's WebGPU provider. In a worker of its own: starting it takes its
 * thread for a second, in which clicks are answered elsewhere, and what goes wrong ends with it.
 */

import * as ort from "onnxruntime-web/jspi";
import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url";
import runtimeWasm from "onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url";
import type { FromGpu, ToGpu } from "./gpu";
import { type Feeds, toDecoded, toTensors } from "./runtime";

ort.env.wasm.wasmPaths = {
  mjs: new URL(runtimeModule, self.location.href).href,
  wasm: new URL(runtimeWasm, self.location.href).href,
};
ort.env.wasm.numThreads = 1;

// TypeScript's own types lack it.
declare const GPUBufferUsage: Readonly<Record<"STORAGE" | "COPY_SRC" | "COPY_DST", number>>;

let session: ort.InferenceSession | null = null;
/** What is the same for every prompt, on the device. */
let photo: Record<string, ort.Tensor> = {};

self.onmessage = ({ data }: MessageEvent<ToGpu>) => {
  answer(data).then(post, (error) => post({ error: String(error) }));
};

async function answer(request: ToGpu): Promise<FromGpu> {
  if ("model" in request) {
    session = await ort.InferenceSession.create(new Uint8Array(request.model), {
      executionProviders: ["webgpu"],
      graphOptimizationLevel: "all",
    });
    const device = await ort.env.webgpu.device;
    // onnxruntime 1.30.0 answers nothing any more once its device is lost, not even that it is.
    void device.lost.then(({ message }) => post({ error: `The GPU was lost. ${message}` }));
    photo = onDevice(device, request.photo);
    return { opened: true };
  }
  if (!session) throw new Error("The decoder is not open.");
  const outputs = await session.run({ ...photo, ...toTensors(ort.Tensor, request.prompt) });
  return { decoded: toDecoded(outputs) };
}

function onDevice(device: GPUDevice, feeds: Feeds): Record<string, ort.Tensor> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const tensors = Object.entries(feeds).map(([name, { type, dims, data }]) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: type as "float32", dims })];
  });
  return Object.fromEntries(tensors);
}

function post(message: FromGpu): void {
  const transfer = "decoded" in message ? [message.decoded.masks.buffer] : [];
  self.postMessage(message, { transfer });
}
