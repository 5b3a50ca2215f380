import runtimeModule from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import runtimeWasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import * as ort from "onnxruntime-web/wasm";
import type { Logits } from "../selection/mask";
import type { Decoded, Prompt } from "../selection/prompt";
import { type EmbeddingsMeta, readFound, readMeta } from "./embeddings";
import { DecoderError } from "./failure";
import { type Declared, embeddingFeeds, type Feed, promptFeeds } from "./feeds";
import { uncompressed } from "./files";
import { readSafeTensors } from "./safetensors";
import type { OnnxType } from "./tensors";

ort.env.wasm.wasmPaths = {
  mjs: new URL(runtimeModule, self.location.href).href,
  wasm: new URL(runtimeWasm, self.location.href).href,
};

/** A decoder with the embeddings of one photo. */
export class DecoderSession {
  private constructor(
    readonly meta: EmbeddingsMeta,
    readonly found: readonly Decoded[],
    private readonly session: ort.InferenceSession,
    private readonly declared: readonly Declared[],
    private readonly embeddings: Readonly<Record<string, ort.Tensor>>,
  ) {}

  /**
   * @throws Error where the two files do not belong together or cannot be read.
   */
  static async open(
    model: ArrayBuffer,
    embeddings: ArrayBuffer,
    decoder: { engine: string; revision: string },
    threads: number,
  ): Promise<DecoderSession> {
    const file = readSafeTensors(await uncompressed(embeddings));
    const meta = readMeta(file, decoder);
    ort.env.wasm.numThreads = threads;
    const session = await ort.InferenceSession.create(new Uint8Array(model), {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
    });
    const declared = session.inputMetadata.filter(
      (input) => input.isTensor,
    ) as unknown as Declared[];
    const tensors = toTensors(embeddingFeeds(declared, file));
    return new DecoderSession(meta, readFound(file), session, declared, tensors);
  }

  async decode(prompt: Prompt, previous: Logits | null): Promise<Decoded> {
    const feeds = toTensors(promptFeeds(this.declared, this.meta, prompt, previous));
    const outputs = await this.session.run({ ...this.embeddings, ...feeds });
    const tensors = Object.values(outputs);
    const masks = tensors.find((tensor) => tensor.dims.length === 4);
    const scores = outputs.iou_scores;
    if (!masks || !scores)
      throw new DecoderError("DecoderFailed", "The decoder gave no masks. Reload the page.");
    const [, , height, width] = masks.dims as [number, number, number, number];
    return {
      // A copy: the runtime's memory is shared between threads and cannot be handed over.
      masks: Float32Array.from(masks.data as Float32Array),
      width,
      height,
      scores: Array.from(scores.data as Float32Array),
    };
  }
}

function toTensors(feeds: Record<string, Feed>): Record<string, ort.Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, data }]) => [
      name,
      new ort.Tensor(type as Exclude<OnnxType, never>, data as never, dims),
    ]),
  );
}
